"""Tiers: people share one unless their intervals lie apart."""

from __future__ import annotations

import random

from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.tiers import tiers


def span(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 10)


def test_overlapping_intervals_share_a_tier() -> None:
    """A chain of overlaps is one tier; a gap starts the next; nothing known has none."""
    found = tiers([span(0.1, 0.2), span(0.5, 0.7), span(0.65, 0.9), UNDEFINED, span(0.4, 0.52)])
    assert found == [2, 1, 1, None, 1]
    assert tiers([]) == []


def test_touching_ends_do_not_separate() -> None:
    """An end that meets another says nothing for sure."""
    assert tiers([span(0.2, 0.5), span(0.5, 0.8)]) == [1, 1]


def test_whoever_is_higher_lies_above_everybody_lower() -> None:
    """Over many random groups no two tiers overlap, and order does not matter."""
    chance = random.Random(4)
    for _ in range(200):
        group = [
            wilson(chance.randint(0, n), n) for n in (chance.randint(1, 300) for _ in range(9))
        ]
        found = tiers(group)
        for a, i in zip(group, found, strict=True):
            for b, j in zip(group, found, strict=True):
                if i < j:
                    assert a.low > b.high
        order = chance.sample(range(9), 9)
        assert tiers([group[k] for k in order]) == [found[k] for k in order]
