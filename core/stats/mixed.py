"""Effects that come mixed, told apart: a logistic model with one fixed factor and crossed random ones.

Whether a statement is right depends on the camera, on who said it and on what is seen, and these
never come evenly: who works only on the bad camera looks bad. The model gives each its own part. The
fixed factor (camera) is what is asked about; the others (person, class) are random: drawn towards
their common mean as far as their number of statements leaves that open.

Statements are counted in cells of equal levels first, so a million cost no more than the cells.
Spreads of the random factors maximise Laplace's approximation of the restricted likelihood (Breslow
and Clayton 1993), kept off zero by the penalty of Chung et al. (2013); the fixed factor has the weak
prior of Gelman et al. (2008), without which a camera that was never wrong would have no finite effect.
Statements on one item are not independent: the covariance is also computed with whole items as units
(Liang and Zeger 1986), and the wider of both counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.special import expit, logit, ndtr

from core.errors import InputError
from core.stats.intervals import Estimate, normal_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INTERCEPT_SCALE, FIXED_SCALE = 10.0, 2.5
"""Standard deviations of the weak priors, in log odds."""

NARROWEST, WIDEST = 0.01, 5.0
"""Bounds of the spread of a random factor, in log odds."""

LATENT = math.pi**2 / 3
"""Variance of what decides a single statement, in log odds (logistic)."""

MOST_STEPS = 60
DENSE_CELLS = 4_000_000
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Cells:
    """Statements counted by the levels of all factors at once.

    Attributes:
        levels: One array a factor, one entry a cell.
        sizes: How many levels each factor has.
        n: Weight of each cell.
        hits: Of it, what was right.
    """

    levels: tuple[Ints, ...]
    sizes: tuple[int, ...]
    n: Floats
    hits: Floats

    @property
    def offsets(self) -> tuple[int, ...]:
        """Return where each factor's parameters begin; 0 is the intercept."""
        return tuple(1 + sum(self.sizes[:i]) for i in range(len(self.sizes)))

    @property
    def parameters(self) -> int:
        """Return how many parameters there are."""
        return 1 + sum(self.sizes)

    def linear(self, theta: Floats) -> Floats:
        """Return the log odds of each cell."""
        found = np.full(len(self.n), theta[0])
        for level, start in zip(self.levels, self.offsets, strict=True):
            found += theta[start + level]
        return found

    def weight(self, factor: int) -> Floats:
        """Return the weight of each level of a factor."""
        return _summed(self.levels[factor], self.n, self.sizes[factor])


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model.

    Attributes:
        cells: What it was fitted to; the first factor is the fixed one.
        theta: Intercept, then the levels of each factor, in log odds.
        covariance: As if statements were independent.
        clustered: With whole clusters as units.
        spreads: Standard deviation of each random factor, in log odds.
        doubt: Covariance of the logarithms of the spreads.
    """

    cells: Cells
    theta: Floats
    covariance: Floats
    clustered: Floats
    spreads: Floats
    doubt: Floats

    def deviation(self, gradients: Floats) -> Floats:
        """Return the standard error along each gradient, shape (k, parameters) to (k,)."""
        plain = np.einsum("ij,jk,ik->i", gradients, self.covariance, gradients, optimize=True)
        wide = np.einsum("ij,jk,ik->i", gradients, self.clustered, gradients, optimize=True)
        return np.asarray(np.sqrt(np.maximum(np.maximum(plain, wide), 0.0)))


@dataclass(frozen=True, slots=True)
class Separated:
    """One level of a factor, with everything else held as it is over all statements.

    Attributes:
        rate: The share that would be right if every statement were of this level.
        gap: Minus that of all other levels, weighed by their statements; n is that of the level.
        p: Two-sided, of "there is no gap"; not adjusted.
    """

    rate: Estimate
    gap: Estimate
    p: float


def fit_crossed(
    levels: Sequence[Ints],
    sizes: Sequence[int],
    weight: Floats,
    total: Floats,
    cluster: Ints,
) -> Fitted:
    """Fit the model; the first factor is fixed, all others are random.

    Args:
        levels: One array a factor, the level of each statement, from 0.
        sizes: How many levels each factor has.
        weight: Of each statement.
        total: Of it, what was right.
        cluster: Number of the item of each statement, from 0.

    Raises:
        InputError: There is nothing to fit, or levels are out of range.
    """
    if not len(weight) or not levels:
        raise InputError("A model needs statements and a factor.")
    for level, size in zip(levels, sizes, strict=True):
        if len(level) != len(weight) or level.min() < 0 or level.max() >= size:
            raise InputError("Every statement needs a level of every factor.")
    cells = count_cells(levels, sizes, weight, total)
    search = _Search(cells)
    at = search.best()
    theta, hessian = search.solve(at)
    covariance = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
    penalty = _penalty(cells, at)
    scores = _scores(cells, theta, levels, weight, total, cluster)
    clustered = covariance @ (scores + np.diag(penalty)) @ covariance
    return Fitted(cells, theta, covariance, clustered, np.exp(at), search.doubt(at))


def count_cells(
    levels: Sequence[Ints], sizes: Sequence[int], weight: Floats, total: Floats
) -> Cells:
    """Return statements counted by all their levels at once; cells without any are left out."""
    shape, size = tuple(int(s) for s in sizes), math.prod(int(s) for s in sizes)
    key = np.ravel_multi_index(tuple(levels), shape)
    if size <= DENSE_CELLS:
        n = _summed(key, weight, size)
        kept = np.flatnonzero(n > 0)
        hits = _summed(key, total, size)[kept]
        n = n[kept]
    else:
        kept, place = np.unique(key, return_inverse=True)
        n, hits = _summed(place, weight, len(kept)), _summed(place, total, len(kept))
    return Cells(tuple(np.unravel_index(kept, shape)), shape, n, np.clip(hits, 0.0, n))


# --- fitting ----------------------------------------------------------------------------------


class _Search:
    """The search for the spreads; the parameters found last are where the next search begins."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.theta = np.zeros(cells.parameters)
        share = float(np.clip(cells.hits.sum() / cells.n.sum(), 1e-4, 1 - 1e-4))
        self.theta[0] = logit(share)

    def best(self) -> Floats:
        """Return the logarithms of the likeliest spreads."""
        random = len(self.cells.sizes) - 1
        if not random:
            return np.zeros(0)
        bounds = [(math.log(NARROWEST), math.log(WIDEST))] * random
        found = minimize(
            self._unlikely, np.full(random, math.log(0.4)), method="L-BFGS-B", bounds=bounds,
            options={"eps": 1e-3, "ftol": 1e-10, "maxiter": 30},
        )  # fmt: skip
        return np.asarray(found.x, dtype=np.float64)

    def solve(self, at: Floats) -> tuple[Floats, Floats]:
        """Return the parameters under these spreads, and the Hessian there (Newton's method)."""
        cells, penalty = self.cells, _penalty(self.cells, at)
        theta = self.theta
        value = _objective(cells, theta, penalty)
        for _ in range(MOST_STEPS):
            share = expit(cells.linear(theta))
            hessian = _crossed(cells, cells.n * share * (1 - share)) + np.diag(penalty)
            slope = _projected(cells, cells.hits - cells.n * share) - penalty * theta
            step = cho_solve(cho_factor(hessian), slope)
            theta, value = _advance(cells, theta, step, penalty, value)
            if float(slope @ step) < 1e-9:
                break
        self.theta = theta
        share = expit(cells.linear(theta))
        return theta, _crossed(cells, cells.n * share * (1 - share)) + np.diag(penalty)

    def doubt(self, at: Floats) -> Floats:
        """Return the covariance of the logarithms of the spreads, by differences around them."""
        k, step = len(at), 0.15
        curve = np.zeros((k, k))
        for i in range(k):
            for j in range(k):
                a, b = np.eye(k)[i] * step, np.eye(k)[j] * step
                around = (
                    self._unlikely(at + a + b) - self._unlikely(at + a - b)
                    - self._unlikely(at - a + b) + self._unlikely(at - a - b)
                )  # fmt: skip
                curve[i, j] = around / (4 * step * step)
        values, vectors = np.linalg.eigh((curve + curve.T) / 2) if k else (np.zeros(0), curve)
        # Flat directions say only that the spread may be anything: a factor of e either way.
        return np.asarray((vectors / np.maximum(values, 1.0)) @ vectors.T)

    def _unlikely(self, at: Floats) -> float:
        """Return minus Laplace's restricted log likelihood, penalised."""
        theta, hessian = self.solve(at)
        _sign, volume = np.linalg.slogdet(hessian)
        counts = np.array(self.cells.sizes[1:], dtype=np.float64)
        prior = float(((counts - 1) * at).sum())  # minus one: the penalty, the log of the spread
        value = _objective(self.cells, theta, _penalty(self.cells, at))
        return value + float(volume) / 2 + prior


