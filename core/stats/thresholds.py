"""The limit of a number beyond which things go wrong more often, learnt and judged on separate halves.

A limit chosen where the difference is largest flatters itself on what chose it; so each half of the
observations chooses one, and every observation is judged by that of the other half. Where the difference
is largest hangs on few observations, so a limit is the median of those that draws of a half choose. Halves
and draws are fixed for each observation by its key: a few more or fewer move none of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, factorial, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.stats.intervals import Estimate, wilson
from core.stats.proportions import compare_proportions

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]

FEWEST_HALF, FEWEST_BAD, FEWEST_SIDE = 40, 5, 10
"""Observations in each half, bad ones in each half, and on each side of the limit in each half."""

CANDIDATES = np.linspace(0.05, 0.95, 37)
REPLICATES, FEWEST_REPLICATES, MOST_DRAWN = 200, 20, 10_000_000
"""Draws of a half; of a large one fewer, so that no more observations than the last are drawn in all."""

_CHUNK = 20_000
_POISSON = np.cumsum([exp(-1) / factorial(k) for k in range(12)])
"""How often an observation is drawn: as often as with replacement from many (Poisson bootstrap)."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit, and what lies on either side of it.

    Attributes:
        limit: Median and interval of the limits that draws of both halves choose.
        at_least: Whether what is below the limit goes wrong, so that a rule says "at least".
        inside, outside: Share of bad ones on the allowed side and beyond, each by the other half's limit.
        difference: Outside minus inside.
        p: Of "no difference".
        holds: Whether the halves agree: both find the same side worse, and their intervals meet.
    """

    limit: Estimate
    at_least: bool
    inside: Estimate
    outside: Estimate
    difference: Estimate
    p: float
    holds: bool = False


def learned_threshold(
    values: Floats, bad: Bools, seed: int = 0, keys: NDArray[np.integer] | None = None
) -> Threshold | None:
    """Return the limit at which the share of bad ones differs most; None where there is too little.

    Args:
        values: One an observation; finite.
        bad: Whether it went wrong.
        seed: Draws the halves and the interval.
        keys: Names each observation, whatever others there are; their places by default.
    """
    named = np.asarray(np.arange(len(values)) if keys is None else keys).astype(np.uint64)
    first = _uniform(named, seed) < 0.5
    for half in (first, ~first):
        if half.sum() < FEWEST_HALF or not FEWEST_BAD <= bad[half].sum() < half.sum():
            return None
    one, other = (_chosen(values[h], bad[h], named[h], seed) for h in (first, ~first))
    if one is None or other is None:
        return None
    below_one, below_other = values < one.limit, values < other.limit
    outside = np.where(first, below_other == other.at_least, below_one == one.at_least)
    return _judged(bad, outside, _between(one, other), one.at_least, _agree(one, other))


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a half chooses: the median of its draws' limits, all of them, and whether what is below goes wrong."""

    limit: float
    drawn: Floats
    at_least: bool

    @property
    def ends(self) -> tuple[float, float]:
        """Return the interval of the limit."""
        low, high = np.quantile(self.drawn, [0.025, 0.975])
        return float(low), float(high)


def _between(one: _Choice, other: _Choice) -> Estimate:
    """Return the limit of both halves' draws."""
    drawn = np.concatenate([one.drawn, other.drawn])
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    return Estimate(float(middle), float(low), float(high), 0)


def _agree(one: _Choice, other: _Choice) -> bool:
    (low, high), (other_low, other_high) = one.ends, other.ends
    return one.at_least == other.at_least and low <= other_high and other_low <= high


def _chosen(values: Floats, bad: Bools, keys: Keys, seed: int) -> _Choice | None:
    """Return the limit a half chooses; None where none can be."""
    limits = np.unique(np.quantile(values, CANDIDATES))
    limits = limits[limits > values.min()]
    if not len(limits):
        return None
    place, worse_below = _best(*_counts(values, bad, keys, limits, seed))
    if place[0] < 0:
        return None
    # Of the draws those that name the side the half itself does.
    drawn = limits[place[(place >= 0) & (worse_below == worse_below[0])]]
    return _Choice(float(np.median(drawn)), drawn, bool(worse_below[0]))


