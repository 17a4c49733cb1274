"""Bias: under which conditions, on which classes and for whom a figure is worse than elsewhere."""

from __future__ import annotations

from core.access import Action
from core.services.bias.slices import slices_of
from core.ui import comparison, states
from core.ui.bias.ask import ask, ask_columns, conditions_in_address
from core.ui.bias.chosen import draw_chosen
from core.ui.bias.measure import draw_measuring
from core.ui.bias.slices import draw_gaps, draw_headline, draw_table
from core.ui.bias.sources import SOURCES, draw_sources
from core.ui.choices import choose_view
from core.ui.shell import PageContext, open_page
from core.ui.teams import choose_team
from core.ui.text import _, mark

SLICES, ORIGINS = "slices", "origins"
VIEWS = {SLICES: mark("Slices"), ORIGINS: mark("Where bias comes from")}
SWITCH = "bias.view"


def main() -> None:
    """Draw the page."""
    page = open_page(
        _("Bias"),
        Action.SEE_FIGURES,
        subtitle=_("Where the model or people are right less often than elsewhere."),
    )
    if SOURCES and choose_view(VIEWS, SWITCH) == ORIGINS:
        with states.boundary(inline=True):
            choose_team(page)
        draw_sources(page)
        return
    with states.boundary(inline=True):
        _slices(page)


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
