"""How far long work on versions is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable

Told = Callable[[str, int, int, float | None], None]
"""Hears phase, done, total and seconds left (None where nobody can tell)."""

SAYS_EVERY_SECONDS = 0.2


def silent(phase: str, done: int, total: int, seconds_left: float | None) -> None:
    """Hear how far the work is, and do nothing with it."""


def paced(phase: str, told: Told) -> Callable[[int, int], None]:
    """Return what hears how many of how many equal steps are done, and tells it with the time left.

    Args:
        phase: What is being done, in plain English.
        told: Hears it, a few times a second at most.
    """
    began = said = time.monotonic()

    def heard(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < SAYS_EVERY_SECONDS and done < total:
            return
        said = now
        told(phase, done, total, (now - began) / max(done, 1) * (total - done))

    told(phase, 0, 0, None)
    return heard
