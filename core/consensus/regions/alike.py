"""The pairs of regions of two people that are alike enough to be one thing.

Boxes by intersection over union, keypoints by object keypoint similarity with CVAT's one sigma of
0.09, polygons and masks by their pixels; polygons on one grid over the whole item.

Labels are derived while others wait, so the number of pairs is bounded: of more than that the most
alike are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from core.consensus.regions.bounded import Alike, gathered, most_alike, place_of_own
from core.consensus.regions.nearby import Ints, nearby
from core.labels.geometry import Boxes, boxes_of
from core.labels.likeness import OKS_SIGMA, SINGLE_POINT_PX
from core.labels.region import Region, Shape
from core.labels.shapes import as_rle, filled, polygon_region, run_lengths

Reals = NDArray[np.float64]
MOST_PAIRS = 400_000
MOST_DRAWN = 200_000
"""Pairs of polygons or masks compared by their pixels, some microseconds each."""
_SKELETONS = 20_000
"""Pairs of skeletons compared together."""
_THING_PX, _GRID_PX = 128, 8192
"""Size of the smallest polygon on the grid, unless the grid would grow beyond this."""


def alike(regions: Sequence[Region], person: Ints, at_least: float) -> Alike:
    """Return the pairs of regions of one shape and two people that are at least so much alike."""
    boxes = boxes_of(regions)
    shapes = {r.shape for r in regions}
    parts = [
        _COMPARED[shape](regions, boxes, numbers, person, at_least)
        for shape in sorted(shapes)
        if (numbers := np.array([i for i, r in enumerate(regions) if r.shape is shape])).size
    ]
    place = place_of_own(person)
    return most_alike(parts, place, MOST_PAIRS)


def box_ious(a: Boxes, b: Boxes) -> Reals:
    """Return intersection over union of boxes one by one, both of shape (n, 4)."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    inter = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (((v[:, 2] - v[:, 0]) * (v[:, 3] - v[:, 1])) for v in (a, b))
    union = sum(areas) - inter
    found: Reals = np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
    return found


def _pairs(boxes: Boxes, numbers: Ints, person: Ints) -> Iterator[tuple[Ints, Ints]]:
    for a, b in nearby(boxes[numbers], person[numbers]):
        yield numbers[a], numbers[b]


def _box_pairs(boxes: Boxes, numbers: Ints, person: Ints, at_least: float) -> Iterator[Alike]:
    for a, b in _pairs(boxes, numbers, person):
        value = box_ious(boxes[a], boxes[b])
        enough = value >= at_least
        yield Alike(a[enough], b[enough], value[enough])


def _alike_boxes(
    _: Sequence[Region], boxes: Boxes, numbers: Ints, person: Ints, at_least: float
) -> Alike:
    return gathered(_box_pairs(boxes, numbers, person, at_least), person, MOST_PAIRS)


def _alike_keypoints(
    regions: Sequence[Region], boxes: Boxes, numbers: Ints, person: Ints, at_least: float
) -> Alike:
    longest = max(len(regions[i].points) for i in numbers)
    points = np.zeros((len(regions), longest, 3))
    counts = np.zeros(len(regions), dtype=np.int64)
    for i in numbers:
        counts[i] = len(regions[i].points)
        points[i, : counts[i]] = regions[i].points
    sizes = boxes[:, 2:] - boxes[:, :2]
    # Points further apart than this are less alike than asked, whatever the others do.
    reach = 2 * OKS_SIGMA * math.sqrt(-2 * math.log(min(max(at_least, 1e-9), 1.0)))
    pad = np.maximum(sizes.max(axis=1), SINGLE_POINT_PX)[:, None] * reach
    wide = np.concatenate([boxes[:, :2] - pad, boxes[:, 2:] + pad], axis=1)

    def compared() -> Iterator[Alike]:
        for pairs in _pairs(wide, numbers, person):
            for a, b in zip(*(_pieces(p) for p in pairs), strict=True):
                value = _oks(points[a], points[b], sizes[a], sizes[b])
                enough = (value >= at_least) & (counts[a] == counts[b])
                yield Alike(a[enough], b[enough], value[enough])

    return gathered(compared(), person, MOST_PAIRS)


