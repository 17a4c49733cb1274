"""The limit of a number beyond which things go wrong more often, learnt and judged on separate halves.

A limit chosen where the difference is largest flatters itself on what chose it; so one half of the
observations chooses, and the difference is told of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.stats.intervals import Estimate, wilson
from core.stats.proportions import compare_proportions

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEWEST_HALF, FEWEST_BAD, FEWEST_SIDE = 40, 5, 10
"""Observations in each half, bad ones in each half, and on each side of the limit in each half."""

CANDIDATES = np.linspace(0.05, 0.95, 37)
REPLICATES = 200


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit, and what lies on either side of it.

    Attributes:
        limit: With the interval of drawing the choosing half again; n counts that half.
        at_least: Whether what is below the limit goes wrong, so that a rule says "at least".
        inside, outside: Share of bad ones on the allowed side and beyond, in the other half.
        difference: Outside minus inside, in the other half.
        p: Of "no difference", in the other half.
    """

    limit: Estimate
    at_least: bool
    inside: Estimate
    outside: Estimate
    difference: Estimate
    p: float


def learned_threshold(values: Floats, bad: Bools, seed: int = 0) -> Threshold | None:
    """Return the limit at which the share of bad ones differs most; None where there is too little.

    Args:
        values: One an observation; finite.
        bad: Whether it went wrong.
        seed: Draws the halves and the interval.
    """
    rng = np.random.default_rng(seed)
    first = np.zeros(len(values), dtype=np.bool_)
    first[rng.permutation(len(values))[: len(values) // 2]] = True
    for half in (first, ~first):
        if half.sum() < FEWEST_HALF or not FEWEST_BAD <= bad[half].sum() < half.sum():
            return None
    limits = np.unique(np.quantile(values[first], CANDIDATES))
    limits = limits[limits > values[first].min()]
    if not len(limits):
        return None
    below = values[first][:, None] < limits
    place, worse_below = _best(below, bad[first], np.ones((1, int(first.sum()))))
    if place[0] < 0:
        return None
    weights = rng.multinomial(first.sum(), np.full(first.sum(), 1 / first.sum()), REPLICATES)
    drawn, _ = _best(below, bad[first], weights.astype(np.float64))
    low, high = np.quantile(limits[drawn[drawn >= 0]], [0.025, 0.975])
    chosen = float(limits[place[0]])
    limit = Estimate(chosen, float(min(low, chosen)), float(max(high, chosen)), int(first.sum()))
    return _judged(values[~first], bad[~first], limit, bool(worse_below[0]))


def _best(below: Bools, bad: Bools, weights: Floats) -> tuple[NDArray[np.int64], Bools]:
    """Return the candidate of the largest difference under each weighting, -1 for none."""
    n_below, bad_below = weights @ below, weights @ (below & bad[:, None])
    n, total = weights.sum(1, keepdims=True), weights @ bad[:, None]
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


def _judged(values: Floats, bad: Bools, limit: Estimate, at_least: bool) -> Threshold | None:
    below = values < (limit.value or 0.0)
    outside = below if at_least else ~below
    if min(outside.sum(), (~outside).sum()) < FEWEST_SIDE:
        return None
    counts = (
        int(bad[outside].sum()), int(outside.sum()), int(bad[~outside].sum()), int((~outside).sum()),
    )  # fmt: skip
    compared = compare_proportions(*counts)
    return Threshold(
        limit, at_least, wilson(counts[2], counts[3]), wilson(counts[0], counts[1]),
        compared.difference, 1.0 if compared.p is None else compared.p,
    )  # fmt: skip