def _advance(
    cells: Cells, theta: Floats, step: Floats, penalty: Floats, value: float
) -> tuple[Floats, float]:
    """Return the parameters after a step, halved until it leads down."""
    for _ in range(20):
        tried = _objective(cells, theta + step, penalty)
        if tried <= value + 1e-10:
            return theta + step, tried
        step = step / 2
    return theta, value


def _penalty(cells: Cells, at: Floats) -> Floats:
    parts = [[INTERCEPT_SCALE**-2], [FIXED_SCALE**-2] * cells.sizes[0]]
    parts += [[math.exp(-2 * s)] * size for s, size in zip(at, cells.sizes[1:], strict=True)]
    return np.concatenate([np.array(p, dtype=np.float64) for p in parts])


def _objective(cells: Cells, theta: Floats, penalty: Floats) -> float:
    """Return minus the penalised log likelihood."""
    odds = cells.linear(theta)
    likely = float((cells.hits * odds - cells.n * np.logaddexp(0.0, odds)).sum())
    return 0.5 * float((penalty * theta * theta).sum()) - likely


def _projected(cells: Cells, values: Floats) -> Floats:
    """Return the sum of the cells' values for each parameter."""
    parts = [np.array([values.sum()])]
    parts += [_summed(v, values, s) for v, s in zip(cells.levels, cells.sizes, strict=True)]
    return np.concatenate(parts)


