"""A click on a mark of a chart lists the items behind it, below the chart; which mark is in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.services.analytics.marks import MarkedItem, MarkedItems
from core.ui import states
from core.ui.behind import Linked, item_cells
from core.ui.charts import card_head, draw_chart
from core.ui.choices import put
from core.ui.shell import PageContext
from core.ui.text import _, many
from core.ui.widgets import duration, table

PARAMETER = "mark"
MOST_LISTED = 50

Point = Mapping[str, Any]
Found = tuple[str, MarkedItems] | None
"""What a mark is called on the page, and the items; None where there is no such mark any more."""

Read = Callable[[Point], str | None]
"""What a clicked point is called in the address; None where it stands for nothing."""


_place: ContextVar[DeltaGenerator | None] = ContextVar("marks_place", default=None)


@contextmanager
def side_by_side(
    widths: int | Sequence[float], gap: Literal["small", "medium", "large"] = "medium"
) -> Iterator[list[DeltaGenerator]]:
    """Give columns whose charts list what is behind a mark below all of them, over the full width."""
    columns = st.columns(widths, gap=gap)
    token = _place.set(st.container())
    try:
        yield columns
    finally:
        _place.reset(token)


def draw_marks(
    page: PageContext,
    figure: go.Figure,
    key: str,
    alt: str,
    read: Read,
    behind: Callable[[str], Found],
) -> None:
    """Draw a chart whose marks answer a click with the items behind them.

    Args:
        page: The page.
        figure: The chart.
        key: Unique on the page; in the address it tells whose mark was clicked.
        alt: What the chart shows, for those who cannot see it.
        read: A clicked point to its name in the address.
        behind: A name to what is to be listed.
    """
    draw_chart(figure, key, alt, lambda: _clicked(key, read))
    name = marked(key)
    if name is None:
        return
    below = _place.get()
    with below.container(border=True) if below else nullcontext(), states.boundary(inline=True):
        found = behind(name)
        if found is not None:
            _list(page, key, *found)


def marked(key: str) -> str | None:
    """Return the name of the chart's mark that is in the address, if one is."""
    chart, separator, name = st.query_params.get(PARAMETER, "").partition("~")
    return name if separator and chart == key else None


def by_row(names: Sequence[str]) -> Read:
    """Return how a dot's row is called, of `charts.dots`."""

    def read(point: Point) -> str | None:
        row = round(float(point.get("y", -1)))
        return names[row] if 0 <= row < len(names) else None

    return read


def by_row_and_series(names: Sequence[str], series: Sequence[str]) -> Read:
    """Return how a dot is called where a row has several, of `charts.dots`: series, space, row."""

    def read(point: Point) -> str | None:
        row, column = (int(n) for n in (point.get("customdata") or (-1, -1))[:2])
        known = 0 <= row < len(names) and 0 <= column < len(series)
        return f"{series[column]} {names[row]}" if known else None

    return read


def by_day(point: Point) -> str | None:
    """Return the day a mark stands on, as YYYY-MM-DD."""
    return str(point["x"])[:10] if point.get("x") is not None else None


def _clicked(key: str, read: Read) -> None:
    points = st.session_state[key].selection.points
    name = read(points[0]) if points else None
    put(**{PARAMETER: None if name is None else f"{key}~{name}"})


def _list(page: PageContext, key: str, title: str, found: MarkedItems) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        card_head(_("Behind: {mark}").format(mark=title), _count(found))
    right.button(
        _("Close"), key=f"{key}.close", icon=":material/close:", type="tertiary",
        on_click=put, kwargs={PARAMETER: None},
    )  # fmt: skip
    if not found.items:
        return
    rows = [
        item_cells(page, Linked(i.item_id, i.name, i.image, i.state), _told(i))
        for i in found.items[:MOST_LISTED]
    ]
    with st.container(height=min(430, 80 + 62 * len(rows)), border=False):
        table((_("Image"), _("Item"), _("State")), rows, _("Items behind the mark"))


def _count(found: MarkedItems) -> str:
    if not found.total:
        return _("Nothing is behind it.")
    text = f"n = {found.total:,}"
    listed = min(MOST_LISTED, len(found.items))
    if 0 < listed < found.total - found.withheld:
        text += " · " + _("the first {n} are shown").format(n=listed)
    if found.withheld:
        text += " · " + many(
            "{n} of them is not shown: you could still vote on it; a manager sees it",
            "{n} of them are not shown: you could still vote on them; a manager sees them",
            found.withheld,
        )
    return text


def _told(item: MarkedItem) -> str:
    parts = [item.who] if item.who else []
    if item.said and item.truth and item.said != item.truth:
        parts.append(_("{said}, held against {truth}").format(said=item.said, truth=item.truth))
    elif item.said:
        parts.append(item.said)
    if item.seconds is not None:
        parts.append(duration(item.seconds))
    if item.confidence is not None:
        parts.append(_("sure to {share}").format(share=f"{item.confidence * 100:.0f} %"))
    return " · ".join(parts)
