"""Noisy Student: a network teaches the next on images nobody has labelled (Xie et al. 2020).

The teacher says what it thinks of the unlabelled images, seen plainly; those it is sure of
join the labelled ones, evenly by class, and the student learns from both under a stronger
recipe. Images kept for certifying and evaluating never take part, neither as students' nor as
teachers' material.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.learning.tune.values import Lesson

ROUNDS = 2
SURE = 0.8
SHARE = 0.5
"""What an image weighs that no person has labelled, beside one that a person has."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What a teacher passed on in one round.

    Attributes:
        lesson: Labelled rows and those the teacher is sure of.
        taken: Rows the teacher gave a label.
        by_class: How many of them by class number.
    """

    lesson: Lesson
    taken: np.ndarray
    by_class: np.ndarray


def taught(
    lesson: Lesson, free: np.ndarray, probabilities: np.ndarray, sure: float = SURE
) -> Taught:
    """Return the lesson with what a teacher is sure of, evenly by class.

    Args:
        lesson: What people labelled; its other rows are left alone.
        free: Rows that may be taught: neither labelled, nor judged by, nor kept back.
        probabilities: The teacher's, shape (len(free), k).
        sure: Least confidence; for several labels every one must be this far from doubt.
    """
    if lesson.several:
        certainty = np.maximum(probabilities, 1 - probabilities).min(1, initial=1.0)
        chosen = np.flatnonzero(certainty >= sure)
        targets = (probabilities > 0.5).astype(np.float32)
    else:
        chosen = _even(probabilities, sure)
        targets = probabilities.astype(np.float32)  # soft: what it doubts is passed on as doubt
    rows = free[chosen]
    all_targets, weight = lesson.targets.copy(), lesson.weight.copy()
    all_targets[rows] = targets[chosen]
    weight[rows] = SHARE
    learnt = np.sort(np.concatenate([lesson.learnt, rows]))
    counts = (
        np.bincount(probabilities[chosen].argmax(1), minlength=probabilities.shape[1])
        if len(chosen)
        else np.zeros(probabilities.shape[1], dtype=int)
    )
    return Taught(Lesson(all_targets, weight, learnt, lesson.judged, lesson.several), rows, counts)


def _even(probabilities: np.ndarray, sure: float) -> np.ndarray:
    """Return the surest of each class, no class more than three times the median of those found."""
    best, confidence = probabilities.argmax(1), probabilities.max(1, initial=0.0)
    groups = []
    for c in range(probabilities.shape[1]):
        mine = np.flatnonzero((best == c) & (confidence >= sure))
        groups.append(mine[np.argsort(-confidence[mine], kind="stable")])
    sizes = [len(g) for g in groups if len(g)]
    most = int(3 * np.median(sizes)) if sizes else 0
    return np.sort(np.concatenate([g[:most] for g in groups])) if sizes else np.zeros(0, dtype=int)
