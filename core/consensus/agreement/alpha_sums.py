"""Alpha as a function of sums over items, and what leaving a person out does to it.

The sums are the split, the votes, and the votes for each class. Alpha's slope in the last of these
is a multiple of the totals; with a person left out, of the totals less the few votes that go with
them. So people are taken many at a time, and nobody needs a row of all classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from core.consensus.agreement.estimate import NOTHING
from core.consensus.counts import Floats, Ints, ItemCounts

MOST_CLASSES_SQUARED = 2_000
"""Classes up to which their inner products are kept, 32 MB; beyond, they are too sparse to help."""

MOST_LAID_OUT = 4_000_000
"""Entries up to which a matrix is laid out in full to be looked up in, 32 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Votes by person and item: number of each, and the class said."""

    person: Ints
    item: Ints
    label: Ints

    def part(self, start: int, stop: int, first: int) -> Said:
        """Return some of the votes, their people numbered from the first."""
        rows = slice(start, stop)
        return Said(self.person[rows] - first, self.item[rows], self.label[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Without:
    """What leaving each person out does, each of shape (people,).

    Attributes:
        effect: Alpha less alpha without them; nan where either is undefined.
        first: Sum of the items' influences on it.
        second: Sum of their squares.
    """

    effect: Floats
    first: Floats
    second: Floats


@dataclass(frozen=True, slots=True, eq=False)
class AlphaSums:
    """What alpha is made of, over the items with two or more votes.

    Attributes:
        counts: Votes by item and class.
        table: The same as a matrix, shape (items, classes).
        totals: Votes for each class.
        basis: Of each item the split, the votes, and the totals of what was said, shape (items, 3).
        whole: Of all items the split, the votes, and the squared totals.
        by_class: Inner products of the table and the basis, shape (classes, 3).
        class_gram: Those of the table with itself, where there are few classes.
    """

    counts: ItemCounts
    table: csr_array
    totals: Floats
    basis: Floats
    whole: Floats
    by_class: Floats
    class_gram: Floats | None

    @staticmethod
    def of(counts: ItemCounts) -> AlphaSums:
        """Return the sums of some votes."""
        kept = counts.where(counts.votes >= 2)
        split = (kept.votes * kept.votes - kept.squares) / np.maximum(kept.votes - 1, 1)
        table = kept.matrix()
        totals = np.asarray(table.sum(axis=0), dtype=np.float64).ravel()
        basis = np.column_stack([split, kept.votes, table @ totals])
        whole = np.append(basis[:, :2].sum(axis=0), totals @ totals)
        few = kept.classes <= MOST_CLASSES_SQUARED
        gram = (table.T @ table).toarray() if few else None
        return AlphaSums(kept, table, totals, basis, whole, np.asarray(table.T @ basis), gram)

    def without(self, said: Said, people: int) -> Without:
        """Return what leaving out each of these people does.

        Args:
            said: All their votes on the items with two or more.
            people: How many they are, numbered from 0.
        """
        stays, split = self._left(said)
        before = self.basis[said.item]
        lost = self._lost(said, stays, people)
        along = lost @ self.totals
        other_sums = self.whole - np.column_stack(
            [
                _sums(before[:, 0] - split, said, people),
                _sums(np.where(stays, 1, before[:, 1]), said, people),
                2 * along - _row_sums(lost.multiply(lost)),
            ]
        )
        alpha, slope = _alpha(self.whole[None])
        other, other_slope = _alpha(other_sums)
        # Influences: under either slope with nobody left out, and truly.
        mine = (other_slope[said.person] * before).sum(axis=1)
        mine -= other_slope[said.person, 2] * self._meeting(said, lost)
        at_label = self.totals[said.label] - _at(lost, said.person, said.label)
        one_vote = np.column_stack([before[:, 0] - split, np.ones(len(split)), at_label])
        one_less = mine - (other_slope[said.person] * one_vote).sum(axis=1)
        under = before @ slope[0]
        same, true = under - mine, under - np.where(stays, one_less, 0.0)
        change, scale = slope - other_slope, other_slope[:, 2]
        first = change @ self.whole + scale * along + _sums(true - same, said, people)
        second = self._squares(change, scale, lost)
        second += _sums(true * true - same * same, said, people)
        return Without(alpha - other, first, second)

    def _left(self, said: Said) -> tuple[np.ndarray, Floats]:
        """Return whether each vote's item still counts without the vote, and its split then."""
        counts, item = self.counts, said.item
        left = counts.votes[item] - 1
        squares = counts.squares[item] - 2 * _at(self.table, item, said.label) + 1
        split = (left * left - squares) / np.maximum(left - 1, 1)
        return left >= 2, np.where(left >= 2, split, 0.0)

    def _lost(self, said: Said, stays: np.ndarray, people: int) -> csr_array:
        """Return the votes for each class that go with each person, shape (people, classes)."""
        gone = np.flatnonzero(~stays)
        sizes = self.counts.cells[said.item[gone]]
        cell = _spans(self.counts.starts[said.item[gone]], sizes)
        person = np.append(said.person[stays], np.repeat(said.person[gone], sizes))
        label = np.append(said.label[stays], self.counts.labels[cell])
        votes = np.append(np.ones(int(stays.sum())), self.counts.counts[cell])
        lost = csr_array((votes, (person, label)), shape=(people, self.counts.classes))
        lost.sum_duplicates()
        return lost

    def _meeting(self, said: Said, lost: csr_array) -> Floats:
        """Return how the votes on each vote's item meet those that go with its person."""
        sizes = self.counts.cells[said.item]
        cell = _spans(self.counts.starts[said.item], sizes)
        gone = _at(lost, np.repeat(said.person, sizes), self.counts.labels[cell])
        ends = np.cumsum(sizes)
        found = (
            np.add.reduceat(self.counts.counts[cell] * gone, ends - sizes) if len(ends) else gone
        )
        return np.asarray(found, dtype=np.float64)

    def _squares(self, change: Floats, scale: Floats, lost: csr_array) -> Floats:
        """Return the summed squares of the influences of all items under the change of slope."""
        cross = ((lost @ self.by_class) * change).sum(axis=1)
        plain = ((change @ (self.basis.T @ self.basis)) * change).sum(axis=1)
        return np.asarray(plain + 2 * scale * cross + scale * scale * self._spread(lost))

    def _spread(self, lost: csr_array) -> Floats:
        """Return the sum over items of the square of how they meet what goes with each person."""
        if self.class_gram is not None:
            return _row_sums(lost.multiply(lost @ self.class_gram))
        there = lost @ self.table.T
        return _row_sums(there.multiply(there))


