"""Where the regions are drawn: the canvas, or the same regions as numbers."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from core.errors import InputError
from core.labels import LabelSchema, Region
from core.labels.region import Shape
from core.ui import canvas, states, widgets
from core.ui.box_editor.editing import TOOLBAR_PX, Editing
from core.ui.canvas_shapes import strokes_of
from core.ui.text import _
from core.ui.theme import draw

_COLUMNS = ("label", "x1", "y1", "x2", "y2")


def on_canvas(editing: Editing, image_url: str, schema: LabelSchema) -> str | None:
    """Show the canvas, take its regions over and return what it said, as text."""
    shape = schema.task.shape or Shape.BOX
    _hand_over(editing, schema)
    try:
        drawing = _drawn(editing, image_url, schema, shape)
    except InputError as problem:
        states.say_error(problem)
        if shape is Shape.BOX:
            as_numbers(editing, schema)
        return None
    said = as_text(drawing)
    if said != editing.overruled and drawing != editing.drawing:
        editing.overruled = None
        _take_over(editing, drawing, schema)
    return said


def _hand_over(editing: Editing, schema: LabelSchema) -> None:
    """Give the canvas the regions, if Python changed them since it was given some."""
    if not editing.drawing or editing.drawing.get("tiebreakVersion") != editing.version:
        editing.drawing = canvas.to_drawing(
            editing.regions, schema, editing.display, editing.picked, editing.version
        )
        editing.base = editing.regions


def _drawn(editing: Editing, image_url: str, schema: LabelSchema, shape: Shape) -> object:
    """Show the canvas and return its drawing.

    Raises:
        InputError: It said something that is no drawing.
    """
    if shape is Shape.BOX:
        colour = next(c.colour for c in schema.main.classes if c.name == editing.label)
    else:
        colour = strokes_of(schema)[editing.label]
    draw("<div style='height:{px}px'></div>", px=TOOLBAR_PX)
    with st.container(key="tb-canvas-place"):
        draw(
            "<div class='tb-canvas-failed' role='alert'>{t}</div>",
            t=_("The drawing canvas could not be loaded. ") + _instead(shape),
        )
        return canvas.draw_boxes(
            f"tb-canvas-{editing.item_id}",
            image_url,
            editing.drawing,
            editing.display,
            editing.label,
            colour,
            shape,
            editing.brush,
        )


def _take_over(editing: Editing, drawing: object, schema: LabelSchema) -> None:
    """Read a drawing into the regions; what cannot be read is said, and they stay."""
    try:
        reading = canvas.from_drawing(
            drawing, schema, editing.display, editing.base, editing.picked
        )
    except InputError as problem:
        editing.trouble = str(problem)
        states.say_error(problem)
        return
    editing.trouble = ""
    for note in reading.notes:
        widgets.caption(note)
    if not _same(reading.regions, editing.regions):
        editing.regions = reading.regions
        if editing.picked is not None and editing.picked >= len(reading.regions):
            editing.picked = None


def _instead(shape: Shape) -> str:
    """Return what to do where the canvas does not come: the sentence is shown by the style sheet."""
    if shape is Shape.BOX:
        return _(
            "Enter the boxes by “Numbers”, or go “Back” and draw in the deck; what was drawn is kept."
        )
    return _("Go “Back” and draw in the deck; what was drawn is kept.")


def as_text(drawing: object) -> str:
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


def as_numbers(editing: Editing, schema: LabelSchema) -> None:
    """Show the boxes as numbers, for hands that do not draw and for a canvas that does not work."""
    rows = [
        dict(zip(_COLUMNS, (r.label, *r.box), strict=True)) | dict(r.attributes)
        for r in editing.regions
    ]
    key = f"tb-table-{editing.item_id}-{editing.version}"
    base = st.session_state.setdefault(f"{key}-rows", rows)
    edited = st.data_editor(
        base or [dict.fromkeys((*_COLUMNS, *(q.key for q in schema.region_questions)))],
        num_rows="dynamic",
        key=key,
        column_config=_columns(editing, schema),
    )
    try:
        reading = canvas.from_rows(edited, schema, editing.display)
    except InputError as problem:
        editing.trouble = str(problem)
        states.say_error(problem)
        return
    editing.trouble = ""
    editing.regions = reading.regions


def _columns(editing: Editing, schema: LabelSchema) -> dict[str, Any]:
    """Return how the columns of the table are typed in."""
    limits = (editing.display.image_width, editing.display.image_height) * 2
    number = {
        name: st.column_config.NumberColumn(
            f"{name} (px)", min_value=0.0, max_value=float(limit), step=0.5
        )
        for name, limit in zip(_COLUMNS[1:], limits, strict=True)
    }
    return {
        "label": st.column_config.SelectboxColumn(_("Class"), options=list(schema.classes)),
        **number,
        **{
            q.key: st.column_config.SelectboxColumn(_(q.title), options=list(q.names))
            for q in schema.region_questions
        },
    }
