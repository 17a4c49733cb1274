"""Do two samples come from one distribution: tests, and how far apart they lie, with intervals.

The distances are those of SageMaker Clarify's vocabulary: total variation, Jensen-Shannon and
Kolmogorov-Smirnov. Between two finite samples of the same thing each is above nought by chance
alone, so their intervals turn the bootstrap round its value (the basic bootstrap, Davison and
Hinkley 1997, 5.2), which takes that surplus off again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, kolmogorov, ndtr

from core.stats.intervals import Estimate, normal_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_EXPECTED = 5.0
"""Expected count below which a cell of a chi-squared test is put together with others (Cochran 1954)."""

REPLICATES, PERMUTATIONS = 600, 999
TAIL = 0.0125
"""Of the replicates on each side: at 0.025 the interval covers 91 % in small samples (simulated)."""


@dataclass(frozen=True, slots=True)
class Apart:
    """How far two samples lie apart.

    Attributes:
        statistic: Chi-squared, or Kolmogorov and Smirnov's D.
        p: Of "both come from one distribution"; None where there is nothing to test.
    """

    statistic: float
    p: float | None


def chi_squared(a: Floats, b: Floats, least: float = LEAST_EXPECTED) -> Apart:
    """Return the chi-squared test of homogeneity of two rows of counts, small cells pooled.

    Args:
        a: Counts by category of the first sample.
        b: The same of the second.
        least: Expected count each cell left must have.
    """
    table = pooled_cells(np.stack([a, b]).astype(np.float64), least)
    if table.shape[1] < 2 or (table.sum(1) == 0).any():
        return Apart(0.0, None)
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return Apart(statistic, float(chdtrc(table.shape[1] - 1, statistic)))


def pooled_cells(table: Floats, least: float = LEAST_EXPECTED) -> Floats:
    """Return a table of counts (2, k) with its rarest columns put together until each expects enough.

    Which columns go together follows from both samples' sum alone, so the test stays one.
    """
    table = table[:, table.sum(0) > 0]
    total = table.sum()
    if not total:
        return table[:, :0]
    fewest = table.sum(1).min()
    order = np.argsort(-table.sum(0), kind="stable")
    kept = [table[:, i] for i in order]
    while len(kept) > 1 and kept[-1].sum() * fewest / total < least:
        rarest = kept.pop()
        # What is still too rare together with the last one is put to the next rarest.
        kept[-1] = kept[-1] + rarest
    return np.stack(kept, axis=1)


def kolmogorov_smirnov(a: Floats, b: Floats) -> Apart:
    """Return the two-sample Kolmogorov-Smirnov test; with ties its p is too large, never too small.

    The limiting distribution with Stephens' correction (1970) for finite samples.
    """
    if not len(a) or not len(b):
        return Apart(0.0, None)
    first, second = np.sort(a), np.sort(b)
    points = np.concatenate([first, second])
    below = np.searchsorted(first, points, "right") / len(a)
    distance = float(np.abs(below - np.searchsorted(second, points, "right") / len(b)).max())
    root = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    return Apart(distance, float(kolmogorov((root + 0.12 + 0.11 / root) * distance)))


def total_variation(a: Floats, b: Floats) -> Floats:
    """Return half the summed difference of shares, 0 (the same) to 1 (nothing in common).

    Args:
        a: Counts in the last axis.
        b: The same of the second sample.
    """
    return np.asarray(np.abs(_shares(a) - _shares(b)).sum(-1) / 2)


def jensen_shannon(a: Floats, b: Floats) -> Floats:
    """Return the Jensen-Shannon divergence in bits, 0 to 1; counts in the last axis."""
    p, q = _shares(a), _shares(b)
    middle = (p + q) / 2
    return np.asarray((_bits(p, middle) + _bits(q, middle)) / 2)


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / np.maximum(counts.sum(-1, keepdims=True), 1e-300))


def _bits(p: Floats, q: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(p > 0, p * np.log2(p / q), 0.0).sum(-1))


@dataclass(frozen=True, slots=True)
class Distances:
    """Total variation and Jensen-Shannon divergence of two samples; n counts both."""

    variation: Estimate
    divergence: Estimate


def distances(a: Floats, b: Floats, seed: int = 0) -> Distances:
    """Return how far two rows of counts lie apart, each with its interval."""
    here, there = int(a.sum()), int(b.sum())
    n = here + there
    if not here or not there:
        return Distances(Estimate(None, None, None, n), Estimate(None, None, None, n))
    rng = np.random.default_rng(seed)
    drawn_a = rng.multinomial(here, _shares(a), REPLICATES).astype(np.float64)
    drawn_b = rng.multinomial(there, _shares(b), REPLICATES).astype(np.float64)
    together = _shares(a + b)
    same_a = rng.multinomial(here, together, REPLICATES).astype(np.float64)
    same_b = rng.multinomial(there, together, REPLICATES).astype(np.float64)
    variation, divergence = (
        turned(float(far(a, b)), far(drawn_a, drawn_b), far(same_a, same_b), n)
        for far in (total_variation, jensen_shannon)
    )
    return Distances(variation, divergence)


def turned(value: float, replicates: Floats, by_chance: Floats, n: int) -> Estimate:
    """Return a distance without the surplus chance gives it, and its basic bootstrap interval.

    A distance that chance alone reaches more than once in twenty times may as well be nought.
    """
    low, middle, high = np.quantile(replicates, [TAIL, 0.5, 1 - TAIL])
    ends = (2 * value - x for x in (middle, high, low))
    told, least, most = (min(1.0, max(0.0, float(x))) for x in ends)
    if value <= np.quantile(by_chance, 0.95):
        least = 0.0
    return Estimate(told, least, max(most, told), n)


# --- samples that come in clusters --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clustered:
    """Two sets of clusters compared by what they hold: regions of images, for one.

    Attributes:
        variation: Total variation, its interval and p from whole clusters; n counts these.
        p: By permutation of clusters; None where a side has nothing.
        cell_p: The same of each cell's share alone.
    """

    variation: Estimate
    p: float | None
    cell_p: tuple[float, ...]


def clustered(a: Floats, b: Floats, seed: int = 0) -> Clustered:
    """Return how far the contents of two sets of clusters lie apart.

    Args:
        a: Counts by cell of each cluster of the first set, shape (clusters, cells).
        b: The same of the second.
        seed: Same seed, same interval and p.
    """
    n, cells = len(a) + len(b), a.shape[1]
    if a.sum() == 0 or b.sum() == 0:
        return Clustered(Estimate(None, None, None, n), None, (1.0,) * cells)
    rng = np.random.default_rng(seed)
    value = float(total_variation(a.sum(0), b.sum(0)))
    drawn = (
        rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), REPLICATES) @ rows
        for rows in (a, b)
    )
    replicates = total_variation(*drawn)
    both, total = np.vstack([a, b]), a.sum(0) + b.sum(0)
    chosen = np.zeros((PERMUTATIONS, n))
    for row in chosen:
        row[rng.permutation(n)[: len(a)]] = 1.0
    first = chosen @ both
    second = total - first
    by_chance = np.abs(_shares(first) - _shares(second))
    seen = np.abs(_shares(a.sum(0)) - _shares(b.sum(0)))
    slack = 1e-12
    estimate = turned(value, replicates, by_chance.sum(1) / 2, n)
    cell_p = (1 + (by_chance >= seen - slack).sum(0)) / (PERMUTATIONS + 1)
    p = (1 + int((by_chance.sum(1) / 2 >= value - slack).sum())) / (PERMUTATIONS + 1)
    return Clustered(estimate, p, tuple(float(x) for x in cell_p))


# --- which of two is larger -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Larger:
    """How often a value of the second sample is above one of the first, ties counted half.

    Attributes:
        auc: That share, the area under the ROC curve, with DeLong's interval; n counts both samples.
        p: Of "one half", two-sided (Mann-Whitney, corrected for ties); None where a side is empty.
    """

    auc: Estimate
    p: float | None


def larger(a: Floats, b: Floats) -> Larger:
    """Return how often a value of `b` is above one of `a` (DeLong et al. 1988, by midranks)."""
    return larger_by_fold(a, b, np.zeros(len(a), np.int64), np.zeros(len(b), np.int64))


def larger_by_fold(a: Floats, b: Floats, fold_a: Ints, fold_b: Ints) -> Larger:
    """Return the same over pairs of one fold alone, folds weighted by their pairs.

    Scores of different folds come from different fits and cannot be held against each other. These
    fits share most of what they learnt from, so folds vary together: the variance is made larger as
    Nadeau and Bengio (2003) do; without that one null case in seven is called a difference.
    """
    parts = [
        part
        for fold in np.union1d(fold_a, fold_b).tolist()
        if (part := _fold(a[fold_a == fold], b[fold_b == fold])) is not None
    ]
    n = len(a) + len(b)
    pairs = sum(p.pairs for p in parts)
    if not pairs:
        return Larger(Estimate(None, None, None, n), None)
    auc = sum(p.pairs * p.auc for p in parts) / pairs
    variance = sum((p.pairs / pairs) ** 2 * p.variance for p in parts)
    by_chance = sum((p.pairs / pairs) ** 2 * p.by_chance for p in parts)
    shared = 1 + len(parts) / (len(parts) - 1) if len(parts) > 1 else 1.0
    low, high = _logit_interval(auc, shared * variance, min(len(a), len(b)))
    z = abs(auc - 0.5) / math.sqrt(shared * by_chance) if by_chance > 0 else 0.0
    return Larger(Estimate(auc, low, high, n), float(2 * ndtr(-z)))


@dataclass(frozen=True, slots=True)
class _Fold:
    pairs: float
    auc: float
    variance: float
    by_chance: float


def _fold(a: Floats, b: Floats) -> _Fold | None:
    m, n = len(a), len(b)
    if not m or not n:
        return None
    together = np.concatenate([a, b])
    rank, ties = midranks(together)
    below_a = (rank[:m] - midranks(a)[0]) / n
    below_b = (rank[m:] - midranks(b)[0]) / m
    variance = _variance(below_a) / m + _variance(below_b) / n
    size = m + n
    spread = (size + 1) - ties / (size * (size - 1)) if size > 1 else 0.0
    return _Fold(float(m * n), float(below_b.mean()), variance, spread / (12 * m * n))


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def midranks(values: Floats) -> tuple[Floats, float]:
    """Return the rank of each value from 1, ties sharing the middle one, and the sum of t³ - t."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    end = np.cumsum(count)
    middle = end - (count - 1) / 2
    return middle[place].astype(np.float64), float((count.astype(np.float64) ** 3 - count).sum())


def _logit_interval(auc: float, variance: float, least: int) -> tuple[float, float]:
    """Return the interval on the logistic scale, where it cannot leave 0 to 1.

    With everything on one side there is no variance to see; the interval then is what as many
    pairs as the smaller sample holds would leave open (rule of three).
    """
    if variance <= 0 or not 0 < auc < 1:
        open_ = min(1.0, 3 / max(least, 1))
        return max(0.0, auc - open_), min(1.0, auc + open_)
    z = normal_quantile(0.95)
    half = z * math.sqrt(variance) / (auc * (1 - auc))
    centre = math.log(auc / (1 - auc))
    return float(expit(centre - half)), float(expit(centre + half))
