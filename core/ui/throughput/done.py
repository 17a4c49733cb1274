"""What was done on the *throughput* page: all of it, by day, and by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st

from core.analytics.asked import Filters
from core.analytics.work import Day
from core.services.analytics.figures import PersonPace, ThroughputView
from core.services.analytics.marks import WORDS
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.intervals import UNDEFINED
from core.ui import charts, downloads
from core.ui.charts import card_head
from core.ui.marks import Found, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import Markup, fill
from core.ui.throughput.marks import day_and_person, on_a_day
from core.ui.throughput.paces import with_interval
from core.ui.widgets import caption, figure, table


def draw_done(page: PageContext, view: ThroughputView, filters: Filters) -> None:
    """Draw the work of the time looked at: totals, days, people."""
    _totals(view)
    _by_day(page, view, filters)
    _people(page, view)


def _totals(view: ThroughputView) -> None:
    people = view.people
    seconds = sum(p.active_seconds for p in people)
    at_work = (seconds / 3600, "h") if seconds >= 3600 else (round(seconds / 60), _("min"))
    shown: tuple[tuple[str, float, str, str], ...] = (
        (_("Votes"), sum(p.votes for p in people), "", _("each change counted")),
        (_("Decisions by leads"), sum(p.decisions for p in people), "", ""),
        (_("Skips and flags"), sum(p.skips + p.flags for p in people), "", ""),
        (_("Time at work"), *at_work, _("pauses left out")),
    )
    with st.container(border=True):
        for column, (name, value, unit, note) in zip(st.columns(4), shown, strict=True):
            with column:
                figure(name, value, unit=unit, note=note)
        caption(_("Complete counts, not estimates."))


def _by_day(page: PageContext, view: ThroughputView, filters: Filters) -> None:
    names = [p.name for p in view.people]

    def answers(mark: str) -> Found:
        return on_a_day(page, view, filters, mark, ("vote", "decision"))

    def hours(mark: str) -> Found:
        return on_a_day(page, view, filters, mark, WORDS)

    with side_by_side(2) as (left, right):
        with left, st.container(border=True, height="stretch"):
            card_head(_("Votes and decisions a day"))
            rows = _amounts(view.days, lambda d: d.votes + d.decisions)
            draw_marks(
                page, charts.stacked_days(rows, names, _("Votes and decisions")), "throughput.votes",
                _("Votes and decisions by day and person"), day_and_person, answers,
            )  # fmt: skip
            _offer_days(page, view)
        with right, st.container(border=True, height="stretch"):
            card_head(_("Hours at work a day"))
            rows = _amounts(view.days, lambda d: d.active_seconds / 3600)
            draw_marks(
                page, charts.stacked_days(rows, names, _("Hours, pauses left out"), "%{x|%-d %b}: %{y:.1f} h"),
                "throughput.hours", _("Hours at work by day and person"), day_and_person, hours,
            )  # fmt: skip


def _amounts(days: Sequence[Day], amount: Callable[[Day], float]) -> dict[str, dict[date, float]]:
    found: dict[str, dict[date, float]] = defaultdict(dict)
    for day in days:
        if amount(day) > 0:
            found[day.person][day.day] = amount(day)
    return found


# --- by person ---------------------------------------------------------------------------------


def _people(page: PageContext, view: ThroughputView) -> None:
    with st.container(border=True):
        card_head(
            _("By person"),
            _(
                "In the order of names. Over all time: right by gold, of votes on every item with a known answer, planted or not, on “{question}” alone; same as others, on each item the share of the others who say the same, mean over the person's items."
            ).format(question=page.project.schema.main.title if page.project else ""),
        )
        head = (
            _("Person"), _("Votes"), _("Skips, flags"), _("Decisions"), _("Hours at work"),
            _("Median s a vote"), _("Right by gold"), _("Same as others"),
        )  # fmt: skip
        table(head, [_row(p) for p in view.people], _("Work by person"))
        _offer_people(page, view)


def _row(p: PersonPace) -> list[Markup | str]:
    return [
        fill("<b>{n}</b>", n=p.name),
        f"{p.votes:,}",
        f"{p.skips:,}, {p.flags:,}",
        f"{p.decisions:,}",
        f"{p.active_seconds / 3600:.1f} h",
        with_interval(p.seconds, "s"),
        with_interval(p.figures.gold.estimate if p.figures else UNDEFINED, "%"),
        with_interval(p.figures.agreement.estimate if p.figures else UNDEFINED, "%"),
    ]


def _offer_people(page: PageContext, view: ThroughputView) -> None:
    columns = (
        "person", "votes", "skips", "flags", "decisions", "active_seconds",
        *estimate_columns("median_seconds_a_vote"), *estimate_columns("right_by_gold_first_question"),
        *estimate_columns("same_as_others"),
    )  # fmt: skip
    rows = (
        (
            p.name, p.votes, p.skips, p.flags, p.decisions, p.active_seconds,
            *estimate_cells(p.seconds),
            *estimate_cells(p.figures.gold.estimate if p.figures else None),
            *estimate_cells(p.figures.agreement.estimate if p.figures else None),
        )
        for p in view.people
    )  # fmt: skip
    downloads.offer(page, "people", columns, rows)


def _offer_days(page: PageContext, view: ThroughputView) -> None:
    columns = (
        "day", "time_zone", "person", "votes", "skips", "flags", "decisions", "active_seconds",
        "median_seconds_a_vote", "elapsed_seconds",
    )  # fmt: skip
    rows = (
        (d.day, view.tz, d.person, d.votes, d.skips, d.flags, d.decisions, d.active_seconds,
         d.median_seconds, d.elapsed_seconds)
        for d in view.days
    )  # fmt: skip
    downloads.offer(page, "days", columns, rows)
