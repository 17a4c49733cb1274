"""Percent agreement: the share of pairs of votes that say the same."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from core.consensus.agreement.estimate import columns, estimate, split_share
from core.consensus.counts import Floats, ItemCounts
from core.stats.bootstrap import Resampling
from core.stats.intervals import Estimate


def percent_agreement(counts: ItemCounts, **how: Unpack[Resampling]) -> Estimate:
    """Return the share of pairs of votes that agree, averaged over items with two or more."""
    kinds, repeats = counts.where(counts.votes >= 2).kinds()

    def parts(sums: Floats) -> tuple[Floats, Floats]:
        observed = sums[:, 0] / sums[:, 1]
        return observed, np.ones_like(observed)

    return estimate(columns([split_share(kinds), np.ones(len(repeats))]), repeats, parts, how)
