"""What all charts have in common: colours, scales, the frame, how a figure reads."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from core.stats.intervals import Estimate
from core.ui.text import _
from core.ui.theme import Markup, draw, fill
from core.ui.tokens import ACCENT, GOOD, MUTED
from core.ui.widgets import number

SERIES = (ACCENT, "#E69F00", GOOD, "#AA4499", "#56B4E9", "#D1495B", "#8C8C3E", "#6B7280")
SYMBOLS = ("circle", "diamond")
POINTS = "points"
"""Unit of a difference between two shares."""
INK = "#1A2230"
LINE = "rgba(139,149,163,.22)"
MOST_SERIES = len(SERIES)
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}


def draw_chart(
    figure: go.Figure, key: str, alt: str, on_select: Callable[[], None] | None = None
) -> None:
    """Draw a figure on the page.

    Args:
        figure: From this package.
        key: Unique on the page.
        alt: What it shows, for those who cannot see it.
        on_select: Called when a mark is clicked; the selection is in the state under `key`.
    """
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config=CONFIG,
        on_select=on_select or "ignore",
        selection_mode="points",
    )


def card_head(title: str, text: str = "", anchor: str = "") -> None:
    """Draw the head of a card, flush with its top; a link to its anchor leads there."""
    below = fill("<div class='tb-muted tb-small'>{t}</div>", t=text) if text else Markup()
    draw(
        "<div {at} style='font-size:1.12rem;font-weight:600'>{title}</div>{below}",
        at=fill("id='{a}' tabindex='-1' class='tb-anchor'", a=anchor) if anchor else Markup(),
        title=title,
        below=below,
    )


def sentence(estimate: Estimate, unit: str = "%") -> str:
    """Return a figure as people read it: 61.0 % (53.0 – 69.0 %, n = 140)."""
    if estimate.value is None:
        return f"{_('not enough data')} (n = {estimate.n:,})"
    return f"{amount(estimate.value, unit)} ({interval(estimate, unit)}n = {estimate.n:,})"


def interval(estimate: Estimate, unit: str = "%") -> str:
    """Return the interval with a comma behind it, or nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = amount(estimate.low, unit), amount(estimate.high, unit)
    if unit == POINTS:
        return _("{low} to {high}, ").format(low=low.partition(" ")[0], high=high)
    return f"{low.removesuffix(unit).strip()} – {high}, "


def amount(value: float, unit: str) -> str:
    """Return a number with its unit; a difference in points with its sign."""
    if unit != POINTS:
        return number(value, unit)
    return f"{value:+.1f}".replace("-", "−") + " " + _("points")


def shortened(text: str, most: int = 40) -> str:
    """Return the text, cut with an ellipsis where it would push the chart aside."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain(text: str) -> str:
    """Return text that Plotly shows as written: it reads a few tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def axis_title(text: str) -> dict[str, object]:
    """Return the title of an axis, set back."""
    return {"text": text, "font": {"size": 12, "color": MUTED}}


def frame(figure: go.Figure, height: int, legend: bool = False) -> None:
    """Give a figure what all have: no box, no zoom, a legend above, room for the labels."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 36 if legend else 6, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        minreducedheight=20,  # else a chart of one row has no room for its scale
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(fixedrange=True, tickfont={"size": 12})
    figure.update_yaxes(fixedrange=True, tickfont={"size": 12.5})
