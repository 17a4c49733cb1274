"""What a person does to the agreement: alpha with their votes less alpha without them.

Below 0 the others agree better among themselves. Called the vitality of an annotator (after
Braylan, Alonso and Lease 2022, and the tool iaa-od). Leaving a person out changes the sums of
their items alone, so all people together cost one pass over the votes. The interval is that of
the infinitesimal jackknife over items (Efron 1982), which the bootstrap tends to: drawing
again for each of hundreds of people would take minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from core.consensus.agreement.estimate import NOTHING, columns
from core.consensus.counts import Floats, Ints, ItemCounts, count_labels
from core.errors import InputError
from core.stats.intervals import Estimate, normal_quantile


@dataclass(frozen=True, slots=True)
class Vitality:
    """A person's effect on nominal alpha; n counts their items that others voted on too."""

    person: int
    effect: Estimate


def vitality(
    item: ArrayLike, person: ArrayLike, label: ArrayLike, level: float = 0.95
) -> list[Vitality]:
    """Return each person's effect on alpha, sorted by person; undefined where either alpha is.

    Args:
        item: Whole number of the item of each vote; one vote per person and item.
        person: Whole number of the person.
        label: Class code from 0.
        level: Two-sided confidence.

    Raises:
        InputError: The arrays differ in length, or a code is negative.
    """
    people, row = np.unique(np.asarray(person, dtype=np.int64), return_inverse=True)
    labels = np.asarray(label, dtype=np.int64)
    if len(row) != len(labels):
        raise InputError(f"People and labels differ in length: {len(row)} and {len(labels)}.")
    if len(row) == 0:
        return []
    at = np.unique(np.asarray(item, dtype=np.int64), return_inverse=True)[1].astype(np.int64)
    counts = count_labels(at, labels)
    all_of = _Sums.of(counts)
    place = np.cumsum(counts.votes >= 2) - 1
    shared = np.flatnonzero((counts.votes >= 2)[at])
    # Within a person by item, so that no result depends on the order of the votes.
    order = shared[np.lexsort((at[shared], row[shared]))]
    ends = np.searchsorted(row[order], np.arange(len(people) + 1))
    return [
        Vitality(int(p), all_of.effect(place[at[order[a:b]]], labels[order[a:b]], level))
        for p, a, b in zip(people, ends[:-1], ends[1:], strict=True)
    ]


@dataclass(frozen=True)
class _Sums:
    """What alpha is made of, over the items with two or more votes.

    Attributes:
        counts: Votes by item and class.
        table: Of each item the split, the votes, and the votes for each class.
        total: Column sums of the table.
        gram: The table's inner products of columns.
        cells: Item times classes plus class of each count, ascending.
    """

    counts: ItemCounts
    table: csr_array
    total: Floats
    gram: Floats
    cells: Ints

    @staticmethod
    def of(counts: ItemCounts) -> _Sums:
        kept = counts.where(counts.votes >= 2)
        split = (kept.votes * kept.votes - kept.squares) / np.maximum(kept.votes - 1, 1)
        table = columns([split, kept.votes], kept.matrix())
        total = np.asarray(table.sum(axis=0), dtype=np.float64).ravel()
        owner = np.repeat(np.arange(len(kept.starts)), kept.cells)
        cells = owner * kept.classes + kept.labels
        return _Sums(kept, table, total, (table.T @ table).toarray(), cells)

    def effect(self, items: Ints, said: Ints, level: float) -> Estimate:
        """Return the effect of a person who said so of these items."""
        n, rows = len(items), csr_array(self.table[items])
        votes, before = self.counts.votes[items], np.asarray(rows[:, [0]].todense()).ravel()
        stays = votes >= 3
        split = np.where(stays, self._split_without(items, said), 0.0)
        change = np.asarray(rows[~stays].sum(axis=0), dtype=np.float64).ravel() * -1
        change[0] = (split - before).sum()
        change[1] -= np.count_nonzero(stays)
        change[2:] -= np.bincount(said[stays], minlength=self.counts.classes)
        alpha, slope = _alpha(self.total)
        other, other_slope = _alpha(self.total + change)
        if alpha is None or other is None:
            return Estimate(None, None, None, n)
        mine = rows @ other_slope
        one_less = (split - before) * other_slope[0] - other_slope[1] - other_slope[2 + said]
        without = np.where(stays, mine + one_less, 0.0)
        error = self._error(slope - other_slope, rows @ slope - mine, rows @ slope - without)
        value = alpha - other
        if not error > 0:
            return Estimate(value, None, None, n)
        half = normal_quantile(level) * error
        return Estimate(value, value - half, value + half, n)

    def _split_without(self, items: Ints, said: Ints) -> Floats:
        """Return the split of each item without one vote for a class."""
        counts = self.counts
        own = counts.counts[np.searchsorted(self.cells, items * counts.classes + said)]
        left = counts.votes[items] - 1
        squares = counts.squares[items] - 2 * own + 1
        return np.asarray((left * left - squares) / np.maximum(left - 1, 1), dtype=np.float64)

    def _error(self, slope: Floats, same: Floats, changed: Floats) -> float:
        """Return the standard error of a difference, from each item's influence on it.

        Args:
            slope: Of the difference, were no item changed.
            same: Influences of the changed items under that slope.
            changed: Their true influences.
        """
        items = self.table.shape[0]
        first = slope @ self.total + (changed - same).sum()
        second = slope @ self.gram @ slope + (changed * changed - same * same).sum()
        spread = second - first * first / items
        # What rounding leaves of nothing is nothing.
        if items < 2 or spread <= 1e-12 * max(second, NOTHING):
            return 0.0
        return float(np.sqrt(spread * items / (items - 1)))


def _alpha(sums: Floats) -> tuple[float | None, Floats]:
    """Return alpha and its slope in each sum; None where it is undefined."""
    split, n, totals = sums[0], sums[1], sums[2:]
    pairs, alike = n * n - n, totals @ totals
    if pairs <= 0 or n * n - alike <= NOTHING:
        return None, np.zeros_like(sums)
    observed, expected = split / n, (n * n - alike) / pairs
    slope = np.empty_like(sums)
    by_expected = observed / expected**2
    slope[0] = -1 / (n * expected)
    grows = (2 * n * pairs - (n * n - alike) * (2 * n - 1)) / pairs**2
    slope[1] = observed / (n * expected) + by_expected * grows
    slope[2:] = by_expected * (-2 * totals / pairs)
    return float(1 - observed / expected), slope
