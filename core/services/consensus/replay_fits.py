"""What a policy's project-wide algorithm believes of every item of a replay, as a full resolve would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.policy import Policy
from core.consensus.replay import Fit, Record
from core.consensus.replay_rules import NO_LABEL, Beliefs
from core.consensus.truth.model_voter import aligned
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Votes, make_votes
from core.services.consensus.inference import learnt, run_algorithm, run_with_model

Rows = NDArray[np.intp]
DECIMALS = 6
"""Of how sure a fit is, as a resolve rounds it."""


@dataclass(frozen=True, eq=False)
class Beside:
    """What a fit looks at beside the votes.

    Attributes:
        gold: Class of each item that people are learnt from; -1 for none. Never of evaluate items.
        shown: Whether the pre-label was shown with each vote.
        word: What the model says of each item, shape (items, classes), nan for nothing; None where it
            has no vote.
    """

    gold: NDArray[np.int32]
    shown: NDArray[np.bool_]
    word: NDArray[np.float32] | None = None


def fit_of(record: Record, policy: Policy, beside: Beside | None = None) -> Fit | None:
    """Return how a policy's algorithm is fitted to votes; None where it looks at each item alone.

    The fit of the same votes is made once: the last round of a replay and its end ask for the same.
    """
    if not policy.fits_project:
        return None
    kept: list[tuple[Rows, Beliefs]] = []

    def fit(rows: Rows) -> Beliefs:
        if not kept or not np.array_equal(kept[0][0], rows):
            kept[:] = [(rows, _beliefs(record, policy, beside, rows))]
        return kept[0][1]

    return fit


def _beliefs(record: Record, policy: Policy, beside: Beside | None, rows: Rows) -> Beliefs:
    label = np.full(record.tasks, NO_LABEL, dtype=np.int32)
    sure = np.zeros(record.tasks)
    tasks, task = _numbered(record.task[rows], record.tasks)
    people, worker = _numbered(record.worker[rows], int(record.worker.max(initial=-1)) + 1)
    spoke = (record.label[rows] != NO_LABEL) & (record.label[rows] < record.choices)
    told = (task[spoke], worker[spoke])
    votes, _ = make_votes(
        *told, record.label[rows][spoke],
        tasks=len(tasks), workers=len(people), classes=record.choices,
    )  # fmt: skip
    gold = None
    if beside is not None:
        gold = beside.gold[tasks]
        gold[gold >= record.choices] = NO_LABEL
    if policy.model_votes and beside is not None and beside.word is not None:
        shown = aligned(votes, *told, beside.shown[rows][spoke])
        truth: Truth = run_with_model(policy, votes, beside.word[tasks], shown, gold)
    else:
        truth = run_algorithm(policy, votes, gold)
    label[tasks], sure[tasks] = truth.label, np.nan_to_num(truth.confidence)
    if gold is not None:
        _from_votes(policy, votes, truth, tasks, np.flatnonzero(gold >= 0), label, sure)
    return Beliefs(label, np.round(sure, DECIMALS))


def _numbered(column: NDArray[np.int32], size: int) -> tuple[Rows, NDArray[np.int64]]:
    """Return the numbers that occur, ascending, and the place of each row's among them."""
    there = np.bincount(column, minlength=size) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[column]


def _from_votes(
    policy: Policy,
    votes: Votes,
    truth: Truth,
    tasks: Rows,
    known: Rows,
    label: NDArray[np.int32],
    sure: NDArray[np.float64],
) -> None:
    """Put in place what the votes say of items with gold: gold is no vote."""
    if not len(known):
        return
    fitted = learnt(policy, tasks.astype(np.int64), votes, truth)
    for at in known.tolist():
        rows = slice(int(votes.starts[at]), int(votes.starts[at + 1]))
        item = int(tasks[at])
        label[item], sure[item] = NO_LABEL, 0.0
        if rows.start < rows.stop:
            people, said = votes.worker[rows].tolist(), votes.label[rows].tolist()
            found = fitted.posterior(people, said, item)
            label[item] = int(np.argmax(found))
            sure[item] = float(found[label[item]])
