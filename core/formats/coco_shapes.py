"""Shapes in COCO's words: rings, run lengths and keypoint lists to regions, and back."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from core.errors import InputError
from core.formats.text import shown
from core.labels.region import Region, Shape
from core.labels.schema import Skeleton
from core.labels.shapes import (
    MAX_POINTS,
    MAX_RLE,
    compressed,
    keypoints_region,
    mask_pixels,
    mask_region,
    polygon_area,
    polygon_region,
    rle_region,
    run_lengths,
)

Size = tuple[int, int]
"""Width and height of an image, pixels."""
DECIMALS = 3
MAX_PIXELS = 500_000_000


def is_number(value: object) -> bool:
    """Return whether a JSON value is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def polygon_of(entry: Mapping[str, object], label: str, ignored: Counter[str]) -> Region:
    """Return the largest ring of an annotation; further ones are counted as ignored.

    Raises:
        ValueError: It has no ring that makes a polygon.
    """
    found = entry.get("segmentation")
    if isinstance(found, dict):
        raise ValueError("it is a mask, not a polygon")
    rings = rings_of(found)
    if len(rings) > 1:
        ignored["further rings of polygons (the largest of each was kept)"] += len(rings) - 1
    return polygon_region(label, max(rings, key=polygon_area))


def rings_of(segmentation: object) -> list[list[tuple[float, float]]]:
    """Return the rings of corners of a segmentation.

    Raises:
        ValueError: It is no list of rings.
    """
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("it has no 'segmentation'")
    # Some tools write a single ring without the list around it.
    flat = segmentation if not is_number(segmentation[0]) else [segmentation]
    rings = []
    for ring in flat:
        if not isinstance(ring, list) or len(ring) < 6 or len(ring) % 2:
            raise ValueError("a ring of its 'segmentation' is not x, y of at least three corners")
        if len(ring) > 2 * MAX_POINTS or not all(map(is_number, ring)):
            raise ValueError(f"a ring of its 'segmentation' is no {MAX_POINTS:,} numbers or fewer")
        rings.append([(float(x), float(y)) for x, y in zip(ring[::2], ring[1::2], strict=True)])
    return rings


def mask_of(entry: Mapping[str, object], label: str, size: Size | None) -> tuple[Region, Size]:
    """Return the mask of an annotation (run lengths or rings filled), and its image's size.

    Raises:
        ValueError: There is none, or it is of another size than the image claims.
    """
    found = entry.get("segmentation")
    if isinstance(found, dict):
        return _run_length_mask(found, label, size)
    if size is None:
        raise ValueError("its image has no size, so its polygon cannot be filled")
    return _filled(rings_of(found), label, size), size


def _run_length_mask(
    found: Mapping[str, object], label: str, claimed: Size | None
) -> tuple[Region, Size]:
    size = _size_of(found.get("size"))
    if claimed is not None and size != claimed:
        raise ValueError(
            f"its mask is of {size[0]}×{size[1]} px, its image of {claimed[0]}×{claimed[1]}"
        )
    width, height = size
    counts = found.get("counts")
    try:
        runs = (
            run_lengths(counts, label)
            if isinstance(counts, str) and len(counts) <= MAX_RLE
            else _runs(counts)
        )
    except InputError as error:
        raise ValueError(error.message.rstrip(".")) from error
    if sum(runs) != width * height:
        raise ValueError(f"its mask covers {sum(runs):,} pixels, its size has {width * height:,}")
    if not any(runs[1::2]):
        raise ValueError("its mask is empty")
    return rle_region(label, compressed(runs, height, width), height, width), size


def _size_of(value: object) -> Size:
    sides = value if isinstance(value, list) and len(value) == 2 else [0, 0]
    if not all(type(side) is int and side > 0 for side in sides) or math.prod(sides) > MAX_PIXELS:
        raise ValueError(f"its mask has no usable 'size': {shown(value)}")
    return (sides[1], sides[0])


def _runs(counts: object) -> list[int]:
    """Return uncompressed run lengths."""
    if not isinstance(counts, list) or len(counts) > MAX_RLE:
        raise ValueError("its mask has no run lengths that can be read")
    if not all(isinstance(c, int) and not isinstance(c, bool) and c >= 0 for c in counts):
        raise ValueError("its mask has a run length that is no whole number")
    return counts


