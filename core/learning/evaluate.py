"""Predictions against labels: accuracy with its interval, per class, and who is taken for whom."""

from __future__ import annotations

import numpy as np

from core.learning.values import ClassRow, Evaluation, SetRow, SetScores
from core.stats.bootstrap import percentile_interval
from core.stats.intervals import Estimate, wilson

ENOUGH_TO_EVALUATE = 30
_REPLICATES = 400


def confusion_matrix(true: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    """Return counts, int64 (k, k): rows are true classes, columns predicted ones."""
    return np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)


def overall(on: str, right: int, n: int) -> Evaluation:
    """Return the accuracy of ``right`` out of ``n`` with its Wilson interval."""
    estimate = wilson(right, n)
    return Evaluation(on, n, estimate.value, estimate.low, estimate.high)


def per_class(confusion: np.ndarray, classes: tuple[str, ...]) -> tuple[ClassRow, ...]:
    """Return one row per class in schema order; classes without items have n = 0."""
    counts = confusion.sum(1)
    return tuple(
        class_row(name, int(confusion[i, i]), int(counts[i])) for i, name in enumerate(classes)
    )


def class_row(name: str, right: int, n: int) -> ClassRow:
    """Return a class's accuracy with its Wilson interval."""
    estimate = wilson(right, n)
    return ClassRow(name, estimate.n, estimate.value, estimate.low, estimate.high)


def set_rows(
    truth: np.ndarray, answered: np.ndarray, classes: tuple[str, ...]
) -> tuple[ClassRow, ...]:
    """Return how many of the items that have a class were given it, one row per class.

    Args:
        truth: bool, shape (n, classes).
        answered: As ``truth``.
    """
    return tuple(
        class_row(name, int((truth[:, c] & answered[:, c]).sum()), int(truth[:, c].sum()))
        for c, name in enumerate(classes)
    )


def set_scores(
    truth: np.ndarray,
    table: np.ndarray,
    answered: np.ndarray,
    classes: tuple[str, ...],
    thresholds: tuple[float, ...] = (),
    seed: int = 0,
) -> SetScores:
    """Return mean average precision and F1 by class, with their 95 % intervals.

    Args:
        truth: bool, shape (n, classes).
        table: Probabilities, as ``truth``.
        answered: bool, as ``truth``.
        thresholds: One a class; none: one half.
        seed: Of the bootstrap over items.
    """
    n, k = truth.shape
    found = np.array(
        [average_precision(table[:, c], truth[:, c], np.ones((1, n))) for c in range(k)]
    )
    rows = tuple(
        SetRow(
            name, int(truth[:, c].sum()), None if np.isnan(found[c, 0]) else float(found[c, 0]),
            *f1_of(truth[:, c], answered[:, c]), thresholds[c] if thresholds else 0.5,
        )
        for c, name in enumerate(classes)
    )  # fmt: skip
    if np.isnan(found).all():
        return SetScores(None, None, None, n, rows)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), _REPLICATES)
    again = np.array([average_precision(table[:, c], truth[:, c], drawn) for c in range(k)])
    low, high = percentile_interval(np.nanmean(again[:, ~np.isnan(again).all(0)], axis=0))
    return SetScores(float(np.nanmean(found)), low, high, n, rows)


def average_precision(score: np.ndarray, truth: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the average precision of a ranking, once for each way of counting the items.

    Equal scores count as one step. NaN where nothing that counts is true.

    Args:
        score: Shape (n,), higher is likelier.
        truth: bool, shape (n,).
        counts: How often each item counts, shape (draws, n).
    """
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    end = np.searchsorted(-ranked, -ranked, side="right") - 1  # the last of those that tie
    counts = counts[:, order]
    true = counts * truth[order]
    all_so_far, true_so_far = counts.cumsum(1)[:, end], true.cumsum(1)[:, end]
    with np.errstate(invalid="ignore"):
        return np.asarray((true * true_so_far / np.maximum(all_so_far, 1)).sum(1) / true.sum(1))


def f1_of(
    truth: np.ndarray, answered: np.ndarray
) -> tuple[float | None, float | None, float | None]:
    """Return F1 with its interval: that of the overlap (Jaccard), a proportion of which F1 is a function."""
    either = int((truth | answered).sum())
    share: Estimate = wilson(int((truth & answered).sum()), either)
    f1 = [None if s is None else 2 * s / (1 + s) for s in (share.value, share.low, share.high)]
    return f1[0], f1[1], f1[2]
