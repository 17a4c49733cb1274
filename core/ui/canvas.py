"""The drawing canvas behind one door: our regions in image pixels to its objects, and back.

Nothing else imports streamlit_drawable_canvas. What comes back from the browser is input like
any other: it is checked here, and what cannot be a region is said in a sentence. Boxes are read
here, other shapes in `core.ui.canvas_shapes`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import InputError
from core.labels import LabelSchema, Region
from core.labels.region import Shape
from core.services.review.submission import MAX_REGIONS
from core.ui.canvas_shapes import (
    FALLBACK_COLOUR,
    MARK,
    POINT_PX,
    POINTS_A_REGION,
    STROKE_PX,
    Display,
    Reader,
    objects_of,
    strokes_of,
)
from core.ui.fabric import KEPT, shown

log = logging.getLogger("tiebreak.ui")

LABEL_PX = 13
BRUSH_PX = 18
MOST_OBJECTS = 10 * MAX_REGIONS
"""Objects of the canvas: of keypoints each point and line is one."""
MOST_UPSCALE = 4.0
_ORIGINS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}
_MODES = {
    Shape.BOX: "labeled_rect",
    Shape.POLYGON: "polygon",
    Shape.KEYPOINTS: "point",
    Shape.MASK: "freedraw",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a drawing says: the regions in image pixels, and what was changed to get them."""

    regions: tuple[Region, ...]
    notes: tuple[str, ...] = ()


def fit(image_width: int, image_height: int, room_width: float, room_height: float) -> Display:
    """Return the largest display of an image within some room; small images grow fourfold at most."""
    room = max(64.0, room_width), max(64.0, room_height)
    scale = min(room[0] / image_width, room[1] / image_height, MOST_UPSCALE)
    return Display(
        image_width,
        image_height,
        max(1, round(image_width * scale)),
        max(1, round(image_height * scale)),
    )


def to_drawing(
    regions: Sequence[Region],
    schema: LabelSchema,
    display: Display,
    picked: int | None = None,
    version: int = 0,
) -> dict[str, Any]:
    """Return the canvas' drawing of some regions, each in the colour of its class.

    Args:
        regions: In image pixels.
        schema: Whose classes and colours they have.
        display: The size of the canvas.
        picked: Index of the region to draw strongly.
        version: Changes whenever Python, not the person, changed the regions: the canvas reloads a
            drawing only if it differs from the last one it was given.
    """
    if schema.task.shape is not Shape.BOX:
        strokes = strokes_of(schema)
        drawn = [
            o
            for i, r in enumerate(regions)
            for o in objects_of(
                r, i, strokes.get(r.label, FALLBACK_COLOUR), schema, display, i == picked
            )
        ]
        return {"tiebreakVersion": version, "objects": drawn}
    colours = {c.name: c.colour for c in schema.main.classes}
    return {
        "tiebreakVersion": version,
        "objects": [
            _object(r, i, colours.get(r.label, FALLBACK_COLOUR), display, i == picked)
            for i, r in enumerate(regions)
        ],
    }


def _object(
    region: Region, place: int, colour: str, display: Display, strong: bool
) -> dict[str, Any]:
    across, down = display.scale
    return {
        "type": "LabeledRect",
        "label": region.label,
        "fontSize": LABEL_PX,
        "left": region.x1 * across,
        "top": region.y1 * down,
        "width": (region.x2 - region.x1) * across,
        "height": (region.y2 - region.y1) * down,
        "originX": "left",
        "originY": "top",
        "scaleX": 1,
        "scaleY": 1,
        "angle": 0,
        "stroke": colour,
        "strokeWidth": STROKE_PX * 2 if strong else STROKE_PX,
        "fill": colour + "33" if strong else "rgba(0,0,0,0)",
        "lockRotation": True,
        "strokeUniform": True,
        MARK: (place + 1) * POINTS_A_REGION,
    }


