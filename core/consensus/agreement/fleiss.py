"""Fleiss' kappa (1971): many people, as many votes on every item, any people."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from core.consensus.agreement.estimate import columns, estimate, split_share
from core.consensus.counts import Floats, ItemCounts
from core.stats.bootstrap import Resampling
from core.stats.intervals import UNDEFINED, Estimate


def fleiss_kappa(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return Fleiss' kappa, n counts the items used.

    It needs as many votes on every item; the items with the commonest number of votes are used,
    of equally common numbers the larger.
    """
    sizes = counts.votes[counts.votes >= 2]
    if len(sizes) == 0:
        return UNDEFINED
    common = np.bincount(sizes)
    size = len(common) - 1 - int(np.argmax(common[::-1]))
    kinds, repeats = counts.where(counts.votes == size).kinds()
    left = [split_share(kinds), np.ones(len(repeats))]

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        share = sums[:, 2:] / (size * sums[:, 1:2])
        return sums[:, 0] / sums[:, 1], 1 - (share * share).sum(axis=1)

    return estimate(columns(left, kinds.matrix()), repeats, parts, how)
