"""Votes as three columns of whole numbers: the one form every algorithm of this room takes.

Whole numbers stand for tasks, workers and labels; names live outside. The rows are ordered by task,
then label, then worker, so that no result depends on the order in which votes came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Votes:
    """A set of votes, at most one of a worker on a task.

    Attributes:
        task: Number of the task of each vote, shape (votes,), ascending.
        worker: Number of the worker.
        label: Number of the class said.
        tasks, workers, classes: How many there are; some may have no vote.
    """

    task: Ints
    worker: Ints
    label: Ints
    tasks: int
    workers: int
    classes: int

    def __len__(self) -> int:
        """Return the number of votes."""
        return len(self.task)

    @cached_property
    def starts(self) -> Longs:
        """Return where each task's votes begin, and the end of the last: shape (tasks + 1,)."""
        starts = np.zeros(self.tasks + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.task, minlength=self.tasks), out=starts[1:])
        return starts

    @cached_property
    def counts(self) -> Longs:
        """Return the number of votes on each task, shape (tasks,)."""
        return np.diff(self.starts)

    @cached_property
    def runs(self) -> tuple[Ints, Ints, Longs]:
        """Return task, class and number of votes of each class said of a task, in order."""
        changes = (self.task[1:] != self.task[:-1]) | (self.label[1:] != self.label[:-1])
        firsts = np.flatnonzero(np.append(True, changes))[: len(self)]
        return self.task[firsts], self.label[firsts], np.diff(np.append(firsts, len(self)))

    def by_content(self) -> tuple[Votes, Ints]:
        """Return the votes with workers numbered by what they said, and each worker's number there.

        Sums over workers then come in one order whoever is named how: where rounding decides between two
        answers that explain the votes alike, a name would. Who said the same may change places.
        """
        rows = np.lexsort((self.task, self.worker))
        said = _pack((self.task[rows], self.label[rows]), (self.tasks, self.classes))
        ends = np.cumsum(np.bincount(self.worker, minlength=self.workers))[:-1]
        content = [part.tobytes() for part in np.split(said, ends)]
        order = sorted(range(self.workers), key=content.__getitem__)
        number = np.empty(self.workers, dtype=np.int32)
        number[order] = np.arange(self.workers, dtype=np.int32)
        sizes = (self.tasks, self.workers, self.classes)
        return Votes(*_ordered([self.task, number[self.worker], self.label], sizes), *sizes), number

    def tally(self, weight: ArrayLike | None = None) -> Reals:
        """Return the votes for each class of each task, weighed by worker: shape (tasks, classes).

        Args:
            weight: Weight of each worker, shape (workers,); 1 by default.
        """
        cell = self.task.astype(np.int64) * self.classes + self.label
        weights = None if weight is None else np.asarray(weight, dtype=np.float64)[self.worker]
        size = self.tasks * self.classes
        found = np.bincount(cell, weights, minlength=size).astype(np.float64, copy=False)
        return found.reshape(self.tasks, self.classes)

    def shares(self) -> Reals:
        """Return the share of all votes each class has, shape (classes,); equal without votes."""
        counts = np.bincount(self.label, minlength=self.classes).astype(np.float64)
        total = counts.sum()
        return counts / total if total else np.full(self.classes, 1 / max(self.classes, 1))


def make_votes(
    task: ArrayLike,
    worker: ArrayLike,
    label: ArrayLike,
    *,
    tasks: int | None = None,
    workers: int | None = None,
    classes: int | None = None,
) -> tuple[Votes, int]:
    """Return votes in order, the last of each worker on a task, and how many were replaced.

    Args:
        task: Number of the task of each vote from 0, in the order the votes were cast.
        worker: Number of the worker from 0.
        label: Number of the class from 0.
        tasks, workers, classes: How many there are; by default up to the highest number seen.

    Raises:
        InputError: The columns differ in length, or a number is negative or out of range.
    """
    columns = [_column(c) for c in (task, worker, label)]
    if len({len(c) for c in columns}) > 1:
        raise InputError(f"Votes come as columns of one length, found {[len(c) for c in columns]}.")
    asked = (("task", tasks), ("worker", workers), ("label", classes))
    found = [_size(name, c, n) for (name, n), c in zip(asked, columns, strict=True)]
    sizes = (found[0], found[1], found[2])
    pairs = _pack(columns[:2], sizes[:2])
    ordered = np.sort(pairs)
    replaced = int((ordered[1:] == ordered[:-1]).sum())
    if replaced:
        rows = _latest(pairs)
        columns = [c[rows] for c in columns]
    del pairs, ordered
    return Votes(*_ordered(columns, sizes), *sizes), replaced


