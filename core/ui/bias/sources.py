"""Where bias comes from: the panels of the bias page's second view, each drawn by a module of its own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.ui import states
from core.ui.bias.clean import draw_too_clean
from core.ui.bias.confirmation import draw_confirmation
from core.ui.bias.contents import listed
from core.ui.bias.measurement import draw_measurement
from core.ui.bias.rules import draw_rules
from core.ui.bias.selection import draw_selection
from core.ui.bias.sizes import draw_sizes
from core.ui.shell import PageContext

SOURCES: tuple[Callable[[PageContext], None], ...] = (
    draw_selection,
    draw_too_clean,
    draw_sizes,
    draw_rules,
    draw_measurement,
    draw_confirmation,
)
"""Drawn from top to bottom; while there is none the page has one view."""


def draw_sources(page: PageContext) -> None:
    """Draw every panel below a list of them; one that fails says so in its place and stops no other."""
    with listed(st.container()):
        for panel in SOURCES:
            with states.boundary(inline=True):
                panel(page)
