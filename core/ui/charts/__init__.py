"""Charts in one visual language: a dot is a figure, the line through it its 95 % interval.

What is here makes Plotly figures and draws them. Colours read on light and dark and are told
apart by colour-blind readers; a second series also has another symbol. n stands in every label;
a figure without enough data says so where its dot would be.
"""

from __future__ import annotations

from core.ui.charts.counts import histogram, stacked_days, states_over_time
from core.ui.charts.dot_chart import Dot, dots, ends_of, from_zero
from core.ui.charts.squares import STEPS, STEPS_ON_DARK, confusion, matrix, matrix_px
from core.ui.charts.style import (
    INK,
    LINE,
    MOST_SERIES,
    POINTS,
    SERIES,
    amount,
    axis_title,
    card_head,
    draw_chart,
    frame,
    interval,
    plain,
    sentence,
    shortened,
)
from core.ui.zones import reader_zone

__all__ = [
    "INK",
    "LINE",
    "MOST_SERIES",
    "POINTS",
    "SERIES",
    "STEPS",
    "STEPS_ON_DARK",
    "Dot",
    "amount",
    "axis_title",
    "card_head",
    "confusion",
    "dots",
    "draw_chart",
    "ends_of",
    "frame",
    "from_zero",
    "histogram",
    "interval",
    "matrix",
    "matrix_px",
    "plain",
    "reader_zone",
    "sentence",
    "shortened",
    "stacked_days",
    "states_over_time",
]
