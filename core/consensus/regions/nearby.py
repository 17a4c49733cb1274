"""Which regions lie near each other, by their boxes: only those can be alike.

A sweep from left to right looks at boxes that share columns alone, a block of pairs at a time, so
that neither time nor memory grows with the square of how many regions are drawn all over an image.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.labels.geometry import Boxes

Ints = NDArray[np.int64]
_BLOCK = 2_000_000
"""Pairs looked at together: some hundred megabytes."""


def nearby(boxes: Boxes, person: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Give the pairs of regions of two people whose boxes touch, a block at a time.

    Args:
        boxes: Shape (n, 4), pixels.
        person: Whose each is.

    Yields:
        (first, second) with first < second, each pair once, in no order.
    """
    order = np.argsort(boxes[:, 0], kind="stable")
    left, right = boxes[order, 0], boxes[order, 2]
    behind = np.arange(1, len(order) + 1)
    reach = np.maximum(np.searchsorted(left, right, side="right"), behind) - behind
    for begin, end in _blocks(reach):
        one = np.repeat(np.arange(begin, end), reach[begin:end])
        starts = np.cumsum(reach[begin:end]) - reach[begin:end]
        other = one + 1 + np.arange(len(one)) - np.repeat(starts, reach[begin:end])
        a, b = order[one], order[other]
        near = (
            (person[a] != person[b]) & (boxes[a, 1] <= boxes[b, 3]) & (boxes[b, 1] <= boxes[a, 3])
        )
        a, b = a[near], b[near]
        yield np.minimum(a, b), np.maximum(a, b)


def _blocks(reach: Ints) -> Iterator[tuple[int, int]]:
    """Cut the regions into runs that have about so many pairs each."""
    passed = np.cumsum(reach)
    begin = 0
    while begin < len(reach):
        done = int(passed[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(passed, done + _BLOCK, side="right")))
        yield begin, end
        begin = end
