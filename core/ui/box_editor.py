"""Editing the boxes of one item: the canvas, its keys, the table in its stead, the draft.

The person draws; everything else (class, pick, delete) happens here, so the boxes on the canvas
and those in hand can differ for a moment. The rule: what Python changed counts until the canvas
answers with something it had not said before.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from core.errors import InputError, TiebreakError
from core.labels import LabelClass, LabelSchema, Region
from core.ui import canvas, states, widgets
from core.ui.text import _
from core.ui.theme import Markup, draw

RAIL_PX = 300
TOOLBAR_PX = 44
DEFAULT_ROOM = (900.0, 600.0)
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_COLUMNS = ("label", "x1", "y1", "x2", "y2")


@dataclass(slots=True)
class Editing:
    """Boxes under the hand of one person; lives in the session, its content also as a draft.

    Attributes:
        item_id: Whose boxes.
        display: How large the image is drawn.
        regions: The boxes as they stand, image pixels.
        label: The class new boxes get.
        picked: Index of the box the keys act on.
        version: Counts what Python changed.
        overruled: The canvas' answer that Python's last change made stale, as text.
        kept: The boxes of the draft that was kept last.
        saved_at: When the draft was last kept, seconds since the epoch.
        seconds: Active time so far.
        last_seen: When the person last did something, monotonic seconds.
    """

    item_id: int
    display: canvas.Display
    regions: tuple[Region, ...]
    label: str
    choices: dict[str, str] = field(default_factory=dict)
    picked: int | None = None
    version: int = 0
    drawing: dict[str, Any] = field(default_factory=dict)
    overruled: str | None = None
    kept: tuple[Region, ...] = ()
    saved_at: float | None = None
    seconds: float = 0.0
    last_seen: float = field(default_factory=time.monotonic)
    table: bool = False
    trouble: str = ""

    def tick(self, idle_seconds: float) -> None:
        """Count the time since the last action, unless it was a pause."""
        now = time.monotonic()
        gap = now - self.last_seen
        self.seconds += gap if 0 <= gap <= idle_seconds else 0.0
        self.last_seen = now

    def change(self, regions: tuple[Region, ...], stale: str | None) -> None:
        """Put other boxes on the canvas; what it said before no longer counts."""
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
) -> Editing:
    """Return the editing of an item's boxes, the image as large as the room allows.

    Args:
        item_id: The item.
        size: Width and height of the image, pixels.
        regions: The boxes to begin with; a model's confidence is dropped, they are a person's now.
        schema: The project's.
        room: width and height of the free part of the window, as the browser measured it.
        choices: Answers to the questions about the item so far.
    """
    width, height = _room(room)
    display = canvas.fit(*size, width - RAIL_PX - 16, height - TOOLBAR_PX)
    plain = tuple(replace(r, confidence=None) for r in regions if r.label in schema.classes)
    return Editing(item_id, display, plain, schema.classes[0], dict(choices or {}), kept=plain)


def _room(room: Mapping[str, Any] | None) -> tuple[float, float]:
    found = [(room or {}).get(name) for name in ("width", "height")]
    if all(isinstance(v, int | float) and 200 <= v <= 8000 for v in found):
        return float(found[0]), float(found[1])  # type: ignore[arg-type]  # checked just above
    return DEFAULT_ROOM


def show(
    editing: Editing,
    image_url: str,
    schema: LabelSchema,
    keep: Callable[[tuple[Region, ...]], float] | None,
    actions: Callable[[bool], None],
) -> None:
    """Draw the editor and take in what the person did.

    Args:
        editing: Changed in place.
        image_url: Full address of the image.
        schema: The project's.
        keep: Keeps the boxes as a draft and returns when; None where there are no drafts.
        actions: Draws the buttons that end the editing; told whether the boxes are good.
    """
    left, right = st.columns([editing.display.width, RAIL_PX], gap="small")
    with left:
        said = _table(editing, schema) if editing.table else _canvas(editing, image_url, schema)
        if editing.regions != editing.kept and keep is not None and not editing.trouble:
            _keep(editing, keep)
    with right:
        _classes(editing, schema, said)
        _boxes(editing, schema, said)
        _questions(editing, schema)
        actions(not editing.trouble)
        if keep is not None:
            _status(editing)


def _canvas(editing: Editing, image_url: str, schema: LabelSchema) -> str | None:
    """Show the canvas, take its boxes over and return what it said, as text."""
    if not editing.drawing or editing.drawing.get("tiebreakVersion") != editing.version:
        editing.drawing = canvas.to_drawing(
            editing.regions, schema, editing.display, editing.picked, editing.version
        )
    colour = next(c.colour for c in schema.main.classes if c.name == editing.label)
    draw("<div style='height:{px}px'></div>", px=TOOLBAR_PX)
    try:
        drawing = canvas.draw_boxes(
            f"tb-canvas-{editing.item_id}",
            image_url,
            editing.drawing,
            editing.display,
            editing.label,
            colour,
        )
    except InputError as problem:
        states.say_error(problem)
        _table(editing, schema)
        return None
    said = json.dumps(drawing, sort_keys=True, default=str)
    if said == editing.overruled or drawing == editing.drawing:
        return said
    editing.overruled = None
    try:
        reading = canvas.from_drawing(drawing, schema, editing.display)
    except InputError as problem:
        editing.trouble = str(problem)
        states.say_error(problem)
        return said
    editing.trouble = ""
    for note in reading.notes:
        widgets.caption(note)
    if not _same(reading.regions, editing.regions):
        editing.regions = reading.regions
        if editing.picked is not None and editing.picked >= len(reading.regions):
            editing.picked = None
    return said


def _same(a: tuple[Region, ...], b: tuple[Region, ...]) -> bool:
    """Return whether boxes are the same but for the canvas' rounding."""
    return len(a) == len(b) and all(
        x.label == y.label and max(abs(p - q) for p, q in zip(x.box, y.box, strict=True)) < 0.01
        for x, y in zip(a, b, strict=True)
    )


