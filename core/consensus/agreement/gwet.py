"""Gwet's AC1 (2008) and AC2 (2014): stable where one class is far commoner than the others."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from scipy.sparse import csr_array

from core.consensus.agreement.coincidences import coincidences
from core.consensus.agreement.estimate import columns, estimate, split_share
from core.consensus.agreement.weights import Weights, agreement_weights
from core.consensus.counts import Floats, Ints, ItemCounts
from core.stats.bootstrap import Resampling
from core.stats.intervals import Estimate


def gwet_ac1(counts: ItemCounts, classes: int | None = None, **how: Unpack[Resampling]) -> Estimate:
    """Return Gwet's AC1.

    Items with one vote count towards how common the classes are, as Gwet has it.

    Args:
        counts: Votes by item and class.
        classes: How many classes could be said; by default those that were.
        **how: Seed, replicates and level.
    """
    kinds, repeats = counts.kinds()
    k = len(np.unique(counts.labels)) if classes is None else classes
    return _coefficient(kinds, repeats, split_share(kinds), 1 / (k - 1) if k > 1 else np.nan, how)


def gwet_ac2(
    counts: ItemCounts, weights: Weights = Weights.QUADRATIC, **how: Unpack[Resampling]
) -> Estimate:
    """Return Gwet's AC2 for classes on an ordered scale: AC1 with partial agreement.

    Args:
        counts: Votes by item and class; class codes are places on the scale, and `counts.classes`
            its length.
        weights: What two different classes agree by.
        **how: Seed, replicates and level.
    """
    kinds, repeats = counts.kinds()
    k = counts.classes
    table = agreement_weights(weights, k)
    apart = coincidences(kinds) @ (1 - table).ravel()
    split = np.asarray(2 * apart / kinds.votes)
    room = float(table.sum()) / (k * (k - 1)) if k > 1 else np.nan
    return _coefficient(kinds, repeats, split, room, how)


def _coefficient(
    kinds: ItemCounts, repeats: Ints, split: Floats, room: float, how: Resampling
) -> Estimate:
    """Return 1 - split / (1 - chance), chance being `room` times the sum of p (1 - p)."""
    pairable = kinds.votes >= 2
    left = [split, pairable, np.ones(len(repeats))]
    shares = kinds.matrix() / kinds.votes[:, None]

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        common = sums[:, 3:] / sums[:, 2:3]
        chance = (common * (1 - common)).sum(axis=1) * room
        return sums[:, 0] / sums[:, 1], 1 - chance

    items = int(repeats[pairable].sum())
    return estimate(columns(left, csr_array(shares)), repeats, parts, how, items)
