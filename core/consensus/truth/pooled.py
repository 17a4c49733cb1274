"""Pooled Dawid-Skene: a skill for each worker, and one table of how all of them err.

P(says l | truth is j, worker w) is w's skill where l = j, else the rest of it times q(l | j), where q is
shared: between one-coin and full Dawid-Skene, for many workers or classes with few votes each. Source:
the tied confusion matrices of Liu and Wang, "TrueLabel + confusions", ICML 2012. Only pairs of classes
that were said of one task are kept, so memory grows with the votes.
"""

from __future__ import annotations

import numpy as np

from core.consensus.truth._candidates import LEAST, SHRINK, TOLERANCE, Ballot, infer
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Reals, Votes

SPREAD = 5.0
"""Errors for each pair of classes, taken to have been made besides; they fall as the classes are said.

Fewer, and a task with a mistake of its own makes that mistake look common."""


def pooled(
    votes: Votes,
    *,
    gold: Ints | None = None,
    shrink: float = SHRINK,
    tol: float = TOLERANCE,
    rounds: int = 100,
) -> Truth:
    """Find truth, skills and the shared errors by expectation-maximisation.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown; it stays fixed.
        shrink: Votes each worker is taken to have cast besides, as right as all of them together.
        tol: Least change of the log-likelihood, per vote, worth another round.
        rounds: Most rounds.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    return infer(votes, gold, _Shared, shrink, tol, rounds)


class _Shared:
    """Errors fall as those of all workers do, where that class is true."""

    def __init__(self, ballot: Ballot) -> None:
        votes = ballot.votes
        said = votes.label[ballot.vote].astype(np.int64)
        self.true = ballot.label[ballot.candidate]
        keys = self.true * votes.classes + said
        self.keys, self.pair = np.unique(keys, return_inverse=True)
        shares = np.append(votes.shares(), 0.0)
        others = np.maximum(1.0 - shares[self.true], LEAST)
        self.spread = SPREAD * max(votes.classes - 1, 1)
        self.base = self.spread * np.minimum(shares[said] / others, 1.0)

    def errors(self, ballot: Ballot, p: Reals) -> Reals:
        """Return log q of each pair from the errors expected so far."""
        mass = np.where(ballot.same | ballot.is_rest[ballot.candidate], 0.0, p[ballot.candidate])
        seen = np.bincount(self.pair, mass, minlength=len(self.keys))[self.pair]
        total = np.bincount(self.true, mass, minlength=ballot.votes.classes + 1)[self.true]
        return np.log(np.maximum((seen + self.base) / (total + self.spread), LEAST))
