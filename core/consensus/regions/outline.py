"""From pixels back to a polygon: the ring around one piece, with few corners.

The ring runs along the cracks between pixels, through the middle of each, so that steps become
slopes; corners are left out as Douglas and Peucker do ("Algorithms for the reduction of the number
of points required to represent a digitized line", Cartographica 10 (1973) 112-122).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label

Ring = list[tuple[float, float]]
Points = NDArray[np.float64]
_OFF_PX = 2.0
"""How far from the traced line the ring with few corners may lie."""
_CRUMBS = 0.05
"""Share of the pixels that may be holes or other pieces and are passed over."""


def outline(pixels: NDArray[np.bool_]) -> Ring:
    """Return the ring around the pixels; empty where they are no one piece without holes.

    Crumbs and pinholes, up to a twentieth of the pixels, are no pieces and no holes.

    Args:
        pixels: Of shape (height, width), true inside.
    """
    pieces, count = label(pixels)
    if not count:
        return []
    sizes = np.bincount(pieces.ravel())[1:]
    largest = pieces == int(sizes.argmax()) + 1
    whole = np.asarray(binary_fill_holes(largest), dtype=np.bool_)
    off = int(sizes.sum() - sizes.max()) + int(whole.sum() - largest.sum())
    if off > _CRUMBS * sizes.sum():
        return []
    x, y = simplified(_cracks(whole)).T.tolist()
    return list(zip(x, y, strict=True))


def _cracks(piece: NDArray[np.bool_]) -> Points:
    """Return the middles of the cracks around one piece without holes, in turn, shape (n, 2).

    Such a piece never meets itself at a corner, so each corner leads to one next one.
    """
    padded = np.pad(piece, 1)
    stride = padded.shape[1] + 1
    onward = np.full((padded.shape[0] + 1) * stride, -1, dtype=np.int64)
    for (dy, dx), begin, end in _SIDES:
        beyond = np.roll(padded, (-dy, -dx), axis=(0, 1))
        y, x = np.nonzero(padded & ~beyond)
        onward[(y + begin[0]) * stride + x + begin[1]] = (y + end[0]) * stride + x + end[1]
    start = here = int(np.flatnonzero(onward >= 0)[0])
    steps = onward.tolist()
    corners = [start]
    while (here := steps[here]) != start:
        corners.append(here)
    y, x = np.divmod(np.array(corners), stride)
    ring = np.stack([x, y], axis=1) - 1.0
    return np.asarray((ring + np.roll(ring, -1, axis=0)) / 2)


_SIDES = (
    ((-1, 0), (0, 0), (0, 1)),
    ((0, 1), (0, 1), (1, 1)),
    ((1, 0), (1, 1), (1, 0)),
    ((0, -1), (1, 0), (0, 0)),
)
"""Of a pixel: the neighbour beyond a side as (y, x), and the corners the side runs between."""


def simplified(ring: Points, off_px: float = _OFF_PX) -> Points:
    """Return the ring with the corners that matter; the others lie within so many pixels.

    Args:
        ring: Corners in turn, shape (n, 2).
        off_px: How far a corner that is left out may lie from the new ring.
    """
    n = len(ring)
    far = int(np.hypot(*(ring - ring[0]).T).argmax())
    closed = np.concatenate([ring, ring[:1]])
    kept = {0, far}
    spans = [(0, far), (far, n)]
    while spans:
        low, high = spans.pop()
        if high - low < 2:
            continue
        away = _away(closed[low + 1 : high], closed[low], closed[high])
        worst = int(away.argmax())
        if away[worst] > off_px:
            middle = low + 1 + worst
            kept.add(middle)
            spans += [(low, middle), (middle, high)]
    return np.asarray(ring[sorted(kept)])


def _away(points: Points, start: Points, end: Points) -> Points:
    """Return how far points lie from the line between two, or from the one where they are one."""
    along = end - start
    length = float(np.hypot(*along))
    off = points - start
    if not length:
        return np.asarray(np.hypot(*off.T))
    return np.asarray(np.abs(off[:, 0] * along[1] - off[:, 1] * along[0]) / length)
