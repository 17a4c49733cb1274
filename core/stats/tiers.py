"""Ranking without noise: people stand apart only where their intervals do."""

from __future__ import annotations

from collections.abc import Sequence

from core.stats.intervals import Estimate


def tiers(estimates: Sequence[Estimate]) -> list[int | None]:
    """Return the tier of each estimate, 1 the highest; None where there is no interval.

    Two estimates share a tier where their intervals overlap, or where a chain of overlapping ones
    joins them. So whoever is in a higher tier lies above everybody in a lower one, interval and all.
    """
    known = [
        (e.high, e.low, i)
        for i, e in enumerate(estimates)
        if e.high is not None and e.low is not None
    ]
    found: list[int | None] = [None] * len(estimates)
    tier, reach = 0, 0.0
    for high, low, i in sorted(known, reverse=True):
        if not tier or high < reach:
            tier, reach = tier + 1, low
        reach = min(reach, low)
        found[i] = tier
    return found