def _alpha(sums: Floats) -> tuple[Floats, Floats]:
    """Return alpha, and its slope in the split, in the votes, and as a multiple of the totals.

    Args:
        sums: The split, the votes, and the squared totals, shape (k, 3).

    Returns:
        Shapes (k,) and (k, 3); nan where alpha is undefined.
    """
    split, n, alike = sums.T
    defined = (n > 1) & (n * n - alike > NOTHING)
    n = np.where(defined, n, np.nan)
    pairs, apart = n * n - n, n * n - alike
    observed, expected = split / n, apart / pairs
    by_expected = observed / expected**2
    grows = (2 * n * pairs - apart * (2 * n - 1)) / pairs**2
    in_votes = observed / (n * expected) + by_expected * grows
    slope = np.column_stack([-1 / (n * expected), in_votes, by_expected * (-2 / pairs)])
    return 1 - observed / expected, slope


def _sums(values: Floats, said: Said, people: int) -> Floats:
    """Return the sum of each person's votes' values."""
    return np.asarray(np.bincount(said.person, values, people), dtype=np.float64)


def _row_sums(matrix: csr_array) -> Floats:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _spans(starts: Ints, sizes: Ints) -> Ints:
    """Return the places from each start on, so many of each, one after the other."""
    before = np.cumsum(sizes) - sizes
    return np.asarray(np.repeat(starts - before, sizes) + np.arange(int(sizes.sum())))


def _at(matrix: csr_array, row: Ints, column: Ints) -> Floats:
    """Return the entries of a matrix at some places, 0 where it has none; its columns are sorted."""
    height, width = matrix.shape
    if height * width <= MOST_LAID_OUT:
        return np.asarray(matrix.toarray()[row, column])
    rows = np.repeat(np.arange(height), np.diff(matrix.indptr))
    keys, asked = rows * width + matrix.indices, row * width + column
    if not len(keys):
        return np.zeros(len(asked))
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, matrix.data[place], 0.0)
