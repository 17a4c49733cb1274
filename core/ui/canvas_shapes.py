"""Polygons, keypoints and masks as objects of the canvas, and back.

What the canvas was given carries a number by which it is known again: the region's place, and a
point's place in it. A property is used that Fabric keeps and that changes nothing to be seen.
An object without one was drawn by the person; its class is told by its colour.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from core.errors import InputError
from core.labels import LabelSchema, Region
from core.labels.region import Shape
from core.labels.shapes import (
    MAX_POINTS,
    keypoints_region,
    mask_pixels,
    polygon_area,
    polygon_region,
)
from core.ui import fabric
from core.ui.brush import Stroke, add_strokes
from core.ui.fabric import KEPT, Point, Sent

MARK = "strokeDashOffset"
POINTS_A_REGION = 1000
STROKE_PX = 2
POINT_PX = 5
FALLBACK_COLOUR = "#8B95A3"
_UNMOVED_PX = 0.01
_LOCKED = {
    "lockMovementX": True, "lockMovementY": True, "lockScalingX": True, "lockScalingY": True,
    "lockRotation": True, "hasControls": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Display:
    """How large an image is drawn: its own size and the canvas', each in pixels."""

    image_width: int
    image_height: int
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Return canvas pixels per image pixel, across and down."""
        return self.width / self.image_width, self.height / self.image_height

    def to_canvas(self, points: Sequence[Sequence[float]]) -> list[Point]:
        """Return points of the image on the canvas."""
        across, down = self.scale
        return [(p[0] * across, p[1] * down) for p in points]

    def to_image(self, points: Sequence[Point]) -> list[Point]:
        """Return points of the canvas in the image, brought to its edge where they lie outside."""
        across, down = self.scale
        return [
            (
                min(max(x / across, 0.0), float(self.image_width)),
                min(max(y / down, 0.0), float(self.image_height)),
            )
            for x, y in points
        ]


def strokes_of(schema: LabelSchema) -> dict[str, str]:
    """Return the line colour of each class, no two the same: alike ones differ in opacity unseen."""
    used: dict[str, int] = {}
    found = {}
    for c in schema.main.classes:
        n = used[c.colour] = used.get(c.colour, -1) + 1
        found[c.name] = f"{c.colour}{255 - n % 128:02X}".upper()
    return found


# --- to the canvas --------------------------------------------------------------------------------


def objects_of(
    region: Region, place: int, colour: str, schema: LabelSchema, display: Display, strong: bool
) -> list[dict[str, Any]]:
    """Return a region's objects in one of `strokes_of`; the canvas draws later ones on top."""
    plain: dict[str, Any] = {
        "originX": "center", "originY": "center", "scaleX": 1, "scaleY": 1, "angle": 0,
        "stroke": colour, "strokeWidth": STROKE_PX * 2 if strong else STROKE_PX,
        "strokeUniform": True, "strokeLineJoin": "round",
        "fill": f"{colour[:7]}33" if strong else "rgba(0,0,0,0)",
        MARK: (place + 1) * POINTS_A_REGION,
    }  # fmt: skip
    if region.shape is Shape.POLYGON:
        return [plain | _polygon_object(region, display)]
    if region.shape is Shape.KEYPOINTS:
        return _skeleton_objects(region, schema, display, plain)
    return [plain | _mask_object(region, display, colour, strong)]


def _polygon_object(region: Region, display: Display) -> dict[str, Any]:
    ring = display.to_canvas(region.points)
    x1, y1, x2, y2 = _bounds(ring)
    return {
        "type": "Polygon",
        "points": [{"x": x, "y": y} for x, y in ring],
        "left": (x1 + x2) / 2,
        "top": (y1 + y2) / 2,
        "width": x2 - x1,
        "height": y2 - y1,
    }


