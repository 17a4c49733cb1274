"""Time, ids and randomness as things one passes in, so that tests can hold them still."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]
"""Returns seconds since the Unix epoch, UTC."""


LATEST = 253_370_764_800.0
"""The first moment of the year 9999: no calendar reaches the year 10000, whatever the time zone."""


def system_clock() -> float:
    """Return the machine's time in seconds since the Unix epoch.

    A machine whose clock has lost its way may say anything; what is written with it stays for good,
    so it is kept to the years that can be shown.
    """
    return min(max(time.time(), 0.0), LATEST)


@dataclass(slots=True)
class FakeClock:
    """A clock that moves only when told to.

    Attributes:
        now: Seconds since the Unix epoch.
    """

    now: float = 1_780_000_000.0

    def __call__(self) -> float:
        """Return the time it stands at."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move time by this many seconds, backwards if negative."""
        self.now += seconds


def new_uuid() -> str:
    """Return a fresh random identifier."""
    return str(uuid.uuid4())