def from_drawing(
    drawing: object,
    schema: LabelSchema,
    display: Display,
    base: Sequence[Region] = (),
    picked: int | None = None,
) -> Reading:
    """Return the regions of a drawing, in image pixels, checked.

    Args:
        drawing: What the canvas sent.
        schema: The project's.
        display: The size of the canvas.
        base: The regions the canvas was given last: their attributes are kept, and what was not
            touched comes back exactly as it was.
        picked: Of keypoints the place of the set whose missing points new ones fill.

    Raises:
        InputError: Something in it cannot be a region of this project; nothing was changed.
    """
    objects = drawing.get("objects", []) if isinstance(drawing, Mapping) else None
    if not isinstance(objects, list):
        raise InputError("The canvas sent something that is no drawing.", KEPT)
    most = MOST_OBJECTS if schema.task.shape is Shape.KEYPOINTS else MAX_REGIONS
    if len(objects) > most:
        raise InputError(
            f"The drawing holds {len(objects):,} objects; at most {most:,} "
            f"{schema.task.value} are taken.",
            KEPT,
        )
    if schema.task.shape is not Shape.BOX:
        return _other_shapes(objects, Reader(schema, display, base, picked))
    regions: list[Region] = []
    notes: list[str] = []
    for number, sent in enumerate(objects, 1):
        region = _read_object(number, sent, schema, display, notes)
        if region is not None:
            regions.append(replace(region, attributes=_attributes(sent, base)))
    return Reading(tuple(regions), tuple(notes))


def _other_shapes(objects: list[object], reader: Reader) -> Reading:
    sent = [o if isinstance(o, Mapping) else {"type": type(o).__name__} for o in objects]
    regions = reader.read(sent)
    if len(regions) > MAX_REGIONS:
        raise InputError(f"At most {MAX_REGIONS:,} regions are taken.", KEPT)
    return Reading(regions, tuple(reader.notes))


def _attributes(sent: Any, base: Sequence[Region]) -> tuple[tuple[str, str], ...]:
    """Return what is said of a box the canvas was given; of one drawn there nothing is yet."""
    mark = sent.get(MARK, 0)
    if not isinstance(mark, int | float) or not POINTS_A_REGION <= mark < 1e9:
        return ()
    place = int(mark) // POINTS_A_REGION - 1
    return base[place].attributes if place < len(base) else ()


def from_rows(rows: Sequence[Mapping[str, Any]], schema: LabelSchema, display: Display) -> Reading:
    """Return the boxes of a table with class, x1, y1, x2, y2 in image pixels; empty rows are left out.

    A column of the name of a question about regions holds the answer to it.

    Raises:
        InputError: A row is half-filled or cannot be a box.
    """
    regions: list[Region] = []
    notes: list[str] = []
    for number, row in enumerate(rows, 1):
        values = [row.get(name) for name in ("label", "x1", "y1", "x2", "y2")]
        if all(_is_blank(v) for v in values):
            continue
        if any(_is_blank(v) for v in values):
            raise InputError(f"Row {number} is not complete.", "Give a class and all four edges.")
        x1, y1, x2, y2 = (_number(number, v, "edge") for v in values[1:])
        label = _class_of(number, values[0], schema)
        told = {q.key: row.get(q.key) for q in schema.region_questions}
        said = tuple(sorted((k, str(v)) for k, v in told.items() if not _is_blank(v)))
        box = Region(label, x1, y1, x2, y2, attributes=said)
        regions.append(_inside(number, box, display, notes))
    return Reading(tuple(regions), tuple(notes))


def _read_object(
    number: int, sent: object, schema: LabelSchema, display: Display, notes: list[str]
) -> Region | None:
    if not isinstance(sent, Mapping) or sent.get("type") != "LabeledRect":
        kind = sent.get("type", "nothing") if isinstance(sent, Mapping) else type(sent).__name__
        raise InputError(f"Object {number} is a '{shown(kind)}', only boxes are taken.", KEPT)
    _refuse_turned(number, sent)
    left, width = _span(number, sent, "left", "width", "scaleX", "originX")
    top, height = _span(number, sent, "top", "height", "scaleY", "originY")
    # A click without a pull leaves a square of the brush's size, at most.
    if (width <= STROKE_PX and height <= STROKE_PX) or width <= 0 or height <= 0:
        notes.append(f"Box {number} is only a dot and was left out.")
        return None
    across, down = display.scale
    label = _class_of(number, sent.get("label", ""), schema)
    region = Region(
        label, left / across, top / down, (left + width) / across, (top + height) / down
    )
    return _inside(number, region, display, notes)


