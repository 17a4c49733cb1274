"""Dots, each with its interval, a row a thing measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.stats.intervals import Estimate
from core.ui.charts.style import (
    LINE,
    POINTS,
    SERIES,
    SYMBOLS,
    axis_title,
    frame,
    plain,
    sentence,
    shortened,
)
from core.ui.text import _
from core.ui.tokens import MUTED

INTERVAL = 0.55
"""How far an interval's line steps back behind its dot."""
ROW_PX, HEAD_PX = 30, 46
TITLE_PX = 24
PARTS = " · "
LETTERS, MOST_LETTERS, WRAPPED_PX = 40, 78, 8
"""Letters of a line of a row's name, and of all of it; what a row of two lines takes more."""
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Distances of marks on a scale of shares that ends below 100 %."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of a dot chart.

    Attributes:
        label: What it is, without n: the chart adds it.
        estimates: One a series; a value of None reads "not enough data".
        colour: Of the row, instead of the series' own.
    """

    label: str
    estimates: tuple[Estimate, ...]
    colour: str = ""


def dots(
    rows: Sequence[Dot],
    series: Sequence[str] = ("",),
    unit: str = "%",
    zero: float | None = None,
    extent: tuple[float, float] | None = None,
    axis: str = "",
    zero_name: str = "",
    least: int = 0,
) -> go.Figure:
    """Return one dot with its interval per row and series, first row on top.

    Args:
        rows: From top to bottom.
        series: Names, for the legend where there are several.
        unit: "%" for fractions, else what the numbers are in.
        zero: Where to draw a line to compare with.
        extent: Ends of the scale; fractions are shown from 0 to 100 % without one.
        axis: What the scale is of.
        zero_name: What the line to compare with means; it stands at its foot.
        least: Pixels it is high at least: as high as what stands beside it.
    """
    figure = go.Figure()
    labels = [_row_label(r) for r in rows]
    for i, name in enumerate(series):
        _add_series(figure, rows, i, name, len(series), unit)
    _say_where_there_is_too_little(figure, rows)
    if zero is not None:
        figure.add_vline(x=zero, line={"color": MUTED, "width": 1, "dash": "dot"})
    foot = 0.75 if zero is not None and zero_name else 0.0  # of a row: the name covers no dot
    if foot and zero is not None:
        _name_line(figure, zero, zero_name, len(rows), extent)
    px = _row_px(len(series)) + WRAPPED_PX * any("<br>" in text for text in labels)
    tall = HEAD_PX + px * max(len(rows), 1) + 30 * (len(series) > 1)
    tall = round(tall + foot * px) + (TITLE_PX if axis else 0)
    frame(figure, max(tall, least), len(series) > 1)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5 + foot, -0.5],
        showgrid=False, zeroline=False, automargin=True,
    )  # fmt: skip
    figure.update_xaxes(**_scale(unit, extent), gridcolor=LINE, zeroline=False)
    if axis:
        figure.update_xaxes(title=axis_title(axis), automargin=True)
    figure.update_layout(showlegend=len(series) > 1)
    return figure


def from_zero(estimates: Sequence[Estimate]) -> tuple[float, float] | None:
    """Return the ends of a scale of shares that begins at 0 and ends where the data do.

    None, for the whole scale, where they reach beyond half of it or there are none.
    """
    most = max((e.high or e.value or 0.0 for e in estimates if e.value is not None), default=1.0)
    step = next((s for s in STEPS if 5 * s >= most), None)
    return None if step is None else (-0.1 * step, 5.1 * step)


def ends_of(
    estimates: Sequence[Estimate], zero: float = 0.0, least: float = 1.0
) -> tuple[float, float]:
    """Return the ends of a scale that holds every interval and the line to compare with, with air.

    Args:
        estimates: What is drawn.
        zero: Where the line is.
        least: How far the scale reaches on one side at least.
    """
    reached = [x for e in estimates for x in (e.low, e.value, e.high) if x is not None]
    low, high = min([*reached, zero]), max([*reached, zero])
    if high - low < least:
        low, high = (low - least, high) if zero - low > high - zero else (low, high + least)
    air = 0.06 * (high - low)
    return (low - air, high + air)


def _name_line(
    figure: go.Figure, zero: float, name: str, rows: int, extent: tuple[float, float] | None
) -> None:
    """Write what a line means at its foot, on the side where there is room."""
    to_left = extent is not None and zero - extent[0] > extent[1] - zero
    figure.add_annotation(
        x=zero, y=rows - 0.15, text=plain(name), showarrow=False,
        xanchor="right" if to_left else "left", xshift=-5 if to_left else 5,
        font={"size": 11.5, "color": MUTED},
    )  # fmt: skip


def _row_px(series: int) -> int:
    """Return how high a row is: several dots in it need air to the next one."""
    return ROW_PX + 8 * max(0, series - 2)


def _scale(unit: str, extent: tuple[float, float] | None) -> dict[str, object]:
    ends = {} if extent is None else {"range": list(extent)}
    if unit != "%":
        return {"ticksuffix": f" {_('points') if unit == POINTS else unit}", **ends}
    if extent is not None:
        return {**_shares(extent[1]), **ends}
    return {**_shares(1.0), "range": [-0.02, 1.02]}


def _shares(most: float) -> dict[str, object]:
    """Return marks at round shares from 0 on, some five of them."""
    wide = (*STEPS, 0.2)
    step = next((s for s in wide if 5.15 * s >= most), wide[-1])
    at = [i * step for i in range(math.floor(most / step + 1e-9) + 1)]
    digits = 0 if step >= 0.01 else 1
    return {"tickvals": at, "ticktext": [f"{100 * v:.{digits}f} %" for v in at]}


def _add_series(
    figure: go.Figure, rows: Sequence[Dot], i: int, name: str, count: int, unit: str
) -> None:
    shift = (i - (count - 1) / 2) * 0.3
    place = [k + shift for k, r in enumerate(rows) if r.estimates[i].value is not None]
    chosen = [(r, e) for r in rows if (e := r.estimates[i]).value is not None]
    marked = [[k, i] for k, r in enumerate(rows) if r.estimates[i].value is not None]
    colours = [r.colour or SERIES[i] for r, _e in chosen]
    for at, (_row, e), colour in zip(place, chosen, colours, strict=True):
        if e.low is not None and e.high is not None:
            figure.add_trace(
                go.Scatter(
                    x=[e.low, e.high], y=[at, at], mode="lines", hoverinfo="skip",
                    line={"color": colour, "width": 3}, opacity=INTERVAL, showlegend=False,
                )
            )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[e.value for _r, e in chosen],
            y=place,
            customdata=marked,
            mode="markers",
            name=name,
            marker={
                "color": colours,
                "size": 11,
                "symbol": SYMBOLS[i % len(SYMBOLS)],
                "line": {"width": 0},
            },
            text=[f"<b>{plain(r.label)}</b><br>{sentence(e, unit)}" for r, e in chosen],
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _say_where_there_is_too_little(figure: go.Figure, rows: Sequence[Dot]) -> None:
    for place, row in enumerate(rows):
        if all(e.value is None for e in row.estimates):
            figure.add_annotation(
                x=0, xref="paper", xanchor="left", y=place, text=_("not enough data"),
                showarrow=False, font={"size": 12, "color": MUTED},
            )  # fmt: skip


def _row_label(row: Dot) -> str:
    counts = [f"{e.n:,}" for e in row.estimates]
    ns = counts[0] if len(set(counts)) == 1 else " / ".join(counts)
    return f"{_lines(row.label)} <span style='color:{MUTED}'>n = {ns}</span>"


def _lines(label: str) -> str:
    """Return a row's name on two lines where it is long, parted between its conditions, else its words."""
    if len(label) <= LETTERS:
        return plain(label)
    shown = shortened(label, MOST_LETTERS)
    between = shown.rfind(PARTS, 1, LETTERS)
    fits = between > 0 and len(shown) - between - len(PARTS) <= LETTERS
    cut = between + 2 if fits else shown.rfind(" ", 1, LETTERS + 1)
    cut = cut if cut > 0 else LETTERS
    return f"{plain(shown[:cut])}<br>{plain(shown[cut:].lstrip())}"