def _crossed(cells: Cells, weight: Floats) -> Floats:
    """Return the sum of the weights of every two parameters' common cells."""
    found = np.zeros((cells.parameters, cells.parameters))
    sums = _projected(cells, weight)
    found[0, :] = found[:, 0] = sums
    np.fill_diagonal(found, sums)
    for i, a in enumerate(cells.offsets):
        for j, b in list(enumerate(cells.offsets))[i + 1 :]:
            rows, columns = cells.sizes[i], cells.sizes[j]
            key = cells.levels[i] * columns + cells.levels[j]
            block = _summed(key, weight, rows * columns).reshape(rows, columns)
            found[a : a + rows, b : b + columns] = block
            found[b : b + columns, a : a + rows] = block.T
    return found


def _scores(
    cells: Cells,
    theta: Floats,
    levels: Sequence[Ints],
    weight: Floats,
    total: Floats,
    cluster: Ints,
) -> Floats:
    """Return the covariance of the slope with whole clusters as units."""
    odds = np.full(len(weight), theta[0])
    for level, start in zip(levels, cells.offsets, strict=True):
        odds += theta[start + level]
    left = total - weight * expit(odds)
    places = [np.zeros(len(left), dtype=np.int64)]
    places += [start + level for level, start in zip(levels, cells.offsets, strict=True)]
    clusters = int(cluster.max()) + 1
    found = coo_array(
        (np.tile(left, len(places)), (np.tile(cluster, len(places)), np.concatenate(places))),
        shape=(clusters, cells.parameters),
    ).tocsr()
    return np.asarray((found.T @ found).toarray()) * clusters / max(clusters - 1, 1)


def _summed(key: Ints, weights: Floats, size: int) -> Floats:
    return np.bincount(key, weights=weights, minlength=size).astype(np.float64, copy=False)


# --- what follows -----------------------------------------------------------------------------


def separate(fitted: Fitted, factor: int, level: float = 0.95) -> list[Separated]:
    """Return what each level of a factor does by itself, all else being as it is.

    The share of a level is averaged over the levels of the other factors as they occur in all
    statements; the interval of a difference is put together of those of both sides (Zou and
    Donner 2008), which keeps it sensible near 0 and 1.
    """
    rates, gradients = _rates(fitted, factor)
    weight = fitted.cells.weight(factor)
    others = np.maximum(weight.sum() - weight, 1e-12)
    rest = (float(weight @ rates) - weight * rates) / others
    rest_gradients = (weight @ gradients - weight[:, None] * gradients) / others[:, None]
    z = normal_quantile(level)
    spread, rest_spread = fitted.deviation(gradients), fitted.deviation(rest_gradients)
    apart = fitted.deviation(gradients - rest_gradients)
    found = []
    for i, n in enumerate(weight.tolist()):
        here = _ends(float(rates[i]), z * float(spread[i]))
        there = _ends(float(rest[i]), z * float(rest_spread[i]))
        both = 2 * float(spread[i] * rest_spread[i])
        same = (spread[i] ** 2 + rest_spread[i] ** 2 - apart[i] ** 2) / both if both > 0 else 0.0
        gap = float(rates[i] - rest[i])
        low = gap - _together(rates[i] - here[0], there[1] - rest[i], float(same))
        high = gap + _together(here[1] - rates[i], rest[i] - there[0], float(same))
        z_here = abs(gap) / max(float(apart[i]), 1e-12)
        count = round(n)
        found.append(
            Separated(
                Estimate(float(rates[i]), *here, count),
                Estimate(gap, max(-1.0, low), min(1.0, high), count),
                float(2 * ndtr(-z_here)),
            )
        )
    return found


