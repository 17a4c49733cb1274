"""What becomes of pre-labels and of first votes, by class and by person, and gold results."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics.asked import Filters
from core.analytics.figures import Figure
from core.services.analytics.gold import GoldResults, gold_results
from core.services.analytics.rates import Rate, rates
from core.ui import charts, states
from core.ui.charts import Dot, card_head, draw_chart
from core.ui.quality_tables import figures_table
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import figure


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
        _parts(page, "kept", _("Kept unchanged"), found.accepted)
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
        _parts(page, "reworked", _("Reworked"), found.rework)
    if filters == Filters():
        _gold(page, gold_results(page.ws, page.actor, page.slug))


def _three(*rates_: tuple[str, Rate]) -> None:
    for place, (name, rate) in zip(st.columns(len(rates_)), rates_, strict=True):
        with place:
            e = rate.overall.estimate
            figure(name, e.value, rate.overall.n, e.low, e.high, "%")


def _parts(page: PageContext, name: str, title: str, rate: Rate) -> None:
    if not rate.overall.n:
        states.empty(_("Not enough data"), _("Nobody has done any of this here yet."))
        return
    left, right = st.columns(2, gap="large")
    with left:
        _dots(f"quality.{name}.classes", rate.classes)
    with right:
        _dots(f"quality.{name}.people", rate.people)
    with st.expander(_("As a table")):
        rows = [(f.name, (f.estimate,)) for f in (*rate.classes, *rate.people)]
        figures_table(page, name, _("Class or person"), ((name, title, "%"),), rows, title)


def _dots(key: str, found: Sequence[Figure]) -> None:
    rows = [Dot(f.name, (f.estimate,)) for f in found]
    if rows:
        alt = "; ".join(f"{r.label}: {charts.sentence(r.estimates[0])}" for r in rows)
        draw_chart(charts.dots(rows), key, alt)


def _gold(page: PageContext, found: GoldResults) -> None:
    with st.container(border=True):
        card_head(
            _("Gold"),
            _(
                "Answers to gold mixed into the queue or given at the start. Nobody knew it for gold."
            ),
        )
        e = found.overall.estimate
        figure(_("Gold answered rightly"), e.value, found.overall.n, e.low, e.high, "%")
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
