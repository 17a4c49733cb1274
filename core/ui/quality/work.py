"""What becomes of pre-labels and of first votes, by class and by person, and gold results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from core.analytics.asked import Filters
from core.analytics.figures import Figure
from core.services.analytics.figures import people_who_voted
from core.services.analytics.gold import GoldResults, gold_results
from core.services.analytics.marks import Firsts, firsts_behind
from core.services.analytics.rates import Rate, rates
from core.ui import charts, states
from core.ui.charts import Dot, card_head
from core.ui.marks import Found, by_row, draw_marks, side_by_side
from core.ui.quality.tables import figures_table
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import caption, figure


def draw_work(page: PageContext, filters: Filters) -> None:
    """Draw acceptance, rejection and rework, and gold results."""
    found = rates(page.ws, page.actor, page.slug, filters)
    with st.container(border=True):
        card_head(
            _("Pre-labels: kept, changed, passed on"),
            _("What people first did with an item whose pre-label they saw."),
        )
        _three(
            (_("Kept unchanged"), found.accepted),
            (_("Changed"), found.rejected),
            (_("Skipped or flagged"), found.passed),
        )
        _parts(page, Firsts.KEPT, _("Kept unchanged"), found.accepted, filters)
    with st.container(border=True):
        card_head(
            _("Rework"),
            _(
                "First votes that their person later changed or took back, or that a lead overturned."
            ),
        )
        _three(
            (_("Reworked"), found.rework),
            (_("Changed by the same person"), found.revised),
            (_("Overturned by a lead"), found.overturned),
        )
        _parts(page, Firsts.REWORKED, _("Reworked"), found.rework, filters)
    if filters == Filters():
        _gold(page, gold_results(page.ws, page.actor, page.slug))


def _three(*rates_: tuple[str, Rate]) -> None:
    for place, (name, rate) in zip(st.columns(len(rates_)), rates_, strict=True):
        with place:
            e = rate.overall.estimate
            figure(name, e.value, rate.overall.n, e.low, e.high, "%")


def _parts(page: PageContext, what: Firsts, title: str, rate: Rate, filters: Filters) -> None:
    name = what.value
    if not rate.overall.n:
        states.empty(_("Not enough data"), _("Nobody has done any of this here yet."))
        return
    text = _("{what}, by class and by person. Click a dot for those that were not.")
    if what is Firsts.REWORKED:
        text = _("{what}, by class and by person. Click a dot for those that were.")
    caption(text.format(what=title))

    def of_class(mark: str) -> Found:
        chosen = replace(filters, called=mark)
        return _titled(what, mark), firsts_behind(page.ws, page.actor, page.slug, what, chosen)

    def of_person(mark: str) -> Found:
        people = people_who_voted(page.ws, page.actor, page.slug)
        chosen = replace(filters, people=tuple(n for n, shown in people.items() if shown == mark))
        if not chosen.people:
            return None
        return _titled(what, mark), firsts_behind(page.ws, page.actor, page.slug, what, chosen)

    # Both charts in one scale; that of rework, a few percent, ends where its data do.
    every = [f.estimate for f in (*rate.classes, *rate.people)]
    extent = charts.from_zero(every) if what is Firsts.REWORKED else None
    with side_by_side(2, "large") as (left, right):
        with left:
            _dots(page, f"quality.{name}.classes", rate.classes, of_class, extent)
        with right:
            _dots(page, f"quality.{name}.people", rate.people, of_person, extent)
    with st.expander(_("As a table")):
        rows = [(f.name, (f.estimate,)) for f in (*rate.classes, *rate.people)]
        figures_table(page, name, _("Class or person"), ((name, title, "%"),), rows, title)


def _titled(what: Firsts, name: str) -> str:
    if what is Firsts.KEPT:
        return _("{name}: pre-labels changed, skipped or flagged").format(name=name)
    return _("{name}: first votes done again or overturned").format(name=name)


def _dots(
    page: PageContext,
    key: str,
    found: Sequence[Figure],
    behind: Callable[[str], Found],
    extent: tuple[float, float] | None,
) -> None:
    rows = [Dot(f.name, (f.estimate,)) for f in found]
    if rows:
        alt = "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)
        chart = charts.dots(rows, extent=extent)
        draw_marks(page, chart, key, alt, by_row([f.name for f in found]), behind)


def _gold(page: PageContext, found: GoldResults) -> None:
    with st.container(border=True):
        card_head(
            _("Planted gold"),
            _(
                "Newest answers to gold mixed into the queue or given at the start; nobody knew it for gold. "
                "Right means right on every question. A person's figure is the posterior mean, as on the page Team."
            ),
        )
        e = found.overall.estimate
        figure(_("Planted gold answered rightly"), e.value, found.overall.n, e.low, e.high, "%")
        if not found.overall.n:
            states.empty(
                _("Not enough data"),
                _("No gold has been answered yet.")
                if found.items
                else _("There is no gold in this project yet."),
            )
            return
        rows = [(f.name, (f.estimate,)) for f in (*found.classes, *found.people)]
        columns = (("right", _("Right"), "%"),)
        figures_table(page, "gold", _("Class or person"), columns, rows, _("Gold"))
