"""Bias: under which conditions, on which classes and for whom a figure is worse than elsewhere."""

from __future__ import annotations

import streamlit as st

from core.access import Action
from core.services.bias.slices import slices_of
from core.ui import comparison, states
from core.ui.bias.ask import ask, ask_columns, conditions_in_address
from core.ui.bias.chosen import draw_chosen
from core.ui.bias.measure import draw_measuring
from core.ui.bias.slices import draw_gaps, draw_headline, draw_table
from core.ui.bias.sources import SOURCES, draw_sources
from core.ui.choices import put
from core.ui.shell import PageContext, open_page
from core.ui.teams import choose_team
from core.ui.text import _

SLICES, ORIGINS = "slices", "origins"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Bias"),
        Action.SEE_FIGURES,
        subtitle=_("Where the model or people are right less often than elsewhere."),
    )
    if SOURCES and _view() == ORIGINS:
        with states.boundary(inline=True):
            choose_team(page)
        draw_sources(page)
        return
    with states.boundary(inline=True):
        _slices(page)


def _view() -> str:
    """Draw the choice of view and return it; it is in the address."""
    names = {SLICES: _("Slices"), ORIGINS: _("Where bias comes from")}
    asked = st.query_params.get("view", SLICES)
    st.session_state["bias.view"] = asked if asked in names else SLICES
    st.segmented_control(
        _("View"), list(names), format_func=lambda v: names[v], key="bias.view",
        label_visibility="collapsed", on_change=_viewed, required=True,
    )  # fmt: skip
    return str(st.session_state["bias.view"])


def _viewed() -> None:
    chosen = st.session_state["bias.view"]
    put(view=None if chosen == SLICES else chosen)


def _slices(page: PageContext) -> None:
    asked, columns_at = ask(page)
    comparison.draw_where_is(asked.filters)
    view = slices_of(page.ws, page.actor, page.slug, asked)
    ask_columns(view.columns, columns_at)
    draw_measuring(page, view.unmeasured)
    if view.overall.value is None:
        states.empty(
            _("Not enough data"),
            _("n = {n} answers can be compared under this choice.").format(n=view.overall.n),
            _("Choose another comparison above, or wait for more labels."),
        )
        return
    draw_headline(page, view)
    draw_gaps(view)
    draw_chosen(page, view, conditions_in_address(view))
    draw_table(page, view)


main()
