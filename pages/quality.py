"""Quality: how right the model and people are, what is mistaken for what, how far people agree.

Its parts are views of one address, so that a view asks and draws little.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from core.access import Action
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.analytics import figures
from core.services.analytics.doubles import doubles
from core.services.analytics.figures import QualityView
from core.services.analytics.marks import standing_behind
from core.ui import charts, comparison, downloads, states, widgets
from core.ui.agreement.section import draw_agreement
from core.ui.charts import card_head
from core.ui.choices import choose_view
from core.ui.comparison import Asked
from core.ui.marks import Found, Point, draw_marks
from core.ui.quality import labels as quality_labels
from core.ui.quality.confusion import draw_confusion
from core.ui.quality.model import draw_model
from core.ui.quality.scores import draw_scores, draw_shapes
from core.ui.quality.time import draw_weeks
from core.ui.quality.work import draw_work
from core.ui.shell import PageContext, open_page
from core.ui.teams import choose_team
from core.ui.text import _, many, mark
from core.ui.widgets import state_name
from core.ui.zones import day_ends, draw_zone

VIEWS = {
    "right": mark("How right"),
    "agree": mark("Agreement"),
    "model": mark("Model and people"),
    "work": mark("Kept, changed, redone"),
    "labels": mark("Guideline and labels"),
}
SWITCH = "quality.view"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Quality"),
        Action.SEE_FIGURES,
        subtitle=_("How right the model and people are, and how far people agree."),
    )
    with states.boundary(inline=True):
        if page.project is None or not figures.has_items(page.ws, page.actor, page.slug):
            states.empty(_("No items yet"), _("Figures appear once images are in the project."))
            return
        view, teams = _head(page)
        if view == "right":
            _right(page, teams)
            return
        filters = replace(comparison.filters_in_address(), teams=teams)
        comparison.draw_where_is(filters)
        if view == "agree":
            draw_agreement(page, page.project, filters)
            draw_weeks(page, filters)
            _doubles(page)
        elif view == "model":
            draw_model(page, filters)
        elif view == "work":
            draw_work(page, filters)
        else:
            quality_labels.draw_guideline(page, filters)
            quality_labels.draw_noise(page, filters)


def _head(page: PageContext) -> tuple[str, tuple[str, ...]]:
    """Draw the choice of view, team and time zone; return the first two."""
    left, middle, right = st.columns([3.2, 0.9, 0.9], vertical_alignment="bottom")
    with left:
        # A link to a pair of people, written before there were views, is one to their agreement.
        first = "agree" if "one" in st.query_params else "right"
        view = choose_view(VIEWS, SWITCH, first=first)
    with middle:
        teams = choose_team(page)
    with right:
        draw_zone()
    return view, teams


# --- how right --------------------------------------------------------------------------------


def _right(page: PageContext, teams: tuple[str, ...]) -> None:
    asked = _asked(page, teams)
    view = figures.quality(
        page.ws, page.actor, page.slug, asked.whose, asked.against, asked.filters,
        charts.reader_zone(),
    )  # fmt: skip
    draw_scores(page, asked, _overall_name(view))
    draw_confusion(page, view, asked)
    draw_shapes(page, asked)
    _progress(page, view)


def _asked(page: PageContext, teams: tuple[str, ...]) -> Asked:
    people = figures.people_who_voted(page.ws, page.actor, page.slug)
    whose = st.query_params.get("whose", "model")
    known = whose if whose in {"people", *people} else "model"
    best = figures.best_reference(page.ws, page.actor, page.slug, known)
    asked = comparison.ask(people, best)
    asked = replace(asked, filters=replace(asked.filters, teams=teams))
    comparison.draw_where(asked)
    return asked


def _overall_name(view: QualityView) -> str:
    if view.right.boxes:
        boxes = view.project.task is Task.BOXES
        return (
            _("Images with every box right") if boxes else _("Images with every bounding box right")
        )
    if view.whose == "model":
        return _("The model is right")
    if view.whose == "people":
        return _("People are right")
    return _("{person} is right").format(person=view.people.get(view.whose, view.whose))


# --- agreement --------------------------------------------------------------------------------


def _doubles(page: PageContext) -> None:
    """Say which two accounts were used in one browser and both voted on items: perhaps one person."""
    for found in doubles(page.ws, page.actor, page.slug):
        shown = ", ".join(str(i) for i in found.items[:5]) + (" …" if len(found.items) > 5 else "")
        text = _(
            "{a} and {b} signed in in one browser ({when}) and both voted on {n}: {items}. If they are one person, these items have one vote fewer than they seem to."
        ).format(
            a=found.names[0],
            b=found.names[1],
            when=widgets.when(found.at),
            n=many("{n} item", "{n} items", len(found.items)),
            items=shown,
        )
        st.warning(states.plain_markdown(text), icon=":material/group:")


# --- progress ---------------------------------------------------------------------------------


def _progress(page: PageContext, view: QualityView) -> None:
    history = view.progress.history
    with st.container(border=True):
        card_head(
            _("Where the items stand"),
            _("Items by state at the end of each day, {zone} time. n = {n} items.").format(
                zone=charts.reader_zone(), n=f"{view.progress.items:,}"
            ),
        )
        draw_marks(
            page, charts.states_over_time(history), "quality.states",
            ", ".join(f"{state_name(s)}: {n}" for s, n in view.progress.states.items()), _state_and_day,
            lambda mark: _in_state(page, mark),
        )  # fmt: skip
        rows = [(day.isoformat(), s, n) for day, states in history for s, n in states.items()]
        downloads.offer(page, "states-by-day", ("day", "state", "items"), rows)


def _state_and_day(point: Point) -> str | None:
    state = point.get("customdata")
    state = state[0] if isinstance(state, list) else state
    return f"{str(point['x'])[:10]} {state}" if state else None


def _in_state(page: PageContext, mark: str) -> Found:
    text, _space, state = mark.partition(" ")
    try:
        moment = day_ends(date.fromisoformat(text), charts.reader_zone())[1]
        stood = ItemState(state)
    except ValueError:
        return None
    title = _("{state}, at the end of {day}").format(state=state_name(stood), day=text)
    return title, standing_behind(page.ws, page.actor, page.slug, moment, (stood,))


main()
