"""Scores of only those classes that were said of each task: memory grows with the votes alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.votes import Ints, Longs, Reals, Votes

NO_LABEL = -1
SAME = 1e-5
"""Scores this close, as a share of the higher, are equal."""
DENSE_CELLS = 32_000_000
"""Largest tasks · classes that is answered by a full table of probabilities."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Probabilities of the classes said of each task, all others sharing what is left.

    Attributes:
        starts: Where each task's candidates begin, and the end of the last: shape (tasks + 1,).
        label: Class of each candidate, ascending within a task.
        probability: Of each candidate.
        rest: Of all other classes of each task together, shape (tasks,).
        prior: Share of each class, by which the rest is spread.
    """

    starts: Longs
    label: Longs
    probability: Reals
    rest: Reals
    prior: Reals

    @property
    def task(self) -> Longs:
        """Return the task of each candidate."""
        return np.repeat(np.arange(len(self.rest)), np.diff(self.starts))

    def rows(self, first: int, last: int) -> NDArray[np.float32]:
        """Return the probability of each class of the tasks first ≤ t < last."""
        low, high = self.starts[first], self.starts[last]
        at = (self.task[low:high] - first, self.label[low:high])
        out = np.tile(self.prior, (last - first, 1))
        out[at] = 0.0
        left = out.sum(axis=1)
        scale = np.divide(self.rest[first:last], left, out=np.zeros_like(left), where=left > 0)
        out *= scale[:, None]
        out[at] = self.probability[low:high]
        out /= out.sum(axis=1, keepdims=True)
        return np.asarray(out, dtype=np.float32)

    def best(self, votes: Votes) -> Ints:
        """Return the candidate with the highest probability; the tie rule is that of `choose`."""
        return leading(votes, self.task, self.label, self.probability)

    def of(self, label: Ints) -> Reals:
        """Return the probability of one candidate of each task; nan where it is none."""
        out = np.full(len(self.rest), np.nan)
        task = self.task
        mine = self.label == label[task]
        out[task[mine]] = self.probability[mine]
        return out


def make_candidates(
    votes: Votes,
    gold: Ints,
    scored: tuple[NDArray[np.integer], NDArray[np.integer], Reals],
    rest: Reals,
    prior: Reals,
) -> Candidates:
    """Return the candidates with gold made certain, and for tasks without votes the classes' shares.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown.
        scored: Task, class and probability of each candidate, ordered by task and class.
        rest: Probability of all other classes of each task, shape (tasks,).
        prior: Share of each class.
    """
    sure = gold >= 0
    rest = np.where(sure, 0.0, np.where(votes.counts > 0, rest, 1.0))
    free = ~sure[scored[0]]
    task = np.concatenate([scored[0][free], np.flatnonzero(sure)])
    order = np.argsort(task, kind="stable")
    label = np.concatenate([scored[1][free], gold[sure]])[order]
    probability = np.concatenate([scored[2][free], np.ones(int(sure.sum()))])[order]
    starts = np.searchsorted(task[order], np.arange(votes.tasks + 1))
    return Candidates(starts, label, probability, rest, prior)


def leading(
    votes: Votes, task: NDArray[np.integer], label: NDArray[np.integer], score: Reals
) -> Ints:
    """Return the class with the highest score of each task, -1 where it has none; ties as `choose`.

    Args:
        votes: The votes, for the tie rule.
        task, label, score: Of each candidate, ordered by task.
    """
    best = np.full(votes.tasks, NO_LABEL, dtype=np.int32)
    if not len(task):
        return best
    rank = ranks(votes)
    starts = np.flatnonzero(np.append(True, task[1:] != task[:-1]))
    sizes = np.diff(np.append(starts, len(task)))
    bound = np.repeat(np.maximum.reduceat(score, starts) * (1 - SAME), sizes)
    place = np.where(score >= bound, rank[label], votes.classes)
    best[task[starts]] = np.argsort(rank)[np.minimum.reduceat(place, starts)]
    return best


def ranks(votes: Votes) -> Longs:
    """Return the place of each class by votes overall, the earlier class first of equal ones."""
    rank = np.empty(votes.classes, dtype=np.int64)
    rank[np.argsort(-votes.shares(), kind="stable")] = np.arange(votes.classes)
    return rank
