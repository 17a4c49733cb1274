"""Timing two things in turn, so that both meet the same moments of a noisy machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median, quantiles


def in_turn(
    ours: Callable[[int], object], peer: Callable[[int], object], rounds: int
) -> dict[str, object]:
    """Call both `rounds` times, A B A B, and return medians, p95 and the ratio pair by pair."""
    mine, other = [], []
    for i in range(rounds):
        mine.append(_seconds(ours, i))
        other.append(_seconds(peer, i))
    ratios = [a / b for a, b in zip(mine, other, strict=True)]
    return {
        "n": rounds,
        "ours_p50_ms": round(median(mine) * 1e3, 3),
        "ours_p95_ms": round(_p95(mine) * 1e3, 3),
        "peer_p50_ms": round(median(other) * 1e3, 3),
        "peer_p95_ms": round(_p95(other) * 1e3, 3),
        "ratio": round(median(ratios), 3),
    }


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _seconds(call: Callable[[int], object], i: int) -> float:
    started = time.perf_counter()
    call(i)
    return time.perf_counter() - started
