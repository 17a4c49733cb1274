"""Who said what between two answers: the votes of a project, and the pairs people differ on.

Pairs are looked at only where somebody said both, so memory grows with votes and not with
people × classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

MOST_ANSWERS = 12
"""Different answers to one item that are compared two by two."""
NONE = -1


def _no_ints() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Skills:
    """What the project's fit knows of the people of a record.

    Attributes:
        confusion: P(says l | truth is j) at [person, j, l], above 0, shape (people, classes, classes).
        prior: Share of each class, above 0, shape (classes,).
    """

    confusion: NDArray[np.float32]
    prior: Reals


@dataclass(frozen=True, eq=False)
class Record:
    """All live votes on one question, one a person and item.

    Attributes:
        item, person, label: Whole numbers from 0, shape (votes,).
        seconds: Active seconds; nan where unknown.
        items, classes: How many there are.
        settled: Class a lead decided, -1 where none did, shape (items,).
        repeat_item, repeat_same: Silent repeats: on which item, and whether the person said the
            same again.
        common: Class that stands for an item on which nobody differed whatever the pair, -1 if
            there is none: drawings that are all the same.
        skills: What a fit of all votes knows of the people; None where there is none, and the votes
            themselves have to tell.
    """

    item: Ints
    person: Ints
    label: Ints
    seconds: Reals
    items: int
    classes: int
    settled: Ints
    repeat_item: Ints = field(default_factory=_no_ints)
    repeat_same: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    common: int = NONE
    skills: Skills | None = None


@dataclass(frozen=True, eq=False)
class Cases:
    """The disputes.

    Attributes:
        item: Which items, shape (cases,).
        model_class, model_share: The model's likeliest classes, -1 where fewer, and their
            probabilities; shape (cases, any).
        near: Settled classes of the items most alike, -1 where fewer; shape (cases, any).
        unclear: Flags on the item that call the guideline unclear.
    """

    item: Ints
    model_class: Ints
    model_share: Reals
    near: Ints
    unclear: Ints


class Cells:
    """How many votes each answer of each item has, ordered by item, then class."""

    def __init__(self, record: Record) -> None:
        key = record.item * record.classes + record.label
        found, self.count = np.unique(key, return_counts=True)
        self.item, self.label = found // record.classes, found % record.classes
        self.items, self.start, self.per_item = np.unique(
            self.item, return_index=True, return_counts=True
        )
        self.of_vote = np.searchsorted(found, key)


@dataclass(frozen=True, eq=False)
class Contested:
    """Every pair of answers that were both given to an item: `first` < `second`."""

    item: Ints
    first: Ints
    second: Ints
    votes: Ints
    key: Ints


def contested_pairs(cells: Cells, classes: int) -> Contested:
    """Return every pair of answers given to one item, for all items."""
    parts: list[tuple[Ints, Ints]] = []
    for apart in range(1, min(int(cells.per_item.max(initial=0)), MOST_ANSWERS)):
        first = np.flatnonzero(cells.item[:-apart] == cells.item[apart:])
        parts.append((first, first + apart))
    a = np.concatenate([p[0] for p in parts]) if parts else _no_ints()
    b = np.concatenate([p[1] for p in parts]) if parts else _no_ints()
    first, second = cells.label[a], cells.label[b]
    votes = cells.count[a] + cells.count[b]
    return Contested(cells.item[a], first, second, votes, first * classes + second)


def between(
    record: Record, cases: Cases, cells: Cells, contested: Contested, pair: Ints
) -> tuple[Ints, Ints, Reals, Reals, Ints]:
    """Return again, met, camps, camps_n and unclear, as `Findings` has them."""
    size = record.classes
    low, high = np.minimum(pair[:, 0], pair[:, 1]), np.maximum(pair[:, 0], pair[:, 1])
    real = (pair >= 0).all(axis=1)
    key = np.where(real, low * size + high, NONE)
    pairs, pair_of = np.unique(key, return_inverse=True)
    here = np.flatnonzero(np.isin(contested.key, pairs))
    which = np.searchsorted(pairs, contested.key[here])
    count = np.bincount(which, minlength=len(pairs))
    said = np.bincount(cells.label, minlength=size)
    same = said[record.common] if record.common >= 0 else 0
    met = np.where(real, said[low] + said[high] - count[pair_of] + same, 0)
    camps, camps_n = _camps(record, contested, here, which, len(pairs))
    flags = np.zeros(record.items, dtype=np.int64)
    flags[cases.item] = cases.unclear
    unclear = np.bincount(which, flags[contested.item[here]], minlength=len(pairs)).astype(int)
    return (
        np.where(real, count[pair_of] - 1, 0),
        np.maximum(met - 1, 0),
        np.where(real, camps[pair_of], np.nan),
        np.where(real, camps_n[pair_of], 0.0),
        np.where(real, unclear[pair_of], cases.unclear),
    )


def _camps(
    record: Record, contested: Contested, here: Ints, which: Ints, pairs: int
) -> tuple[Reals, Reals]:
    """Return how far people keep to one side of each pair, corrected for chance, and the n of it.

    Two votes of one person on two contested items of the pair agree with probability C; two votes
    of anybody on two items with E. The index is (C - E) / (1 - E), as in Cohen's kappa.
    """
    order = np.argsort(record.item, kind="stable")
    start = np.searchsorted(record.item[order], contested.item[here])
    stop = np.searchsorted(record.item[order], contested.item[here], side="right")
    row = np.repeat(np.arange(len(here)), stop - start)
    step = np.arange(len(row)) - np.repeat(np.cumsum(stop - start) - (stop - start), stop - start)
    vote = order[start[row] + step]
    second = record.label[vote] == contested.second[here][row]
    keep = second | (record.label[vote] == contested.first[here][row])
    who = which[row[keep]] * (int(record.person.max(initial=0)) + 1) + record.person[vote[keep]]
    groups, group = np.unique(who, return_inverse=True)
    n = np.bincount(group, minlength=len(groups)).astype(float)
    x = np.bincount(group, second[keep], minlength=len(groups))
    of = groups // (int(record.person.max(initial=0)) + 1)
    same = np.bincount(of, x * (x - 1) + (n - x) * (n - x - 1), minlength=pairs)
    all_n = np.bincount(of, n * (n - 1), minlength=pairs)
    total, sides = np.bincount(of, n, minlength=pairs), np.bincount(of, x, minlength=pairs)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = sides / total
        chance = share**2 + (1 - share) ** 2
        index = (same / all_n - chance) / (1 - chance)
    return np.where((all_n > 0) & (chance < 1), index, np.nan), all_n / 2
