"""Wall and CPU time of a call, over a few rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import geometric_mean, median


def timed(
    call: Callable[[], object],
    rounds: int = 7,
    warm: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Return the median and the slowest of so many rounds in ms, and the median CPU time.

    Args:
        call: What is timed.
        rounds: How often.
        warm: How often before that.
        clock: CPU seconds spent so far by whoever does the work.
    """
    for _ in range(warm):
        call()
    walls, cpus = [], []
    for _ in range(rounds):
        started, worked = time.perf_counter(), clock()
        call()
        walls.append((time.perf_counter() - started) * 1e3)
        cpus.append((clock() - worked) * 1e3)
    return {
        "n": rounds, "p50_ms": round(median(walls), 2), "slowest_ms": round(max(walls), 2),
        "cpu_ms": round(median(cpus), 2),
    }  # fmt: skip


def ratio_of(pairs: list[tuple[float, float]]) -> float:
    """Return the geometric mean of how many times longer the second of each pair took."""
    return round(geometric_mean([b / a for a, b in pairs]), 1)
