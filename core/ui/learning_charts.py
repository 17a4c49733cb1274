"""Charts of learning: risk against coverage, reliability, a run's curve, paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import plotly.graph_objects as go

from core.services.certificates.theatre import Reliability, RiskCoverage
from core.ui.charts import LINE, SERIES, amount, axis_title, frame, plain
from core.ui.text import _
from core.ui.tokens import ACCENT, BAD, MUTED

BAND = "rgba(47,111,222,.16)"
MOST_RISK = 0.5
MOST_TICKS = 8


def risk_against_coverage(
    curve: RiskCoverage, target: float, share: float | None, certified: bool
) -> go.Figure:
    """Return the share wrong among the surest items, with its band, the target and where one stands.

    Args:
        curve: At most 400 points.
        target: Allowed share, drawn as a line.
        share: Coverage chosen; None for none.
        certified: Whether it is certified: a full dot, else an open one.
    """
    known = [i for i, r in enumerate(curve.risk.tolist()) if not isnan(r)]
    x = [float(curve.coverage[i]) for i in known]
    risk, low, high = ([float(a[i]) for i in known] for a in (curve.risk, curve.low, curve.high))
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[*x, *reversed(x)], y=[*high, *reversed(low)], fill="toself", fillcolor=BAND,
            line={"width": 0}, hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=x, y=risk, mode="lines", name=_("Share wrong among the surest"),
            line={"color": ACCENT, "width": 2.5, "shape": "hv"},
            text=[f"{100 * lo:.1f} – {100 * hi:.1f} %" for lo, hi in zip(low, high, strict=True)],
            hovertemplate="%{x:.0%} · %{y:.1%} (%{text})<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(y=target, line={"color": BAD, "width": 1.5, "dash": "dash"})
    top = min(MOST_RISK, max([2.2 * target, *risk[len(risk) // 5 :], 0.02]) * 1.15)
    if share is not None:
        _where(figure, x, risk, share, certified, top)
    frame(figure, 300)
    figure.update_xaxes(
        range=[0, 1.01], tickformat=".0%", gridcolor=LINE, zeroline=False,
        title=axis_title(_("Share of items, the surest first")),
    )  # fmt: skip
    figure.update_yaxes(
        range=[0, top], tickformat=".0%" if top > 0.1 else ".1%", gridcolor=LINE, zeroline=False,
        title=axis_title(_("Share wrong of those checked")),
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    return figure


def _where(
    figure: go.Figure,
    x: Sequence[float],
    risk: Sequence[float],
    share: float,
    certified: bool,
    top: float,
) -> None:
    if not x:
        return
    at = min(range(len(x)), key=lambda i: abs(x[i] - share))
    figure.add_shape(
        type="line",
        x0=x[at],
        x1=x[at],
        y0=0,
        y1=top,
        line={"color": MUTED, "width": 1, "dash": "dot"},
    )
    figure.add_trace(
        go.Scatter(
            x=[x[at]], y=[min(risk[at], top)], mode="markers", hoverinfo="skip", showlegend=False,
            cliponaxis=False,
            marker={
                "size": 13, "color": ACCENT, "symbol": "circle" if certified else "circle-open",
                "line": {"width": 2, "color": ACCENT},
            },
        )
    )  # fmt: skip


def reliability_diagram(found: Reliability) -> go.Figure:
    """Return confidence against accuracy by bins of equally many items, with intervals."""
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": MUTED, "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    bins = [b for b in found.bins if b.accuracy.value is not None]
    values = [float(b.accuracy.value or 0) for b in bins]
    figure.add_trace(
        go.Scatter(
            x=[b.confidence for b in bins], y=values, mode="markers", showlegend=False,
            marker={"size": 10, "color": ACCENT},
            error_y={
                "type": "data", "symmetric": False, "thickness": 2, "width": 4, "color": ACCENT,
                "array": [(b.accuracy.high or 0) - v for b, v in zip(bins, values, strict=True)],
                "arrayminus": [v - (b.accuracy.low or 0) for b, v in zip(bins, values, strict=True)],
            },
            text=[f"n = {b.n:,}" for b in bins],
            hovertemplate="%{x:.1%} → %{y:.1%}, %{text}<extra></extra>",
        )
    )  # fmt: skip
    frame(figure, 300)
    low = min([b.confidence for b in bins] + values + [0.5])
    floor = max(0.0, int(low * 10) / 10 - 0.05)
    figure.update_xaxes(
        range=[floor, 1.02], tickformat=".0%", gridcolor=LINE, zeroline=False,
        title=axis_title(_("Confidence")),
    )  # fmt: skip
    figure.update_yaxes(
        range=[floor, 1.02], tickformat=".0%", gridcolor=LINE, zeroline=False,
        title=axis_title(_("Right of those checked")),
    )  # fmt: skip
    return figure


def run_curve(rows: Sequence[Mapping[str, object]], names: Mapping[str, str]) -> go.Figure:
    """Return a run's figures over its steps, a line each.

    Args:
        rows: As the run wrote them, oldest first.
        names: Key of each figure shown to what it is called.
    """
    figure = go.Figure()
    for colour, (key, name) in zip(SERIES, names.items(), strict=False):
        points = [(_x(r, i), r[key]) for i, r in enumerate(rows) if _is_number(r.get(key))]
        if points:
            figure.add_trace(
                go.Scatter(
                    x=[p[0] for p in points], y=[p[1] for p in points], mode="lines+markers",
                    name=plain(name), line={"color": colour, "width": 2},
                    marker={"size": 5}, hovertemplate="%{y:.3f}",
                )
            )  # fmt: skip
    frame(figure, 240, legend=True)
    figure.update_layout(hovermode="x unified", showlegend=True)
    steps = [_x(r, i) for i, r in enumerate(rows)]
    apart = max(1, round((max(steps, default=1) - min(steps, default=1)) / MOST_TICKS))
    figure.update_xaxes(showgrid=False, dtick=apart, title=axis_title(_("Step")))
    figure.update_yaxes(gridcolor=LINE, rangemode="tozero", zeroline=False)
    return figure


def swept_classes(rows: Sequence[tuple[str, int, int]]) -> go.Figure:
    """Return how many items of each class nobody would label, and how many somebody would."""
    names = [plain(r[0]) for r in rows]
    figure = go.Figure()
    shown = (
        (_("Accepted"), [r[1] for r in rows], ACCENT),
        (_("For people"), [r[2] - r[1] for r in rows], "#C3CBD6"),
    )
    for name, values, colour in shown:
        figure.add_trace(
            go.Bar(
                x=values, y=names, orientation="h", name=name,
                marker={"color": colour, "line": {"width": 0}}, hovertemplate="%{y}: %{x:,}",
            )
        )  # fmt: skip
    frame(figure, 70 + 26 * max(1, len(rows)), legend=True)
    figure.update_layout(barmode="stack", bargap=0.35, showlegend=True)
    figure.update_layout(legend={"traceorder": "normal"})
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    figure.update_xaxes(gridcolor=LINE, title=axis_title(_("Items nobody has labelled")))
    return figure


def in_words(curve: RiskCoverage, target: float) -> str:
    """Return what the curve shows, for those who cannot see it."""
    if curve.area is None:
        return _("Nothing was checked yet.")
    known = [i for i, r in enumerate(curve.risk.tolist()) if not isnan(r)]
    spots = [known[len(known) * k // 4] for k in range(4)] + [known[-1]]
    said = "; ".join(
        f"{100 * float(curve.coverage[i]):.0f} %: {amount(float(curve.risk[i]), '%')}"
        for i in dict.fromkeys(spots)
    )
    return _("Share wrong by share of items: {said}. Target: {target}.").format(
        said=said, target=amount(target, "%")
    )


def _x(row: Mapping[str, object], place: int) -> float:
    step = row.get("step")
    return float(step) if isinstance(step, int | float) else float(place + 1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