def _counts(
    values: Floats, bad: Bools, keys: Keys, limits: Floats, seed: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return all and bad ones below each limit, then in all, by draw; the first draw is the half itself."""
    draws = min(REPLICATES, max(FEWEST_REPLICATES, MOST_DRAWN // len(values)))
    below, bad_below = np.zeros((2, draws + 1, len(limits)))
    n, total = np.zeros((2, draws + 1, 1))
    for at in range(0, len(values), _CHUNK):
        part = slice(at, at + _CHUNK)
        weights, under = _weights(keys[part], draws, seed), values[part][:, None] < limits
        wrong = bad[part][:, None]
        below += weights @ under
        bad_below += weights @ (under & wrong)
        n += weights.sum(1, keepdims=True)
        total += weights @ wrong
    return below, bad_below, n, total


def _weights(keys: Keys, draws: int, seed: int) -> Floats:
    """Return how often each draw has each observation, (draws + 1, n); the first has each once."""
    drawn = [
        np.searchsorted(_POISSON, _uniform(keys, seed + 1_000_003 * (draw + 1)))
        for draw in range(draws)
    ]
    return np.vstack([np.ones(len(keys)), *drawn]).astype(np.float64)


def _uniform(keys: Keys, salt: int) -> Floats:
    """Return a number from 0 to 1 for each key, as if drawn (SplitMix64, Steele et al. 2014)."""
    step = (salt * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64
    with np.errstate(over="ignore"):
        x = (keys + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(step)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        x = x ^ (x >> np.uint64(31))
    return np.asarray((x >> np.uint64(11)) / 2.0**53, dtype=np.float64)


def _best(
    n_below: Floats, bad_below: Floats, n: Floats, total: Floats
) -> tuple[NDArray[np.int64], Bools]:
    """Return the candidate of the largest difference in each draw, -1 for none."""
    n_above = n - n_below
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = bad_below / n_below - (total - bad_below) / n_above
        share = total / n
        strength = np.abs(gap) / np.sqrt(share * (1 - share) * (1 / n_below + 1 / n_above))
    usable = (n_below >= FEWEST_SIDE) & (n_above >= FEWEST_SIDE) & np.isfinite(strength)
    strength = np.where(usable, strength, -1.0)
    place = strength.argmax(1)
    rows = np.arange(len(place))
    found = strength[rows, place] > 0
    return np.where(found, place, -1), np.asarray(gap[rows, place] > 0)


def _judged(
    bad: Bools, outside: Bools, limit: Estimate, at_least: bool, holds: bool
) -> Threshold | None:
    if min(outside.sum(), (~outside).sum()) < FEWEST_SIDE:
        return None
    counts = (
        int(bad[outside].sum()), int(outside.sum()), int(bad[~outside].sum()), int((~outside).sum()),
    )  # fmt: skip
    compared = compare_proportions(*counts)
    return Threshold(
        replace(limit, n=len(bad)), at_least, wilson(counts[2], counts[3]), wilson(counts[0], counts[1]),
        _widened(compared.difference), _doubled(1.0 if compared.p is None else compared.p), holds,
    )  # fmt: skip


# What one half shows moves the limit by which the other is judged, and the other way round: the two
# verdicts lean on each other, at worst wholly, and then their sum varies twice as much.


def _doubled(p: float) -> float:
    """Return a two-sided p at twice the variance."""
    normal = NormalDist()
    return float(2 * normal.cdf(normal.inv_cdf(max(p, 1e-300) / 2) / sqrt(2)))


def _widened(e: Estimate) -> Estimate:
    """Return a difference with its interval at twice the variance."""
    if e.value is None or e.low is None or e.high is None:
        return e
    low, high = (e.value + sqrt(2) * (end - e.value) for end in (e.low, e.high))
    return replace(e, low=max(low, -1.0), high=min(high, 1.0))
