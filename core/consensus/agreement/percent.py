"""Percent agreement: the share of an item's pairs of votes that say the same, averaged over items."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from core.consensus.agreement.estimate import columns, estimate, split_share
from core.consensus.counts import Floats, ItemCounts
from core.stats.bootstrap import Resampling, kinds_of
from core.stats.intervals import Estimate


def percent_agreement(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return the share of pairs of votes that agree, averaged over items with two or more.

    Each item counts the same, however many votes it has: the pairs are not pooled.
    """
    share = split_share(counts.where(counts.votes >= 2))
    kinds, repeats = kinds_of(np.column_stack([share, np.ones_like(share)]))

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        observed = sums[:, 0] / sums[:, 1]
        return observed, np.ones_like(observed)

    return estimate(columns(list(kinds.T)), repeats, parts, how)
