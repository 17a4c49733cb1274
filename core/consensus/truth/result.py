"""What every algorithm of this room gives back: labels, probabilities, the workers, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.sparse import NO_LABEL, SAME, Candidates
from core.consensus.truth.votes import Ints, Longs, Reals, Votes

ROWS = 65_536
"""Tasks looked at together, so that no second table of all of them is made."""


class Why(IntEnum):
    """Why a task has its label."""

    NO_VOTES = 0
    """Nobody voted; there is no label, the probabilities are the classes' shares."""
    GOLD = 1
    """The answer was known."""
    UNANIMOUS = 2
    MAJORITY = 3
    """The class with the most votes, though not all say it."""
    TIE = 4
    """Several classes have as many votes; the tie rule, or what is known of the workers, chose."""
    WEIGHED = 5
    """Another class than the one with the most votes: what is known of the workers outweighed it."""


@dataclass(frozen=True, eq=False)
class Workers:
    """What was learnt of the workers.

    Attributes:
        votes: How many votes each cast, shape (workers,).
        accuracy: The share of their votes that is right, weighed by how common the classes are, as the
            algorithm believes; nan without votes.
        weight: How much a vote counts, where the algorithm has one number for it; else None.
        confusion: P(says l | truth is j) at [worker, j, l]; None where the algorithm has none.
    """

    votes: Longs
    accuracy: Reals
    weight: Reals | None = None
    confusion: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Truth:
    """Labels derived from votes.

    Attributes:
        label: Class of each task, shape (tasks,); -1 where nobody voted.
        probability: Of each class of each task, shape (tasks, classes); rows sum to 1. No rows where
            that would be too large: then `candidates` has them. `row` reads either.
        why: Code of `Why` for each task.
        workers: What was learnt of the workers.
        iterations: Rounds until the end; 0 where there are none.
        converged: Whether the algorithm ended by itself.
        log_likelihood: Of the votes under the model, where it has one.
        method: The algorithm that answered, where it is another than the one asked for.
        candidates: The probabilities where a full table would be too large, else None.
        prior: Share of each class, where the algorithm believes in one, shape (classes,).
    """

    label: Ints
    probability: NDArray[np.floating]
    why: NDArray[np.int8]
    workers: Workers
    iterations: int = 0
    converged: bool = True
    log_likelihood: float | None = None
    method: str = ""
    candidates: Candidates | None = None
    prior: Reals | None = None

    def row(self, task: int) -> Reals:
        """Return the probability of each class of one task, however they are kept."""
        if self.candidates is not None:
            return np.asarray(self.candidates.rows(task, task + 1)[0], dtype=np.float64)
        return np.asarray(self.probability[task], dtype=np.float64)

    @property
    def confidence(self) -> Reals:
        """Return the probability of each task's label; nan where there is none."""
        if self.candidates is not None:
            return self.candidates.of(self.label)
        best = self.probability.max(axis=1, initial=0.0).astype(np.float64)
        return np.where(self.label == NO_LABEL, np.nan, best)


def choose(votes: Votes, score: NDArray[np.floating], gold: Ints | None = None) -> Ints:
    """Return the class with the highest score of each task, gold where known, -1 where nobody voted.

    The tie rule: of equal scores (to a hundred-thousandth) the class with more votes overall wins,
    then the earlier class. It depends on no order of votes and on no name; what rounding leaves of a
    tie decides nothing.

    Args:
        votes: The votes.
        score: Of each class of each task, not negative, shape (tasks, classes).
        gold: Known class of each task, -1 where unknown.
    """
    label = np.full(votes.tasks, NO_LABEL, dtype=np.int32)
    order = np.argsort(-votes.shares(), kind="stable")
    for first in range(0, votes.tasks if votes.classes else 0, ROWS):
        part = score[first : first + ROWS]
        bound = part.max(axis=1, keepdims=True) * score.dtype.type(1 - SAME)
        label[first : first + ROWS] = order[np.argmax(part[:, order] >= bound, axis=1)]
    label[votes.counts == 0] = NO_LABEL
    if gold is not None:
        label[gold >= 0] = gold[gold >= 0]
    return label


def reasons(votes: Votes, label: Ints, gold: Ints | None = None) -> NDArray[np.int8]:
    """Return the code of `Why` for each task, by how its label stands to the plain count of votes.

    Args:
        votes: The votes.
        label: Class chosen for each task, -1 for none.
        gold: Known class of each task, -1 where unknown.
    """
    task, said, size = votes.runs
    most, mine = np.zeros((2, votes.tasks), dtype=np.int64)
    np.maximum.at(most, task, size)
    leaders = np.bincount(task[size == most[task]], minlength=votes.tasks)
    same = said == label[task]
    mine[task[same]] = size[same]
    why = np.full(votes.tasks, Why.WEIGHED, dtype=np.int8)
    why[mine == most] = Why.MAJORITY
    why[(mine == most) & (leaders > 1)] = Why.TIE
    why[(mine == votes.counts) & (leaders == 1)] = Why.UNANIMOUS
    why[votes.counts == 0] = Why.NO_VOTES
    if gold is not None:
        why[gold >= 0] = Why.GOLD
    return why
