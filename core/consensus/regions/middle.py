"""The middle of a few numbers that people gave, each counting as much as its weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.consensus.regions.ways import Middle

_EVEN = 1e-9


def mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Return the weighted mean, its sums exactly rounded."""
    summed = math.fsum(v * w for v, w in zip(values, weights, strict=True))
    return summed / math.fsum(weights)


def median(values: Sequence[float], weights: Sequence[float]) -> float:
    """Return the value with half of the weight below it; between two the mean of both."""
    if min(weights) == max(weights):
        return _plain(sorted(values))
    told = sorted(zip(values, weights, strict=True))
    half = math.fsum(weights) / 2
    passed = 0.0
    for i, (value, weight) in enumerate(told):
        passed += weight
        if passed > half * (1 + _EVEN):
            return value
        if passed >= half * (1 - _EVEN):
            above = next((v for v, w in told[i + 1 :] if w), value)
            return (value + above) / 2
    return told[-1][0]


def _plain(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


MIDDLES = {Middle.MEAN: mean, Middle.MEDIAN: median}
