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
    columns = [np.asarray(c, dtype=np.int64).ravel() for c in (task, worker, label)]
    if len({len(c) for c in columns}) > 1:
        raise InputError(f"Votes come as columns of one length, found {[len(c) for c in columns]}.")
    asked = (("task", tasks), ("worker", workers), ("label", classes))
    sizes = [_size(name, c, n) for (name, n), c in zip(asked, columns, strict=True)]
    of_task, of_worker, said = columns
    kept = _latest(of_task, of_worker, sizes[1])
    rows = kept[np.lexsort((of_worker[kept], said[kept], of_task[kept]))]
    ordered = (c[rows].astype(np.int32) for c in columns)
    n_tasks, n_workers, n_classes = sizes
    votes = Votes(next(ordered), next(ordered), next(ordered), n_tasks, n_workers, n_classes)
    return votes, len(said) - len(rows)


def _size(name: str, column: Longs, asked: int | None) -> int:
    known = int(column.max(initial=-1)) + 1
    size = known if asked is None else asked
    if known > size or column.min(initial=0) < 0 or size >= 2**31:
        raise InputError(f"A {name} is a number from 0 to {size - 1}, found another.")
    return size


def _latest(task: Longs, worker: Longs, workers: int) -> Longs:
    """Return the rows of the last vote of each worker on each task."""
    pair = task * max(workers, 1) + worker
    order = np.argsort(pair, kind="stable")
    ends = np.append(pair[order][1:] != pair[order][:-1], True) if len(pair) else pair.astype(bool)
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
