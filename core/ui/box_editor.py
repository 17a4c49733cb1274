"""Editing the regions of one item: the canvas, its keys, the table in its stead, the draft.

The person draws; everything else (class, pick, attributes, delete) happens here, so the regions on
the canvas and those in hand can differ for a moment. The rule: what Python changed counts until the canvas
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
from core.labels import Answer, LabelClass, LabelSchema, Region
from core.labels.region import Shape
from core.labels.schema import Question
from core.ui import canvas, states, widgets
from core.ui.canvas_shapes import Display, strokes_of
from core.ui.text import _
from core.ui.theme import Markup, draw

RAIL_PX = 300
TOOLBAR_PX = 44
NAME_PX = 40
DEFAULT_ROOM = (900.0, 600.0)
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_COLUMNS = ("label", "x1", "y1", "x2", "y2")
_BRUSHES = (6, 18, 40)


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
    with right:
        _classes(editing, schema, said)
        _boxes(editing, schema, said)
        _attributes(editing, schema, said)
        _questions(editing, schema)
        if editing.answer != editing.kept and keep is not None and not editing.trouble:
            _keep(editing, keep)
        actions(not editing.trouble)
        if keep is not None:
            _status(editing)


def _canvas(editing: Editing, image_url: str, schema: LabelSchema) -> str | None:
    """Show the canvas, take its regions over and return what it said, as text."""
    if not editing.drawing or editing.drawing.get("tiebreakVersion") != editing.version:
        editing.drawing = canvas.to_drawing(
            editing.regions, schema, editing.display, editing.picked, editing.version
        )
        editing.base = editing.regions
    shape = schema.task.shape or Shape.BOX
    if shape is Shape.BOX:
        colour = next(c.colour for c in schema.main.classes if c.name == editing.label)
    else:
        colour = strokes_of(schema)[editing.label]
    draw("<div style='height:{px}px'></div>", px=TOOLBAR_PX)
    try:
        with st.container(key="tb-canvas-place"):
            draw(
                "<div class='tb-canvas-failed' role='alert'>{t}</div>",
                t=_("The drawing canvas could not be loaded. ") + _instead(shape),
            )
            drawing = canvas.draw_boxes(
                f"tb-canvas-{editing.item_id}",
                image_url,
                editing.drawing,
                editing.display,
                editing.label,
                colour,
                shape,
                editing.brush,
            )
    except InputError as problem:
        states.say_error(problem)
        if shape is Shape.BOX:
            _table(editing, schema)
        return None
    said = _as_text(drawing)
    if said == editing.overruled or drawing == editing.drawing:
        return said
    editing.overruled = None
    try:
        reading = canvas.from_drawing(
            drawing, schema, editing.display, editing.base, editing.picked
        )
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


def _instead(shape: Shape) -> str:
    """Return what to do where the canvas does not come: the sentence is shown by the style sheet."""
    if shape is Shape.BOX:
        return _(
            "Enter the boxes by “Numbers”, or go “Back” and draw in the deck; what was drawn is kept."
        )
    return _("Go “Back” and draw in the deck; what was drawn is kept.")


def _as_text(drawing: object) -> str:
    """Return a drawing as text, to tell it from another; what cannot be one is no drawing."""
    try:
        return json.dumps(drawing, sort_keys=True, default=str)
    except (RecursionError, TypeError, ValueError):
        return ""


def _same(a: tuple[Region, ...], b: tuple[Region, ...]) -> bool:
    """Return whether regions are the same but for the canvas' rounding."""
    return len(a) == len(b) and all(
        (x.label, x.attributes, x.rle, len(x.points))
        == (y.label, y.attributes, y.rle, len(y.points))
        and all(abs(p - q) < 0.01 for p, q in zip(_numbers(x), _numbers(y), strict=True))
        for x, y in zip(a, b, strict=True)
    )


def _numbers(region: Region) -> tuple[float, ...]:
    return (*region.box, *(v for point in region.points for v in point))


