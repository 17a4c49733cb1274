"""Whether two pictures look the same but for size, compression or a touch of light.

A picture is boiled down to 16 × 16 grey values. Pairs are looked for by the signs of the differences
between neighbours (dHash, Krawetz 2013) in bands, so that not every pair is compared, and are held for
look-alikes only if the grey values themselves are near: flat pictures have no signs to go by.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16
BANDS = 16
STEP = 3
"""Neighbours differ from so many grey values on: less is what compression does to an even background."""
MOST_DIFFERING = 20
"""Of 240 signs. Up to 15 one of the 16 bands is surely alike; of 200 photographs of clothes and their copies
at half the size and JPEG quality 50 every pair had one, and other photographs differ in 60 and more."""
GREY_APART = 6.0
"""Mean difference of grey values, of 255, after the mean of each is taken off."""
LIGHT_APART = 24.0
"""How far the means themselves may lie apart."""
MOST_IN_BAND = 200
"""More pictures of one band than this say nothing; they are compared with the next ones alone."""

_AT_ONCE = 32_768
"""Pairs held against each other at one time."""

Grey = NDArray[np.uint8]


def grey(picture: Image.Image) -> Grey:
    """Return the grey values of a picture, uint8 (256,)."""
    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8).reshape(-1)


def look_alikes(greys: Grey) -> list[list[int]]:
    """Return groups of rows that look alike, of two and more, by their first row.

    Args:
        greys: uint8 (n, 256), one picture a row.
    """
    n = len(greys)
    if n < 2:
        return []
    square = greys.reshape(n, SIDE, SIDE).astype(np.int16)
    signs = (square[:, :, 1:] > square[:, :, :-1] + STEP).reshape(n, -1)
    looks, pairs = _looks(greys, signs), _candidates(signs)
    parent = list(range(n))
    for at in range(0, len(pairs), _AT_ONCE):
        some = pairs[at : at + _AT_ONCE]
        for one, other in some[looks.same(some)].tolist():
            a, b = _root(parent, one), _root(parent, other)
            parent[max(a, b)] = min(a, b)
    found: dict[int, list[int]] = defaultdict(list)
    for row in range(n):
        found[_root(parent, row)].append(row)
    return [rows for _, rows in sorted(found.items()) if len(rows) > 1]


def _candidates(signs: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the pairs, int64 (m, 2), that have a band alike; each once, the lower row first."""
    n = len(signs)
    found = []
    for band in np.array_split(np.arange(signs.shape[1]), BANDS):
        keys = signs[:, band] @ (1 << np.arange(len(band), dtype=np.int64))
        found.append(_in_band(keys, n))
    codes = np.unique(np.concatenate(found))
    return np.stack([codes // n, codes % n], axis=1)


def _in_band(keys: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the pairs of rows with the same key, each as one number."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    _, at, sizes = np.unique(ordered, return_inverse=True, return_counts=True)
    reach = np.where(sizes[at] <= MOST_IN_BAND, sizes[at], 2)
    found = []
    for step in range(1, int(reach.max())):
        here = np.flatnonzero((ordered[:-step] == ordered[step:]) & (reach[:-step] > step))
        found.append(order[here] * n + order[here + step])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Looks:
    """What pictures are held against each other by, a row each.

    Attributes:
        mean: Of the grey values.
        allowed: How far apart the grey values of another may be, means taken off.
        blocks: Means of 4 by 4 blocks, that of all taken off: never further apart than what is in them.
    """

    greys: Grey
    signs: NDArray[np.bool_]
    mean: NDArray[np.float32]
    allowed: NDArray[np.float32]
    blocks: NDArray[np.float32]

    def same(self, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which pairs look alike, bool (m,); the cheap look comes first."""
        one, other = pairs.T
        coarse = np.abs(self.blocks[one] - self.blocks[other]).mean(1) <= self.allowed[one] + 1e-3
        here = np.flatnonzero(coarse & (np.abs(self.mean[one] - self.mean[other]) <= LIGHT_APART))
        a, b = one[here], other[here]
        near = np.abs(self._level(a) - self._level(b)).mean(1)
        differing = (self.signs[a] != self.signs[b]).sum(1)
        found = np.zeros(len(pairs), dtype=bool)
        found[here] = (near <= self.allowed[a]) & ((differing <= MOST_DIFFERING) | (near <= 1.0))
        return found

    def _level(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.greys[rows].astype(np.float32) - self.mean[rows, None]


def _looks(greys: Grey, signs: NDArray[np.bool_]) -> _Looks:
    mean = greys.mean(1, dtype=np.float32)
    spread = np.maximum(1.0, greys.std(1, dtype=np.float32))
    inner = greys.reshape(len(greys), 4, SIDE // 4, 4, SIDE // 4)
    blocks = inner.mean((2, 4), dtype=np.float32).reshape(len(greys), -1) - mean[:, None]
    return _Looks(greys, signs, mean, np.minimum(GREY_APART, 0.2 * spread), blocks)


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row
