"""What a policy makes of recorded votes: every item of a one-question project settled at once, in arrays.

Two questions are answered by the same walk through the votes of each item, in the order they were
cast. *Every vote*: what the policy makes of all that is recorded, which is what putting it in force
does. *From the start*: which votes it would have asked for; an item takes its next recorded vote until
the policy is content, and where the record ends before that, the votes missing are counted, not made
up. Where an algorithm fits the whole project it is fitted anew after every such round.

Item by item this is `core.consensus.settle.settle`; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.consensus.policy import Policy
from core.consensus.replay_rules import (
    CODE,
    Beliefs,
    ByVotes,
    Standing,
    plain_posterior,
    settled_by_votes,
)
from core.errors import InputError
from core.labels.state import ItemState

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

NO_LABEL = -1
ABSENT = -2
"""No imported label, as against one that leaves the question unanswered."""
_STEPS = (1, 1, 1, 1, 2, 4, 8, 16, 32, 64)
"""Votes an item may get between two fits; together more than any policy asks for."""
_FEW = 0.001
"""Share of the items that is not worth another fit of all the others."""

Fit = Callable[[NDArray[np.intp]], Beliefs]
"""The rows of the votes that count so far, to what the project-wide algorithm believes of each item."""


@dataclass(frozen=True, eq=False)
class Record:
    """What is recorded of the items of a project that asks one question with one answer.

    Attributes:
        task: Item of each live vote, in the order the votes were cast, shape (votes,).
        worker: Who cast it; nobody twice on an item.
        label: Class said; -1 where the question was left unanswered.
        seconds: Active time it took; nan where unknown.
        tasks, classes: How many there are.
        choices: How many of the classes the question offers; the others were said all the same.
        decided: State a lead's decision gives each item, as a code of `STATES`; -1 for none.
        decided_label: Class decided; -1 for none.
        sent_back: Votes an item sent back needs in all; 0 for an item that was not.
        extra: Votes an item needs beyond the policy's overlap.
        flagged: Whether somebody flagged it after the decision in force.
        imported: Class a file brought along, -1 for an answer without one, -2 for nothing.

    Raises:
        InputError: Columns differ in length, or a number is out of range.
    """

    task: Ints
    worker: Ints
    label: Ints
    seconds: Reals
    tasks: int
    classes: int
    choices: int
    decided: NDArray[np.int8]
    decided_label: Ints
    sent_back: Ints
    extra: Ints
    flagged: Flags
    imported: Ints

    def __post_init__(self) -> None:
        votes = {len(c) for c in (self.task, self.worker, self.label, self.seconds)}
        rows = (self.decided, self.decided_label, self.sent_back, self.extra, self.flagged)
        if len(votes) > 1 or {len(c) for c in (*rows, self.imported)} != {self.tasks}:
            raise InputError("The columns of a record differ in length.")
        for name, column, low, size in (
            ("item", self.task, 0, self.tasks),
            ("class", self.label, NO_LABEL, self.classes),
            ("class", self.decided_label, NO_LABEL, self.classes),
            ("class", self.imported, ABSENT, self.classes),
        ):
            if len(column) and (column.min() < low or column.max() >= size):
                raise InputError(f"A number of an {name} is out of range.")

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Return the rows of the votes by item, as cast within an item."""
        return np.argsort(self.task, kind="stable")

    @cached_property
    def counts(self) -> Longs:
        """Return the number of votes on each item."""
        return np.bincount(self.task, minlength=self.tasks).astype(np.int64, copy=False)

    @cached_property
    def rank(self) -> Longs:
        """Return the how-manieth vote on its item each vote is, from 0, in the record's order."""
        starts = np.cumsum(self.counts) - self.counts
        rank = np.empty(len(self.task), dtype=np.int64)
        rank[self.order] = np.arange(len(self.task)) - np.repeat(starts, self.counts)
        return rank

    @cached_property
    def _pairs(self) -> tuple[Longs, Ints]:
        key = self.task.astype(np.int64) * (self.classes + 1) + (self.label + 1)
        pairs, run = np.unique(key, return_inverse=True)
        return pairs // (self.classes + 1), run.astype(np.int32)

    @property
    def run(self) -> Ints:
        """Return a number of the pair of item and class of each vote, ascending by item."""
        return self._pairs[1]

    @property
    def run_task(self) -> Longs:
        """Return the item of each pair of item and class that was said."""
        return self._pairs[0]

    def needed(self, policy: Policy) -> Longs:
        """Return from how many votes on each item is settled by them."""
        usual = policy.overlap + self.extra.astype(np.int64)
        return np.where(self.sent_back > 0, self.sent_back, usual)


@dataclass(frozen=True, eq=False)
class Replayed:
    """Where a policy leaves each item.

    Attributes:
        state: Code of `STATES`, shape (items,).
        label: Class; -1 for none.
        probability: As `Outcome.probability`; nan for none.
        used: Votes it rests on: all, or those asked for from the start.
        wanted: Votes in all the item should get; 0 where it takes none.
    """

    state: NDArray[np.int8]
    label: Ints
    probability: Reals
    used: Ints
    wanted: Ints

    @property
    def missing(self) -> Longs:
        """Return how many votes more each item would ask for than there are."""
        return np.asarray(np.maximum(self.wanted.astype(np.int64) - self.used, 0), dtype=np.int64)


