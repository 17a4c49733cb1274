"""Tables of how each worker confuses the classes, learnt from expected counts and smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.votes import Reals

FLOOR = 1e-10
"""Least count, so that what was never seen is unlikely, not impossible."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Pseudo-counts, in votes, that each worker's table is given besides their own.

    Attributes:
        right: For each true class, on the same class.
        wrong: For each true class, on each other class.
        expected: For each true class, spread as one would expect who knew only the worker's skill, how
            hard the class is, and which errors all workers make on it.
        skill: Votes added to a worker's skill, as right as all workers are.
        hardness: Votes added to a class's, alike.
        errors: Errors added to each pair of classes, of all workers together.
        share: Tasks added to each class when its share is counted.
        fewest: Votes a task must have to teach anything of its workers. A lone vote tells nothing of
            who cast it; counted all the same, it makes the tables drift until all tasks are one class
            (seen: accuracy 0.18 where the votes' is 0.69, at one vote a task).
    """

    right: float = 0.0
    wrong: float = 0.0
    expected: float = 0.0
    skill: float = 4.0
    hardness: float = 100.0
    errors: float = 5.0
    share: float = 0.0
    fewest: int = 1


PLAIN = Smoothing()
"""As in 1979: no pseudo-counts."""
DIRICHLET = Smoothing(right=1.5, wrong=0.5)
"""The usual symmetric prior: good where each worker cast many votes on few classes."""
SMOOTH = Smoothing(expected=10.0, share=1.0, fewest=2)
"""The default: with few votes it acts as one-coin Dawid-Skene does, with many as the full one."""


@dataclass(frozen=True, eq=False)
class Model:
    """Logarithms of what is believed of workers and classes.

    Attributes:
        emission: log P(says l | truth is j) at [worker · classes + l, j].
        prior: log P(class), shape (classes,).
    """

    emission: Reals
    prior: Reals

    def confusion(self) -> NDArray[np.float32]:
        """Return P(says l | truth is j) at [worker, j, l]."""
        k = len(self.prior)
        tables = np.exp(self.emission, dtype=np.float32, casting="same_kind")
        return np.ascontiguousarray(tables.reshape(-1, k, k).transpose(0, 2, 1))


def fit(counts: Reals, mass: Reals, smoothing: Smoothing) -> Model:
    """Return the model from expected counts: the M step.

    Args:
        counts: Expected votes at [worker · classes + said, true class].
        mass: Expected tasks of each class.
        smoothing: What is added to them.
    """
    k = len(mass)
    tables = counts.reshape(-1, k, k)
    added = np.full((k, k), smoothing.wrong)
    np.fill_diagonal(added, smoothing.right)
    found = tables + added
    if smoothing.expected:
        found += smoothing.expected * expected(tables, smoothing)
    np.maximum(found, FLOOR, out=found)
    found /= found.sum(axis=1, keepdims=True)
    shares = np.maximum(mass + smoothing.share, FLOOR)
    return Model(np.log(found, out=found).reshape(-1, k), np.log(shares / shares.sum()))


def expected(tables: Reals, smoothing: Smoothing) -> Reals:
    """Return the tables to expect from each worker's skill, each class's hardness, and all errors.

    On the log-odds scale a worker's chance to be right on a class is theirs overall plus the class's
    less the mean's; the errors fall as those of all workers do.

    Args:
        tables: Expected votes at [worker, said, true class].
        smoothing: How far each is drawn towards the mean.
    """
    k = tables.shape[1]
    right = tables[:, np.arange(k), np.arange(k)]
    cast = tables.sum(axis=1)
    mean = (right.sum() + 4) / (cast.sum() + 5)  # before any evidence a vote is right 4 times in 5
    skill = _drawn(right.sum(axis=1), cast.sum(axis=1), mean, smoothing.skill)
    ease = _drawn(right.sum(axis=0), cast.sum(axis=0), mean, smoothing.hardness)
    odds = _odds(skill)[:, None] * _odds(ease) / _odds(mean)
    chance = odds / (1 + odds)
    out = (1 - chance)[:, None, :] * _errors(tables.sum(axis=0), smoothing.errors)
    out[:, np.arange(k), np.arange(k)] = chance
    return np.asarray(out)


def _drawn(right: Reals, cast: Reals, mean: float, votes: float) -> Reals:
    return np.asarray((right + votes * mean) / np.maximum(cast + votes, FLOOR))


def _odds(chance: Reals | float) -> Reals:
    sure = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.asarray(sure / (1 - sure))


def _errors(together: Reals, added: float) -> Reals:
    """Return how the errors on each true class (column) fall; the diagonal is 0."""
    errors = together + added + FLOOR
    np.fill_diagonal(errors, 0.0)
    return np.asarray(errors / np.maximum(errors.sum(axis=0), FLOOR))
