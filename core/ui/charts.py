"""Charts in one visual language: a dot is a figure, the line through it its 95 % interval.

What is here makes Plotly figures and draws them. Colours read on light and dark and are told
apart by colour-blind readers; a second series also has another symbol. n stands in every label;
a figure without enough data says so where its dot would be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import plotly.graph_objects as go
import streamlit as st

from core.stats.intervals import Estimate
from core.ui.text import _
from core.ui.theme import Markup, draw, fill
from core.ui.tokens import ACCENT, GOOD, MUTED, STATE_COLOURS, STATE_ORDER
from core.ui.widgets import number, state_name

SERIES = (ACCENT, "#E69F00", GOOD, "#AA4499", "#56B4E9", "#D1495B", "#8C8C3E", "#6B7280")
SYMBOLS = ("circle", "diamond")
POINTS = "points"
"""Unit of a difference between two shares."""

INK = "#1A2230"
TAKEN = "#F0B84A"
DAY_FORMAT = "%-d %b"
DAY_MS = 86_400_000
WEEK = 7
LINE = "rgba(139,149,163,.22)"
INTERVAL = 0.55
"""How far an interval's line steps back behind its dot."""

STEPS = ("#EAF1FE", "#C3D8FA", "#93B9F3", "#2F62BD", "#163F8A")
"""One hue from light to dark."""

ROW_PX, HEAD_PX = 30, 46
MOST_SERIES = len(SERIES)

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}


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


