"""How alike regions are, and one-to-one matching of two sets of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.labels.region import Region, Shape

Boxes = NDArray[np.float64]


def boxes_of(regions: Sequence[Region]) -> Boxes:
    """Return the edges as an array of shape (n, 4): x1, y1, x2, y2 in pixels."""
    return np.array([r.box for r in regions], dtype=np.float64).reshape(-1, 4)


def iou_matrix(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Return intersection over union of every pair.

    Args:
        a: Boxes of shape (n, 4).
        b: Boxes of shape (m, 4).

    Returns:
        Shape (n, m), between 0 and 1.
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=1)
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = area_a[:, None] + area_b[None, :] - inter
    overlap: Boxes = np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
    return overlap


def likeness(a: Sequence[Region], b: Sequence[Region]) -> NDArray[np.float64]:
    """Return how alike every pair is, shape (n, m), 0 to 1: IoU, of keypoints their OKS."""
    if all(r.shape is Shape.BOX for r in (*a, *b)):
        return iou_matrix(boxes_of(a), boxes_of(b))
    from core.labels.likeness import likeness_matrix

    return likeness_matrix(a, b)


def match_regions(
    a: Sequence[Region],
    b: Sequence[Region],
    iou_at_least: float = 0.5,
    same_class: bool = True,
    same_attributes: bool = False,
) -> list[tuple[int, int, float]]:
    """Return the one-to-one pairs that maximise the summed likeness.

    Args:
        a: One person's regions.
        b: Another's.
        iou_at_least: Pairs less alike than this are no match.
        same_class: Whether only regions of one class may pair.
        same_attributes: Whether only regions with the same attributes may pair.

    Returns:
        (index in a, index in b, likeness), sorted by index in a.
    """
    if not a or not b:
        return []
    iou = likeness(a, b)
    if same_class:
        iou = np.where(_equal([r.label for r in a], [r.label for r in b]), iou, 0.0)
    if same_attributes:
        told_a, told_b = ([repr(r.attributes) for r in side] for side in (a, b))
        iou = np.where(_equal(told_a, told_b), iou, 0.0)
    gain = np.where(iou >= iou_at_least, iou, 0.0)
    rows, cols = linear_sum_assignment(gain, maximize=True)
    return [
        (int(i), int(j), float(iou[i, j]))
        for i, j in zip(rows, cols, strict=True)
        if gain[i, j] > 0
    ]


def _equal(a: Sequence[str], b: Sequence[str]) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (
        np.array(a, dtype=object)[:, None] == np.array(b, dtype=object)[None, :]
    )
    return equal
