"""Dots, each with its interval, a row a thing measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.stats.intervals import Estimate
from core.ui.charts.style import LINE, POINTS, SERIES, SYMBOLS, frame, plain, sentence, shortened
from core.ui.text import _
from core.ui.tokens import MUTED

INTERVAL = 0.55
"""How far an interval's line steps back behind its dot."""
ROW_PX, HEAD_PX = 30, 46


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
) -> go.Figure:
    """Return one dot with its interval per row and series, first row on top.

    Args:
        rows: From top to bottom.
        series: Names, for the legend where there are several.
        unit: "%" for fractions, else what the numbers are in.
        zero: Where to draw a line to compare with.
        extent: Ends of the scale; fractions are shown from 0 to 100 % without one.
    """
    figure = go.Figure()
    labels = [_row_label(r) for r in rows]
    for i, name in enumerate(series):
        _add_series(figure, rows, i, name, len(series), unit)
    _say_where_there_is_too_little(figure, rows)
    if zero is not None:
        figure.add_vline(x=zero, line={"color": MUTED, "width": 1, "dash": "dot"})
    frame(
        figure,
        HEAD_PX + _row_px(len(series)) * max(len(rows), 1) + 30 * (len(series) > 1),
        len(series) > 1,
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5],
        showgrid=False, zeroline=False, automargin=True,
    )  # fmt: skip
    figure.update_xaxes(**_scale(unit, extent), gridcolor=LINE, zeroline=False)
    figure.update_layout(showlegend=len(series) > 1)
    return figure


def _row_px(series: int) -> int:
    """Return how high a row is: several dots in it need air to the next one."""
    return ROW_PX + 8 * max(0, series - 2)


def _scale(unit: str, extent: tuple[float, float] | None) -> dict[str, object]:
    ends = {} if extent is None else {"range": list(extent)}
    if unit != "%":
        return {"ticksuffix": f" {_('points') if unit == POINTS else unit}", **ends}
    fifths = [i / 5 for i in range(6)]
    texts = [f"{20 * i} %" for i in range(6)]
    return {"tickvals": fifths, "ticktext": texts, "range": [-0.02, 1.02], **ends}


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
    ns = " / ".join(f"{e.n:,}" for e in row.estimates)
    return f"{plain(shortened(row.label))} <span style='color:{MUTED}'>n = {ns}</span>"
