"""Whether confidence matches accuracy: reliability by bins, and the calibration error with its interval.

Only ever fed with items the model never saw. Free of torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.stats.intervals import Estimate, wilson

REPLICATES = 1000
FEWEST = 200
DRAW_BUDGET = 10_000_000  # draws per interval, about a quarter of a second
ENOUGH = 30
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Bin:
    """Items of like confidence.

    Attributes:
        low: Least confidence in the bin.
        high: Greatest.
        n: Items.
        confidence: Their mean.
        accuracy: Share of them right, with its Wilson interval.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far confidence and accuracy lie apart.

    Attributes:
        bins: As many items in each, the least confident first.
        ece: Mean distance of confidence and accuracy over the bins, weighted by items (expected
            calibration error), with a 95 % bootstrap interval; no value below 30 items.
        chance: What a perfectly calibrated model of the same confidences would show on average, by
            chance alone; None below 30 items.
    """

    bins: tuple[Bin, ...]
    ece: Estimate
    chance: float | None


def reliability(
    confidence: np.ndarray, right: np.ndarray, bins: int = 15, seed: int = 0
) -> Reliability:
    """Return the bins and the calibration error.

    Bins hold equally many items, equal confidences together. The interval is the basic bootstrap's
    (Davison and Hinkley 1997): unlike the percentile one it does not inherit the bias
    upwards that every mean of distances has; where chance alone explains the error it starts at 0.
    Chance is told by drawing outcomes anew from the confidences themselves.

    Args:
        confidence: Probability of the answer given, shape (n,).
        right: Bool: the answer was right, shape (n,).
        bins: At most so many.
        seed: Same seed, same interval.

    Raises:
        InputError: A confidence is no probability, or the lengths differ.
    """
    p, hit = np.asarray(confidence, np.float64), np.asarray(right, dtype=bool)
    if len(p) != len(hit) or not ((p >= 0) & (p <= 1)).all():
        raise InputError("Each answer has one confidence between 0 and 1 and was right or wrong.")
    order = np.argsort(p, kind="stable")
    p, hit = p[order], hit[order]
    group = _groups(p, bins)
    return Reliability(_bins(p, hit, group), *_error(p, hit, group, seed))


def _groups(p: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each item, confidences ascending; those alike share the last one's."""
    even = np.arange(len(p)) * bins // max(1, len(p))
    last = np.searchsorted(p, p, side="right") - 1
    return np.unique(even[last], return_inverse=True)[1]


def _bins(p: np.ndarray, hit: np.ndarray, group: np.ndarray) -> tuple[Bin, ...]:
    rows = []
    for g in range(int(group.max(initial=-1)) + 1):
        some, n = p[group == g], int((group == g).sum())
        accuracy = wilson(int(hit[group == g].sum()), n)
        rows.append(Bin(float(some[0]), float(some[-1]), n, float(some.mean()), accuracy))
    return tuple(rows)


def _error(
    p: np.ndarray, hit: np.ndarray, group: np.ndarray, seed: int
) -> tuple[Estimate, float | None]:
    n = len(p)
    if n < ENOUGH:
        return Estimate(None, None, None, n), None
    rng = np.random.default_rng(seed)
    gap, replicates = p - hit, min(REPLICATES, max(FEWEST, DRAW_BUDGET // n))
    ece = _distance(gap, group)
    drawn = (rng.integers(0, n, n) for _ in range(replicates))
    again = [_distance(gap[rows], group[rows]) for rows in drawn]
    fair = [_distance(p - (rng.random(n) < p), group) for _ in range(FEWEST)]
    least, most = np.quantile(again, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    by_chance = ece <= np.quantile(fair, (1 + _LEVEL) / 2)
    low = 0.0 if by_chance else max(0.0, 2 * ece - float(most))
    high = max(low, 2 * ece - float(least))
    return Estimate(ece, low, high, n), float(np.mean(fair))


def _distance(gap: np.ndarray, group: np.ndarray) -> float:
    return float(np.abs(np.bincount(group, gap)).sum() / len(gap))
