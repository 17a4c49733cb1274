"""Estimates from units drawn with known, unequal probabilities."""

from __future__ import annotations

from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from core.errors import InputError
from core.stats.bootstrap import Resampling, clustered_ratio
from core.stats.intervals import Estimate


def weighted_proportion(
    cluster: ArrayLike,
    hit: ArrayLike,
    draw_probability: ArrayLike,
    **how: Unpack[Resampling],
) -> Estimate:
    """Return the share of hits in the pool that was drawn from (Hájek 1971), n counts clusters.

    Each observation counts as 1 / its draw probability, and the sum of weights stands for the
    pool, so a wrong total cancels out.

    Args:
        cluster: Whole number of the item (or person) of each observation.
        hit: Whether the observation is a hit.
        draw_probability: Recorded when the unit was drawn; above 0, at most 1.
        **how: Seed, replicates and level.

    Raises:
        InputError: A draw probability is not in (0, 1], or the arrays differ in length.
    """
    probability = np.asarray(draw_probability, dtype=np.float64)
    bad = np.flatnonzero(~((probability > 0) & (probability <= 1)))
    if len(bad):
        raise InputError(
            f"A draw probability lies above 0 and at most at 1, found {probability[bad[0]]:g} "
            f"at position {bad[0]}."
        )
    hits = np.asarray(hit, dtype=np.float64)
    if hits.shape != probability.shape:
        raise InputError(
            f"Hits and draw probabilities differ in length: {len(hits)} and {len(probability)}."
        )
    weight = 1 / probability
    return clustered_ratio(cluster, hits * weight, weight, **how)
