"""How many more observations bring the interval of a share under a given width."""

from __future__ import annotations

import math

from core.errors import InputError
from core.stats.intervals import wilson


def half_width(successes: float, n: float, population: float) -> float:
    """Return half the width of Wilson's 95 % interval of a share, of a finite population.

    The sample's size is corrected as its variance is: where all were seen nothing is left to know
    (Cochran 1977, 2.5).

    Args:
        successes: How many, of `n`.
        n: How many were seen.
        population: How many there are, seen ones included.

    Raises:
        InputError: The counts make no sense.
    """
    if not 0 <= successes <= n <= population:
        raise InputError(f"Counts of {successes:g} of {n:g} of {population:g} make no sense.")
    if n >= population:
        return 0.0
    if n <= 0:
        return 0.5
    told = n * (population - 1) / (population - n)
    seen = max(1, round(told))
    found = wilson(seen * successes / n, seen)
    return ((found.high or 0.0) - (found.low or 0.0)) / 2


def more_needed(successes: float, n: float, population: float, target: float) -> int:
    """Return how many more must be seen for half an interval's width to be at most `target`.

    The share is taken to stay what it is. It never takes more than all there are.

    Raises:
        InputError: The counts or the target make no sense.
    """
    if not 0 < target < 1:
        raise InputError(f"An interval's half width lies between 0 and 1, found {target:g}.")
    if half_width(successes, n, population) <= target:
        return 0
    low, high = 0, math.ceil(population - n)
    share = successes / n if n else 0.5
    while high - low > 1:
        middle = (low + high) // 2
        seen = min(n + middle, population)
        if half_width(share * seen, seen, population) <= target:
            high = middle
        else:
            low = middle
    return high
