"""Many comparisons at once: adjusted p-values, and ranks that the data supports."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InputError
from core.stats.intervals import Estimate


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for the false discovery rate, in the order given.

    Calling every comparison under q a finding keeps the expected share of false ones at most q
    (Benjamini and Hochberg 1995). None stays None and does not count as a comparison.

    Raises:
        InputError: A p-value lies outside 0 to 1.
    """
    known = [(p, i) for i, p in enumerate(p_values) if p is not None]
    if any(not 0 <= p <= 1 for p, _ in known):
        raise InputError("A p-value lies between 0 and 1.")
    adjusted: list[float | None] = [None] * len(p_values)
    smallest = 1.0
    for rank, (p, i) in zip(range(len(known), 0, -1), sorted(known, reverse=True), strict=True):
        smallest = min(smallest, p * len(known) / rank)
        adjusted[i] = smallest
    return adjusted


@dataclass(frozen=True, slots=True)
class Standing:
    """The best and the worst rank the data leaves possible; 1 is the highest value."""

    best: int
    worst: int

    @property
    def rank(self) -> int | None:
        """Return the rank where the data settles it, else None."""
        return self.best if self.best == self.worst else None


def rank_where_separate(estimates: Sequence[Estimate]) -> list[Standing | None]:
    """Return each one's standing, ordering two only where their intervals do not touch.

    An estimate without an interval gets None and does not count in the others' standing.
    """
    ends = [(e.low, e.high) for e in estimates if e.low is not None and e.high is not None]
    lows, highs = sorted(low for low, _ in ends), sorted(high for _, high in ends)
    standings: list[Standing | None] = []
    for e in estimates:
        if e.low is None or e.high is None:
            standings.append(None)
            continue
        surely_above = len(lows) - bisect_right(lows, e.high)
        surely_below = bisect_left(highs, e.low)
        standings.append(Standing(1 + surely_above, len(ends) - surely_below))
    return standings
