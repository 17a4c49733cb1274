"""Predictions against labels: accuracy with its interval, per class, and who is taken for whom."""

from __future__ import annotations

import numpy as np

from core.learning.values import ClassRow, Evaluation
from core.stats.intervals import wilson

ENOUGH_TO_EVALUATE = 30


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
