"""Figures of a replay: what a policy changes against the one in force, what it costs, how right it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.replay import NO_LABEL, Replayed
from core.consensus.replay_rules import CODE, STATES
from core.labels.state import ItemState
from core.stats.intervals import UNDEFINED, Estimate, normal_quantile, wilson

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Course:
    """One policy over the same record, both ways.

    Attributes:
        now: With every recorded vote: what putting it in force does.
        start: Had it been in force from the start.
        now_right, start_right: Of each item 1 where the label equals gold, 0 where not, -1 where there
            is no gold or no label.
        used: Whether each recorded vote would have been asked for from the start.
    """

    now: Replayed
    start: Replayed
    now_right: NDArray[np.int8]
    start_right: NDArray[np.int8]
    used: Flags


@dataclass(frozen=True, slots=True)
class Spent:
    """What it would have taken from the start.

    Attributes:
        votes: Recorded votes it would have asked for.
        per_item: The same per item that was voted on; None without any.
        missing: Votes it would have asked for that were never cast.
        seconds: Active time of those votes whose time is known.
        timed: How many of them these are.
    """

    votes: int
    per_item: float | None
    missing: int
    seconds: float
    timed: int

    def money(self, per_hour: float) -> float | None:
        """Return the price of the votes at a rate per hour; those without a time cost the mean of the
        others, and nothing is said where none has one."""
        if not self.timed:
            return 0.0 if not self.votes else None
        return self.seconds / 3600 * per_hour * self.votes / self.timed


@dataclass(frozen=True, slots=True)
class Figures:
    """One policy in numbers, beside the one in force.

    Attributes:
        changed: Share of the items with a label under either that have another label, or none.
        relabelled, gained, lost: Such items with another label; that only now have one; that lose it.
        balance: Labels of each class.
        states: Items by state; states without any are absent.
        reopen: Items that are settled, or before a lead, and would ask for votes again.
        settles: Items that ask for votes or wait for a lead, and would be settled.
        new_disputes: Items that would newly wait for a lead.
        wanted: Votes the open items would ask for.
        accuracy: Labels equal to gold.
        gap: How much larger that share is than under the policy in force, over the items with gold that
            have a label under both.
        spent: What it would have taken from the start.
        accuracy_from_start, gap_from_start: The same of the labels it would have come to.
    """

    changed: Estimate
    relabelled: int
    gained: int
    lost: int
    balance: tuple[int, ...]
    states: Mapping[ItemState, int]
    reopen: int
    settles: int
    new_disputes: int
    wanted: int
    accuracy: Estimate
    gap: Estimate
    spent: Spent
    accuracy_from_start: Estimate
    gap_from_start: Estimate


def figures(
    course: Course, force: Course, seconds: Reals, voted: int, balance: tuple[int, ...]
) -> Figures:
    """Return a policy's figures against the policy in force.

    Args:
        course: The policy.
        force: The policy in force over the same items.
        seconds: Active time of each recorded vote; nan where unknown.
        voted: Items that anybody voted on.
        balance: Labels of each class under the policy.
    """
    before, after = force.now, course.now
    differs = changed(before, after)
    either = int(((before.label != NO_LABEL) | (after.label != NO_LABEL)).sum())
    gained = int((differs & (before.label == NO_LABEL)).sum())
    lost = int((differs & (after.label == NO_LABEL)).sum())
    was, now = before.state, after.state
    asks, waits = CODE[ItemState.OPEN], CODE[ItemState.DISPUTE]
    unsettled = (was == asks) | (was == waits)
    count = np.bincount(now, minlength=len(STATES))
    return Figures(
        changed=wilson(int(differs.sum()), either),
        relabelled=int(differs.sum()) - gained - lost,
        gained=gained,
        lost=lost,
        balance=balance,
        states={s: int(n) for s, n in zip(STATES, count, strict=True) if n},
        reopen=int(((now == asks) & (was != asks)).sum()),
        settles=int((unsettled & (now != asks) & (now != waits)).sum()),
        new_disputes=int(((now == waits) & (was != waits)).sum()),
        wanted=int(after.missing.sum()),
        accuracy=share(course.now_right),
        gap=paired_gap(course.now_right, force.now_right),
        spent=_spent(course, seconds, voted),
        accuracy_from_start=share(course.start_right),
        gap_from_start=paired_gap(course.start_right, force.start_right),
    )


def changed(before: Replayed, after: Replayed) -> Flags:
    """Return whether each item has another label, or only under one of the two."""
    return np.asarray(before.label != after.label)


def share(right: NDArray[np.int8]) -> Estimate:
    """Return the share that is right of those where that is known, with Wilson's interval."""
    return wilson(int((right == 1).sum()), int((right >= 0).sum()))


def paired_gap(right: NDArray[np.int8], other: NDArray[np.int8]) -> Estimate:
    """Return how much larger one share is than the other over the items of which both are known.

    The interval is Wald's after adding half an item to each of the four cells (Agresti and Min, "Simple
    improved confidence intervals for comparing matched proportions", 2005).
    """
    both = (right >= 0) & (other >= 0)
    n = int(both.sum())
    if not n:
        return UNDEFINED
    better = int((both & (right > other)).sum())
    worse = int((both & (right < other)).sum())
    size, apart = n + 2, better - worse
    spread = math.sqrt(better + worse + 1 - apart * apart / size) / size
    half = normal_quantile(0.95) * spread
    middle = apart / size
    return Estimate(apart / n, max(-1.0, middle - half), min(1.0, middle + half), n)


def moves(before: Replayed, after: Replayed, most: int = 200) -> list[tuple[int, int, int]]:
    """Return how many labels change from which class to which, the most first; -1 stands for none.

    Args:
        before: What is in force.
        after: What would be.
        most: Pairs that are told.
    """
    rows = changed(before, after)
    pairs = np.stack([before.label[rows], after.label[rows]], axis=1)
    found, count = np.unique(pairs, axis=0, return_counts=True)
    order = np.lexsort((found[:, 1], found[:, 0], -count))[:most]
    return [(int(found[i, 0]), int(found[i, 1]), int(count[i])) for i in order]


def _spent(course: Course, seconds: Reals, voted: int) -> Spent:
    used = int(course.used.sum())
    took = seconds[course.used]
    known = np.isfinite(took)
    return Spent(
        votes=used,
        per_item=used / voted if voted else None,
        missing=int(course.start.missing.sum()),
        seconds=float(took[known].sum()),
        timed=int(known.sum()),
    )
