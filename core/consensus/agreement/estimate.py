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
    if observed in (0.0, 1.0) and n >= 2 and how.get("replicates") != 0:
        # All items alike: drawing again would feign certainty, so bound the agreement instead.
        sure = wilson(n if observed == 0 else 0, n, how.get("level", 0.95))
        ends = [max(-1.0, 1 - (1 - x) / expected) for x in (sure.low, sure.high) if x is not None]
        return Estimate(value, min(ends[0], value), max(ends[1], value), n)

    def coefficient(sums: Floats) -> Floats:
        o, e = parts(sums)
        return np.asarray(1 - o / np.where(e > NOTHING, e, np.nan))

    low, high = bootstrap(kinds, repeats, coefficient, **how)
    return Estimate(value, low, high, n)


def split_share(kinds: ItemCounts) -> Floats:
    """Return the share of each item's pairs of votes that differ; 0 for a single vote."""
    votes = kinds.votes
    pairs = np.maximum(votes * (votes - 1), 1)
    return np.asarray((votes * votes - kinds.squares) / pairs, dtype=np.float64)


def columns(left: Sequence[NDArray], *right: csr_array) -> csr_array:
    """Return columns of numbers, and matrices to their right, as one sparse matrix."""
    dense = csr_array(np.column_stack(left).astype(np.float64))
    return csr_array(hstack([dense, *right])) if right else dense