def _skeleton_objects(
    region: Region, schema: LabelSchema, display: Display, plain: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the lines, which hold still, and the points, which can be moved or taken away."""
    at = display.to_canvas(region.points)
    there = [bool(p[2]) for p in region.points]
    lines = [
        plain | _LOCKED | _line_object(at[i], at[j])
        for i, j in schema.skeleton.edges
        if max(i, j) < len(at) and there[i] and there[j]
    ]
    points = [
        plain
        | {
            "type": "Circle", "radius": POINT_PX, "left": x, "top": y, "lockRotation": True,
            "lockScalingX": True, "lockScalingY": True, "fill": f"{plain['stroke'][:7]}55",
            "strokeDashArray": [2, 2] if region.points[n][2] == 1 else None,
            MARK: plain[MARK] + n,
        }
        for n, (x, y) in enumerate(at)
        if there[n]
    ]  # fmt: skip
    return [*lines, *points]


def _line_object(a: Point, b: Point) -> dict[str, Any]:
    x, y = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    return {
        "type": "Line", "left": x, "top": y, "width": abs(a[0] - b[0]), "height": abs(a[1] - b[1]),
        "x1": a[0] - x, "y1": a[1] - y, "x2": b[0] - x, "y2": b[1] - y,
        "selectable": False, "evented": False,
    }  # fmt: skip


def _mask_object(region: Region, display: Display, colour: str, strong: bool) -> dict[str, Any]:
    """Return a picture of the mask, as large as it is shown; it holds still, but can be deleted."""
    pixels = mask_pixels(region, display.image_height, display.image_width)
    x1, y1, x2, y2 = (round(v) for v in region.box)
    (left, top), (right, bottom) = display.to_canvas([(x1, y1), (x2, y2)])
    size = max(1, round(right - left)), max(1, round(bottom - top))
    alpha = Image.fromarray(pixels[y1:y2, x1:x2].astype(np.uint8) * (190 if strong else 115))
    picture = Image.new("RGBA", size, colour[:7])
    picture.putalpha(alpha.resize(size))
    store = io.BytesIO()
    picture.save(store, "PNG")
    return {
        **_LOCKED, "type": "Image", "strokeWidth": 0, "width": size[0], "height": size[1],
        "src": "data:image/png;base64," + base64.b64encode(store.getvalue()).decode("ascii"),
        "left": (left + right) / 2, "top": (top + bottom) / 2,
        "scaleX": (right - left) / size[0], "scaleY": (bottom - top) / size[1],
    }  # fmt: skip


# --- from the canvas ------------------------------------------------------------------------------


@dataclass(slots=True)
class Reader:
    """Reads a drawing's objects of one shape into regions.

    Attributes:
        base: The regions the canvas was given; what it left alone comes back as it was.
        picked: Place of the region whose missing keypoints new points fill.
    """

    schema: LabelSchema
    display: Display
    base: Sequence[Region] = ()
    picked: int | None = None
    notes: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)

    def read(self, objects: Sequence[Sent]) -> tuple[Region, ...]:
        """Return the regions, those known before first.

        Raises:
            InputError: An object cannot be what this project draws.
        """
        shape = self.schema.task.shape
        if shape is Shape.POLYGON:
            return tuple(self._polygon(n, sent) for n, sent in enumerate(objects, 1))
        if shape is Shape.KEYPOINTS:
            return self._keypoints(objects)
        return self._masks(objects)

    def _known(self, sent: Sent) -> tuple[int, int] | None:
        """Return the region's and the point's place of an object the canvas was given."""
        mark = sent.get(MARK, 0)
        if not isinstance(mark, int | float) or not 0 < mark < 1e9 or mark != int(mark):
            return None
        place, point = divmod(int(mark), POINTS_A_REGION)
        return (place - 1, point) if 0 < place <= len(self.base) else None

    def _class(self, place: int, sent: Sent) -> str:
        if not self._names:
            self._names = {stroke: name for name, stroke in strokes_of(self.schema).items()}
        name = self._names.get(fabric.shown(sent.get("stroke", "")).upper())
        if name is None:
            raise InputError(f"Object {place} has no class.", "Pick it and press a class' key.")
        return name

    def _refuse(self, place: int, sent: Sent) -> InputError:
        task = self.schema.task.value
        kind = fabric.shown(sent.get("type", "nothing"))
        return InputError(f"Object {place} is a '{kind}', only {task} are taken.", KEPT)

    def _to_image(self, place: int, points: Sequence[Point]) -> list[Point]:
        across, down = self.display.scale
        found = self.display.to_image(points)
        far = (
            abs(x / across - a) > 1 or abs(y / down - b) > 1
            for (x, y), (a, b) in zip(points, found, strict=True)
        )
        if any(far):
            self.notes.append(f"Shape {place} reached outside the image and was cut at its edge.")
        return found

    def _polygon(self, place: int, sent: Sent) -> Region:
        if sent.get("type") not in ("Polygon", "Path"):
            raise self._refuse(place, sent)
        made = fabric.corners(place, sent, MAX_POINTS)
        ring = self._to_image(place, fabric.placed(place, sent, made))
        known = self._known(sent)
        old = self.base[known[0]] if known else None
        if old is not None and _near(old.points, ring):
            return old
        if len(ring) < 3 or polygon_area(ring) <= 0:
            raise InputError(f"Polygon {place} has no area inside the image.", KEPT)
        label = old.label if old else self._class(place, sent)
        return polygon_region(label, ring, None, old.attributes if old else ())

    def _keypoints(self, objects: Sequence[Sent]) -> tuple[Region, ...]:
        moved: dict[int, dict[int, Point]] = {}
        fresh: list[tuple[str, Point]] = []
        for place, sent in enumerate(objects, 1):
            known = self._known(sent)
            if sent.get("type") == "Line" and known:
                continue  # a line of the skeleton follows its points
            if sent.get("type") != "Circle":
                raise self._refuse(place, sent)
            radius = 2 * fabric.number(place, sent.get("radius"), "radius")
            at = self._to_image(place, [fabric.centre(place, sent, (radius, radius))])[0]
            if known:
                moved.setdefault(known[0], {})[known[1]] = at
            else:
                fresh.append((self._class(place, sent), at))
        if self.picked in moved:
            fresh = self._fill(moved[self.picked], self.picked, fresh)
        kept = [self._skeleton(i, points) for i, points in sorted(moved.items())]
        return (*kept, *self._new_skeletons(fresh))

    def _fill(
        self, points: dict[int, Point], picked: int | None, fresh: list[tuple[str, Point]]
    ) -> list[tuple[str, Point]]:
        """Put new points in the places the picked region has free; return those left over."""
        free = [n for n in range(len(self.schema.skeleton.points)) if n not in points]
        for n, (_label, at) in zip(free, fresh, strict=False):
            points[n] = at
        return fresh[len(free) :]

    def _skeleton(self, place: int, points: Mapping[int, Point]) -> Region:
        old = self.base[place]
        told: list[tuple[float, float, float]] = []
        for n, before in enumerate(old.points):
            if n not in points:
                told.append((0.0, 0.0, 0.0))
            elif before[2] and _near([before], [points[n]]):
                told.append((before[0], before[1], before[2]))
            else:
                told.append((*points[n], before[2] or 2.0))
        return keypoints_region(old.label, told, None, old.attributes)

    def _new_skeletons(self, fresh: Sequence[tuple[str, Point]]) -> list[Region]:
        """Return new points as sets, in the order of the skeleton; the last may not be complete."""
        count = len(self.schema.skeleton.points)
        found = []
        for start in range(0, len(fresh), count):
            part = fresh[start : start + count]
            points = [(x, y, 2.0) for _, (x, y) in part]
            missing = count - len(part)
            if missing:
                name = self.schema.skeleton.points[len(part)]
                self.notes.append(f"The last set lacks {missing} points; the next is '{name}'.")
            found.append(keypoints_region(part[0][0], [*points, *[(0.0, 0.0, 0.0)] * missing]))
        return found

    def _masks(self, objects: Sequence[Sent]) -> tuple[Region, ...]:
        kept: dict[int, Region] = {}
        strokes: dict[str, list[Stroke]] = {}
        for place, sent in enumerate(objects, 1):
            known = self._known(sent)
            if sent.get("type") == "Image" and known:
                kept[known[0]] = self.base[known[0]]
            elif sent.get("type") == "Path":
                strokes.setdefault(self._class(place, sent), []).append(self._stroke(place, sent))
            else:
                raise self._refuse(place, sent)
        regions = [kept[n] for n in sorted(kept)]
        size = (self.display.image_width, self.display.image_height)
        for label, lines in strokes.items():
            if not add_strokes(regions, label, lines, size):
                self.notes.append("A stroke outside the image was left out.")
        return tuple(regions)

    def _stroke(self, place: int, sent: Sent) -> Stroke:
        """Return a brush stroke and its width, in image pixels."""
        line = fabric.placed(place, sent, fabric.stroke_line(place, sent))
        across, down = self.display.scale
        width = fabric.number(place, sent.get("strokeWidth"), "strokeWidth")
        width *= abs(fabric.number(place, sent.get("scaleX", 1), "scaleX"))
        if not 0 < width <= self.display.width:
            raise InputError(f"Stroke {place} is {width:g} wide; that cannot be drawn.", KEPT)
        reach = [(x / across, y / down) for x, y in line]
        limit = 2 * max(self.display.image_width, self.display.image_height)
        if any(abs(v) > limit for point in reach for v in point):
            raise InputError(f"Stroke {place} lies outside the image.", KEPT)
        return reach, max(1.0, 2 * width / (across + down))


def _near(known: Sequence[Sequence[float]], found: Sequence[Point]) -> bool:
    """Return whether points are where they were, but for the canvas' own rounding."""
    return len(known) == len(found) and all(
        max(abs(a[0] - b[0]), abs(a[1] - b[1])) < _UNMOVED_PX
        for a, b in zip(known, found, strict=True)
    )


def _bounds(points: Sequence[Point]) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)