def _refuse_turned(number: int, sent: Mapping[str, Any]) -> None:
    for name in ("angle", "skewX", "skewY"):
        turn = _number(number, sent.get(name, 0), name) % 360
        if min(turn, 360 - turn) > 0.01:
            raise InputError(f"Box {number} is turned or skewed; boxes are upright.", KEPT)


def _span(
    number: int, sent: Mapping[str, Any], start: str, size: str, scale: str, origin: str
) -> tuple[float, float]:
    """Return where a box starts and how far it reaches on one axis, canvas pixels."""
    length = _number(number, sent.get(size), size) * _number(number, sent.get(scale, 1), scale)
    share = _ORIGINS.get(shown(sent.get(origin, "left")))
    if share is None:
        raise InputError(f"Box {number} has an unknown {origin}.", KEPT)
    first = _number(number, sent.get(start), start) - share * length
    return (first + length, -length) if length < 0 else (first, length)


def _number(number: int, value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise InputError(f"Box {number}: {name} is a number, found {shown(value)!r}.", KEPT)
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _class_of(number: int, value: object, schema: LabelSchema) -> str:
    # The canvas' own text field puts a line break where one presses Enter.
    label = " ".join(value.split() if isinstance(value, str) else shown(value).split())
    if not label:
        raise InputError(f"Box {number} has no class.", "Pick it with N and press a class' key.")
    if label not in schema.classes:
        raise InputError(
            f"Box {number}: unknown class '{label[:80]}'; expected one of {', '.join(list(schema.classes)[:20])}.",
            "Pick it with N and press a class' key.",
        )
    return label


def _inside(number: int, region: Region, display: Display, notes: list[str]) -> Region:
    cut = replace(
        region,
        x1=max(0.0, region.x1),
        y1=max(0.0, region.y1),
        x2=min(float(display.image_width), region.x2),
        y2=min(float(display.image_height), region.y2),
    )
    if region.area <= 0:
        raise InputError(f"Box {number} has no area.", KEPT)
    if cut.area <= 0:
        raise InputError(f"Box {number} lies outside the image.", KEPT)
    if max(abs(a - b) for a, b in zip(cut.box, region.box, strict=True)) > 1:
        notes.append(f"Box {number} reached outside the image and was cut at its edge.")
    return cut


def _is_blank(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def draw_boxes(
    key: str,
    image_url: str,
    drawing: Mapping[str, Any],
    display: Display,
    label: str,
    colour: str,
    shape: Shape = Shape.BOX,
    brush: int = BRUSH_PX,
) -> object:
    """Show the canvas and return its drawing as it stands.

    Args:
        key: One per item and visit.
        image_url: Full address of our own image route; never a path, never a person's text.
        drawing: What it starts from; see `to_drawing`.
        display: Its size.
        label: The class new regions get.
        colour: The colour new regions get; of other shapes than boxes one of `strokes_of`.
        shape: What is drawn.
        brush: How wide the brush for masks is, canvas pixels.

    Raises:
        InputError: The canvas cannot be shown here; use the table instead.
    """
    if not image_url.startswith(("http://", "https://")):
        raise InputError("The canvas takes the full address of an image only.")
    # The canvas refuses these two where they mean nothing.
    texts = {"font_size": LABEL_PX, "label": label} if shape is Shape.BOX else {}
    try:
        # Importing it outside a running app raises, so it is imported where it is used.
        from streamlit_drawable_canvas import st_canvas

        result = st_canvas(
            fill_color="rgba(0,0,0,0)",
            stroke_width=brush if shape is Shape.MASK else STROKE_PX,
            stroke_color=colour,
            background_image=image_url,
            height=display.height,
            width=display.width,
            drawing_mode=_MODES[shape],
            initial_drawing=dict(drawing),
            point_display_radius=POINT_PX,
            key=key,
            **texts,
        )
    except Exception as error:  # Whatever its reason: the work goes on in the table.
        log.exception("canvas_failed")
        raise InputError(
            "The drawing canvas could not be shown.",
            "Enter the boxes as numbers below."
            if shape is Shape.BOX
            else "Draw in the review deck instead.",
        ) from error
    return result.json_data
