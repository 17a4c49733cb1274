"""Charts of policies side by side: labels by class, and votes spent against accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.stats.intervals import Estimate
from core.ui.charts import INK, LINE, SERIES, axis_title, frame, plain, sentence, shortened
from core.ui.text import _
from core.ui.tokens import MUTED

HATCHES = ("", "/", ".", "x", "-")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x")
MOST_CLASSES = 12


@dataclass(frozen=True, slots=True)
class Priced:
    """A policy as a point: votes per item from the start, and how right its labels are."""

    name: str
    votes: float
    accuracy: Estimate


def most_changed(balance: Sequence[Sequence[int]], most: int = MOST_CLASSES) -> list[int]:
    """Return the numbers of the classes whose labels change most, then the most common, in their order.

    Args:
        balance: Labels of each class, for each policy; the one in force first.
        most: How many classes.
    """
    if not balance:
        return []
    force = balance[0]

    def weight(c: int) -> tuple[int, int, int]:
        return (max(abs(b[c] - force[c]) for b in balance), force[c], -c)

    there = [c for c in range(len(force)) if any(b[c] for b in balance)]
    return sorted(sorted(there, key=weight, reverse=True)[:most])


def class_balance(classes: Sequence[str], series: Sequence[tuple[str, Sequence[int]]]) -> go.Figure:
    """Return how many labels each class gets under each policy, as bars side by side.

    Args:
        classes: The classes shown, from left to right.
        series: Name of each policy and its labels of each of these classes.
    """
    figure = go.Figure()
    for i, (name, counts) in enumerate(series):
        figure.add_trace(
            go.Bar(
                x=list(range(len(classes))),
                y=list(counts),
                name=plain(shortened(name, 24)),
                marker={
                    "color": SERIES[i],
                    "line": {"width": 0},
                    # Shades of a hatch are read by who cannot tell the colours apart.
                    "pattern": {"shape": HATCHES[i],
                        "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 5, "solidity": 0.28},
                },
                customdata=[plain(c) for c in classes],
                hovertemplate="%{customdata}: %{y:,}",
            )
        )  # fmt: skip
    frame(figure, 300, legend=True)
    figure.update_layout(barmode="group", bargap=0.28, bargroupgap=0.06)
    figure.update_xaxes(
        tickvals=list(range(len(classes))), ticktext=[plain(shortened(c, 16)) for c in classes],
        tickangle=-35, showgrid=False, automargin=True,
    )  # fmt: skip
    figure.update_yaxes(gridcolor=LINE, rangemode="tozero", title=axis_title(_("Labels")))
    return figure


def votes_against_accuracy(points: Sequence[Priced]) -> go.Figure:
    """Return each policy as a point with its interval: further left is cheaper, further up is better."""
    figure = go.Figure()
    for i, point in enumerate(points):
        value, low, high = point.accuracy.value, point.accuracy.low, point.accuracy.high
        if value is None or low is None or high is None:
            continue
        figure.add_trace(
            go.Scatter(
                x=[point.votes],
                y=[value],
                mode="markers",
                name=plain(shortened(point.name, 24)),
                marker={
                    "color": SERIES[i],
                    "symbol": SYMBOLS[i],
                    "size": 13,
                    "line": {"width": 1, "color": INK},
                },
                error_y={
                    "type": "data", "symmetric": False, "array": [high - value],
                    "arrayminus": [value - low], "color": SERIES[i], "thickness": 2, "width": 5,
                },
                text=[f"<b>{plain(point.name)}</b><br>{sentence(point.accuracy)}"],
                hovertemplate="%{text}<br>%{x:.2f}<extra></extra>",
            )
        )  # fmt: skip
    frame(figure, 300, legend=True)
    lows = [p.accuracy.low for p in points if p.accuracy.low is not None]
    bottom = max(0.0, min(lows, default=0.0) - 0.05)
    ticks = [t / 20 for t in range(int(bottom * 20), 21)]
    ticks = ticks if len(ticks) <= 7 else [t / 10 for t in range(int(bottom * 10), 11)]
    figure.update_yaxes(
        range=[bottom, 1.02], tickvals=ticks, ticktext=[f"{t * 100:.0f} %" for t in ticks],
        gridcolor=LINE, zeroline=False, title=axis_title(_("Equal to gold")),
    )  # fmt: skip
    spread = [p.votes for p in points] or [0.0]
    room = max(0.15, 0.12 * (max(spread) - min(spread)))
    figure.update_xaxes(
        range=[min(spread) - room, max(spread) + room], gridcolor=LINE, zeroline=False,
        title=axis_title(_("Votes an item, from the start")), tickfont={"color": MUTED},
    )  # fmt: skip
    figure.update_layout(showlegend=True)
    return figure