def _table(editing: Editing, schema: LabelSchema) -> str | None:
    """Show the boxes as numbers, for hands that do not draw and for a canvas that does not work."""
    rows = [
        dict(zip(_COLUMNS, (r.label, *r.box), strict=True)) | dict(r.attributes)
        for r in editing.regions
    ]
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
        base or [dict.fromkeys((*_COLUMNS, *(q.key for q in schema.region_questions)))],
        num_rows="dynamic",
        key=key,
        column_config={
            "label": st.column_config.SelectboxColumn(_("Class"), options=list(schema.classes)),
            **number,
            **{
                q.key: st.column_config.SelectboxColumn(_(q.title), options=list(q.names))
                for q in schema.region_questions
            },
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
    open_classes = schema.main.open_classes
    swatches("tb-class", open_classes[:10])
    with st.container(key="tb-classes", gap="xsmall"):
        for c in open_classes[:10]:
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
    if len(open_classes) > 10:
        names = schema.main.open_names
        st.selectbox(
            _("Class of new regions"),
            names,
            index=names.index(editing.label) if editing.label in names else None,
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
    """Draw which region is picked, and the keys that pick, delete and switch to numbers."""
    n = len(editing.regions)
    boxes = schema.task.shape is Shape.BOX
    if editing.picked is None:
        text = _("Boxes: {n}. Draw, or pick one with N.") if boxes else _how_to_draw(schema)
        text = text.format(n=n)
    else:
        picked = editing.regions[editing.picked]
        text = _("Box {i} of {n}: {label}") if boxes else _("Region {i} of {n}: {label}")
        text = text.format(i=editing.picked + 1, n=n, label=picked.label)
    draw("<div class='tb-muted tb-small'>{t}</div>", t=text)
    with st.container(horizontal=True, gap="small", key="tb-pair-walk"):
        for label, key, by in ((_("Next"), "N", 1), (_("Previous"), "P", -1)):
            _action(label, key, n == 0, _pick, (editing, by, said))
    with st.container(horizontal=True, gap="small", key="tb-pair-change"):
        _action(_("Remove"), "Delete", editing.picked is None, _delete, (editing, said))
        if boxes:
            other = _("Canvas") if editing.table else _("Numbers")
            _action(other, "T", False, _switch, (editing, said))
    if schema.task.shape is Shape.MASK:
        editing.brush = st.select_slider(
            _("Brush (px on the screen)"), _BRUSHES, editing.brush, key="tb-brush"
        )


def _how_to_draw(schema: LabelSchema) -> str:
    """Return how regions of this project are drawn on the canvas."""
    if schema.task.shape is Shape.POLYGON:
        return _("Polygons: {n}. Click the corners, the first one again to close.")
    if schema.task.shape is Shape.MASK:
        return _("Masks: {n}. Paint; strokes of one class that touch are one mask.")
    points = ", ".join(schema.skeleton.points[:20])
    return _("Keypoint sets: {n}. Click in this order:") + f" {points}"


def _attributes(editing: Editing, schema: LabelSchema, said: str | None) -> None:
    """Ask what is asked of the picked region."""
    if editing.picked is None or editing.picked >= len(editing.regions):
        return
    given = dict(editing.regions[editing.picked].attributes)
    for question in schema.region_questions:
        key = f"tb-about-{question.key}-{editing.item_id}-{editing.picked}-{editing.version}"
        st.segmented_control(
            _(question.title),
            question.open_names,
            default=given.get(question.key)
            if given.get(question.key) in question.open_names
            else None,
            key=key,
            on_change=_take_attribute,
            args=(editing, question.key, key, said),
        )


def _take_attribute(editing: Editing, question: str, widget: str, said: str | None) -> None:
    place = editing.picked
    if place is None or place >= len(editing.regions):
        return
    chosen = st.session_state.get(widget)
    region = editing.regions[place]
    given = {**dict(region.attributes), question: chosen}
    told = tuple(sorted((k, v) for k, v in given.items() if v))
    regions = (
        *editing.regions[:place], replace(region, attributes=told), *editing.regions[place + 1 :]
    )  # fmt: skip
    editing.change(regions, said)


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
    """Take the picked region away."""
    if editing.picked is None or editing.picked >= len(editing.regions):
        return
    boxes = list(editing.regions)
    boxes.pop(editing.picked)
    editing.picked = None
    editing.trouble = ""
    editing.change(tuple(boxes), said)


def _switch(editing: Editing, said: str | None) -> None:
    editing.table = not editing.table
    editing.trouble = ""
    editing.change(editing.regions, said)


def _questions(editing: Editing, schema: LabelSchema) -> None:
    """Ask what a project of regions asks of the item as a whole."""
    for question in schema.item_questions:
        if question.several:
            _several(editing, question)
            continue
        chosen = st.segmented_control(
            _(question.title),
            question.names,
            default=editing.choices.get(question.key),
            key=f"tb-question-{question.key}-{editing.item_id}",
        )
        if chosen:
            editing.choices[question.key] = chosen


def _several(editing: Editing, question: Question) -> None:
    """Ask a question that takes several classes; nothing chosen is an answer once one was touched."""
    widget = f"tb-question-{question.key}-{editing.item_id}"
    st.pills(
        _(question.title),
        question.open_names,
        selection_mode="multi",
        default=[n for n in editing.multi.get(question.key, ()) if n in question.open_names],
        key=widget,
        on_change=_take_several,
        args=(editing, question, widget),
    )
    if question.key not in editing.multi:
        st.button(
            _("None of them"),
            key=f"{widget}-none",
            on_click=_take_several,
            args=(editing, question, widget),
        )


def _take_several(editing: Editing, question: Question, widget: str) -> None:
    chosen = st.session_state.get(widget) or ()
    editing.multi[question.key] = tuple(n for n in question.names if n in chosen)


def _keep(editing: Editing, keep: Callable[[tuple[Region, ...]], float]) -> None:
    try:
        editing.saved_at = keep(editing.regions)
        editing.kept = editing.answer
    except TiebreakError as problem:
        states.say_error(problem)


def _status(editing: Editing) -> None:
    if editing.saved_at is None:
        text = _("Every change is kept as a draft.")
    else:
        text = _("Draft saved {time}").format(time=widgets.when(editing.saved_at))
    draw("<div class='tb-muted tb-small' role='status'>{t}</div>", t=text)
