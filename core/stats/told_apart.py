"""Can a classifier tell two samples apart: a penalised logistic regression, judged out of fold.

The two-sample test of Lopez-Paz and Oquab (2017): if no classifier does better than a coin on what
it has not seen, the samples are alike as far as their features say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.special import expit, ndtri

from core.stats.distribution_tests import Larger, larger_by_fold, midranks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 5
DIMENSIONS = 64
"""Leading directions of wide features that are looked at; they follow from both samples together."""

PENALTY = 1.0
"""Of squared weights on standardised features, against the mean loss of one fold's images."""

ROUNDS = 25


@dataclass(frozen=True, slots=True)
class ToldApart:
    """How well two samples are told apart.

    Attributes:
        larger: The area under the ROC curve, within folds, with its interval and p.
        score_a, score_b: Probability of each element to be of the second sample, were both equally
            frequent, by a model that had not seen it.
    """

    larger: Larger
    score_a: Floats
    score_b: Floats


def told_apart(
    a: Floats, b: Floats, same_a: Ints, same_b: Ints, seed: int = 0, folds: int = FOLDS
) -> ToldApart:
    """Return how well a classifier tells two samples apart, out of fold.

    Args:
        a: Features of the first sample, shape (n, width); finite.
        b: Of the second.
        same_a: Elements of one number, in whichever sample, stand in one fold: copies of a picture.
        same_b: The same of the second sample.
        seed: Draws the folds.
        folds: How many.
    """
    features = standardised(np.vstack([a, b]))
    second = np.concatenate([np.zeros(len(a), np.bool_), np.ones(len(b), np.bool_)])
    fold = _folds(np.concatenate([same_a, same_b]), second, seed, folds)
    score = np.full(len(features), 0.5)
    for k in range(folds):
        held = fold == k
        seen = second[~held]
        if held.any() and seen.any() and not seen.all():
            weights = _fitted(features[~held], seen)
            score[held] = expit(features[held] @ weights[1:] + weights[0])
    m = len(a)
    judged = larger_by_fold(score[:m], score[m:], fold[:m], fold[m:])
    return ToldApart(judged, score[:m], score[m:])


def ranked(rows: Floats) -> Floats:
    """Return each column's normal scores and their squares: place and spread, whatever the scale.

    What is not finite stands in the middle.
    """
    columns = []
    for column in rows.T:
        known = np.isfinite(column)
        out = np.zeros(len(column))
        if known.sum() > 1:
            rank, _ = midranks(column[known])
            out[known] = ndtri(rank / (known.sum() + 1))
        columns += [out, out**2]
    return np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))


def standardised(rows: Floats) -> Floats:
    """Return features of mean 0 and variance 1, wide ones in their leading directions alone."""
    centred = rows - rows.mean(0)
    if rows.shape[1] > DIMENSIONS:
        square = centred.T @ centred
        width = len(square)
        _, directions = eigh(square, subset_by_index=(width - DIMENSIONS, width - 1))
        centred = centred @ directions
    spread = centred.std(0)
    return np.asarray(centred[:, spread > 1e-9] / spread[spread > 1e-9])


def _folds(same: Ints, second: NDArray[np.bool_], seed: int, folds: int) -> Ints:
    """Return a fold for each element, copies together, both samples spread evenly."""
    rng = np.random.default_rng(seed)
    groups, place = np.unique(same, return_inverse=True)
    holds = np.bincount(place, second, len(groups)) > 0
    fold_of = np.empty(len(groups), np.int64)
    for side in (False, True):
        chosen = np.flatnonzero(holds == side)
        fold_of[rng.permutation(chosen)] = np.arange(len(chosen)) % folds
    return np.asarray(fold_of[place])


def _fitted(features: Floats, second: NDArray[np.bool_]) -> Floats:
    """Return intercept and weights by Newton's method, each sample weighing one half."""
    weight = np.where(second, 0.5 / second.sum(), 0.5 / (~second).sum())
    design = np.column_stack([np.ones(len(features)), features])
    penalty = np.full(design.shape[1], PENALTY / len(features))
    penalty[0] = 1e-9
    found = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        share = expit(design @ found)
        slope = design.T @ (weight * (share - second)) + penalty * found
        curve = (design * (weight * share * (1 - share))[:, None]).T @ design
        step = np.linalg.solve(curve + np.diag(penalty + 1e-10), slope)
        found -= step
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(found)
