"""Regions under the hand of one person, and where editing them begins."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.labels import Answer, LabelSchema, Region
from core.ui import canvas
from core.ui.canvas_shapes import Display

RAIL_PX = 300
TOOLBAR_PX = 44
NAME_PX = 40
DEFAULT_ROOM = (900.0, 600.0)


@dataclass(slots=True)
class Editing:
    """Regions under the hand of one person; lives in the session, its content also as a draft.

    Attributes:
        item_id: Whose regions.
        display: How large the image is drawn.
        regions: As they stand, image pixels.
        label: The class new regions get.
        choices, multi: Answers to the questions about the item so far.
        picked: Index of the region the keys act on.
        base: The regions the canvas was given last; by them it is read.
        brush: How wide the brush for masks is, canvas pixels.
        version: Counts what Python changed.
        overruled: The canvas' answer that Python's last change made stale, as text.
        kept: The answer of the draft that was kept last.
        saved_at: When the draft was last kept, seconds since the epoch.
        seconds: Active time so far.
        last_seen: When the person last did something, monotonic seconds.
    """

    item_id: int
    display: Display
    regions: tuple[Region, ...]
    label: str
    choices: dict[str, str] = field(default_factory=dict)
    multi: dict[str, tuple[str, ...]] = field(default_factory=dict)
    picked: int | None = None
    version: int = 0
    drawing: dict[str, Any] = field(default_factory=dict)
    overruled: str | None = None
    base: tuple[Region, ...] = ()
    brush: int = canvas.BRUSH_PX
    kept: Answer = field(default_factory=Answer)
    saved_at: float | None = None
    seconds: float = 0.0
    last_seen: float = field(default_factory=time.monotonic)
    table: bool = False
    trouble: str = ""

    @property
    def answer(self) -> Answer:
        """Return all that was answered so far."""
        return Answer(dict(self.choices), self.regions, dict(self.multi))

    def tick(self, idle_seconds: float) -> None:
        """Count the time since the last action, unless it was a pause."""
        now = time.monotonic()
        gap = now - self.last_seen
        self.seconds += gap if 0 <= gap <= idle_seconds else 0.0
        self.last_seen = now

    def change(self, regions: tuple[Region, ...], stale: str | None) -> None:
        """Put other regions on the canvas; what it said before no longer counts."""
        self.regions = regions
        self.overruled = stale
        self.version += 1


def start(
    item_id: int,
    size: tuple[int, int],
    regions: tuple[Region, ...],
    schema: LabelSchema,
    room: Mapping[str, Any] | None = None,
    choices: Mapping[str, str] | None = None,
    multi: Mapping[str, tuple[str, ...]] | None = None,
) -> Editing:
    """Return the editing of an item's regions, the image as large as the room allows.

    Args:
        item_id: The item.
        size: Width and height of the image, pixels.
        regions: Those to begin with; a model's confidence is dropped, they are a person's now.
        schema: The project's.
        room: width and height of the free part of the window, as the browser measured it.
        choices: Answers to the questions about the item so far.
        multi: Those to questions with several answers.
    """
    width, height = _room(room)
    display = canvas.fit(*size, width - RAIL_PX - 16, height - TOOLBAR_PX - NAME_PX)
    fitting = (r for r in regions if r.label in schema.classes and r.shape is schema.task.shape)
    plain = tuple(replace(r, confidence=None) for r in fitting)
    first = (schema.main.open_names or schema.classes)[0]
    editing = Editing(item_id, display, plain, first, dict(choices or {}), dict(multi or {}))
    editing.kept = editing.answer
    return editing


def _room(room: Mapping[str, Any] | None) -> tuple[float, float]:
    found = [(room or {}).get(name) for name in ("width", "height")]
    if all(isinstance(v, int | float) and 200 <= v <= 8000 for v in found):
        return float(found[0]), float(found[1])  # type: ignore[arg-type]  # checked just above
    return DEFAULT_ROOM
