"""Majority vote: the class that most said, or that most weight said.

Source: the oldest rule there is; as a baseline in Sheng, Provost and Ipeirotis, "Get another label?",
KDD 2008. Ties: the class with more votes overall, then the earlier class (`choose`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.consensus.truth._blocks import ALONE_VOTES, cut, each
from core.consensus.truth.result import Truth, Why, Workers, reasons
from core.consensus.truth.sparse import DENSE_CELLS, NO_LABEL, Candidates, make_candidates, ranks
from core.consensus.truth.votes import Ints, Longs, Reals, Votes, known
from core.errors import InputError


def majority(votes: Votes, *, gold: Ints | None = None) -> Truth:
    """Return the class with the most votes; the probabilities are the shares of the votes.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    sure = known(votes, gold)
    small = len(votes) < ALONE_VOTES or votes.tasks * votes.classes > DENSE_CELLS
    return settle(votes, sure) if small else _counted(votes, sure)


def _counted(votes: Votes, gold: Ints) -> Truth:
    """Do as `settle` does, in one compiled pass: for many votes."""
    from core.consensus.truth._kernels import majority_pass

    table = np.zeros((votes.tasks, votes.classes), dtype=np.float32)
    codes = np.array([Why.NO_VOTES, Why.GOLD, Why.UNANIMOUS, Why.MAJORITY, Why.TIE], dtype=np.int8)
    blocks = cut(votes, 2 * votes.workers)
    hits = np.zeros((len(blocks), votes.workers, 2), dtype=np.int64)
    label, why = np.empty(votes.tasks, dtype=np.int32), np.empty(votes.tasks, dtype=np.int8)
    columns = (votes.starts, votes.worker, votes.label, gold, ranks(votes), codes, table)
    each(blocks, lambda i, block: majority_pass(*block, *columns, hits[i], label, why), None)
    table[label == NO_LABEL] = votes.shares()
    count, right = np.ascontiguousarray(hits.sum(axis=0).T)
    accuracy = np.divide(right, count, out=np.full(votes.workers, np.nan), where=count > 0)
    return Truth(label, table, why, Workers(count, accuracy))


def weighted_majority(votes: Votes, weight: ArrayLike, *, gold: Ints | None = None) -> Truth:
    """Return the class with the most weight; a task voted on by nobody of weight goes by heads.

    Args:
        votes: The votes.
        weight: Of each worker's vote, not negative, shape (workers,).
        gold: Known class of each task, -1 for unknown.

    Raises:
        InputError: There is not one weight for each worker, one is negative or no number, or the gold
            does not fit.
    """
    weights = np.asarray(weight, dtype=np.float64)
    if weights.shape != (votes.workers,) or not np.all(np.isfinite(weights) & (weights >= 0)):
        raise InputError(f"Weights are one number from 0 up for each of {votes.workers} workers.")
    return settle(votes, known(votes, gold), weights)


def settle(votes: Votes, gold: Ints, weight: Reals | None = None) -> Truth:
    """Return labels by the most weight, with each worker's share of votes equal to the label.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown.
        weight: Of each worker; by default all count 1.
    """
    task, label, _ = votes.runs
    score, total = _weighed(votes, weight)
    scored = (task, label, score / total[task])
    rest = np.zeros(votes.tasks)
    found = make_candidates(votes, gold, scored, rest, votes.shares())
    table, best, kept = tabled(votes, gold, found)
    workers = Workers(cast(votes), agreement(votes, best), weight)
    return Truth(best, table, reasons(votes, best, gold), workers, candidates=kept)


def _weighed(votes: Votes, weight: Reals | None) -> tuple[Reals, Reals]:
    """Return the weight of each run of votes, and of each task; by heads where none has weight."""
    task, _, size = votes.runs
    heads = size.astype(np.float64)
    if weight is None or not len(votes):
        return heads, np.maximum(votes.counts, 1).astype(np.float64)
    score = np.add.reduceat(weight[votes.worker], np.cumsum(size) - size)
    total = np.bincount(task, score, minlength=votes.tasks)
    score = np.where(total[task] > 0, score, heads)
    return score, np.where(total > 0, total, np.maximum(votes.counts, 1))


def tabled(
    votes: Votes, gold: Ints, found: Candidates
) -> tuple[NDArray[np.float32], Ints, Candidates | None]:
    """Return probabilities as a table, the labels, and the candidates where the table has no room."""
    label = np.where(gold >= 0, gold, found.best(votes)).astype(np.int32)
    if votes.tasks * votes.classes > DENSE_CELLS:
        return np.empty((0, votes.classes), dtype=np.float32), label, found
    return found.rows(0, votes.tasks), label, None


def cast(votes: Votes) -> Longs:
    """Return how many votes each worker cast, shape (workers,)."""
    return np.bincount(votes.worker, minlength=votes.workers).astype(np.int64, copy=False)


def agreement(votes: Votes, label: Ints) -> Reals:
    """Return the share of each worker's votes equal to the label; nan without votes."""
    right = np.bincount(votes.worker[votes.label == label[votes.task]], minlength=votes.workers)
    with np.errstate(invalid="ignore"):
        return np.asarray(right / cast(votes), dtype=np.float64)
