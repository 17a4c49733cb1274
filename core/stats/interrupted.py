"""What a change on one day did to a series: segmented regression of an interrupted time series.

    y = a + b t + c [t >= T] + d (t - T) [t >= T]

c is the step at the change, d what it did to the trend (Wagner, Soumerai, Zhang and Ross-Degnan 2002,
J Clin Pharm Ther 27:299). Neighbouring days resemble each other, so standard errors are Newey and
West's (1987, Econometrica 55:703) with as many lags as their rule 4 (n / 100)^(2/9), corrected for few
points and read from Student's t. With a few dozen points these still are too narrow (measured: an
interval of 95 % held 82 %), so they are never taken below those of errors that carry over to the next
point with the likeness the residuals show, corrected for the fit (Kendall 1954, Biometrika 41:403).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from core.errors import InputError
from core.stats.intervals import UNDEFINED, Estimate

Floats = NDArray[np.float64]

FEWEST_POINTS = 6
"""Points on each side below which there is no estimate; Wagner et al. advise twelve."""
MOST_LIKENESS = 0.9
"""The largest share of an error taken to carry over to the next point."""
_TERMS = 4


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A series before and after a change; n of every estimate counts points.

    Attributes:
        before, after: Points on each side.
        level: Step at the change, in units of the series.
        slope: Change of the trend, in units per unit of time.
        trend: Trend before the change.
        fitted: The line as fitted, at each point, in the order given; empty without an estimate.
        without: Where the earlier trend alone would have led, at each point.
        lags: Neighbours whose likeness is allowed for.
    """

    before: int
    after: int
    level: Estimate
    slope: Estimate
    trend: Estimate
    fitted: tuple[float, ...] = ()
    without: tuple[float, ...] = ()
    lags: int = 0


def interrupted(
    time: ArrayLike,
    value: ArrayLike,
    weight: ArrayLike,
    change: float,
    fewest: int = FEWEST_POINTS,
    level: float = 0.95,
) -> Interrupted:
    """Return what the change did to level and trend.

    Args:
        time: Of each point, ascending, in days for example.
        value: Of each point.
        weight: How many observations it rests on; above 0.
        change: First moment of the new regime.
        fewest: Points wanted on each side.
        level: Two-sided confidence.

    Raises:
        InputError: The arrays differ in length, time does not ascend, or a weight is not above 0.
    """
    t, y, w = (np.asarray(a, dtype=np.float64) for a in (time, value, weight))
    _check(t, y, w)
    before = int((t < change).sum())
    after = len(t) - before
    if min(before, after) < fewest:
        little = replace(UNDEFINED, n=len(t))
        return Interrupted(before, after, little, little, little)
    x = _design(t, change)
    lags = max(1, math.floor(4 * (len(t) / 100) ** (2 / 9)))
    found, spread = _fit(x, y, w, lags)
    reach = spread * float(stdtrit(len(t) - _TERMS, (1 + level) / 2))
    trend, step, slope = (_estimate(found[i], reach[i], len(t)) for i in (1, 2, 3))
    old = x.copy()
    old[:, 2:] = 0.0
    return Interrupted(
        before, after, step, slope, trend, tuple((x @ found).tolist()), tuple((old @ found).tolist()), lags
    )  # fmt: skip


def _check(t: Floats, y: Floats, w: Floats) -> None:
    if not len(t) == len(y) == len(w):
        raise InputError(
            f"Times, values and weights differ in length: {len(t)}, {len(y)} and {len(w)}."
        )
    if bool((np.diff(t) <= 0).any()):
        raise InputError("The times of a series must ascend.")
    if bool((w <= 0).any()):
        raise InputError("Each point of a series rests on something: its weight is above 0.")


def _design(t: Floats, change: float) -> Floats:
    since = np.where(t >= change, t - change, 0.0)
    # Time is told from the change: then no column is nearly a multiple of another.
    return np.column_stack([np.ones_like(t), t - change, (t >= change).astype(np.float64), since])


def _fit(x: Floats, y: Floats, w: Floats, lags: int) -> tuple[Floats, Floats]:
    """Return weighted least squares and standard errors: Newey-West's, or carried-over errors' if wider."""
    w = w / w.mean()
    bread = np.asarray(np.linalg.pinv(x.T @ (x * w[:, None])), dtype=np.float64)
    found = bread @ (x.T @ (w * y))
    rest = y - x @ found
    scores = x * (w * rest)[:, None]
    meat = scores.T @ scores
    for lag in range(1, min(lags, len(y) - 1) + 1):
        both = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (both + both.T)
    covariance = bread @ meat @ bread * len(y) / (len(y) - _TERMS)
    wider = np.maximum(np.diag(covariance), _carried_over(x, w, rest, bread))
    return found, np.sqrt(np.clip(wider, 0.0, None))


def _carried_over(x: Floats, w: Floats, rest: Floats, bread: Floats) -> Floats:
    """Return the variances where each error is a share of the one before and something new."""
    root, n = np.sqrt(w), len(rest)
    u, z = root * rest, root[:, None] * x
    total = float(u @ u)
    if total <= 0:
        return np.zeros(_TERMS)
    seen = float(u[1:] @ u[:-1]) / total
    share = min(MOST_LIKENESS, max(0.0, (seen * n + _TERMS) / (n - _TERMS)))
    alike = share ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    left = np.eye(n) - z @ bread @ z.T
    size = total / float(np.trace(left @ alike))
    return np.asarray(np.diag(bread @ z.T @ alike @ z @ bread) * size)


def _estimate(value: float, reach: float, n: int) -> Estimate:
    return Estimate(float(value), float(value - reach), float(value + reach), n)
