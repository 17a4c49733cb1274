"""Images that lie strangely close together or far apart: near-duplicates and outliers, by their embeddings.

Distances are cosine distances of unit vectors. What counts as close or far is told by the set
itself, so that one rule fits photographs of streets and scans of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 10
NEAR = 0.13
"""Nearer than this share of the usual distance to the nearest image, two are near-duplicates
(Datalab's default)."""
FAR = 3.0
"""So many times the usual spread above the usual distance, an image stands apart (Tukey's far out)."""
FEWEST = 30
"""Below so many images nothing says which distances are usual."""
MOST_EACH = 30_000
"""Up to so many images each is held against every other; above, against those in cells near its own."""
MOST = 300_000
"""More images than this are not held against each other: their vectors alone would fill the memory."""
CELLS_LOOKED_IN = 8
_ROUNDS = 2
"""Of moving the cells' middles to where their images lie."""
_SAME = 1e-4
"""Cosine distance of one picture saved twice, float16 vectors being what they are."""
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest images of each image.

    Attributes:
        at: int64 (n, k), rows of the nearest, nearest first.
        distance: float32 (n, k), their cosine distances, 0 to 2.
    """

    at: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True, slots=True)
class Outlier:
    """An image that stands apart; `times` is its mean distance to its nearest over the usual one."""

    row: int
    times: float


def nearest(
    vectors: np.ndarray,
    k: int = NEIGHBOURS,
    among: np.ndarray | None = None,
    of: np.ndarray | None = None,
) -> Near:
    """Return the k nearest of vectors, each itself left out; the lower row wins a tie.

    Args:
        vectors: float32 (n, width), unit length.
        k: How many at most.
        among: Only these rows are taken for neighbours; all by default.
        of: The rows whose neighbours are wanted, in this order; all by default.
    """
    places = np.arange(len(vectors)) if among is None else np.asarray(among)
    asked = np.arange(len(vectors)) if of is None else np.asarray(of)
    k = min(k, max(len(places) - 1, 0))
    at = np.zeros((len(asked), k), dtype=np.int64)
    distance = np.zeros((len(asked), k), dtype=np.float32)
    if not k:
        return Near(at, distance)
    others = vectors[places]
    for start in range(0, len(asked), _BLOCK):
        rows = asked[start : start + _BLOCK]
        here = slice(start, start + _BLOCK)
        at[here], distance[here] = _closest(vectors[rows] @ others.T, rows, places, k)
    return Near(at, np.maximum(distance, 0.0))


def nearest_in_cells(
    vectors: np.ndarray,
    k: int = NEIGHBOURS,
    seed: int = 0,
    heard: Callable[[int, int], None] = lambda _done, _total: None,
) -> Near:
    """Return the k nearest of every vector among those in the cells around its own.

    Space is cut into about twice the root of n cells, each around some of the images (an inverted file, Sivic and
    Zisserman 2003), so the work grows with n to the power of 1.5. Two pictures nearly alike lie in one
    cell or in two that touch; of neighbours further off some may be missed.

    Args:
        vectors: float32 (n, width), unit length.
        k: How many at most.
        seed: Draws the cells.
        heard: Hears how many of how many vectors are done.
    """
    middles, cell = _cells(vectors, seed)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(len(middles) + 1))
    members = [order[starts[c] : starts[c + 1]] for c in range(len(middles))]
    around = np.argsort(-(middles @ middles.T), axis=1, kind="stable")[:, :CELLS_LOOKED_IN]
    at = np.zeros((len(vectors), k), dtype=np.int64)
    distance = np.full((len(vectors), k), 2.0, dtype=np.float32)
    done = 0
    for c, mine in enumerate(members):
        places = np.sort(np.concatenate([members[a] for a in around[c]]))
        found = nearest(vectors, k, places, mine) if len(mine) else None
        if found is not None:
            wide = found.at.shape[1]
            at[mine, :wide], distance[mine, :wide] = found.at, found.distance
        done += len(mine)
        heard(done, len(vectors))
    return Near(at, distance)


def _closest(
    cosine: np.ndarray, rows: np.ndarray, places: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return places and distances of the k largest cosines of each row, its own left out."""
    column = np.minimum(np.searchsorted(places, rows), len(places) - 1)
    own = np.flatnonzero(places[column] == rows)
    cosine[own, column[own]] = -2.0
    some = np.sort(np.argpartition(-cosine, k - 1, axis=1)[:, :k], axis=1)
    found = np.take_along_axis(cosine, some, 1)
    order = np.argsort(-found, axis=1, kind="stable")
    return places[np.take_along_axis(some, order, 1)], 1 - np.take_along_axis(found, order, 1)


def _cells(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells' middles, unit length, and the cell of each vector."""
    rng = np.random.default_rng(seed)
    count = min(len(vectors), max(1, round(2 * len(vectors) ** 0.5)))
    middles = vectors[np.sort(rng.permutation(len(vectors))[:count])].astype(np.float32)
    cell = _nearest_middle(vectors, middles)
    for _ in range(_ROUNDS):
        total = np.zeros_like(middles)
        np.add.at(total, cell, vectors)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        middles = np.where(length > 0, total / np.maximum(length, 1e-9), middles)
        cell = _nearest_middle(vectors, middles)
    return middles, cell


def _nearest_middle(vectors: np.ndarray, middles: np.ndarray) -> np.ndarray:
    parts = range(0, len(vectors), 8 * _BLOCK)
    return np.concatenate([(vectors[s : s + 8 * _BLOCK] @ middles.T).argmax(1) for s in parts])


def near_duplicates(near: Near) -> list[tuple[int, ...]]:
    """Return groups of rows that show nearly the same picture, each in order, the first row's first."""
    n = len(near.at)
    if not near.at.shape[1]:
        return []
    usual = float(np.median(near.distance[:, 0])) if n >= FEWEST else 0.0
    bound = max(NEAR * usual, _SAME)
    rows, columns = np.nonzero(near.distance <= bound)
    leader = np.arange(n)
    for one, other in zip(rows.tolist(), near.at[rows, columns].tolist(), strict=True):
        a, b = sorted((_root(leader, one), _root(leader, other)))
        leader[b] = a
    groups: dict[int, list[int]] = {}
    for row in sorted({*rows.tolist(), *near.at[rows, columns].tolist()}):
        groups.setdefault(_root(leader, row), []).append(row)
    return [tuple(g) for _, g in sorted(groups.items())]


def outliers(near: Near) -> list[Outlier]:
    """Return the rows that stand apart, the farthest first; none of a set too small to tell."""
    if len(near.at) < FEWEST or not near.at.shape[1]:
        return []
    apart = near.distance.mean(1)
    low, usual, high = np.quantile(apart, [0.25, 0.5, 0.75])
    found = np.flatnonzero(apart > high + FAR * max(high - low, 1e-6))
    order = found[np.argsort(-apart[found], kind="stable")]
    return [Outlier(int(r), float(apart[r] / max(usual, 1e-6))) for r in order]


def apart(groups: Sequence[tuple[int, ...]], kind: Sequence[object]) -> list[tuple[int, ...]]:
    """Return the groups whose rows are not all of one kind; rows of kind None are passed over."""
    told = [tuple(r for r in group if kind[r] is not None) for group in groups]
    return [g for g in told if len({kind[r] for r in g}) > 1]


def _root(leader: np.ndarray, row: int) -> int:
    while leader[row] != row:
        leader[row] = leader[leader[row]]
        row = int(leader[row])
    return row
