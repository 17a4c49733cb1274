"""Estimates with their intervals, and the intervals of a plain proportion.

Nothing here knows about people, items or votes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import betaincinv, ndtri

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its two-sided interval and how much it rests on.

    Attributes:
        value: The point estimate; None where it is undefined or there is not enough data.
        low: Lower end of the interval; None where no interval can be given.
        high: Upper end.
        n: How many independent units (votes, items, people) the figure rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int

    def times(self, factor: float) -> Estimate:
        """Return it in another unit, a share as points for example; `factor` is positive."""
        low, high = (None if x is None else factor * x for x in (self.low, self.high))
        return Estimate(None if self.value is None else factor * self.value, low, high, self.n)


UNDEFINED = Estimate(None, None, None, 0)


def wilson(successes: float, n: int, level: float = 0.95) -> Estimate:
    """Return a proportion with its Wilson score interval (Wilson 1927).

    Args:
        successes: How many; for shares between 0 and 1 their sum, as they vary no more than yes and
            no of the same mean (Bhatia and Davis 2000).
        n: Of how many.
        level: Two-sided confidence.

    Raises:
        InputError: The counts or the level make no sense.
    """
    _check(successes, n, level)
    if n == 0:
        return UNDEFINED
    z = normal_quantile(level)
    p = successes / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # Exact at the ends, where rounding would leave 1e-17 instead of 0.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Estimate(p, low, high, n)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """Return a proportion with its exact interval (Clopper and Pearson 1934).

    Each side errs with at most ``(1 - level) / 2``; for a one-sided bound at confidence
    ``1 - delta`` ask for level ``1 - 2 * delta`` and read one end.

    Raises:
        InputError: The counts or the level make no sense.
    """
    _check(successes, n, level)
    if n == 0:
        return UNDEFINED
    tail = (1 - level) / 2
    failures = n - successes
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures == 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return Estimate(successes / n, low, high, n)


def normal_quantile(level: float) -> float:
    """Return how many standard errors a two-sided normal interval of this level reaches."""
    return float(ndtri((1 + level) / 2))


def _check(successes: float, n: int, level: float) -> None:
    if not 0 <= successes <= n:
        raise InputError(f"A count of {successes} out of {n} is impossible.")
    if not 0 < level < 1:
        raise InputError(f"A confidence level lies between 0 and 1, found {level:g}.")