def replay_all(record: Record, policy: Policy, fit: Fit | None = None) -> Replayed:
    """Return what a policy makes of every recorded vote.

    Args:
        record: The votes.
        policy: The policy.
        fit: What a project-wide algorithm believes; needed where the policy names one.
    """
    walk = _Walk(record, policy)
    while (left := walk.having(record.counts)).size:
        walk.take(left)
    return walk.finish(fit(np.arange(len(record.task))) if fit is not None else None)


def replay_from_start(record: Record, policy: Policy, fit: Fit | None = None) -> Replayed:
    """Return what a policy would have come to, asking for one vote after the other.

    A project-wide algorithm is fitted after every vote an item, and from the fifth round on after
    every two, four, eight, … so that it is fitted at most eleven times. Once at most one item in a
    thousand still asks, it is left at that.
    """
    walk = _Walk(record, policy)
    while (left := walk.having(walk.needed)).size:
        walk.take(left)
    steps = iter(_STEPS)
    open_tasks = np.flatnonzero(record.counts >= walk.needed)
    beliefs = fit(walk.rows_used()) if fit is not None else None
    while open_tasks.size:
        found = walk.settled(open_tasks, beliefs)
        open_tasks = open_tasks[found.state == CODE[ItemState.OPEN]]
        more = open_tasks[walk.standing.votes[open_tasks] < record.counts[open_tasks]]
        if fit is None:
            walk.take(more)
            open_tasks = more
            continue
        asked = next(steps, 0) if more.size > _FEW * record.tasks else 0
        if not asked:
            break
        for _ in range(asked):
            walk.take(more)
            more = more[walk.standing.votes[more] < record.counts[more]]
        beliefs = fit(walk.rows_used())
        # What was settled may not be under the new fit.
        open_tasks = np.flatnonzero(record.counts >= walk.needed)
    return walk.finish(beliefs)


class _Walk:
    """The votes of all items, taken one an item at a time."""

    def __init__(self, record: Record, policy: Policy) -> None:
        self.record, self.policy = record, policy
        self.needed = record.needed(policy)
        self.standing = Standing.empty(record.tasks)
        self._first = np.cumsum(record.counts) - record.counts
        self._said = np.zeros(len(record.run_task), dtype=np.int32)

    def having(self, most: Longs) -> NDArray[np.intp]:
        """Return the items with a recorded vote that is not counted yet, below so many counted."""
        return np.flatnonzero(self.standing.votes < np.minimum(self.record.counts, most))

    def take(self, tasks: NDArray[np.intp]) -> None:
        """Count the next vote of each of these items."""
        rows = self.record.order[self._first[tasks] + self.standing.votes[tasks]]
        run = self.record.run[rows]
        self._said[run] += 1
        self.standing.add(tasks, self.record.label[rows], self._said[run])

    def rows_used(self) -> NDArray[np.intp]:
        """Return the rows of the votes counted so far."""
        return np.flatnonzero(self.record.rank < self.standing.votes[self.record.task])

    def settled(self, tasks: NDArray[np.intp], beliefs: Beliefs | None) -> ByVotes:
        """Return where the votes counted so far leave some items."""
        standing = self.standing.of(tasks)
        mine = None if beliefs is None else beliefs.of(tasks)
        return settled_by_votes(
            standing, self.needed[tasks], self.policy, mine, lambda: self._sure(standing, tasks)
        )

    def _sure(self, standing: Standing, tasks: NDArray[np.intp]) -> Reals:
        ends = np.searchsorted(self.record.run_task, tasks, side="right")
        starts = np.searchsorted(self.record.run_task, tasks, side="left")
        sizes = ends - starts
        own = np.cumsum(sizes) - sizes
        rows = np.repeat(starts - own, sizes) + np.arange(int(sizes.sum()))
        return plain_posterior(standing, self._said[rows], own, self.record.choices)

    def finish(self, beliefs: Beliefs | None) -> Replayed:
        """Return where the items stand, with what leads, flags and files say of them."""
        found = self.settled(np.arange(self.record.tasks), beliefs)
        state, label = found.state.copy(), found.label.copy()
        probability, wanted = found.probability.copy(), found.wanted.copy()

        def put(where: Flags, what: NDArray[np.int8] | int, labels: Ints | int) -> None:
            state[where] = what if isinstance(what, int) else what[where]
            label[where] = labels if isinstance(labels, int) else labels[where]
            probability[where], wanted[where] = np.nan, 0

        record = self.record
        few = self.standing.votes < self.needed
        file = few & (record.imported > ABSENT) & (record.sent_back == 0)
        put(file, CODE[ItemState.IMPORTED], record.imported)
        put(record.flagged, CODE[ItemState.DISPUTE], NO_LABEL)
        put(record.decided >= 0, record.decided, record.decided_label)
        return Replayed(state, label, probability, self.standing.votes.copy(), wanted)
