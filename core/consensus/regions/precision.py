"""How closely each person draws, told from how far every two people's outlines of one thing lie apart.

Two people's offset on a thing is the area only one of them has, as a share of both areas:
(1 - IoU) / (1 + IoU). It grows with the errors of both, so its mean square over the things both drew
is s_i + s_j, the sum of two people's own squared errors (of keypoints 1 - OKS is a square already);
three people give three such sums for three unknowns, and no truth is needed. This is how Grubbs (1948,
"On estimating precision of measuring instruments and product variability") tells the precision of
instruments from one another. The sums are solved by least squares, weighed by how well each is known
(n / (s_i + s_j)², iterated), and each person is drawn to the mean as if they had so many things
more. An outline then counts by 1 / s, the weights under which a mean is best (inverse variance).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import spsolve

from core.consensus.counts import Floats, Ints
from core.consensus.regions.clusters import clusters_of
from core.labels.geometry import likeness
from core.labels.region import Region, Shape

Drawn = Sequence[tuple[int, Sequence[Region]]]
"""Of one item each person's number and what they drew."""

ROUNDS = 5
PRIOR_THINGS = 10.0
"""Things in common with somebody average that everybody is taken to have beside their own."""
MOST_WEIGHT = 25.0
"""Nobody counts more than so many times the average: no estimate is good enough for more."""


def outline_weights(items: Sequence[Drawn], alike_from: float = 0.5) -> dict[int, float]:
    """Return how much each person's outlines count; who draws as closely as most counts 1.

    Args:
        items: What people drew; each person at most once an item.
        alike_from: Likeness from which two regions may be one thing.

    Returns:
        By person; nobody where no two people drew one thing.
    """
    people, pairs, n, squares = _offsets(items, alike_from)
    if not len(people):
        return {}
    typical = float(squares.sum() / n.sum()) / 2
    if typical <= 0:
        return dict.fromkeys(people.tolist(), 1.0)
    error = np.full(len(people), typical)
    for _ in range(ROUNDS):
        error = _solved(pairs, n, squares / n, error, typical)
    weight = typical / error
    return {p: float(f"{w:.4g}") for p, w in zip(people.tolist(), weight.tolist(), strict=True)}


def _offsets(items: Sequence[Drawn], alike_from: float) -> tuple[Ints, Ints, Floats, Floats]:
    """Return the people, and of every two who drew the same things: places, things, summed squares."""
    found: dict[tuple[int, int], list[float]] = {}
    for drawn in items:
        who = [p for p, _ in drawn]
        for cluster in clusters_of([r for _, r in drawn], alike_from, [1.0] * len(drawn)):
            if len(cluster) < 2:
                continue
            shapes = [m.region for m in cluster]
            apart = _squared_offsets(shapes)
            for i, j in combinations(range(len(cluster)), 2):
                one, other = sorted((who[cluster[i].person], who[cluster[j].person]))
                told = found.setdefault((one, other), [0.0, 0.0])
                told[0] += 1
                told[1] += float(apart[i, j])
    if not found:
        none: Floats = np.zeros(0)
        return np.zeros(0, np.int64), np.zeros((0, 2), np.int64), none, none
    people, places = np.unique(np.array(list(found), dtype=np.int64), return_inverse=True)
    n, squares = np.array(list(found.values())).T
    return people, places.reshape(-1, 2), n, squares


def _squared_offsets(shapes: Sequence[Region]) -> Floats:
    """Return how far every two outlines of one thing lie apart, squared, shape (n, n)."""
    like = np.minimum(likeness(shapes, shapes), 1.0)
    if shapes[0].shape is Shape.KEYPOINTS:
        return np.asarray(1 - like)
    return np.asarray(((1 - like) / (1 + like)) ** 2)


def _solved(pairs: Ints, n: Floats, apart: Floats, error: Floats, typical: float) -> Floats:
    """Return each person's squared error, given what it was before for how well a pair tells."""
    first, second = pairs.T
    size = len(error)
    weight = n / (error[first] + error[second]) ** 2
    prior = PRIOR_THINGS / (2 * typical) ** 2
    own = np.bincount(first, weight, size) + np.bincount(second, weight, size) + prior
    right = np.bincount(first, weight * apart, size) + np.bincount(second, weight * apart, size)
    between = coo_array((weight, (first, second)), shape=(size, size))
    table = csc_array(diags_array(own) + between + between.T)
    found = np.atleast_1d(spsolve(table, right + prior * typical))
    return np.asarray(np.clip(found, typical / MOST_WEIGHT, typical * MOST_WEIGHT))
