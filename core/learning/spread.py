"""Farthest first: items as unlike each other, and what is labelled, as can be. Free of torch.

The greedy 2-approximation of the k-centre problem (Gonzalez 1985; "core-set", Sener & Savarese
2018), exactly, but with the distances of the likeliest next ones computed together: one product of
matrices reads the vectors once where one a pick would read them again for each.
"""

from __future__ import annotations

import numpy as np

_AHEAD = 48
_BLOCK = 2_048


def farthest_first(
    vectors: np.ndarray, count: int, covered: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return places of `count` vectors, each the farthest from all before it, and how far it was.

    Args:
        vectors: Shape (n, width).
        count: How many; all, where there are fewer.
        covered: Vectors that are covered already, shape (m, width); without any the first vector
            is picked first, at an infinite distance.
    """
    points = np.ascontiguousarray(vectors, dtype=np.float32)
    squares = np.einsum("ij,ij->i", points, points)
    least = _least(points, squares, covered)
    picked, how_far = [], []
    ahead: dict[int, int] = {}
    distances = np.zeros((0, len(points)), dtype=np.float32)
    for _ in range(min(count, len(points))):
        farthest = int(least.argmax())
        if farthest not in ahead:
            likely = _likely(least, farthest)
            distances = _squared(points, squares, likely)
            ahead = {int(row): i for i, row in enumerate(likely)}
        picked.append(farthest)
        how_far.append(float(least[farthest]))
        np.minimum(least, distances[ahead[farthest]], out=least)
        least[farthest] = -1.0
    return np.array(picked, dtype=np.int64), np.sqrt(np.maximum(how_far, 0.0))


def _least(points: np.ndarray, squares: np.ndarray, covered: np.ndarray | None) -> np.ndarray:
    """Return each point's squared distance to the nearest of what is covered."""
    least = np.full(len(points), np.inf, dtype=np.float32)
    if covered is None:
        return least
    for at in range(0, len(covered), _BLOCK):
        some = covered[at : at + _BLOCK].astype(np.float32)
        nearest = (np.einsum("ij,ij->i", some, some)[:, None] - 2 * (some @ points.T)).min(0)
        np.minimum(least, np.maximum(nearest + squares, 0.0), out=least)
    return least


def _likely(least: np.ndarray, farthest: int) -> np.ndarray:
    many = min(_AHEAD, len(least))
    likely = np.argpartition(-least, many - 1)[:many]
    likely = likely[least[likely] >= 0]
    return np.append(likely[likely != farthest], farthest)


def _squared(points: np.ndarray, squares: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return float32 (rows, n) of squared distances, not below 0."""
    out = points[rows] @ points.T
    out *= -2.0
    out += squares
    out += squares[rows][:, None]
    return np.asarray(np.maximum(out, 0.0, out=out))
