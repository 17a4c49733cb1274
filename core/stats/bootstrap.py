"""The seeded, clustered bootstrap (Efron 1979), percentile intervals.

Whole clusters (items, people) are drawn again, never single observations. A statistic is a
function of sums of per-cluster contributions, so a replicate costs one weighted sum and not
one recomputation, and clusters with equal contributions are drawn together: 300,000 items
with three votes each are a few hundred kinds. Results depend neither on the order of the
input nor on the names of the clusters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from core.errors import InputError
from core.stats.intervals import UNDEFINED, Estimate, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]

REPLICATES = 1000
FEWEST_REPLICATES = 200
DRAW_BUDGET = 10_000_000  # draws per interval, about 0.6 s; only pools of many kinds reach it
SAME = 1e-9  # what rounding leaves between equal shares
DENSE = 2  # clusters a kind; from here on a draw a kind is quicker than a draw a cluster
CHUNK_DRAWS = 100_000  # draws held at a time: 0.8 MB stay in the processor's cache


class Resampling(TypedDict, total=False):
    """How to draw again: options of every function that gives a bootstrap interval.

    Attributes:
        seed: Same seed, same interval; 0 unless told.
        replicates: How often to draw, 1,000 unless told; 0 for no interval.
        level: Two-sided confidence, 0.95 unless told.
    """

    seed: int
    replicates: int
    level: float


def kinds_of(rows: Floats) -> tuple[Floats, Ints]:
    """Return the distinct rows in ascending order and how often each occurs."""
    distinct, repeats = np.unique(rows, axis=0, return_counts=True)
    return distinct, repeats.astype(np.int64)


def resampled_sums(
    kinds: Floats | csr_array, repeats: Ints, seed: int = 0, replicates: int = REPLICATES
) -> Floats:
    """Return the column sums of as many clusters drawn with replacement.

    Args:
        kinds: Contributions of each distinct kind of cluster, shape (kinds, k), dense or sparse.
        repeats: How many clusters are of each kind, shape (kinds,).
        seed: Same seed, same sums.
        replicates: How often to draw; fewer, but never under 200, where kinds are very many.

    Returns:
        Shape (replicates, k).
    """
    kind_count = len(repeats)
    replicates = min(replicates, max(FEWEST_REPLICATES, DRAW_BUDGET // kind_count))
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK_DRAWS // kind_count)
    total = int(repeats.sum())
    parts = []
    for start in range(0, replicates, step):
        weights = _drawn(rng, repeats, total, min(step, replicates - start))
        parts.append((kinds.T @ weights.T.astype(np.float64)).T)
    return np.concatenate(parts)


def _drawn(rng: np.random.Generator, repeats: Ints, total: int, size: int) -> Ints:
    """Return how often each kind is drawn in so many replicates, shape (size, kinds).

    Where nearly every cluster is of a kind of its own, drawing clusters one by one takes a fourth of
    the time of a binomial draw a kind.
    """
    if total > DENSE * len(repeats):
        return rng.multinomial(total, repeats / total, size=size)
    cells = rng.integers(0, total, size=(size, total))
    if total > len(repeats):
        cells = np.repeat(np.arange(len(repeats)), repeats)[cells]
    cells += np.arange(size)[:, np.newaxis] * len(repeats)
    return np.bincount(cells.ravel(), minlength=size * len(repeats)).reshape(size, len(repeats))


def percentile_interval(figures: Floats, level: float = 0.95) -> tuple[float | None, float | None]:
    """Return the middle `level` of the replicates, or two None where too many are undefined.

    Args:
        figures: The statistic of each replicate, nan where undefined.
        level: Share of replicates between both ends.
    """
    defined = figures[np.isfinite(figures)]
    # Dropping more than a few would leave the interval of the well-behaved draws only.
    if len(defined) < max(1.0, 0.95 * len(figures)):
        return None, None
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap(
    kinds: Floats | csr_array,
    repeats: Ints,
    statistic: Statistic,
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> tuple[float | None, float | None]:
    """Return the percentile interval of a statistic over clusters.

    Args:
        kinds: Contributions of each distinct kind of cluster, shape (kinds, k).
        repeats: How many clusters are of each kind.
        statistic: Sums of shape (r, k) to figures of shape (r,), nan where undefined.
        seed: Same seed, same interval.
        replicates: How often to draw; 0 for no interval.
        level: Two-sided confidence.

    Returns:
        Both ends; two None where there are fewer than two clusters.
    """
    if replicates == 0 or int(repeats.sum()) < 2:
        return None, None
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = statistic(resampled_sums(kinds, repeats, seed, replicates))
    return percentile_interval(figures, level)


def clustered_mean(
    cluster: ArrayLike,
    value: ArrayLike,
    **how: Unpack[Resampling],
) -> Estimate:
    """Return the mean over all observations, its interval clustered; n counts clusters.

    Raises:
        InputError: The arrays differ in length.
    """
    values = np.asarray(value, dtype=np.float64)
    ones = np.ones_like(values)
    return clustered_ratio(cluster, values, ones, **how)


def clustered_ratio(
    cluster: ArrayLike,
    numerator: ArrayLike,
    denominator: ArrayLike,
    **how: Unpack[Resampling],
) -> Estimate:
    """Return sum of numerators over sum of denominators, its interval clustered.

    Where every cluster says the same share, such as 0 or 1, drawing again can say nothing else and
    would feign certainty: the interval is then Wilson's at the effective number of clusters, as a
    share varies no more than a yes or no of the same mean (Bhatia and Davis 2000). Of what may lie
    above 1 nothing bounds how it varies, and there is no interval.

    Args:
        cluster: Whole number of the item or person of each observation.
        numerator: Per observation.
        denominator: Per observation, not negative.
        **how: Seed, replicates and level.

    Raises:
        InputError: The arrays differ in length.
    """
    above, below = _cluster_sums(cluster, numerator, denominator)
    total = float(below.sum())
    if total <= 0:
        return UNDEFINED
    n, value = len(below), float(above.sum()) / total
    if n >= 2 and bool(np.all(np.abs(above - value * below) <= SAME * below)):
        low, high = _alike_ends(value, below, how.get("level", 0.95))
        return Estimate(value, low, high, n)
    kinds, repeats = kinds_of(np.column_stack([above, below]))
    low, high = bootstrap(kinds, repeats, _ratio, **how)
    return Estimate(value, low, high, n)


def _alike_ends(share: float, weight: Floats, level: float) -> tuple[float | None, float | None]:
    """Return Wilson's ends for clusters that all say the same share, at Kish's effective number."""
    if not 0 <= share <= 1:
        return None, None
    effective = int(float(weight.sum()) ** 2 / float((weight * weight).sum()) + 1e-9)
    sure = wilson(share * effective, effective, level)
    return sure.low, sure.high


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _cluster_sums(
    cluster: ArrayLike, numerator: ArrayLike, denominator: ArrayLike
) -> tuple[Floats, Floats]:
    """Return both sums of every cluster that has a positive denominator."""
    ids = np.asarray(cluster)
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    if not len(ids) == len(above) == len(below):
        raise InputError(
            f"Clusters and values differ in length: {len(ids)}, {len(above)} and {len(below)}."
        )
    # Sorting by value too makes the sums equal to the last bit whatever the input's order.
    order = np.lexsort((below, above, ids))
    ids, above, below = ids[order], above[order], below[order]
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]][: len(ids)])
    if len(starts) == 0:
        return above, below
    tops, bottoms = np.add.reduceat(above, starts), np.add.reduceat(below, starts)
    kept = bottoms > 0
    ranked = np.lexsort((bottoms[kept], tops[kept]))
    return tops[kept][ranked], bottoms[kept][ranked]
