"""Medians with their intervals, and how far two of them lie apart."""

from __future__ import annotations

import math

import numpy as np

from core.analytics.cells import Floats, Z
from core.stats.intervals import Estimate


def median_of(values: Floats, design: float = 1.0) -> Estimate:
    """Return the median with the interval of its order statistics, whatever the distribution.

    Args:
        values: What was measured.
        design: By how much values depend on each other; widens the interval.
    """
    n = len(values)
    if not n:
        return Estimate(None, None, None, 0)
    ordered = np.sort(values)
    reach = Z / 2 * math.sqrt(n * max(design, 1.0))
    low = max(0, math.floor(n / 2 - reach) - 1)
    high = min(n - 1, math.ceil(1 + n / 2 + reach) - 1)
    return Estimate(float(np.median(ordered)), float(ordered[low]), float(ordered[high]), n)


def median_gap(inside: Estimate, rest: Estimate) -> Estimate:
    """Return the difference of two medians, its interval recovered from theirs.

    Each end takes the two variances that the intervals show on that side (Zou and Donner 2008).
    """
    ends = (inside.value, inside.low, inside.high, rest.value, rest.low, rest.high)
    n = inside.n + rest.n
    if any(e is None for e in ends):
        return Estimate(None, None, None, n)
    a, a_low, a_high, b, b_low, b_high = (float(e) for e in ends if e is not None)
    gap = a - b
    return Estimate(
        gap, gap - math.hypot(a - a_low, b_high - b), gap + math.hypot(a_high - a, b - b_low), n
    )
