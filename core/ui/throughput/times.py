"""How long votes take on the *throughput* page: all of them together, and person by person."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analytics.asked import Filters
from core.services.analytics.figures import ThroughputView
from core.stats.intervals import Estimate
from core.ui import charts, downloads
from core.ui.charts import Dot, card_head
from core.ui.marks import by_row, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.throughput.marks import bin_of, that_took, timed_votes

BESIDE_PX = 330  # as high as the chart beside that of times with its downloads


def draw_times(page: PageContext, view: ThroughputView, filters: Filters) -> None:
    """Draw how many votes took how long beside the median of each person."""
    timed = [p for p in view.people if p.seconds.n]
    if not timed:
        return
    with side_by_side(2) as (left, right):
        with left, st.container(border=True, height="stretch"):
            n = sum(b.n for b in view.bins)
            card_head(
                _("How long a vote takes"),
                _("n = {n} timed votes. The scale doubles from mark to mark.").format(n=f"{n:,}"),
            )
            draw_marks(
                page, charts.histogram([(b.low, b.high, b.n) for b in view.bins]), "throughput.bins",
                _("How many votes took how many seconds"), bin_of,
                lambda mark: that_took(page, filters, mark),
            )  # fmt: skip
            downloads.offer(
                page, "vote-times", ("from_seconds", "to_seconds", "votes"), [(b.low, b.high, b.n) for b in view.bins]
            )  # fmt: skip
        with right, st.container(border=True, height="stretch"):
            card_head(
                _("Median time of a vote"),
                _(
                    "With its 95 % interval. "
                    "Where intervals overlap, the data do not tell who is faster."
                ),
            )
            rows = [Dot(p.name, (p.seconds,)) for p in timed]
            extent = _extent([p.seconds for p in timed])
            draw_marks(
                page, charts.dots(rows, unit="s", extent=extent, least=BESIDE_PX), "throughput.pace",
                "; ".join(f"{r.label}: {charts.sentence(r.estimates[0], 's')}" for r in rows),
                by_row([p.person for p in timed]), lambda mark: timed_votes(page, view, filters, mark),
            )  # fmt: skip


def _extent(found: Sequence[Estimate]) -> tuple[float, float]:
    ends = [e.high or e.value or 0.0 for e in found]
    return (0.0, max([*ends, 1.0]) * 1.08)
