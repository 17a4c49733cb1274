"""What Fabric.js sends of one object: numbers checked, and where its points really are.

An object keeps the points it was made of; moving, resizing and turning it changes left, top, scale
and angle only. Left and top are those of its origin, with the stroke around it counted in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from core.errors import InputError

KEPT = "Your last good shapes are kept as a draft: undo the last change, or draw it again."
CURVE_STEPS = 8
MOST_COMMANDS = 20_000
MOST_PX = 1e9
_ORIGINS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}
Point = tuple[float, float]
Sent = Mapping[str, Any]


def shown(value: object) -> str:
    """Return what was sent as a short text, however deep it is nested."""
    try:
        return str(value)[:40]
    except (RecursionError, ValueError):  # a number of thousands of digits, too
        return type(value).__name__


def number(place: int, value: object, name: str) -> float:
    """Return a number of object `place` whose products with others are finite too.

    Raises:
        InputError: It is none, or larger than any canvas.
    """
    try:
        fine = not isinstance(value, bool) and abs(value) <= MOST_PX  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        fine = False
    if not fine:
        raise InputError(f"Object {place}: {name} is a number, found {shown(value)!r}.", KEPT)
    return float(value)  # type: ignore[arg-type]  # just found finite


def origin(place: int, sent: Sent, name: str) -> float:
    """Return which share of its size lies before an object's origin.

    Raises:
        InputError: The origin is unknown.
    """
    share = _ORIGINS.get(shown(sent.get(name, "left" if name == "originX" else "top")))
    if share is None:
        raise InputError(f"Object {place} has an unknown {name}.", KEPT)
    return share


def placed(place: int, sent: Sent, points: Sequence[Point]) -> list[Point]:
    """Return where an object's own points lie on the canvas.

    Raises:
        InputError: A number is none, or the object is skewed.
    """
    for name in ("skewX", "skewY"):
        if abs(number(place, sent.get(name, 0), name)) > 0.01:
            raise InputError(f"Object {place} is skewed; that cannot be read.", KEPT)
    low, high = _bounds(points)
    middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    across = number(place, sent.get("scaleX", 1), "scaleX") * (-1 if sent.get("flipX") else 1)
    down = number(place, sent.get("scaleY", 1), "scaleY") * (-1 if sent.get("flipY") else 1)
    turn = math.radians(number(place, sent.get("angle", 0), "angle"))
    x, y = centre(place, sent, (high[0] - low[0], high[1] - low[1]))
    cos, sin = math.cos(turn), math.sin(turn)
    found = []
    for px, py in points:
        dx, dy = (px - middle[0]) * across, (py - middle[1]) * down
        found.append((x + dx * cos - dy * sin, y + dx * sin + dy * cos))
    return found


def centre(place: int, sent: Sent, size: Point) -> Point:
    """Return the middle of an object on the canvas.

    Args:
        place: Which object, for the sentence.
        sent: The object.
        size: Width and height of its points, before scaling.

    Raises:
        InputError: A number is none, or the origin is unknown.
    """
    stroke = number(place, sent.get("strokeWidth", 1), "strokeWidth")
    scales = [abs(number(place, sent.get(n, 1), n)) for n in ("scaleX", "scaleY")]
    uniform = bool(sent.get("strokeUniform"))
    full = [
        side * scale + (stroke if uniform else stroke * scale)
        for side, scale in zip(size, scales, strict=True)
    ]
    dx = (0.5 - origin(place, sent, "originX")) * full[0]
    dy = (0.5 - origin(place, sent, "originY")) * full[1]
    turn = math.radians(number(place, sent.get("angle", 0), "angle"))
    left = number(place, sent.get("left"), "left")
    top = number(place, sent.get("top"), "top")
    return (
        left + dx * math.cos(turn) - dy * math.sin(turn),
        top + dx * math.sin(turn) + dy * math.cos(turn),
    )


def corners(place: int, sent: Sent, most: int) -> list[Point]:
    """Return the corners of a polygon as it was made: its points, or those of an older path.

    Raises:
        InputError: They are no points, or more than `most`.
    """
    if sent.get("type") == "Path":
        return _flattened(place, sent.get("path"))
    points = sent.get("points")
    if not isinstance(points, list) or not points or len(points) > most:
        raise InputError(f"Object {place} is no list of at most {most:,} points.", KEPT)
    found = []
    for point in points:
        if not isinstance(point, Mapping):
            raise InputError(f"Object {place} has a point that is not x and y.", KEPT)
        found.append((number(place, point.get("x"), "x"), number(place, point.get("y"), "y")))
    return found


def stroke_line(place: int, sent: Sent) -> list[Point]:
    """Return a brush stroke as a line of points as it was made.

    Raises:
        InputError: It is no path of moves, lines and curves.
    """
    return _flattened(place, sent.get("path"))


def _flattened(place: int, path: object) -> list[Point]:
    if not isinstance(path, list) or not path or len(path) > MOST_COMMANDS:
        raise InputError(f"Object {place} is no path of at most {MOST_COMMANDS:,} steps.", KEPT)
    line: list[Point] = []
    for step in path:
        if (
            not isinstance(step, list)
            or not step
            or not isinstance(step[0], str)
            or step[0] not in _STEPS
        ):
            raise InputError(f"Object {place} has a step that cannot be read.", KEPT)
        told = [number(place, v, "path") for v in step[1:]]
        if len(told) != _STEPS[step[0]] or (step[0] in "QC" and not line):
            raise InputError(f"Object {place} has a step that cannot be read.", KEPT)
        line += _step(step[0], told, line[-1] if line else (0.0, 0.0))
    if not line:
        raise InputError(f"Object {place} is a path that leads nowhere.", KEPT)
    return line


_STEPS = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0, "z": 0}


def _step(kind: str, told: list[float], start: Point) -> list[Point]:
    """Return the points one step adds; curves as short lines."""
    if kind in "Zz":
        return []
    controls = [start, *zip(told[::2], told[1::2], strict=True)]
    if kind in "ML":
        return controls[1:]
    return [_on_curve(controls, n / CURVE_STEPS) for n in range(1, CURVE_STEPS + 1)]


def _on_curve(controls: Sequence[Point], t: float) -> Point:
    """Return the point at t of a Bézier curve (de Casteljau)."""
    points = list(controls)
    while len(points) > 1:
        points = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(points)]
    return points[0]


def _bounds(points: Sequence[Point]) -> tuple[Point, Point]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return (min(xs), min(ys)), (max(xs), max(ys))
