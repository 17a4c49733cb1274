"""Rates: how many of something in how much time or for how much money, with an interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

from core.stats.bootstrap import bootstrap, kinds_of
from core.stats.intervals import UNDEFINED, Estimate

Floats = NDArray[np.float64]


def poisson_interval(count: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a Poisson mean of which `count` was seen (Garwood 1936)."""
    tail = (1 - level) / 2
    low = 0.0 if count <= 0 else float(gammaincinv(count, tail))
    return low, float(gammaincinv(count + 1, 1 - tail))


def clustered_rate(
    counts: ArrayLike, exposures: ArrayLike, *, fewest: int = 1, seed: int = 0
) -> Estimate:
    """Return counts per exposure over clusters; n is the count.

    The interval is a seeded bootstrap that draws whole clusters again (a person's day, say), and
    never narrower than Garwood's exact Poisson interval of the count: a handful of clusters that
    happen to be alike would feign certainty.

    Args:
        counts: What happened in each cluster.
        exposures: The time, or whatever else it is counted against, of each cluster.
        fewest: Counts below which there is no figure.
        seed: Same seed, same interval.
    """
    rows = np.column_stack([np.asarray(counts, np.float64), np.asarray(exposures, np.float64)])
    count, exposure = (float(s) for s in rows.sum(axis=0)) if len(rows) else (0.0, 0.0)
    n = round(count)
    if count < fewest or count <= 0 or exposure <= 0:
        return replace(UNDEFINED, n=n)
    low, high = (end / exposure for end in poisson_interval(count))
    drawn = bootstrap(*kinds_of(rows[np.lexsort(rows.T)]), _ratio, seed=seed)
    if drawn[0] is not None and drawn[1] is not None:
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return Estimate(count / exposure, low, high, n)


def clustered_cost(
    amounts: ArrayLike, counts: ArrayLike, *, fewest: int = 1, seed: int = 0
) -> Estimate:
    """Return the amount spent per count: one over `clustered_rate`, ends swapped; n is the count."""
    rate = clustered_rate(counts, amounts, fewest=fewest, seed=seed)
    if not rate.value:
        return rate
    low = None if not rate.high else 1 / rate.high
    high = None if not rate.low else 1 / rate.low
    return Estimate(1 / rate.value, low, high, rate.n)


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / sums[:, 1])
