"""Small steps the iterating algorithms share: normalising, clamping gold, settling on a label."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.result import choose
from core.consensus.truth.votes import Ints, Longs, Reals, Votes

Real = TypeVar("Real", bound=NDArray[np.floating])


def normalised(score: Reals) -> tuple[Reals, Reals]:
    """Return rows of log weights as probabilities, and the logarithm of each row's sum."""
    if not score.shape[1]:
        return score, np.zeros(len(score))
    top = score.max(axis=1)
    probability = np.exp(score - top[:, None])
    total = probability.sum(axis=1)
    probability /= total[:, None]
    return probability, top + np.log(total)


def clamped(probability: Real, gold: Ints) -> Real:
    """Return the probabilities with 1 at the known class of each task that has one."""
    if not (gold >= 0).any():
        return probability
    known = np.flatnonzero(gold >= 0)
    probability = probability.copy()
    probability[known] = 0.0
    probability[known, gold[known]] = 1.0
    return probability


def settled(votes: Votes, probability: Real, gold: Ints) -> tuple[Ints, Real]:
    """Return each task's label, and the probabilities: those of gold and of tasks without votes set.

    Args:
        votes: The votes.
        probability: Of each class of each task; filled in.
        gold: Known class of each task, -1 where unknown.
    """
    probability[votes.counts == 0] = votes.shares()
    probability = clamped(probability, gold)
    return choose(votes, probability, gold), probability


def accuracies(votes: Votes, probability: Reals) -> tuple[Longs, Reals]:
    """Return how many votes each worker cast, and the expected share that is right; nan without."""
    cast = np.bincount(votes.worker, minlength=votes.workers)
    right = np.bincount(votes.worker, probability[votes.task, votes.label], minlength=votes.workers)
    return cast, np.where(cast > 0, right / np.maximum(cast, 1), np.nan)


def stands_still(before: float, now: float, tolerance: float) -> bool:
    """Return whether an objective has stopped moving, by its relative change."""
    return bool(abs(now - before) <= tolerance * max(abs(before), 1.0))
