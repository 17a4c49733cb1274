"""From sums over items to a coefficient with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from core.consensus.counts import Floats, Ints, ItemCounts
from core.stats.bootstrap import Resampling, bootstrap
from core.stats.intervals import UNDEFINED, Estimate, wilson

Parts = Callable[[Floats], tuple[Floats, Floats]]
"""From sums of shape (r, k) to observed and expected disagreement, each of shape (r,)."""

NOTHING = 1e-12
"""Expected disagreement, of at most 1, that rounding alone can leave."""
SAME = 1e-9
"""What the observed disagreement of redrawn items differs by where all items are split alike."""


def estimate(
    kinds: csr_array, repeats: Ints, parts: Parts, how: Resampling, items: int | None = None
) -> Estimate:
    """Return 1 - observed / expected disagreement with its interval over items.

    Args:
        kinds: What each distinct kind of item adds to the sums, shape (kinds, k).
        repeats: How many items are of each kind.
        parts: From the sums to both disagreements; the observed one lies between 0 and 1.
        how: Seed, replicates and level.
        items: What n counts; all items by default.
    """
    n = int(repeats.sum()) if items is None else items
    if n == 0:
        return UNDEFINED
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = (kinds.T @ repeats.astype(np.float64))[None]
        observed, expected = (float(x[0]) for x in parts(sums))
    if not expected > NOTHING:
        return Estimate(None, None, None, n)
    value = 1 - observed / expected
    if n < 2 or how.get("replicates") == 0:
        return Estimate(value, None, None, n)
    bounded = _bounded(observed, expected, n, how.get("level", 0.95))
    if observed in (0.0, 1.0):
        return Estimate(value, *bounded, n)
    seen: list[float] = []

    def coefficient(sums: Floats) -> Floats:
        o, e = parts(sums)
        seen.extend((float(o.min()), float(o.max())))
        return np.asarray(1 - o / np.where(e > NOTHING, e, np.nan))

    low, high = bootstrap(kinds, repeats, coefficient, **how)
    if max(seen, default=1.0) - min(seen, default=0.0) <= SAME:
        known = [x for x in (low, high) if x is not None]
        return Estimate(value, min(*known, bounded[0]), max(*known, bounded[1]), n)
    return Estimate(value, low, high, n)


def _bounded(observed: float, expected: float, n: int, level: float) -> tuple[float, float]:
    """Return the ends of a coefficient where all items are split alike.

    Drawing such items again gives the same ones and would feign certainty. An item's agreement
    lies between 0 and 1 and so varies no more than a yes or no of the same mean (Bhatia and Davis
    2000): Wilson's interval of that mean holds it, and the coefficient with it.
    """
    mean = min(max(1 - observed, 0.0), 1.0)
    sure = wilson(mean * n, n, level)
    value = 1 - observed / expected
    ends = [max(-1.0, 1 - (1 - x) / expected) for x in (sure.low, sure.high) if x is not None]
    return min(*ends, value), max(*ends, value)


def split_share(kinds: ItemCounts) -> Floats:
    """Return the share of each item's pairs of votes that differ; 0 for a single vote."""
    votes = kinds.votes
    pairs = np.maximum(votes * (votes - 1), 1)
    return np.asarray((votes * votes - kinds.squares) / pairs, dtype=np.float64)


def columns(left: Sequence[NDArray], *right: csr_array) -> csr_array:
    """Return columns of numbers, and matrices to their right, as one sparse matrix."""
    dense = csr_array(np.column_stack(left).astype(np.float64))
    return csr_array(hstack([dense, *right])) if right else dense
