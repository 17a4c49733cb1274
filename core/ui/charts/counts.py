"""Counts over days, and how long votes took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import plotly.graph_objects as go

from core.ui.charts.style import LINE, MOST_SERIES, SERIES, axis_title, frame, plain
from core.ui.text import _
from core.ui.tokens import ACCENT, STATE_COLOURS, STATE_ORDER
from core.ui.widgets import state_name

DAY_FORMAT = "%-d %b"
DAY_MS = 86_400_000
WEEK = 7
CLICKABLE: dict[str, object] = {
    "marker": {"size": 12, "opacity": 0},
    "selected": {"marker": {"opacity": 0.9, "size": 7}},
    "unselected": {"marker": {"opacity": 0}},
}
"""Marks one does not see on a line or an area: only marks answer a click."""


def states_over_time(history: Sequence[tuple[date, Mapping[str, int]]]) -> go.Figure:
    """Return how many items stood in each state at the end of each day, stacked."""
    figure = go.Figure()
    days = [d for d, _states in history]
    present = [s for s in STATE_ORDER if any(states.get(s) for _d, states in history)]
    for state in present:
        figure.add_trace(
            go.Scatter(
                x=days, y=[states.get(state, 0) for _d, states in history], stackgroup="all",
                name=state_name(state), mode="lines+markers", customdata=[state] * len(days),
                line={"width": 0.5, "color": STATE_COLOURS[state], "shape": "hv"}, **CLICKABLE,
                fillcolor=STATE_COLOURS[state], hovertemplate="%{x|%-d %b}: %{y:,}",
            )
        )  # fmt: skip
    frame(figure, 300, legend=True)
    figure.update_layout(hovermode="closest", showlegend=True)
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
    hover: str = "%{x|%-d %b}: %{y:,}",
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
                    x=list(days), y=list(days.values()), name=plain(name), customdata=[name] * len(days),
                    width=0.65 * DAY_MS,  # a bar alone would be a millisecond wide
                    marker={"color": colour, "line": {"width": 0}}, hovertemplate=hover,
                )
            )  # fmt: skip
    frame(figure, 290, legend=True)
    figure.update_layout(barmode="stack", hovermode="closest", showlegend=len(shown) > 1)
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


def _summed(rows: Sequence[Mapping[date, float]]) -> dict[date, float]:
    total: dict[date, float] = {}
    for days in rows:
        for day, amount in days.items():
            total[day] = total.get(day, 0) + amount
    return total


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
            customdata=[[low, high] for low, high, _n in bins],
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
