"""How alike regions of one kind are: masks and polygons by their pixels, keypoints by theirs.

Labels are derived while others wait to write, so no number of regions may take minutes: where very
many lie over each other they are compared at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from core.labels.region import Region, Shape
from core.labels.shapes import as_rle, filled, polygon_region, run_lengths

OKS_SIGMA = 0.09
"""One sigma for every keypoint, as CVAT has it; a point one sigma off scores 0.88."""
SINGLE_POINT_PX = 32.0
"""Size assumed of an object of which one point alone is there, pixels."""
_RASTER_PX = 1024
ONE_BY_ONE = 2_000
"""Pairs compared each on a grid of its own, a millisecond each; all labels are derived meanwhile."""
_RUNS_COMPARED = 300_000_000
_LEAST_PX, _MOST_PX = 256, 8192


def likeness_matrix(a: Sequence[Region], b: Sequence[Region]) -> NDArray[np.float64]:
    """Return how alike every pair of non-box regions is, shape (n, m), 0 to 1.

    Masks and polygons by intersection over union of their pixels, keypoints by object keypoint
    similarity. Regions of different shapes are not alike. Where a great many lie over each other,
    all are compared at once, polygons on one grid that is the coarser the more they are.
    """
    pairs = _may_be_alike(a, b)
    shapes = {r.shape for r in (*a, *b)}
    if pairs > ONE_BY_ONE and len(shapes) == 1:
        return _MANY[shapes.pop()](a, b, pairs)
    table = np.zeros((len(a), len(b)))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i, j] = _likeness(one, other)
    return table


def _may_be_alike(a: Sequence[Region], b: Sequence[Region]) -> int:
    """Return how many pairs have to be looked at: those whose boxes lie over each other."""
    if not a or not b:
        return 0
    if a[0].shape is Shape.KEYPOINTS:
        return len(a) * len(b)
    one, other = (np.array([r.box for r in side]) for side in (a, b))
    apart = np.zeros((len(a), len(b)), dtype=bool)
    for low, high in ((0, 2), (1, 3)):
        apart |= one[:, None, high] <= other[None, :, low]
        apart |= other[None, :, high] <= one[:, None, low]
    return int(apart.size - np.count_nonzero(apart))


def _many_polygons(a: Sequence[Region], b: Sequence[Region], pairs: int) -> NDArray[np.float64]:
    left, top = (min(r.box[i] for r in (*a, *b)) for i in (0, 1))
    reach = max(max(r.x2 - left, r.y2 - top) for r in (*a, *b))
    side = int(min(_MOST_PX, max(_LEAST_PX, _RUNS_COMPARED // pairs)))
    scale = side / reach
    rasters = [
        [
            filled(
                polygon_region(r.label, [((x - left) * scale, (y - top) * scale) for x, y in r.points]),
                side,
                side,
            )
            for r in regions
        ]
        for regions in (a, b)
    ]  # fmt: skip
    return _all_ious(*rasters)


def _many_masks(a: Sequence[Region], b: Sequence[Region], _pairs: int) -> NDArray[np.float64]:
    sizes = [np.array([sum(run_lengths(r.rle)) for r in regions]) for regions in (a, b)]
    rasters = [[as_rle(r.rle, sum(run_lengths(r.rle)), 1) for r in regions] for regions in (a, b)]
    return np.where(sizes[0][:, None] == sizes[1][None, :], _all_ious(*rasters), 0.0)


def _all_ious(a: list[dict[str, object]], b: list[dict[str, object]]) -> NDArray[np.float64]:
    return np.asarray(coco.iou(a, b, [0] * len(b)), dtype=np.float64).reshape(len(a), len(b))


def _many_keypoints(a: Sequence[Region], b: Sequence[Region], _pairs: int) -> NDArray[np.float64]:
    if len({len(r.points) for r in (*a, *b)}) != 1:
        return np.array([[keypoint_likeness(x, y) for y in b] for x in a])
    theirs = np.array([r.points for r in b])
    return np.array([_keypoints_against(r, b, theirs) for r in a])


def _keypoints_against(
    one: Region, others: Sequence[Region], theirs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what `keypoint_likeness` gives of one skeleton and each of the others."""
    mine = np.array(one.points)
    sizes = np.array([_size(one, o) for o in others])[:, None]
    apart = np.hypot(*(theirs[:, :, i] - mine[None, :, i] for i in (0, 1)))
    both = (theirs[:, :, 2] > 0) & (mine[None, :, 2] > 0)
    either = (theirs[:, :, 2] > 0) | (mine[None, :, 2] > 0)
    scores = np.where(both, np.exp(-(apart**2) / (2 * (sizes * 2 * OKS_SIGMA) ** 2)), 0.0)
    found: NDArray[np.float64] = scores.sum(axis=1) / np.maximum(either.sum(axis=1), 1)
    return found


_MANY = {
    Shape.POLYGON: _many_polygons,
    Shape.MASK: _many_masks,
    Shape.KEYPOINTS: _many_keypoints,
}


def _likeness(a: Region, b: Region) -> float:
    if a.shape is not b.shape:
        return 0.0
    if a.shape is Shape.KEYPOINTS:
        return keypoint_likeness(a, b)
    if a.x2 <= b.x1 or b.x2 <= a.x1 or a.y2 <= b.y1 or b.y2 <= a.y1:
        return 0.0
    if a.shape is Shape.MASK:
        # Of two masks of one image only the runs matter: as one column the height is not needed.
        pixels = sum(run_lengths(a.rle))
        if pixels != sum(run_lengths(b.rle)):
            return 0.0
        return _pixel_iou(as_rle(a.rle, pixels, 1), as_rle(b.rle, pixels, 1))
    return _polygon_iou(a, b)


def _polygon_iou(a: Region, b: Region) -> float:
    """Rasterise both on one grid that fits them, so that small ones keep their form."""
    left, top = min(a.x1, b.x1), min(a.y1, b.y1)
    reach = max(max(a.x2, b.x2) - left, max(a.y2, b.y2) - top)
    scale = _RASTER_PX / reach
    shapes = [
        polygon_region(r.label, [((x - left) * scale, (y - top) * scale) for x, y in r.points])
        for r in (a, b)
    ]
    return _pixel_iou(*(filled(s, _RASTER_PX, _RASTER_PX) for s in shapes))


def _pixel_iou(a: dict[str, object], b: dict[str, object]) -> float:
    return float(coco.iou([a], [b], [0])[0, 0])


def keypoint_likeness(a: Region, b: Region, sigma: float = OKS_SIGMA) -> float:
    """Return the object keypoint similarity of two skeletons, 0 to 1 (COCO; one sigma).

    Points that only one of the two has score nothing; the object's size is that of its box.
    """
    if len(a.points) != len(b.points):
        return 0.0
    size = _size(a, b)
    scores = []
    for (xa, ya, va), (xb, yb, vb) in zip(a.points, b.points, strict=True):
        if not va and not vb:
            continue
        apart = math.dist((xa, ya), (xb, yb))
        scores.append(math.exp(-(apart**2) / (2 * (size * 2 * sigma) ** 2)) if va and vb else 0.0)
    return math.fsum(scores) / len(scores) if scores else 0.0


def _size(a: Region, b: Region) -> float:
    """Return the size distances are measured by, pixels: of points in a row half their reach."""
    reach = max(max(r.x2 - r.x1, r.y2 - r.y1) for r in (a, b))
    return max(math.sqrt(max(a.area, b.area)), reach / 2) if reach else SINGLE_POINT_PX
