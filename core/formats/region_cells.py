"""Cells of a table that say what a region is beyond a box: shape, points, run lengths, attributes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.errors import InputError
from core.formats.coco_shapes import is_number
from core.formats.text import shown
from core.labels.region import Region, Shape
from core.labels.shapes import MAX_POINTS, keypoints_region, polygon_region, rle_region, run_lengths

Size = tuple[int | None, int | None]


def region_cells(region: Region) -> dict[str, str]:
    """Return the cells of a region by column; those that do not apply are empty."""
    return {
        "shape": region.shape.value,
        "points": _json([list(p) for p in region.points]) if region.points else "",
        "rle": region.rle,
        "attributes": _json(dict(region.attributes)) if region.attributes else "",
    }


def shape_in(
    label: str, shape: str | None, points: str | None, rle: str | None, size: Size
) -> Region:
    """Return the region of a line.

    Args:
        label: Its class.
        shape: The cell that names its shape.
        points: The cell with its points, JSON.
        rle: The cell with its run lengths.
        size: Width and height of the image as the line claims them.

    Raises:
        ValueError: The shape is unknown, or what it needs is missing or broken.
    """
    if shape == Shape.MASK:
        return _mask_in(label, rle, size)
    if shape == Shape.POLYGON:
        return polygon_region(label, _points_in(points, 2))
    if shape == Shape.KEYPOINTS:
        return keypoints_region(label, _points_in(points, 3))
    known = ", ".join(s.value for s in Shape)
    raise ValueError(f"unknown shape {shown(shape)}; expected one of {known}")


def _mask_in(label: str, rle: str | None, size: Size) -> Region:
    width, height = size
    if not rle or not width or not height:
        raise ValueError("a mask needs its run lengths, and the image's width and height")
    try:
        covered = sum(run_lengths(rle, label))
    except InputError as error:
        raise ValueError(error.message.rstrip(".")) from error
    if covered != width * height:
        raise ValueError(f"the mask covers {covered:,} pixels, the image has {width * height:,}")
    return rle_region(label, rle, height, width)


def _points_in(cell: str | None, wanted: int) -> list[list[float]]:
    found = _read(cell or "", "points")
    if not isinstance(found, list) or not 0 < len(found) <= MAX_POINTS:
        raise ValueError(f"the points are no list of 1 to {MAX_POINTS:,}")
    for point in found:
        if not isinstance(point, list) or len(point) != wanted or not all(map(is_number, point)):
            raise ValueError(f"a point is not {wanted} numbers: {shown(point)}")
    return found


def attributes_in(cell: str | None, asked: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the attributes that are asked for.

    Raises:
        ValueError: The cell is no JSON object.
    """
    if not cell or not asked:
        return ()
    found = _read(cell, "attributes")
    if not isinstance(found, dict):
        raise ValueError(f"the attributes are no object: {shown(cell)}")
    return tuple(sorted((k, str(v)) for k, v in found.items() if k in asked))


def _read(cell: str, what: str) -> object:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the {what} are not JSON: {shown(cell)}") from error


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
