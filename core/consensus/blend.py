"""One region out of several people's regions of one thing; they share class and attributes.

The order of the regions never matters: sums are exactly rounded, choices fall by geometry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.labels.geometry import likeness
from core.labels.region import Region, Shape
from core.labels.shapes import (
    compressed,
    keypoints_region,
    mask_height,
    rle_region,
    run_lengths,
)


def geometry(region: Region) -> tuple[object, ...]:
    """Return what orders regions by their form: equal only for equal forms."""
    return (*region.box, region.shape.value, region.points, region.rle)


def blend(group: Sequence[Region]) -> Region:
    """Return one region of a group of one class and one shape, without a confidence.

    Boxes by the mean of each edge; of polygons the one most like the others; keypoints point by
    point, the mean of those who have it, where at least half do; masks pixel by pixel, where more
    than half have it.
    """
    ordered = sorted(group, key=geometry)
    made = _BLENDS[ordered[0].shape](ordered)
    return replace(made, confidence=None, attributes=ordered[0].attributes)


def medoid(group: Sequence[Region]) -> Region:
    """Return the region most like all the others; of equals the first by its form."""
    ordered = sorted(group, key=geometry)
    table = likeness(ordered, ordered)
    totals = [round(math.fsum(row), 9) for row in table]
    return ordered[totals.index(max(totals))]


def _box(group: list[Region]) -> Region:
    x1, y1, x2, y2 = (
        math.fsum(edge) / len(group) for edge in zip(*(r.box for r in group), strict=True)
    )
    return Region(group[0].label, x1, y1, x2, y2)


def _keypoints(group: list[Region]) -> Region:
    places = zip(*(r.points for r in group), strict=True)
    points = [_point(place) for place in places]
    if not any(v for _x, _y, v in points):
        return medoid(group)  # nobody's points are anybody else's
    return keypoints_region(group[0].label, points)


def _point(told: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """Return one point of a skeleton; where as many have it as have not, it is there."""
    there = [p for p in told if p[2]]
    if 2 * len(there) < len(told):
        return (0.0, 0.0, 0.0)
    seen = sum(p[2] == 2 for p in there)
    x, y = (math.fsum(p[axis] for p in there) / len(there) for axis in (0, 1))
    return (x, y, 2.0 if 2 * seen >= len(there) else 1.0)


def _mask(group: list[Region]) -> Region:
    """Return the pixels more than half have; those exactly half have are as in the medoid."""
    height = mask_height(group)
    first = _flat(medoid(group))
    have = np.zeros(first.size, dtype=np.int32)
    for region in group:
        have += _flat(region)
    chosen = (2 * have > len(group)) | ((2 * have == len(group)) & first)
    if not chosen.any():
        return medoid(group)
    rle = compressed(_runs(chosen), height, chosen.size // height)
    return rle_region(group[0].label, rle, height, chosen.size // height)


def _flat(region: Region) -> np.ndarray:
    """Return a mask's pixels in the order of its run lengths."""
    runs = run_lengths(region.rle)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def _runs(flat: np.ndarray) -> list[int]:
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    return [0, *runs.tolist()] if flat[0] else list(runs.tolist())


_BLENDS = {
    Shape.BOX: _box,
    Shape.POLYGON: medoid,
    Shape.KEYPOINTS: _keypoints,
    Shape.MASK: _mask,
}