def draw_chart(
    figure: go.Figure, key: str, alt: str, on_select: Callable[[], None] | None = None
) -> None:
    """Draw a figure on the page.

    Args:
        figure: From this module.
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


def card_head(title: str, text: str = "") -> None:
    """Draw the head of a card, flush with its top."""
    below = fill("<div class='tb-muted tb-small'>{t}</div>", t=text) if text else Markup()
    draw(
        "<div style='font-size:1.12rem;font-weight:600'>{title}</div>{below}",
        title=title,
        below=below,
    )


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
    frame(figure, HEAD_PX + ROW_PX * max(len(rows), 1) + 30 * (len(series) > 1), len(series) > 1)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5],
        showgrid=False, zeroline=False, automargin=True,
    )  # fmt: skip
    scale = (
        {
            "tickvals": [i / 5 for i in range(6)],
            "ticktext": [f"{20 * i} %" for i in range(6)],
            "range": [-0.02, 1.02],
        }
        if unit == "%"
        else {"ticksuffix": f" {_('points') if unit == POINTS else unit}"}
    )
    figure.update_xaxes(**scale, gridcolor=LINE, zeroline=False)
    if extent is not None:
        figure.update_xaxes(range=list(extent))
    figure.update_layout(showlegend=len(series) > 1)
    return figure


def _add_series(
    figure: go.Figure, rows: Sequence[Dot], i: int, name: str, count: int, unit: str
) -> None:
    shift = (i - (count - 1) / 2) * 0.3
    place = [k + shift for k, r in enumerate(rows) if r.estimates[i].value is not None]
    chosen = [(r, e) for r in rows if (e := r.estimates[i]).value is not None]
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


def confusion(
    cells: Sequence[tuple[str, str, int]],
    rows: Sequence[str],
    columns: Sequence[str],
    right: str,
    wrong: str,
) -> go.Figure:
    """Return a confusion as squares to be clicked: area is the share of the row, the number its count.

    Args:
        cells: (true class, class said, how many); only those that have any.
        rows: True classes from top to bottom.
        columns: Classes said, from left to right.
        right: Name of what is right, for the legend.
        wrong: Name of what is mistaken.
    """
    totals: dict[str, int] = {}
    for truth, _said, n in cells:
        totals[truth] = totals.get(truth, 0) + n
    size = _square_px(len(rows), len(columns))
    figure = go.Figure()
    for name, same in ((right, True), (wrong, False)):
        part = [c for c in cells if (c[0] == c[1]) is same]
        figure.add_trace(_squares(part, rows, columns, totals, size, name, GOOD if same else TAKEN))
    frame(figure, 150 + max(size + 8, 26) * len(rows), legend=True)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[plain(shortened(r)) for r in rows],
        range=[len(rows) - 0.4, -0.6], showgrid=True, gridcolor=LINE, zeroline=False, automargin=True,
        title=axis_title(_("True class")),
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[plain(shortened(c)) for c in columns],
        range=[-0.6, len(columns) - 0.4], tickangle=-40, gridcolor=LINE, zeroline=False, automargin=True,
        title=axis_title(_("Said to be")),
    )  # fmt: skip
    return figure


def _squares(
    part: Sequence[tuple[str, str, int]],
    rows: Sequence[str],
    columns: Sequence[str],
    totals: Mapping[str, int],
    size: int,
    name: str,
    colour: str,
) -> go.Scatter:
    share = [n / totals[truth] for truth, _said, n in part]
    return go.Scatter(
        x=[columns.index(said) for _truth, said, _n in part],
        y=[rows.index(truth) for truth, _said, _n in part],
        mode="markers+text",
        name=name,
        text=[f"{n:,}" for _truth, _said, n in part],
        textfont={"size": 12, "color": "#FFFFFF" if colour == GOOD else INK},
        customdata=[[truth, said] for truth, said, _n in part],
        # Area stands for the share; a floor keeps a single mistake large enough to be hit.
        marker={
            "symbol": "square",
            "color": colour,
            "size": [max(20.0, size * math.sqrt(s)) for s in share],
            "line": {"width": 0},
            "opacity": 1,
        },
        hovertext=[
            _("{n} of {total} true {truth} said to be {said} ({share})").format(
                n=f"{n:,}",
                total=f"{totals[truth]:,}",
                truth=plain(truth),
                said=plain(said),
                share=number(s, "%"),
            )
            for (truth, said, n), s in zip(part, share, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.55}, "textfont": {"color": MUTED}},
    )


def _square_px(rows: int, columns: int) -> int:
    return max(20, min(38, 560 // max(rows, columns, 1)))


def matrix(names: Sequence[str], cells: Sequence[Sequence[Estimate]]) -> go.Figure:
    """Return how far every two agree, as squares to be clicked: darker is more, the number says it.

    The place of a square (row, column) is in its custom data.

    Args:
        names: Of rows and columns.
        cells: Shares; the diagonal is not looked at.
    """
    places = [(i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
    known = [v for i, j in places if (v := cells[i][j].value) is not None]
    floor = min(0.8, math.floor(10 * min(known, default=0.0)) / 10)
    at = range(len(names))
    shade = [[None if i == j else cells[i][j].value for j in at] for i in at]
    figure = go.Figure(
        go.Heatmap(
            z=shade, zmin=floor, zmax=1, colorscale=_stepped(STEPS), xgap=3, ygap=3, hoverinfo="skip",
            # Plotly takes the ink, dark or white, that reads on the square.
            text=[["" if v is None else f"{100 * v:.0f}" for v in row] for row in shade],
            texttemplate="%{text}", textfont={"size": 12 if len(names) <= 15 else 9},
            colorbar={"thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "len": 0.9,
                      "nticks": 6, "tickfont": {"size": 11, "color": MUTED}},
        )
    )  # fmt: skip
    figure.add_trace(_clicked_on(names, cells, places))
    for i, j in places:
        if shade[i][j] is None:
            figure.add_annotation(
                x=j, y=i, text="–", showarrow=False, font={"size": 12, "color": MUTED}
            )
    frame(figure, 96 + max(26, min(40, 480 // max(len(names), 1))) * len(names))
    labels = {
        "tickvals": list(range(len(names))),
        "ticktext": [plain(shortened(n, 24)) for n in names],
        "showgrid": False, "zeroline": False, "automargin": True,
    }  # fmt: skip
    figure.update_yaxes(**labels, range=[len(names) - 0.5, -0.5])
    figure.update_xaxes(**labels, range=[-0.5, len(names) - 0.5], tickangle=-40)
    return figure


def _stepped(colours: Sequence[str]) -> list[tuple[float, str]]:
    ends = [i / len(colours) for i in range(len(colours) + 1)]
    return [
        (end, colour)
        for colour, low, high in zip(colours, ends, ends[1:], strict=False)
        for end in (low, high)
    ]


def _clicked_on(
    names: Sequence[str], cells: Sequence[Sequence[Estimate]], places: Sequence[tuple[int, int]]
) -> go.Scatter:
    """Return unseen marks over the squares that catch the click: a heat map alone does not."""
    return go.Scatter(
        x=[j for _i, j in places],
        y=[i for i, _j in places],
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        customdata=[list(place) for place in places],
        hovertext=[
            f"<b>{plain(names[i])} · {plain(names[j])}</b><br>{sentence(cells[i][j])}"
            for i, j in places
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )


def states_over_time(history: Sequence[tuple[date, Mapping[str, int]]]) -> go.Figure:
    """Return how many items stood in each state at the end of each day, stacked."""
    figure = go.Figure()
    days = [d for d, _states in history]
    present = [s for s in STATE_ORDER if any(states.get(s) for _d, states in history)]
    for state in present:
        figure.add_trace(
            go.Scatter(
                x=days, y=[states.get(state, 0) for _d, states in history], stackgroup="all",
                name=state_name(state), mode="lines", line={"width": 0.5, "color": STATE_COLOURS[state], "shape": "hv"},
                fillcolor=STATE_COLOURS[state], hovertemplate="%{y:,}",
            )
        )  # fmt: skip
    frame(figure, 300, legend=True)
    figure.update_layout(hovermode="x unified", showlegend=True)
    figure.update_yaxes(
        gridcolor=LINE,
        rangemode="tozero",
        title=axis_title(_("Items")),
    )
    figure.update_xaxes(showgrid=False, tickformat=DAY_FORMAT)
    return figure


def stacked_days(
    rows: Mapping[str, Mapping[date, float]],
    names: Sequence[str],
    title: str,
    hover: str = "%{y:,}",
) -> go.Figure:
    """Return bars by day, stacked by name; beyond eight names the last ones go together.

    Args:
        rows: Name to day to amount; names without any amount may be absent.
        names: All names, in the order of their colours: the same on every chart of a page.
        title: What the amounts are, with their unit.
        hover: How an amount reads.
    """
    alone = names if len(names) <= MOST_SERIES else names[: MOST_SERIES - 1]
    shown = {name: rows.get(name, {}) for name in alone}
    others = [rows.get(name, {}) for name in names[len(alone) :]]
    if others:
        shown[_("{n} others").format(n=len(others))] = _summed(others)
    figure = go.Figure()
    for colour, (name, days) in zip(SERIES, shown.items(), strict=False):
        if days:
            figure.add_trace(
                go.Bar(
                    x=list(days), y=list(days.values()), name=plain(name),
                    marker={"color": colour, "line": {"width": 0}}, hovertemplate=hover,
                )
            )  # fmt: skip
    frame(figure, 290, legend=True)
    figure.update_layout(
        barmode="stack", bargap=0.35, hovermode="x unified", showlegend=len(shown) > 1
    )
    figure.update_layout(legend={"traceorder": "normal"})
    figure.update_yaxes(gridcolor=LINE, title=axis_title(title))
    figure.update_xaxes(showgrid=False, tickformat=DAY_FORMAT, **_days_shown(rows))
    return figure


def _days_shown(rows: Mapping[str, Mapping[date, float]]) -> dict[str, object]:
    """Return what keeps few days from filling the chart: a week at least, a tick a day."""
    days = [day for amounts in rows.values() for day in amounts]
    if not days or (max(days) - min(days)).days >= WEEK:
        return {}
    half, last = timedelta(hours=12), datetime.combine(max(days), time())
    return {"range": [last - timedelta(days=WEEK) + half, last + half], "dtick": DAY_MS}


def histogram(bins: Sequence[tuple[float, float, int]]) -> go.Figure:
    """Return how many votes took how long, seconds on a scale that doubles.

    Args:
        bins: (from, to, votes), seconds.
    """
    figure = go.Figure(
        go.Bar(
            x=[(math.log2(low) + math.log2(high)) / 2 for low, high, _n in bins],
            y=[n for _low, _high, n in bins],
            width=[math.log2(high / low) * 0.92 for low, high, _n in bins],
            marker={"color": ACCENT, "line": {"width": 0}},
            text=[f"{low:.3g}–{high:.3g} s" for low, high, _n in bins],
            textposition="none",
            hovertemplate="%{text}<br>%{y:,}<extra></extra>",
        )
    )
    frame(figure, 270)
    ends = [math.log2(x) for low, high, _n in bins for x in (low, high)] or [0.0, 6.0]
    ticks = range(math.floor(min(ends)), math.ceil(max(ends)) + 1)
    figure.update_xaxes(
        tickvals=list(ticks), ticktext=[f"{2.0**t:g}" for t in ticks], showgrid=False,
        title=axis_title(_("Seconds a vote, pauses left out")),
    )  # fmt: skip
    figure.update_yaxes(gridcolor=LINE, title=axis_title(_("Votes")))
    return figure


def reader_zone() -> str:
    """Return the name of the reader's time zone, UTC where the browser does not say."""
    return str(st.context.timezone or "UTC")


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


def _summed(rows: Sequence[Mapping[date, float]]) -> dict[date, float]:
    total: dict[date, float] = {}
    for days in rows:
        for day, amount in days.items():
            total[day] = total.get(day, 0) + amount
    return total


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
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(fixedrange=True, tickfont={"size": 12})
    figure.update_yaxes(fixedrange=True, tickfont={"size": 12.5})
