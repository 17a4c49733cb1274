"""What a detection threshold trades: regions found against duplicates, false and misplaced ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import plotly.graph_objects as go
import streamlit as st

from core.errors import TiebreakError
from core.services.certificates.theatre import detection_trade
from core.stats.intervals import wilson
from core.ui import identity, states
from core.ui.charts import LINE, SERIES, axis_title, card_head, draw_chart, frame, sentence
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.widgets import caption, fact, table

KINDS = {
    "hits": mark("Found"),
    "missed": mark("Missed"),
    "false": mark("On nothing"),
    "misplaced": mark("Misplaced"),
    "confused": mark("Wrong class"),
    "duplicates": mark("Twice"),
}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


class Trade(Protocol):
    """What one threshold gives, in regions."""

    @property
    def threshold(self) -> float:
        """Return from which score on regions are kept."""

    @property
    def hits(self) -> int:
        """Return how many true regions are found."""

    @property
    def missed(self) -> int:
        """Return how many are not."""


@st.fragment
def draw_trade(page: PageContext, model_id: int, iou: float) -> None:
    """Draw the trade of a detector's threshold on checked images, and one threshold's counts."""
    with states.boundary(inline=True), st.container(border=True):
        card_head(
            _("What a detection threshold trades"),
            _(
                "Regions on checked images the detector never learnt from; overlap (IoU) {iou}."
            ).format(iou=f"{iou:g}"),
        )
        try:
            rows = detection_trade(page.ws, identity.current_actor(), page.slug, model_id, iou)
        except TiebreakError as problem:
            states.error(problem, inline=True)
            return
        if not rows or not any(r.hits + r.missed + r.false for r in rows):
            states.empty(
                _("Not enough data"), _("No checked image of a known answer has a region."),
            )  # fmt: skip
            return
        steps = [r.threshold for r in rows]
        middle = min(steps, key=lambda t: abs(t - 0.5))
        chosen = st.select_slider(
            _("Keep regions surer than"), steps, middle, format_func=lambda t: f"{t:.2f}",
            key="theatre.trade",
        )  # fmt: skip
        _counts(next(r for r in rows if r.threshold == chosen))
        draw_chart(_chart(rows, chosen), "theatre.trade.chart", _in_words(rows))
        with st.expander(_("As a table")):
            head = (_("Threshold"), *(_(name) for name in KINDS.values()))
            body = [[f"{r.threshold:.2f}", *(f"{getattr(r, k):,}" for k in KINDS)] for r in rows]
            table(head, body, _("What a detection threshold trades"))


def _counts(row: Trade) -> None:
    for column, (key, name) in zip(st.columns(len(KINDS)), KINDS.items(), strict=True):
        with column:
            fact(_(name), f"{getattr(row, key):,}")
    true = row.hits + row.missed
    if true:
        caption(
            _("Of the true regions found: {share}.").format(share=sentence(wilson(row.hits, true)))
        )


def _chart(rows: Sequence[Trade], chosen: float) -> go.Figure:
    figure = go.Figure()
    for colour, dash, (key, name) in zip(SERIES, DASHES, KINDS.items(), strict=False):
        figure.add_trace(
            go.Scatter(
                x=[r.threshold for r in rows], y=[getattr(r, key) for r in rows], mode="lines",
                name=_(name), line={"color": colour, "width": 2.5, "dash": dash},
                hovertemplate="%{y:,}",
            )
        )  # fmt: skip
    figure.add_vline(x=chosen, line={"color": SERIES[7], "width": 1, "dash": "dot"})
    frame(figure, 300, legend=True)
    figure.update_layout(hovermode="x unified", showlegend=True)
    figure.update_xaxes(
        range=[0, 1], gridcolor=LINE, zeroline=False, title=axis_title(_("Threshold"))
    )
    figure.update_yaxes(
        gridcolor=LINE, rangemode="tozero", zeroline=False, title=axis_title(_("Regions"))
    )
    return figure


def _in_words(rows: Sequence[Trade]) -> str:
    some = [rows[len(rows) * k // 4] for k in range(4)]
    return "; ".join(
        f"{r.threshold:.2f}: " + ", ".join(f"{_(n)} {getattr(r, k)}" for k, n in KINDS.items())
        for r in some
    )
