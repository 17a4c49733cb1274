"""Points over time with their intervals, and how sure against how often right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import plotly.graph_objects as go

from core.stats.intervals import Estimate
from core.ui.charts.counts import DAY_FORMAT
from core.ui.charts.style import LINE, SERIES, axis_title, frame, sentence
from core.ui.text import _
from core.ui.tokens import MUTED

HEIGHT = 290


def weeks(rows: Sequence[tuple[date, Estimate]], title: str, unit: str = "") -> go.Figure:
    """Return a figure by week, a dot each with its interval; weeks without enough data are left out.

    Args:
        rows: First day of the week, and the figure.
        title: What it is.
        unit: "%" for fractions.
    """
    figure = go.Figure()
    known = [(d, e) for d, e in rows if e.value is not None]
    figure.add_trace(
        go.Scatter(
            x=[d for d, _e in known], y=[e.value for _d, e in known], mode="lines+markers",
            line={"color": SERIES[0], "width": 1.5}, marker={"size": 9, "color": SERIES[0]},
            error_y=_whiskers([e for _d, e in known]),
            text=[sentence(e, unit) for _d, e in known], hovertemplate="%{x|%-d %b %Y}<br>%{text}<extra></extra>",
        )
    )  # fmt: skip
    frame(figure, HEIGHT)
    figure.update_yaxes(
        gridcolor=LINE, zeroline=False, title=axis_title(title),
        tickformat=".0%" if unit == "%" else None,
    )  # fmt: skip
    figure.update_xaxes(showgrid=False, tickformat=DAY_FORMAT)
    return figure


def reliability_diagram(rows: Sequence[tuple[float, Estimate]]) -> go.Figure:
    """Return how often answers were right, by how sure the model was; on the line it is calibrated.

    Args:
        rows: Mean confidence of a bin, and the share of it that was right.
    """
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": MUTED, "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[c for c, _e in rows], y=[e.value for _c, e in rows], mode="markers",
            customdata=list(range(len(rows))),
            marker={"size": 10, "color": SERIES[0]}, error_y=_whiskers([e for _c, e in rows]),
            text=[f"{c * 100:.1f} % · {sentence(e)}" for c, e in rows],
            hovertemplate="%{text}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    frame(figure, HEIGHT + 40)
    ends = {"range": [-0.02, 1.02], "tickformat": ".0%", "gridcolor": LINE, "zeroline": False}
    figure.update_xaxes(**ends, title=axis_title(_("How sure the model was")))
    figure.update_yaxes(**ends, title=axis_title(_("How often it was right")))
    return figure


def before_and_after(
    points: Sequence[tuple[date, float, int]],
    changed: date,
    fitted: Sequence[tuple[date, float]],
    without: Sequence[tuple[date, float]],
) -> go.Figure:
    """Return a series by day with the day of a change, the fitted line and where the old trend led.

    Args:
        points: Day, share and how many it rests on; the area of a dot grows with them.
        changed: First day of the new regime.
        fitted: The line, by day; empty without an estimate.
        without: The earlier trend led on, by day.
    """
    figure = go.Figure()
    most = max((n for _d, _s, n in points), default=1)
    figure.add_trace(
        go.Scatter(
            x=[d for d, _s, _n in points], y=[s for _d, s, _n in points], mode="markers",
            marker={"color": SERIES[0], "opacity": 0.75,
                    "size": [5 + 9 * (n / most) ** 0.5 for _d, _s, n in points]},
            text=[f"{s * 100:.1f} % · n = {n:,}" for _d, s, n in points],
            hovertemplate="%{x|%-d %b %Y}<br>%{text}<extra></extra>", name=_("A day"),
        )
    )  # fmt: skip
    lines = ((without, "dot", MUTED, _("The trend before, led on")),
             (fitted, "solid", SERIES[1], _("Fitted")))  # fmt: skip
    for rows, dash, colour, name in lines:
        if rows:
            figure.add_trace(
                go.Scatter(
                    x=[d for d, _s in rows], y=[s for _d, s in rows], mode="lines", name=name,
                    line={"color": colour, "width": 2, "dash": dash}, hoverinfo="skip",
                )
            )  # fmt: skip
    figure.add_vline(x=changed.isoformat(), line={"color": MUTED, "width": 1, "dash": "dash"})
    frame(figure, HEIGHT, legend=True)
    figure.update_yaxes(gridcolor=LINE, zeroline=False, tickformat=".0%", range=[-0.03, 1.03])
    figure.update_xaxes(showgrid=False, tickformat=DAY_FORMAT)
    return figure


def _whiskers(estimates: Sequence[Estimate]) -> dict[str, object]:
    """Return both arms of every interval, none where there is none."""
    up = [
        (e.high - e.value) if e.high is not None and e.value is not None else 0 for e in estimates
    ]
    down = [
        (e.value - e.low) if e.low is not None and e.value is not None else 0 for e in estimates
    ]
    return {
        "type": "data", "symmetric": False, "array": up, "arrayminus": down,
        "thickness": 2, "width": 0, "color": SERIES[0],
    }  # fmt: skip
