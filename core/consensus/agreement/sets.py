"""Krippendorff's alpha of questions with several answers: sets of classes, at a distance.

Jaccard: 1 - shared / all. MASI (Passonneau 2006): 1 - Jaccard's likeness times 1 for equal sets,
2/3 where one holds the other, 1/3 where they overlap, 0 where they do not. Two empty sets ("none
of them") are equal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from core.consensus.agreement.coincidences import coincidences
from core.consensus.agreement.estimate import columns, estimate
from core.consensus.counts import Floats, count_labels
from core.errors import LimitExceeded
from core.stats.bootstrap import Resampling
from core.stats.intervals import UNDEFINED, Estimate

MOST_SETS = 2000
"""Distinct sets that are compared, each with each: 32 MB."""


class SetDistance(StrEnum):
    """How far two sets lie apart."""

    JACCARD = "jaccard"
    MASI = "masi"


def set_alpha(
    item: ArrayLike,
    said: Sequence[Collection[int]],
    distance: SetDistance = SetDistance.MASI,
    **how: Unpack[Resampling],
) -> Estimate:
    """Return alpha of sets of classes; votes may be missing.

    Args:
        item: Whole number of the item of each vote.
        said: Class codes said in each vote; none is an answer too.
        distance: How far two sets lie apart.
        **how: Seed, replicates and level.

    Raises:
        InputError: The columns differ in length.
        LimitExceeded: There are more than 2,000 distinct sets.
    """
    members = [tuple(sorted(set(s))) for s in said]
    sets = sorted(set(members))
    if len(sets) > MOST_SETS:
        raise LimitExceeded(
            f"{len(sets):,} different sets of answers were given; up to {MOST_SETS:,} are compared.",
            "Ask about each class alone.",
        )
    number = {s: i for i, s in enumerate(sets)}
    counts = count_labels(item, np.array([number[m] for m in members], dtype=np.int64), len(sets))
    kinds, repeats = counts.where(counts.votes >= 2).kinds()
    if len(repeats) == 0:
        return UNDEFINED
    apart = set_distances(sets, distance)
    split = 2 * (coincidences(kinds) @ apart.ravel())

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        n, totals = sums[:, 1], sums[:, 2:]
        return sums[:, 0] / n, ((totals @ apart) * totals).sum(axis=1) / (n * (n - 1))

    return estimate(columns([split, kinds.votes], kinds.matrix()), repeats, parts, how)


def set_distances(sets: Sequence[tuple[int, ...]], distance: SetDistance) -> Floats:
    """Return how far every two sets of distinct classes lie apart, shape (sets, sets), 0 to 1."""
    sizes = np.array([len(s) for s in sets], dtype=np.float64)
    known = np.unique([c for s in sets for c in s]) if sizes.any() else np.zeros(0, dtype=np.int64)
    row = np.repeat(np.arange(len(sets)), sizes.astype(np.int64))
    column = np.searchsorted(known, np.array([c for s in sets for c in s], dtype=np.int64))
    held = csr_array((np.ones(len(row)), (row, column)), shape=(len(sets), max(1, len(known))))
    shared = (held @ held.T).toarray()
    both = sizes[:, None] + sizes[None, :] - shared
    like = np.divide(shared, both, out=np.ones_like(shared), where=both > 0)
    if distance is SetDistance.MASI:
        inside = shared == np.minimum(sizes[:, None], sizes[None, :])
        like = like * np.where(like == 1, 1.0, np.where(inside, 2 / 3, 1 / 3))
    return np.asarray(1 - like)
