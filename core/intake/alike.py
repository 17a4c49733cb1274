"""Whether two pictures look the same but for size, compression or a touch of light.

A picture is boiled down to 16 × 16 grey values. Pairs are looked for by the signs of the differences
between neighbours (dHash, Krawetz 2013) in bands, so that not every pair is compared, and are held for
look-alikes only if the grey values themselves are near: flat pictures have no signs to go by.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16
BANDS = 16
MOST_DIFFERING = 15
"""Of 240 signs; with 16 bands any such pair has one band alike."""
GREY_APART = 6.0
"""Mean difference of grey values, of 255, after the mean of each is taken off."""
LIGHT_APART = 24.0
"""How far the means themselves may lie apart."""
MOST_IN_BAND = 200
"""More pictures of one band than this say nothing; they are compared with the next ones alone."""

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
    signs = (square[:, :, 1:] > square[:, :, :-1]).reshape(n, -1)
    parent = list(range(n))
    for one, other in _candidates(signs):
        a, b = _root(parent, one), _root(parent, other)
        if a != b and _same(greys[one], greys[other], signs[one], signs[other]):
            parent[max(a, b)] = min(a, b)
    found: dict[int, list[int]] = defaultdict(list)
    for row in range(n):
        found[_root(parent, row)].append(row)
    return [rows for _, rows in sorted(found.items()) if len(rows) > 1]


def _candidates(signs: NDArray[np.bool_]) -> set[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    for band in np.array_split(np.arange(signs.shape[1]), BANDS):
        keys = np.packbits(signs[:, band], axis=1)
        alike: dict[bytes, list[int]] = defaultdict(list)
        for row, key in enumerate(keys):
            alike[key.tobytes()].append(row)
        for rows in alike.values():
            reach = len(rows) if len(rows) <= MOST_IN_BAND else 2
            pairs.update(
                (rows[i], rows[j])
                for i in range(len(rows))
                for j in range(i + 1, min(len(rows), i + reach))
            )
    return pairs


def _same(one: Grey, other: Grey, signs: NDArray[np.bool_], others: NDArray[np.bool_]) -> bool:
    a, b = one.astype(np.float32), other.astype(np.float32)
    if abs(float(a.mean() - b.mean())) > LIGHT_APART:
        return False
    near = float(np.abs((a - a.mean()) - (b - b.mean())).mean())
    spread = max(1.0, float(a.std()))
    return near <= min(GREY_APART, 0.2 * spread) and (
        int((signs != others).sum()) <= MOST_DIFFERING or near <= 1.0
    )


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row