def _together(here: float, there: float, same: float) -> float:
    """Return the arm of a difference from the arms of both sides and their correlation."""
    same = min(1.0, max(-1.0, same))
    return math.sqrt(max(here * here + there * there - 2 * same * here * there, 0.0))


def _ends(share: float, reach: float) -> tuple[float, float]:
    """Return the ends of a share's interval, computed in log odds."""
    share = min(max(share, 1e-9), 1 - 1e-9)
    half = reach / (share * (1 - share))
    middle = math.log(share / (1 - share))
    return float(expit(middle - half)), float(expit(middle + half))


def _rates(fitted: Fitted, factor: int) -> tuple[Floats, Floats]:
    """Return the share of each level of a factor, and its gradient by the parameters."""
    cells, theta = fitted.cells, fitted.theta
    others = [i for i in range(len(cells.sizes)) if i != factor]
    rest = count_cells([cells.levels[i] for i in others], [cells.sizes[i] for i in others],
                       cells.n, cells.hits) if others else None  # fmt: skip
    base, share = np.array([theta[0]]), np.ones(1)
    if rest is not None:
        base, share = np.full(len(rest.n), theta[0]), rest.n / rest.n.sum()
        for k, i in enumerate(others):
            base += theta[cells.offsets[i] + rest.levels[k]]
    start, size = cells.offsets[factor], cells.sizes[factor]
    rates, gradients = np.zeros(size), np.zeros((size, cells.parameters))
    for j in range(size):
        right = expit(base + theta[start + j])
        rates[j] = share @ right
        moved = share * right * (1 - right)
        gradients[j, 0] = gradients[j, start + j] = moved.sum()
        for k, i in enumerate(others if rest is not None else []):
            at = cells.offsets[i]
            assert rest is not None  # there are others
            gradients[j, at : at + cells.sizes[i]] = _summed(rest.levels[k], moved, cells.sizes[i])
    return rates, gradients


def variance_shares(fitted: Fitted, seed: int = 0) -> tuple[list[Estimate], Estimate]:
    """Return which part of what makes a statement right or wrong each factor is, and what is left.

    Parts are of the variance of the log odds; a single statement's own chance has pi²/3 of it
    (Nakagawa and Schielzeth 2010). n counts the levels of a factor, or the statements.
    """
    cells = fitted.cells
    rng = np.random.default_rng(seed)
    fixed, fixed_drawn = _fixed_variance(fitted, rng)
    logs = np.log(fitted.spreads)
    drawn = (
        rng.multivariate_normal(logs, fitted.doubt, DRAWS) if len(logs) else np.zeros((DRAWS, 0))
    )
    point = np.concatenate([[fixed], np.exp(2 * logs), [LATENT]])
    many = np.column_stack([fixed_drawn, np.exp(2 * drawn), np.full(DRAWS, LATENT)])
    point, many = point / point.sum(), many / many.sum(axis=1, keepdims=True)
    low, high = np.quantile(many, [0.025, 0.975], axis=0)
    counts = [*cells.sizes, round(float(cells.n.sum()))]
    found = [
        Estimate(float(v), float(min(a, v)), float(max(b, v)), n)
        for v, a, b, n in zip(point, low, high, counts, strict=True)
    ]
    return found[:-1], found[-1]


def _fixed_variance(fitted: Fitted, rng: np.random.Generator) -> tuple[float, Floats]:
    """Return the variance between the levels of the fixed factor without their own uncertainty."""
    cells = fitted.cells
    weight = cells.weight(0) / cells.n.sum()
    size, start = cells.sizes[0], cells.offsets[0]
    centred = np.eye(size) - weight
    covariance = fitted.clustered if _wider(fitted, start, size) else fitted.covariance
    part = centred @ covariance[start : start + size, start : start + size] @ centred.T
    noise = float(weight @ np.diag(part))
    at = centred @ fitted.theta[start : start + size]
    drawn = at + rng.multivariate_normal(np.zeros(size), part, DRAWS, method="eigh")
    # Once for the estimate's own error, once more for what was drawn on top.
    return max(float(weight @ at**2) - noise, 0.0), np.maximum(drawn**2 @ weight - 2 * noise, 0.0)


def _wider(fitted: Fitted, start: int, size: int) -> bool:
    inside = slice(start, start + size)
    return bool(
        np.trace(fitted.clustered[inside, inside]) > np.trace(fitted.covariance[inside, inside])
    )
