"""Comparing two ways of answering the same questions: a paired test and a paired interval."""

from __future__ import annotations

import math

from scipy.special import bdtr

from core.errors import InputError
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.proportions import Comparison


def compare_paired(
    both: int, only_first: int, only_second: int, neither: int, level: float = 0.95
) -> Comparison:
    """Return how far apart two answerers of the same questions are, first minus second.

    The interval is Newcombe's for paired proportions (Newcombe 1998, Statistics in Medicine 17:2635,
    method 10), which holds for few questions and where both are nearly always right. The test is
    McNemar's exact one: of the questions on which they differ, either is as likely to be right.

    Args:
        both: Questions both answer rightly.
        only_first: Only the first does.
        only_second: Only the second does.
        neither: None does.
        level: Two-sided confidence.

    Raises:
        InputError: A count or the level makes no sense.
    """
    if min(both, only_first, only_second, neither) < 0:
        raise InputError("Counts of right answers are 0 or more.")
    n = both + only_first + only_second + neither
    if n == 0:
        return Comparison(UNDEFINED, None)
    low, high = _ends(both, only_first, only_second, neither, level)
    gap = (only_first - only_second) / n
    return Comparison(Estimate(gap, low, high, n), mcnemar(only_first, only_second))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of "either is as likely to be the one that is right"."""
    apart = only_first + only_second
    if not apart:
        return 1.0
    return float(min(1.0, 2 * bdtr(min(only_first, only_second), apart, 0.5)))


def _ends(
    both: int, only_first: int, only_second: int, neither: int, level: float
) -> tuple[float, float]:
    n = both + only_first + only_second + neither
    p1, p2 = (both + only_first) / n, (both + only_second) / n
    a, b = wilson(both + only_first, n, level), wilson(both + only_second, n, level)
    # Neither interval is undefined here: there is at least one question.
    below1, above1 = p1 - a.low, a.high - p1  # type: ignore[operator]
    below2, above2 = p2 - b.low, b.high - p2  # type: ignore[operator]
    phi = _correlation(both, only_first, only_second, neither)
    down = math.sqrt(max(0.0, below1**2 - 2 * phi * below1 * above2 + above2**2))
    up = math.sqrt(max(0.0, above1**2 - 2 * phi * above1 * below2 + below2**2))
    gap = p1 - p2
    return max(-1.0, gap - down), min(1.0, gap + up)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Return how alike both are right, with Newcombe's correction towards 0 where that is positive."""
    right, wrong = both + only_first, only_second + neither
    right2, wrong2 = both + only_second, only_first + neither
    below = math.sqrt(float(right) * wrong * right2 * wrong2)
    if not below:
        return 0.0
    above = float(both) * neither - float(only_first) * only_second
    if above > 0:
        above = max(above - (right + wrong) / 2, 0.0)
    return above / below