def _table(editing: Editing, schema: LabelSchema) -> str | None:
    """Show the boxes as numbers, for hands that do not draw and for a canvas that does not work."""
    rows = [dict(zip(_COLUMNS, (r.label, *r.box), strict=True)) for r in editing.regions]
    number = {
        name: st.column_config.NumberColumn(
            f"{name} (px)", min_value=0.0, max_value=float(limit), step=0.5
        )
        for name, limit in zip(
            _COLUMNS[1:],
            (editing.display.image_width, editing.display.image_height) * 2,
            strict=True,
        )
    }
    key = f"tb-table-{editing.item_id}-{editing.version}"
    base = st.session_state.setdefault(f"{key}-rows", rows)
    edited = st.data_editor(
        base or [dict.fromkeys(_COLUMNS)],
        num_rows="dynamic",
        key=key,
        column_config={
            "label": st.column_config.SelectboxColumn(_("Class"), options=list(schema.classes)),
            **number,
        },
    )
    try:
        reading = canvas.from_rows(edited, schema, editing.display)
    except InputError as problem:
        editing.trouble = str(problem)
        states.say_error(problem)
        return None
    editing.trouble = ""
    editing.regions = reading.regions
    return None


def _classes(editing: Editing, schema: LabelSchema, said: str | None) -> None:
    """Draw the classes; a key gives the picked box its class, else says what new boxes are."""
    swatches("tb-class", schema.main.classes[:10])
    with st.container(key="tb-classes", gap="xsmall"):
        for c in schema.main.classes[:10]:
            current = c.name == editing.label
            st.button(
                c.name,
                key=f"tb-class-{c.id}",
                shortcut=c.key or None,
                type="primary" if current else "secondary",
                width="stretch",
                on_click=_take_class,
                args=(editing, c.name, said),
            )
    if len(schema.classes) > 10:
        st.selectbox(
            _("Class of new boxes"),
            schema.classes,
            index=schema.classes.index(editing.label),
            key=f"tb-all-classes-{editing.label}",
            on_change=lambda: _take_class(
                editing, st.session_state[f"tb-all-classes-{editing.label}"], said
            ),
        )


