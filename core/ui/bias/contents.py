"""What a long view of the bias page holds: its parts in a list on top, each with what was found and a jump."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from streamlit.delta_generator import DeltaGenerator

from core.ui.charts import card_head
from core.ui.text import _
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import unbroken


@dataclass(slots=True)
class Part:
    """One part of the view.

    Attributes:
        anchor: Where a jump lands.
        title: As its head says.
        finding: In one line; empty where nothing could be said.
    """

    anchor: str
    title: str
    finding: str = ""


_parts: ContextVar[list[Part] | None] = ContextVar("bias_parts", default=None)


@contextmanager
def listed(place: DeltaGenerator) -> Iterator[None]:
    """List the parts that are drawn within, in the place given, once all of them are."""
    parts: list[Part] = []
    token = _parts.set(parts)
    try:
        yield
    finally:
        _parts.reset(token)
        if parts:
            with place:
                _draw(parts)


def part_head(key: str, title: str, text: str = "") -> None:
    """Draw the head of a part's card, where a jump from the list lands."""
    anchor = f"part-{key}"
    parts = _parts.get()
    if parts is not None:
        parts.append(Part(anchor, title))
    card_head(title, text, anchor)


def tell(finding: str) -> None:
    """Say in one line what the part under way found; what is told first stays."""
    parts = _parts.get()
    if parts and not parts[-1].finding:
        parts[-1].finding = finding


def _draw(parts: list[Part]) -> None:
    draw(
        "<nav class='tb-contents' aria-label='{name}'><ol>{rows}</ol></nav>",
        name=_("Parts of this page"),
        rows=join(_row(p) for p in parts),
    )


def _row(part: Part) -> Markup:
    return fill(
        "<li><a href='#{anchor}' target='_self'>{title}</a><span class='tb-muted'>{finding}</span></li>",
        anchor=part.anchor,
        title=part.title,
        finding=unbroken(part.finding or _("Not enough data")),
    )
