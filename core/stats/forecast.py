"""When work will be done: past days drawn again, forward until nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_DAYS = 7
HORIZON_DAYS = 730
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Forecast:
    """In how many days nothing will be left.

    Attributes:
        days: The middle of what is expected; None where there are too few days, or where half of
            all futures do not end within two years.
        low: 2.5 % of futures end sooner.
        high: 2.5 % of futures end later; None where that is beyond two years.
        past_days: Days the pace is known of.
    """

    days: int | None
    low: int | None
    high: int | None
    past_days: int

    @property
    def is_enough(self) -> bool:
        """Return whether there are enough days to say anything."""
        return self.past_days >= FEWEST_DAYS


def days_left(
    remaining: int, done_a_day: Sequence[float], seed: int = 0, draws: int = DRAWS
) -> Forecast:
    """Return when `remaining` will be done at the pace of past days.

    Every draw takes the past days again, with replacement, for what is not known of the pace, then
    draws the days to come from those, for what differs from day to day. Days without work count,
    so weekends and holidays do. No trend is assumed.

    Args:
        remaining: What is left to do.
        done_a_day: What was done on each past day; negative where work was undone.
        seed: Same seed, same forecast.
        draws: How many futures.
    """
    n = len(done_a_day)
    if remaining <= 0:
        return Forecast(0, 0, 0, n)
    if n < FEWEST_DAYS:
        return Forecast(None, None, None, n)
    rng = np.random.default_rng(seed)
    past = np.asarray(done_a_day, np.float64)
    again = past[rng.integers(0, n, size=(draws, n))]
    places = rng.integers(0, n, size=(draws, HORIZON_DAYS))
    left = np.cumsum(np.take_along_axis(again, places, axis=1), axis=1) >= remaining
    ends = np.where(left.any(axis=1), left.argmax(axis=1) + 1, HORIZON_DAYS + 1)
    low, middle, high = np.quantile(ends, [0.025, 0.5, 0.975], method="higher")
    return Forecast(_within(middle), _within(low), _within(high), n)


def _within(days: float) -> int | None:
    return int(days) if days <= HORIZON_DAYS else None
