"""What is left on the *throughput* page: where items wait, the burn-down, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import plotly.graph_objects as go
import streamlit as st

from core.analytics.asked import Filters
from core.analytics.stages import Stage, Waiting
from core.services.analytics.forecast import BurnDown, burn_down
from core.services.analytics.stages import stages_of
from core.services.report.tables import estimate_cells, estimate_columns
from core.stats.forecast import FEWEST_DAYS
from core.ui import downloads
from core.ui.charts import card_head
from core.ui.charts.counts import CLICKABLE, DAY_FORMAT, DAY_MS, WEEK
from core.ui.charts.style import LINE, axis_title, frame
from core.ui.marks import by_day, draw_marks, side_by_side
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.theme import Markup, fill
from core.ui.throughput.marks import that_waited
from core.ui.tokens import ACCENT
from core.ui.widgets import caption, duration, muted, table

STAGES = {
    Stage.FIRST: mark("A first vote"),
    Stage.FURTHER: mark("A second vote, or one more"),
    Stage.LEAD: mark("A lead"),
    Stage.ALL: mark("To be settled, since it came in"),
}


def draw_flow(page: PageContext, filters: Filters, zone: str) -> None:
    """Draw where items wait beside what is left by day."""
    with side_by_side(2) as (left, right):
        with left, st.container(border=True, height="stretch"):
            _stages(page, filters)
        with right, st.container(border=True, height="stretch"):
            _burn_down(page, burn_down(page.ws, page.actor, page.slug, zone), zone)


def _stages(page: PageContext, filters: Filters) -> None:
    view = stages_of(page.ws, page.actor, page.slug, filters)
    card_head(_("What items wait for"), _("Now, of all items; how long so far."))
    table(
        (_("Waits for"), _("Items"), _("Median"), _("Nine of ten")),
        [_stage_row(w) for w in view.stages],
        _("What items wait for"),
    )
    if view.bottleneck is not None:
        text = _("Items surely wait longest for: {stage}.")
        caption(text.format(stage=_(STAGES[view.bottleneck]).lower()))
    elif any(w.n for w in view.stages):
        caption(_("No stage surely waits longer than the others."))
    columns = (
        "stage",
        "items",
        *estimate_columns("median_seconds"),
        "ninth_decile_seconds",
        "longest_seconds",
    )
    rows = [
        (w.stage.value, w.n, *estimate_cells(w.seconds), w.ninth_decile_seconds, w.longest_seconds)
        for w in view.stages
    ]
    downloads.offer(page, "waiting", columns, rows)


def _stage_row(w: Waiting) -> list[Markup | str]:
    """Return stage, items, median with its interval, and the ninth decile above the longest."""
    e, ninth = w.seconds, w.ninth_decile_seconds
    median: Markup | str = muted(_("not enough data") if w.n else "–")
    if e.value is not None and e.low is not None and e.high is not None:
        median = _two_lines(duration(e.value), _span(duration(e.low), duration(e.high)))
    longest = _("longest {time}").format(time=duration(w.longest_seconds)) if w.n else ""
    return [
        _(STAGES[w.stage]), f"{w.n:,}", median,
        _two_lines("–" if ninth is None else duration(ninth), longest),
    ]  # fmt: skip


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} – {high}"


def _two_lines(value: str, below: str) -> Markup:
    return fill(
        "<span style='white-space:nowrap'>{v}</span>"
        "<div class='tb-muted tb-small' style='white-space:nowrap'>{b}</div>",
        v=value,
        b=below,
    )


def _burn_down(page: PageContext, view: BurnDown, zone: str) -> None:
    card_head(
        _("What is left"), _("Items that waited at the end of each day; of all items and people.")
    )
    if view.days:
        draw_marks(
            page, _left_chart(view), "throughput.left",
            _("{n} items wait now").format(n=f"{view.remaining:,}"), by_day,
            lambda day: that_waited(page, zone, day),
        )  # fmt: skip
    caption(forecast_in_words(view))
    downloads.offer(
        page, "left-by-day", ("day", "items_left"), [(d.isoformat(), n) for d, n in view.days]
    )


def forecast_in_words(view: BurnDown) -> str:
    """Return when nothing will be left, with its interval, or why that cannot be told."""
    found = view.forecast
    if view.remaining == 0:
        return _("Nothing is left.")
    if not found.is_enough:
        text = _("Not enough data for a forecast: {n} days of work by people, {most} are needed.")
        return text.format(n=found.past_days, most=FEWEST_DAYS)
    if found.low is None:
        return _("At the pace of the past days this does not end within two years.")
    first = view.today + timedelta(days=found.low)
    if found.days is None or found.high is None:
        text = _("Done no sooner than {first}; at this pace it may take more than two years.")
        return text.format(first=first.isoformat())
    text = _("Done about {day}, with 95 % between {first} and {last}, if the past {n} days go on.")
    return text.format(
        day=(view.today + timedelta(days=found.days)).isoformat(), first=first.isoformat(),
        last=(view.today + timedelta(days=found.high)).isoformat(), n=found.past_days,
    )  # fmt: skip


def _left_chart(view: BurnDown) -> go.Figure:
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[d for d, _n in view.days], y=[n for _d, n in view.days], mode="lines+markers",
            **(CLICKABLE if len(view.days) > 1 else {"marker": {"size": 9}}),  # one day makes no line
            line={"color": ACCENT, "width": 2, "shape": "hv"}, hovertemplate="%{x|%-d %b}: %{y:,}<extra></extra>",
        )
    )  # fmt: skip
    found = view.forecast
    for days, dash in ((found.low, "dot"), (found.days, "solid"), (found.high, "dot")):
        if days:
            figure.add_trace(
                go.Scatter(
                    x=[view.today, view.today + timedelta(days=days)], y=[view.remaining, 0], mode="lines",
                    line={"color": ACCENT, "width": 1, "dash": dash}, opacity=0.6,
                    hovertemplate="%{x|%-d %b}<extra></extra>",
                )
            )  # fmt: skip
    frame(figure, 230)
    figure.update_layout(showlegend=False)
    figure.update_yaxes(gridcolor=LINE, rangemode="tozero", title=axis_title(_("Items")))
    short = {"dtick": DAY_MS} if len(view.days) < WEEK and not found.days else {}
    figure.update_xaxes(showgrid=False, tickformat=DAY_FORMAT, **short)
    return figure