def _pieces(numbers: Ints) -> list[Ints]:
    """Cut what is compared by many points each into parts that fit the processor's memory."""
    return np.array_split(numbers, len(numbers) // _SKELETONS + 1)


def _oks(a: Reals, b: Reals, size_a: Reals, size_b: Reals) -> Reals:
    """Return the similarity of skeletons one by one, as `core.labels.likeness` has it for two."""
    area = np.sqrt(np.maximum(size_a.prod(axis=1), size_b.prod(axis=1)))
    reach = np.maximum(size_a.max(axis=1), size_b.max(axis=1))
    size = np.where(reach > 0, np.maximum(area, reach / 2), SINGLE_POINT_PX)
    apart = (a[:, :, 0] - b[:, :, 0]) ** 2 + (a[:, :, 1] - b[:, :, 1]) ** 2
    both, either = (a[:, :, 2] > 0) & (b[:, :, 2] > 0), (a[:, :, 2] > 0) | (b[:, :, 2] > 0)
    score = np.where(both, np.exp(-apart / (2 * (size[:, None] * 2 * OKS_SIGMA) ** 2)), 0.0)
    found: Reals = score.sum(axis=1) / np.maximum(either.sum(axis=1), 1)
    return found


def _alike_drawn(
    regions: Sequence[Region], boxes: Boxes, numbers: Ints, person: Ints, at_least: float
) -> Alike:
    """Return the pairs of polygons, or of masks, whose pixels are alike enough."""
    # No share of boxes bounds that of pixels from above; it only says whom to look at first.
    near = gathered(_box_pairs(boxes, numbers, person, 0.0), person, MOST_DRAWN)
    if not near.first.size:
        return near
    order = np.lexsort((near.second, near.first))
    first, second = near.first[order], near.second[order]
    drawn = _polygons_drawn if regions[numbers[0]].shape is Shape.POLYGON else _masks_drawn
    pixels, sizes = drawn(regions, boxes, numbers)
    value = np.zeros(len(first))
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    for begin, end in zip(starts, [*starts[1:], len(first)], strict=True):
        others = [pixels[j] for j in second[begin:end].tolist()]
        value[begin:end] = coco.iou(others, [pixels[int(first[begin])]], [0])[:, 0]
    enough = (value >= at_least) & (sizes[first] == sizes[second])
    return Alike(first[enough], second[enough], value[enough])


def _polygons_drawn(
    regions: Sequence[Region], boxes: Boxes, numbers: Ints
) -> tuple[dict[int, dict[str, object]], Ints]:
    """Return polygons as run lengths on one grid, fine enough for the smallest of them."""
    left, top = boxes[numbers, :2].min(axis=0).tolist()
    reach = max(float((boxes[numbers, 2:] - (left, top)).max()), 1e-9)
    smallest = float((boxes[numbers, 2:] - boxes[numbers, :2]).max(axis=1).min())
    side = int(min(max(_THING_PX, _THING_PX * reach / max(smallest, 1e-9)), _GRID_PX))
    scale = side / reach
    pixels = {}
    for i in numbers.tolist():
        ring = [((x - left) * scale, (y - top) * scale) for x, y in regions[i].points]
        pixels[i] = filled(polygon_region("", ring), side, side)
    return pixels, np.zeros(len(regions), dtype=np.int64)


def _masks_drawn(
    regions: Sequence[Region], _: Boxes, numbers: Ints
) -> tuple[dict[int, dict[str, object]], Ints]:
    """Return masks as run lengths of one column each, and how many pixels their images have."""
    sizes = np.zeros(len(regions), dtype=np.int64)
    for i in numbers.tolist():
        sizes[i] = sum(run_lengths(regions[i].rle))
    return {i: as_rle(regions[i].rle, int(sizes[i]), 1) for i in numbers.tolist()}, sizes


_COMPARED = {
    Shape.BOX: _alike_boxes,
    Shape.KEYPOINTS: _alike_keypoints,
    Shape.POLYGON: _alike_drawn,
    Shape.MASK: _alike_drawn,
}
