"""Comparing two independent proportions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtr

from core.stats.intervals import UNDEFINED, Estimate, wilson

SMALL_EXPECTED = 20.0  # below this expected count Fisher's exact test replaces the score test


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two proportions lie apart.

    Attributes:
        difference: First minus second, with its interval; n counts both samples.
        p: Two-sided p-value of "they are equal"; None where either sample is empty.
    """

    difference: Estimate
    p: float | None


def compare_proportions(
    successes_a: int, n_a: int, successes_b: int, n_b: int, level: float = 0.95
) -> Comparison:
    """Return the difference with Newcombe's interval and a two-sided p-value.

    The interval is the hybrid score one (Newcombe 1998, method 10). The test is Fisher's exact
    one where an expected count is small, the pooled score test elsewhere.

    Raises:
        InputError: The counts or the level make no sense.
    """
    a, b = wilson(successes_a, n_a, level), wilson(successes_b, n_b, level)
    if n_a == 0 or n_b == 0:
        return Comparison(UNDEFINED, None)
    gap = successes_a / n_a - successes_b / n_b
    # Neither interval is undefined here: both samples have observations.
    below = math.hypot(a.value - a.low, b.high - b.value)  # type: ignore[operator]
    above = math.hypot(a.high - a.value, b.value - b.low)  # type: ignore[operator]
    estimate = Estimate(gap, max(-1.0, gap - below), min(1.0, gap + above), n_a + n_b)
    return Comparison(estimate, two_sided_p(successes_a, n_a, successes_b, n_b))


def two_sided_p(successes_a: int, n_a: int, successes_b: int, n_b: int) -> float:
    """Return the p-value of equal proportions; 1 where all observations are the same."""
    hits, n = successes_a + successes_b, n_a + n_b
    if hits in (0, n):
        return 1.0
    if min(hits, n - hits) * min(n_a, n_b) / n < SMALL_EXPECTED:
        return _fisher(successes_a, n_a, hits, n)
    pooled = hits / n
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    z = abs(successes_a / n_a - successes_b / n_b) / spread
    return float(2 * ndtr(-z))


def _fisher(successes_a: int, n_a: int, hits: int, n: int) -> float:
    """Return the summed probability of every table no likelier than the one seen."""
    first = max(0, hits - (n - n_a))
    k = np.arange(first, min(hits, n_a) + 1, dtype=np.float64)
    log_p = _log_choose(n_a, k) + _log_choose(n - n_a, hits - k)
    log_p -= log_p.max()
    p = np.exp(log_p)
    # The slack keeps tables that are equally likely, but for rounding, together.
    as_rare = p <= p[successes_a - first] * (1 + 1e-7)
    return float(min(1.0, p[as_rare].sum() / p.sum()))


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
