"""What a policy's project-wide algorithm believes of every item of a replay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.consensus.policy import Policy
from core.consensus.replay import Fit, Record
from core.consensus.replay_rules import NO_LABEL, Beliefs
from core.consensus.truth.methods import infer
from core.consensus.truth.votes import make_votes


def fit_of(record: Record, policy: Policy, gold: NDArray[np.int32] | None = None) -> Fit | None:
    """Return how a policy's algorithm is fitted to votes; None where it looks at each item alone.

    Args:
        record: The votes; an unanswered question is no vote to it.
        policy: The policy.
        gold: Class of each item it may take as known; -1 for unknown.
    """
    if not policy.fits_project:
        return None
    workers = int(record.worker.max(initial=-1)) + 1
    kept: dict[int, tuple[NDArray[np.intp], Beliefs]] = {}

    def fit(rows: NDArray[np.intp]) -> Beliefs:
        # The last round of a walk, and a walk that used all votes, ask for what was fitted already.
        before = kept.get(len(rows))
        if before is not None and np.array_equal(before[0], rows):
            return before[1]
        told = rows[record.label[rows] != NO_LABEL]
        votes, _ = make_votes(
            record.task[told], record.worker[told], record.label[told],
            tasks=record.tasks, workers=workers, classes=record.classes,
        )  # fmt: skip
        truth = infer(policy.algorithm, votes, gold)
        beliefs = Beliefs(truth.label, np.nan_to_num(truth.confidence))
        kept.clear()
        kept[len(rows)] = rows, beliefs
        return beliefs

    return fit
