"""A provisional label right after a vote: one task's E step under the last full model.

The full run decides later. Source: the E step of Dawid and Skene, 1979; refitting only the worker at hand
is the incremental EM of Neal and Hinton, "A view of the EM algorithm", 1998.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.consensus.truth.confusion import FLOOR
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Reals
from core.errors import InputError


@dataclass(frozen=True, eq=False)
class Known:
    """What the last full run believes, ready for single tasks.

    Attributes:
        confusion: P(says l | truth is j) at [worker, j, l].
        prior: Share of each class.
        votes: How many votes each worker had.
        newcomer: Table of a worker the run has not met: the mean of all, by votes.
    """

    confusion: NDArray[np.float32]
    prior: Reals
    votes: Reals
    newcomer: Reals


def known_from(truth: Truth) -> Known:
    """Return what a run of Dawid-Skene believes.

    Raises:
        InputError: The run has no confusion tables.
    """
    confusion = truth.workers.confusion
    if confusion is None or truth.prior is None:
        raise InputError("A provisional label needs a run of Dawid-Skene; this run has no tables.")
    votes = truth.workers.votes.astype(np.float64)
    weight = votes if votes.sum() else np.ones(len(votes))
    k = len(truth.prior)
    mean = (
        np.tensordot(weight, confusion, 1) / weight.sum() if len(votes) else np.full((k, k), 1 / k)
    )
    return Known(confusion, truth.prior, votes, mean)


def provisional(known: Known, worker: ArrayLike, label: ArrayLike, *, gold: int = -1) -> Reals:
    """Return the probability of each class of one task from all its votes.

    Args:
        known: The last full run.
        worker: Number of the worker of each vote; one the run has not met counts as the mean worker.
        label: Class of each vote.
        gold: Class of the task if known, else -1.

    Raises:
        InputError: The columns differ in length, or name no class or worker.
    """
    people, said = np.atleast_1d(np.asarray(worker)), np.atleast_1d(np.asarray(label))
    k = len(known.prior)
    if people.shape != said.shape or np.any((said < 0) | (said >= k)) or np.any(people < 0):
        raise InputError(f"Each vote has a worker and a class from 0 to {k - 1}; found others.")
    if gold >= k:
        raise InputError(f"Gold is a class from 0 to {k - 1} or -1, found {gold}.")
    if gold >= 0:
        return np.asarray(np.eye(k)[gold])
    z = np.log(known.prior)
    for person, class_said in zip(people.tolist(), said.tolist(), strict=True):
        table = known.confusion[person] if person < len(known.confusion) else known.newcomer
        z = z + np.log(np.maximum(table[:, class_said], FLOOR))
    p = np.exp(z - z.max())
    return np.asarray(p / p.sum())


def with_vote(known: Known, worker: int, label: int, probability: Reals) -> Known:
    """Return what is believed once one vote is counted in its worker's table; the others stay.

    The table is taken as worth the worker's votes, spread over the true classes by their shares.

    Args:
        known: The last full run; unchanged.
        worker: A worker of that run.
        label: Class said.
        probability: Of each class of the task, with that vote.

    Raises:
        InputError: The run has not met the worker.
    """
    if not 0 <= worker < len(known.confusion):
        raise InputError(
            f"The last run knows workers 0 to {len(known.confusion) - 1}, not {worker}."
        )
    counts = known.confusion[worker] * (known.votes[worker] * known.prior + 1.0)[:, None]
    counts[:, label] += probability
    confusion, votes = known.confusion.copy(), known.votes.copy()
    confusion[worker] = counts / counts.sum(axis=1, keepdims=True)
    votes[worker] += 1
    return Known(confusion, known.prior, votes, known.newcomer)