def _bits(size: int) -> int:
    return max(size - 1, 0).bit_length()


def _pack(columns: Sequence[NDArray], sizes: Sequence[int]) -> Longs:
    """Return the columns as one number a row, which orders them as they stand."""
    packed = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        packed <<= _bits(size)
        packed |= column
    return packed


def _ordered(columns: list[NDArray], sizes: tuple[int, int, int]) -> tuple[Ints, Ints, Ints]:
    """Return the columns ordered by task, label and worker: by one sort of one number, where it fits."""
    task, worker, label = columns
    if sum(map(_bits, sizes)) > 63:
        rows = np.lexsort((worker, label, task))
        return _narrow(task[rows]), _narrow(worker[rows]), _narrow(label[rows])
    packed = _pack((task, label, worker), (sizes[0], sizes[2], sizes[1]))
    packed.sort()
    people, classes = _bits(sizes[1]), _bits(sizes[2])
    of_worker = _narrow(packed & ((1 << people) - 1))
    packed >>= people
    said = _narrow(packed & ((1 << classes) - 1))
    packed >>= classes
    return _narrow(packed), of_worker, said


def _narrow(column: NDArray) -> Ints:
    return column.astype(np.int32)


def known(votes: Votes, gold: ArrayLike | None) -> Ints:
    """Return the known class of each task, -1 where unknown, for all tasks.

    Raises:
        InputError: There is not one for each task, or one names no class.
    """
    if gold is None:
        return np.full(votes.tasks, -1, dtype=np.int32)
    found = np.asarray(gold)
    if found.shape != (votes.tasks,):
        raise InputError(
            f"Gold has a class or -1 for each of {votes.tasks} tasks, not {found.shape}."
        )
    if votes.tasks and (found.min() < -1 or found.max() >= votes.classes):
        raise InputError(f"Gold names classes 0 to {votes.classes - 1}, or -1; found another.")
    return found.astype(np.int32)


def _column(values: ArrayLike) -> NDArray:
    column = np.asarray(values).ravel()
    return column if len(column) else column.astype(np.int64)


def _size(name: str, column: NDArray, asked: int | None) -> int:
    if column.dtype.kind not in "iu":
        raise InputError(f"A {name} is a whole number, found {column.dtype} values.")
    seen = int(column.max()) + 1 if len(column) else 0
    size = seen if asked is None else asked
    if seen > size or (len(column) and column.min() < 0) or size >= 2**31:
        raise InputError(f"A {name} is a number from 0 to {size - 1}, found another.")
    return size


def _latest(pairs: Longs) -> Longs:
    """Return the rows of the last vote of each worker on each task."""
    order = np.argsort(pairs, kind="stable")
    ends = np.append(pairs[order][1:] != pairs[order][:-1], True)
    return np.asarray(order[ends], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Named:
    """Names beside the numbers: `tasks[3]` is what task 3 is called."""

    tasks: tuple[str, ...]
    workers: tuple[str, ...]
    classes: tuple[str, ...]


def name_votes(
    task: Sequence[str], worker: Sequence[str], label: Sequence[str]
) -> tuple[Votes, Named, int]:
    """Return votes given by names, with the names in alphabetical order, and how many were replaced.

    Raises:
        InputError: The columns differ in length.
    """
    numbered = [
        np.unique(np.asarray(c, dtype=np.str_), return_inverse=True) for c in (task, worker, label)
    ]
    votes, replaced = make_votes(*(code for _, code in numbered))
    return votes, Named(*(tuple(names.tolist()) for names, _ in numbered)), replaced