def swatches(prefix: str, classes: Sequence[LabelClass]) -> None:
    """Give each class' button, keyed ``<prefix>-<id>``, its colour beside the name."""
    rules = [
        f".st-key-{prefix}-{c.id} button::before{{content:'';width:11px;height:11px;flex:none;"
        f"border-radius:3px;margin-right:.5rem;background:{c.colour};"
        "box-shadow:inset 0 0 0 1px rgb(0 0 0/.25),0 0 0 1px rgb(255 255 255/.35)}"
        for c in classes
        if _COLOUR.fullmatch(c.colour)
    ]
    draw("{style}", style=Markup(f"<style>{''.join(rules)}</style>"))


def _take_class(editing: Editing, name: str, said: str | None) -> None:
    editing.label = name
    place = editing.picked
    if place is None or place >= len(editing.regions):
        return
    boxes = list(editing.regions)
    boxes[place] = replace(boxes[place], label=name)
    editing.trouble = ""
    editing.change(tuple(boxes), said)


def _boxes(editing: Editing, schema: LabelSchema, said: str | None) -> None:
    """Draw which box is picked, and the keys that pick, delete and switch to numbers."""
    n = len(editing.regions)
    if editing.picked is None:
        text = _("Boxes: {n}. Draw, or pick one with N.").format(n=n)
    else:
        picked = editing.regions[editing.picked]
        text = _("Box {i} of {n}: {label}").format(i=editing.picked + 1, n=n, label=picked.label)
    draw("<div class='tb-muted tb-small'>{t}</div>", t=text)
    with st.container(horizontal=True, gap="small", key="tb-pair-walk"):
        for label, key, by in ((_("Next"), "N", 1), (_("Previous"), "P", -1)):
            _action(label, key, n == 0, _pick, (editing, by, said))
    with st.container(horizontal=True, gap="small", key="tb-pair-change"):
        _action(_("Remove"), "Delete", n == 0, _delete, (editing, said))
        other = _("Canvas") if editing.table else _("Numbers")
        _action(other, "T", False, _switch, (editing, said))


def _action(
    label: str, key: str, disabled: bool, run: Callable[..., None], args: tuple[Any, ...]
) -> None:
    st.button(
        label,
        key=f"tb-box-{key}",
        shortcut=key,
        disabled=disabled,
        width="stretch",
        on_click=run,
        args=args,
    )


def _pick(editing: Editing, by: int, said: str | None) -> None:
    n = len(editing.regions)
    if editing.picked is None:
        editing.picked = 0 if by > 0 else n - 1
    else:
        place = editing.picked + by
        editing.picked = place if 0 <= place < n else None
    editing.change(editing.regions, said)


def _delete(editing: Editing, said: str | None) -> None:
    """Take the picked box away, or the last one drawn."""
    boxes = list(editing.regions)
    boxes.pop(editing.picked if editing.picked is not None else -1)
    editing.picked = None
    editing.trouble = ""
    editing.change(tuple(boxes), said)


def _switch(editing: Editing, said: str | None) -> None:
    editing.table = not editing.table
    editing.trouble = ""
    editing.change(editing.regions, said)


def _questions(editing: Editing, schema: LabelSchema) -> None:
    """Ask what a box project asks of the item as a whole."""
    for question in schema.item_questions:
        if schema.main is question:
            continue
        chosen = st.segmented_control(
            _(question.title),
            question.names,
            default=editing.choices.get(question.key),
            key=f"tb-question-{question.key}-{editing.item_id}",
        )
        if chosen:
            editing.choices[question.key] = chosen


def _keep(editing: Editing, keep: Callable[[tuple[Region, ...]], float]) -> None:
    try:
        editing.saved_at = keep(editing.regions)
        editing.kept = editing.regions
    except TiebreakError as problem:
        states.say_error(problem)


def _status(editing: Editing) -> None:
    if editing.saved_at is None:
        text = _("Every change is kept as a draft.")
    else:
        text = _("Draft saved {time}").format(time=widgets.when(editing.saved_at))
    draw("<div class='tb-muted tb-small' role='status'>{t}</div>", t=text)
