"""Throughput: how much was done when and by whom, how long an item takes, and what it costs.

Its parts are views of one address, so that a view asks and draws little.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.access import Action
from core.analytics.asked import Filters
from core.services.analytics import figures
from core.services.analytics.figures import ThroughputView
from core.ui import charts, states
from core.ui.choices import choose, choose_view
from core.ui.shell import PageContext, open_page
from core.ui.teams import choose_team
from core.ui.text import _, mark
from core.ui.throughput.done import draw_done
from core.ui.throughput.flow import draw_flow
from core.ui.throughput.money import draw_money
from core.ui.throughput.paces import draw_fatigue, draw_paces
from core.ui.throughput.times import draw_times
from core.ui.zones import draw_zone

DONE, PACE, COST = "done", "pace", "cost"
VIEWS = {DONE: mark("Done and left"), PACE: mark("Pace"), COST: mark("Cost")}
SWITCH = "throughput.view"
ALL_TIME = "all"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Throughput"),
        Action.SEE_FIGURES,
        subtitle=_("How much was done and is left, how fast, and what it costs."),
    )
    with states.boundary(inline=True):
        view = choose_view(VIEWS, SWITCH)
        zone = charts.reader_zone()
        filters = _period(page, zone)
        if view == DONE:
            _done(page, filters, zone)
        elif view == PACE:
            _pace(page, filters, zone)
        else:
            draw_money(page, filters)


def _done(page: PageContext, filters: Filters, zone: str) -> None:
    draw_flow(page, filters, zone)
    work = _work(page, filters, zone)
    if work is not None:
        draw_done(page, work, filters)


def _pace(page: PageContext, filters: Filters, zone: str) -> None:
    work = _work(page, filters, zone)
    if work is not None:
        draw_times(page, work, filters)
        draw_paces(page, filters, zone)
        draw_fatigue(page, filters, zone)


def _work(page: PageContext, filters: Filters, zone: str) -> ThroughputView | None:
    """Return the work of the time looked at; None, said on the page, where there is none."""
    view = figures.throughput(page.ws, page.actor, page.slug, filters, zone)
    if view.days:
        return view
    states.empty(
        _("No work in this time"),
        _("Votes, skips, flags and decisions made here are counted. Imported votes are not."),
        _("Choose a longer time above, or wait for the first votes."),
    )
    return None


def _period(page: PageContext, zone: str) -> Filters:
    people = figures.people_who_voted(page.ws, page.actor, page.slug)
    left, middle, third, right = st.columns(
        [1, 1, 1.2, 1], gap="medium", vertical_alignment="bottom"
    )
    with left:
        days = choose(
            _("Time"),
            "days",
            {
                ALL_TIME: _("All of it"),
                "30": _("The last 30 days"),
                "14": _("The last 14 days"),
                "7": _("The last 7 days"),
                "1": _("Today"),
            },
            ALL_TIME,
        )
    with middle:
        person = choose(_("Person"), "person", {"": _("Everybody"), **people}, "")
    with third:
        draw_zone()
    with right:  # the last place, for there are not always teams
        team = choose_team(page)
    since = None if days == ALL_TIME else _midnight(page.ws.clock(), zone, int(days) - 1)
    return Filters(since=since, people=(person,) if person else (), teams=team)


def _midnight(now: float, zone: str, days_ago: int) -> float:
    today = datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    return datetime.combine(today - timedelta(days=days_ago), time(), ZoneInfo(zone)).timestamp()


main()
