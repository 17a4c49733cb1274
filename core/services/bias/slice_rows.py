"""One slice as page and command line get it: its figure, the rest's, and what is believed of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.analytics.columns import SliceColumn
from core.analytics.finder import Found
from core.analytics.medians import median_gap, median_of
from core.services.bias.slice_ask import Condition
from core.services.bias.slice_prepare import Prepared
from core.stats.intervals import Estimate

FALSE_DISCOVERY = 0.05
"""Adjusted p from which a difference is no longer called one."""


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice against the rest.

    Attributes:
        conditions: What members have in common: one column, or two together.
        items: Items inside.
        inside, rest: The figure of members and of all others; n counts statements (boxes, pairs).
        gap: Members minus others.
        p: Of "there is no difference"; `adjusted_p` for all slices tested.
        shrunken: The figure drawn towards that of all slices, with its 95 % interval.
        probability: That the slice is worse than the rest by more than the margin.
        loss: How many statements more than elsewhere are to be expected wrong beyond the margin
            (seconds, where time is measured).
        explained_by: The slice above whose members make this one worse; empty where it stands
            for itself.
        is_behind: Whether it is surely worse, after adjusting.
        is_sure: Whether it surely differs.
    """

    conditions: tuple[Condition, ...]
    items: int
    inside: Estimate
    rest: Estimate
    gap: Estimate
    p: float
    adjusted_p: float
    shrunken: Estimate
    probability: float
    loss: float
    explained_by: tuple[Condition, ...]
    is_sure: bool
    is_behind: bool


def row_of(
    ready: Prepared, columns: Sequence[SliceColumn], codes: Sequence[Any], found: Found, i: int
) -> SliceRow:
    """Return one slice of those found, with the plain figures of its members and of all others."""
    counted, compared, time = found.counted, found.compared, ready.said.seconds is not None
    inside = _inside(codes, found, i)
    n, rest_n = round(float(counted.n[i])), round(float(compared.rest_n[i]))
    worse = bool(compared.gap[i] > 0) == ready.said.facts.lower_is_better
    sure = bool(found.adjusted[i] < FALSE_DISCOVERY)
    believed, spread = float(found.believed.mean[i]), 1.96 * float(found.believed.deviation[i])
    shrunken = Estimate(believed, believed - spread, believed + spread, n)
    if ready.said.seconds is not None:
        here = median_of(ready.said.seconds[inside], float(compared.design[i]))
        rest = median_of(ready.said.seconds[~inside])
        gap = median_gap(here, rest)
        shrunken = _exponential(shrunken)
    else:
        here = Estimate(*_three(compared.value[i], compared.low[i], compared.high[i]), n)
        rest = _rest(compared.rest[i], compared.rest_variance[i], rest_n)
        gap = Estimate(
            *_three(compared.gap[i], max(-1, compared.gap_low[i]), min(1, compared.gap_high[i])),
            n + rest_n,
        )
        shrunken = replace(
            shrunken, low=max(0.0, believed - spread), high=min(1.0, believed + spread)
        )
    cause = int(found.explained[i])
    seconds = (rest.value or 0.0) if time else 1.0
    return SliceRow(
        _conditions(columns, found, i),
        len(np.unique(ready.place[inside])),
        here,
        rest,
        gap,
        float(compared.p[i]),
        float(found.adjusted[i]),
        shrunken,
        float(found.probability[i]),
        float(found.loss[i]) * seconds,
        _conditions(columns, found, cause) if cause >= 0 else (),
        sure,
        sure and worse,
    )


def _inside(codes: Sequence[Any], found: Found, i: int) -> Any:
    counted = found.counted
    inside = codes[int(counted.first[i])] == counted.first_code[i]
    if counted.second[i] >= 0:
        inside = inside & (codes[int(counted.second[i])] == counted.second_code[i])
    return inside


def _conditions(columns: Sequence[SliceColumn], found: Found, i: int) -> tuple[Condition, ...]:
    counted = found.counted
    pairs = ((counted.first[i], counted.first_code[i]), (counted.second[i], counted.second_code[i]))
    return tuple(
        (columns[int(c)].name, columns[int(c)].values[int(v)].name) for c, v in pairs if c >= 0
    )


def _three(value: float, low: float, high: float) -> tuple[float, float, float]:
    return float(value), float(low), float(high)


def _rest(value: float, variance: float, n: int) -> Estimate:
    half = 1.96 * math.sqrt(max(float(variance), 0.0))
    return Estimate(float(value), max(0.0, float(value) - half), min(1.0, float(value) + half), n)


def _exponential(e: Estimate) -> Estimate:
    """Return seconds for their logarithms."""
    value, low, high = (None if v is None else math.exp(v) for v in (e.value, e.low, e.high))
    return Estimate(value, low, high, e.n)
