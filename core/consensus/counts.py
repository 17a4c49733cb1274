"""Votes counted by item and class, without a table of people by items.

One sort of the votes gives all the counts; memory grows with the votes, not with people times
items, nor with items times classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from core.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ItemCounts:
    """How often each class was said of each item that anybody voted on.

    Attributes:
        starts: Where each item's cells begin, shape (items,).
        labels: Class code of each cell, shape (cells,), ascending within an item.
        counts: Votes for that class of that item, shape (cells,).
        classes: How many classes there are.
    """

    starts: Ints
    labels: Ints
    counts: Ints
    classes: int

    @cached_property
    def votes(self) -> Ints:
        """Return the number of votes on each item, shape (items,)."""
        return _per_item(self.counts, self.starts)

    @cached_property
    def squares(self) -> Ints:
        """Return each item's summed squares of its counts, shape (items,)."""
        return _per_item(self.counts * self.counts, self.starts)

    @cached_property
    def cells(self) -> Ints:
        """Return the number of cells of each item, shape (items,)."""
        return np.diff(np.append(self.starts, len(self.labels)))

    def kinds(self) -> tuple[ItemCounts, Ints]:
        """Return one item of each distinct pattern of counts, and how many items have it.

        Patterns are told apart by a 64-bit sum of random class numbers: of a million patterns two
        coincide with a chance of about 1 in 40 million.
        """
        number = np.random.default_rng(0).integers(0, 2**64, self.classes, dtype=np.uint64)
        sign = number[self.labels] * self.counts.astype(np.uint64)
        pattern = _per_item(sign, self.starts)
        _, first, repeats = np.unique(pattern, return_index=True, return_counts=True)
        return self._take(first), repeats.astype(np.int64)

    def matrix(self) -> csr_array:
        """Return the counts as a sparse matrix of shape (items, classes)."""
        pointer = np.append(self.starts, len(self.labels))
        shape = (len(self.starts), self.classes)
        return csr_array((self.counts.astype(np.float64), self.labels, pointer), shape=shape)

    def where(self, kept: NDArray[np.bool_]) -> ItemCounts:
        """Return the counts of the items kept."""
        return self._take(np.flatnonzero(kept))

    def _take(self, items: NDArray[np.intp]) -> ItemCounts:
        sizes = self.cells[items]
        starts = np.cumsum(sizes) - sizes
        cell = np.repeat(self.starts[items] - starts, sizes) + np.arange(sizes.sum())
        return ItemCounts(starts, self.labels[cell], self.counts[cell], self.classes)


def count_labels(item: ArrayLike, label: ArrayLike, classes: int | None = None) -> ItemCounts:
    """Return the votes counted by item and class.

    Args:
        item: Whole number of the item of each vote, shape (votes,).
        label: Class code of each vote from 0; a missing vote is simply not there.
        classes: How many classes the schema has; by default up to the highest code seen.

    Raises:
        InputError: The arrays differ in length, or a code is negative or beyond the classes.
    """
    items, labels = np.asarray(item, dtype=np.int64), np.asarray(label, dtype=np.int64)
    if items.shape != labels.shape:
        raise InputError(f"Items and labels differ in length: {items.size} and {labels.size}.")
    known = int(labels.max(initial=-1)) + 1
    if classes is None:
        classes = known
    if known > classes or labels.min(initial=0) < 0:
        raise InputError(f"A class code lies between 0 and {classes - 1}, found another.")
    if len(items) == 0:
        return ItemCounts(items, labels, items, classes)
    if items.min() < 0 or int(items.max()) >= 2**62 // classes:
        items = np.unique(items, return_inverse=True)[1].astype(np.int64)
    key, counts = np.unique(items * classes + labels, return_counts=True)
    of_item = key // classes
    starts = np.flatnonzero(np.append(True, of_item[1:] != of_item[:-1]))
    return ItemCounts(starts, key - of_item * classes, counts, classes)


def _per_item(values: NDArray, starts: Ints) -> NDArray:
    """Return the sum of each item's cells; exact for whole numbers."""
    return np.add.reduceat(values, starts) if len(starts) else values[:0]
