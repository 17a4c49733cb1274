"""Images that lie strangely close together or far apart: near-duplicates and outliers, by their embeddings.

Distances are cosine distances of unit vectors. What counts as close or far is told by the set
itself, so that one rule fits photographs of streets and scans of cells.
"""

from __future__ import annotations

from collections.abc import Sequence
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
MOST = 30_000
"""More images than this are not held against each other: it would take minutes."""
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


def nearest(vectors: np.ndarray, k: int = NEIGHBOURS, among: np.ndarray | None = None) -> Near:
    """Return the k nearest of every vector, itself left out; the lower row wins a tie.

    Args:
        vectors: float32 (n, width), unit length.
        k: How many at most.
        among: Only these rows are taken for neighbours; all by default.
    """
    places = np.arange(len(vectors)) if among is None else np.asarray(among)
    k = min(k, max(len(places) - 1, 0))
    at = np.zeros((len(vectors), k), dtype=np.int64)
    distance = np.zeros((len(vectors), k), dtype=np.float32)
    if not k:
        return Near(at, distance)
    others = vectors[places]
    column = np.full(len(vectors), -1)
    column[places] = np.arange(len(places))
    for start in range(0, len(vectors), _BLOCK):
        cosine = vectors[start : start + _BLOCK] @ others.T
        own = column[start : start + _BLOCK]
        here = np.flatnonzero(own >= 0)
        cosine[here, own[here]] = -2.0
        some = np.sort(np.argpartition(-cosine, k - 1, axis=1)[:, :k], axis=1)
        found = np.take_along_axis(cosine, some, 1)
        order = np.argsort(-found, axis=1, kind="stable")
        at[start : start + _BLOCK] = places[np.take_along_axis(some, order, 1)]
        distance[start : start + _BLOCK] = 1 - np.take_along_axis(found, order, 1)
    return Near(at, np.maximum(distance, 0.0))


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
