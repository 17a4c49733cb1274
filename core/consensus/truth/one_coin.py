"""One-coin Dawid-Skene: each worker is right with one probability, and errs to all other classes alike.

Source: Ghosh, Kale and McAfee, "Who moderates the moderators?", EC 2011; Zhang, Chen, Zhou and Jordan,
"Spectral methods meet EM", JMLR 17, 2016 (section 2). For few votes a worker.
"""

from __future__ import annotations

import numpy as np

from core.consensus.truth._candidates import SHRINK, TOLERANCE, Ballot, infer
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Reals, Votes


def one_coin(
    votes: Votes,
    *,
    gold: Ints | None = None,
    shrink: float = SHRINK,
    tol: float = TOLERANCE,
    rounds: int = 100,
) -> Truth:
    """Find truth and skills by expectation-maximisation, from the shares of the votes.

    Args:
        votes: The votes.
        gold: Known class of each task, -1 for unknown; it stays fixed.
        shrink: Votes each worker is taken to have cast besides, as right as all of them together.
        tol: Least change of the log-likelihood, per vote, worth another round.
        rounds: Most rounds.

    Raises:
        InputError: The gold does not fit the tasks or classes.
    """
    return infer(votes, gold, lambda _: _Alike(), shrink, tol, rounds)


class _Alike:
    """Errors fall on every other class alike."""

    def errors(self, ballot: Ballot, p: Reals) -> Reals:
        others = max(ballot.votes.classes - 1, 1)
        return np.full(len(ballot.vote), -np.log(others))
