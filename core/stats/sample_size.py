"""How many more observations bring the interval of a share under a given width."""

from __future__ import annotations

import math

from core.errors import InputError
from core.stats.intervals import wilson


def half_width(successes: float, n: float) -> float:
    """Return half the width of Wilson's 95 % interval of a share; 0.5 where nothing was seen.

    Args:
        successes: How many, of `n`; may be fractional.
        n: How many were seen.

    Raises:
        InputError: The counts make no sense.
    """
    if not 0 <= successes <= n:
        raise InputError(f"A count of {successes:g} of {n:g} makes no sense.")
    seen = round(n)
    if seen < 1:
        return 0.5
    found = wilson(min(seen, seen * successes / n), seen)
    return ((found.high or 0.0) - (found.low or 0.0)) / 2


def more_needed(successes: float, n: float, target: float) -> int:
    """Return how many more must be seen for half an interval's width to be at most `target`.

    The share is taken to stay what it is.

    Raises:
        InputError: The counts or the target make no sense.
    """
    if not 0 < target < 1:
        raise InputError(f"An interval's half width lies between 0 and 1, found {target:g}.")
    if half_width(successes, n) <= target:
        return 0
    share = successes / n if n else 0.5
    # Of no share is Wilson's interval wider than this many leave it.
    low, high = 0, math.ceil(1 / target**2) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if half_width(share * (n + middle), n + middle) <= target:
            high = middle
        else:
            low = middle
    return high