def _filled(rings: Sequence[Sequence[tuple[float, float]]], label: str, size: Size) -> Region:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ValueError("its image is too large to fill a polygon in")
    pixels = np.zeros((height, width), dtype=np.bool_)
    for ring in rings:
        pixels |= mask_pixels(polygon_region(label, _cut(ring, size)), height, width)
    if not pixels.any():
        raise ValueError("its polygons hold no pixel of the image")
    return mask_region(label, pixels)


def _cut(ring: Sequence[tuple[float, float]], size: Size) -> list[tuple[float, float]]:
    """Return corners brought to the image; pycocotools would run astray far outside.

    Raises:
        ValueError: A corner lies more than a pixel outside.
    """
    width, height = size
    for x, y in ring:
        if not (-1 <= x <= width + 1 and -1 <= y <= height + 1):
            raise ValueError(f"a corner lies outside the image: ({x:g}, {y:g})")
    return [(min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in ring]


def keypoints_of(
    entry: Mapping[str, object], label: str, named: Sequence[str], wanted: Sequence[str]
) -> Region:
    """Return the keypoints of an annotation, in the order wanted.

    Args:
        entry: The annotation.
        label: Its class.
        named: Names of the points as its category lists them; may be empty.
        wanted: Names in the project's order; where both name the same points, they are reordered.

    Raises:
        ValueError: It has none, or they are no points.
    """
    flat = entry.get("keypoints")
    if not isinstance(flat, list) or not flat or len(flat) % 3 or not all(map(is_number, flat)):
        raise ValueError("its 'keypoints' are not x, y and visibility of each point")
    if len(flat) > 3 * MAX_POINTS:
        raise ValueError(f"it has more than {MAX_POINTS:,} keypoints")
    points = [tuple(float(v) for v in flat[i : i + 3]) for i in range(0, len(flat), 3)]
    if any(p[2] not in (0, 1, 2) for p in points):
        raise ValueError("a keypoint's visibility is not 0, 1 or 2")
    if not any(p[2] for p in points):
        raise ValueError("not one of its keypoints is there")
    if len(named) == len(points) and sorted(named) == sorted(wanted):
        points = [points[list(named).index(name)] for name in wanted]
    return keypoints_region(label, points)


def attributes_of(
    entry: Mapping[str, object], asked: Sequence[str], ignored: Counter[str]
) -> tuple[tuple[str, str], ...]:
    """Return what an annotation's 'attributes' (as CVAT writes them) say of what is asked."""
    found = entry.get("attributes")
    if not isinstance(found, dict):
        return ()
    told = []
    for key, value in found.items():
        if key not in asked:
            ignored["attributes that are not asked for"] += 1
        elif value not in (None, ""):
            told.append((key, _plain(value)))
    return tuple(sorted(told))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def segmentation(region: Region, size: Size) -> dict[str, object]:
    """Return what COCO says of a region beside its box: the shape and its area."""
    width, height = size
    if region.shape is Shape.POLYGON:
        ring = [round(v, DECIMALS) for p in region.points for v in p]
        return {"segmentation": [ring], "area": round(polygon_area(region.points), DECIMALS)}
    if region.shape is Shape.MASK:
        runs = run_lengths(region.rle, region.label)
        mask = {"size": [height, width], "counts": region.rle}
        return {"segmentation": mask, "area": sum(runs[1::2])}
    if region.shape is Shape.KEYPOINTS:
        flat: list[float] = []
        for x, y, v in region.points:
            flat += [round(x, DECIMALS), round(y, DECIMALS), int(v)]
        return {"keypoints": flat, "num_keypoints": sum(1 for p in region.points if p[2])}
    return {}


def category_of(key: int, name: str, skeleton: Skeleton | None) -> dict[str, object]:
    """Return a category, with the skeleton where there is one; COCO counts points from 1."""
    found: dict[str, object] = {"id": key, "name": name}
    if skeleton is not None and skeleton.points:
        found["keypoints"] = list(skeleton.points)
        found["skeleton"] = [[i + 1, j + 1] for i, j in skeleton.edges]
    return found
