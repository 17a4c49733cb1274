"""Whether a label goes with an attribute: over a whole table, cell by cell, and beyond what is true.

The unit is the item. Several answers on one item are shares of its one unit, so many votes on one
item are no more evidence than one. What varies is then computed from the items themselves, not taken
from the multinomial distribution (Rao and Scott 1981).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, chdtrc, chndtr, ndtr

from core.errors import InputError
from core.stats.intervals import Estimate, normal_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FEWEST_EXPECTED = 5.0
"""Answers expected in a cell below which nothing is said of it (Cochran 1954)."""

FEWEST_MOVED = 0.5
"""Variance, in items, of what is said inside strata below which nothing is said of a cell.

Found on labels drawn without any bias, 150 to 1,000 items of ten classes and seven columns: from 0.5
on at most 7 % of the sets had a cell that looked biased (150 sets each, 5 % meant)."""

LARGE = 1000.0
"""Chi squared from which its distribution off the null is taken to be normal."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said of each item, in shares; a row a label that anybody gave an item.

    Attributes:
        item: Position of the item.
        label: Number of the label.
        share: Part of the item's answers that say so; they add up to 1 for each item.
        items, labels: How many positions and labels there are.
    """

    item: Ints
    label: Ints
    share: Floats
    items: int
    labels: int

    def said(self) -> Flags:
        """Return which items anything was said of."""
        found = np.zeros(self.items, dtype=np.bool_)
        found[self.item] = True
        return found


def answers_of(item: Ints, label: Ints, n: Floats, items: int, labels: int) -> Answers:
    """Return answers as shares of their items.

    Args:
        item: Position of the item of each row.
        label: Number of the label; no two rows have the same item and label.
        n: How many said so, above 0.
        items: How many items there are.
        labels: How many labels.

    Raises:
        InputError: The arrays differ in length.
    """
    if not len(item) == len(label) == len(n):
        raise InputError("Every answer needs an item, a label and a count.")
    total = np.bincount(item, weights=n, minlength=items)
    return Answers(item, label, n / total[item], items, labels)


# --- the whole table --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Association:
    """An attribute and the labels, all values at once.

    Attributes:
        strength: Cramér's V without the bias of small tables (Bergsma 2013), 0 to 1; n counts items.
        p: Of "they are independent".
    """

    strength: Estimate
    p: float | None


NONE = Association(Estimate(None, None, None, 0), None)


def association(codes: Ints, size: int, said: Answers, level: float = 0.95) -> Association:
    """Return how strongly an attribute and the labels go together.

    Args:
        codes: Value of each item, from 0; -1 for items that are left out.
        size: How many values there are.
        said: The answers.
        level: Two-sided confidence.
    """
    table = _Table(codes, size, said)
    rows, columns = table.items > 0, table.share > 0
    smaller = min(int(rows.sum()), int(columns.sum())) - 1
    if smaller < 1:
        return Association(Estimate(None, None, None, round(table.n)), None)
    free = float((rows.sum() - 1) * (columns.sum() - 1))
    expected = np.outer(table.items[rows], table.share[columns])
    seen = table.sums[np.ix_(rows, columns)]
    # How much less than single answers the items' answers vary; 1 where each item has one.
    design = float((table.variance[columns] / table.share[columns]).sum()) / (columns.sum() - 1)
    if design <= 0:
        return Association(Estimate(None, None, None, round(table.n)), None)
    found = float(((seen - expected) ** 2 / expected).sum()) / design
    scale = design / (table.n * smaller)
    low, high = (_beyond(found, free, q) for q in ((1 + level) / 2, (1 - level) / 2))
    ends = [min(1.0, math.sqrt(scale * x)) for x in (max(found - free, 0.0), low, high)]
    value, low, high = ends[0], min(ends[0], ends[1]), max(ends[0], ends[2])
    return Association(Estimate(value, low, high, round(table.n)), float(chdtrc(free, found)))


def _beyond(found: float, free: float, share: float) -> float:
    """Return the non-centrality under which chi squared stays below `found` with this probability."""
    if float(chdtr(free, found)) <= share:
        return 0.0
    low, high = 0.0, 4 * found + 100
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(found, free, middle) > share else (low, middle)
    return (low + high) / 2


def _below(found: float, free: float, beyond: float) -> float:
    if found < LARGE:
        return float(chndtr(found, free, beyond))
    return float(ndtr((found - free - beyond) / math.sqrt(2 * free + 4 * beyond)))


class _Table:
    """Sums of answers by value and label."""

    def __init__(self, codes: Ints, size: int, said: Answers) -> None:
        kept = (codes >= 0) & said.said()
        self.items = np.bincount(codes[kept], minlength=size).astype(np.float64)
        self.n = float(self.items.sum())
        rows = kept[said.item]
        key = codes[said.item[rows]] * said.labels + said.label[rows]
        share, shape = said.share[rows], (size, said.labels)
        cells = size * said.labels
        self.sums = _summed(key, share, cells).reshape(shape)
        self.squares = _summed(key, share**2, cells).reshape(shape)
        n = max(self.n, 1.0)
        self.share = self.sums.sum(0) / n
        self.variance = np.maximum(self.squares.sum(0) / n - self.share**2, 0.0)


def _summed(key: Ints, weights: Floats, size: int) -> Floats:
    return np.bincount(key, weights=weights, minlength=size).astype(np.float64, copy=False)


# --- cell by cell -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cells:
    """Every value against all others, label by label; arrays of shape (values, labels).

    Attributes:
        n: Items of each value, shape (values,).
        inside, outside: Share of answers that say the label, of members and of all others.
        ratio, ratio_low, ratio_high: How many times as often members are called so.
        gap, gap_low, gap_high: Members minus others.
        residual: Departure from independence, in standard errors.
        p: Two-sided; not adjusted.
        is_enough: Whether there is enough to say anything.
    """

    n: Floats
    inside: Floats
    outside: Floats
    ratio: Floats
    ratio_low: Floats
    ratio_high: Floats
    gap: Floats
    gap_low: Floats
    gap_high: Floats
    residual: Floats
    p: Floats
    is_enough: Flags


def cells_of(codes: Ints, size: int, said: Answers, fewest: int = 1, level: float = 0.95) -> Cells:
    """Return how much more often members of each value are called each label.

    Args:
        codes: Value of each item, from 0; -1 for items that are left out.
        size: How many values there are.
        said: The answers.
        fewest: Items below which nothing is said of a value, inside or outside.
        level: Two-sided confidence.
    """
    table, z = _Table(codes, size, said), normal_quantile(level)
    n = table.items[:, None]
    rest = table.n - n
    hits, rest_hits = table.sums, table.sums.sum(0) - table.sums
    inside, outside = hits / np.maximum(n, 1), rest_hits / np.maximum(rest, 1)
    spread = _variance(hits, table.squares, n, table)
    rest_spread = _variance(rest_hits, table.squares.sum(0) - table.squares, rest, table)
    # Half an answer more on both sides keeps what was never said finite (Haldane 1956).
    a, b = (hits + 0.5) / (n + 1), (rest_hits + 0.5) / (rest + 1)
    half = z * np.sqrt(spread / a**2 + rest_spread / b**2)
    reach = z * np.sqrt(spread + rest_spread)
    null = np.sqrt(table.variance * (1 / np.maximum(n, 1) + 1 / np.maximum(rest, 1)))
    residual = np.where(null > 0, (inside - outside) / np.maximum(null, 1e-12), 0.0)
    expected = table.share * np.minimum(n, rest)
    enough = (n >= fewest) & (rest >= fewest) & (expected >= FEWEST_EXPECTED)
    return Cells(
        table.items, inside, outside, a / b, a / b * np.exp(-half), a / b * np.exp(half),
        inside - outside, inside - outside - reach, inside - outside + reach, residual,
        2 * ndtr(-np.abs(residual)), enough & (null > 0),
    )  # fmt: skip


def _variance(hits: Floats, squares: Floats, n: Floats, table: _Table) -> Floats:
    """Return the variance of a share: of the items' own answers; of few by the model of all."""
    n = np.maximum(n, 1)
    share = hits / n
    seen = np.maximum(squares / n - share**2, 0.0)
    smooth = (hits + 0.5) / (n + 1)
    sums = np.maximum(table.sums.sum(0), 1e-12)
    usual = smooth * (1 - smooth) * table.squares.sum(0) / sums
    few = np.minimum(hits, n - hits) < FEWEST_EXPECTED
    return np.asarray(np.where(few, np.maximum(seen, usual), seen) / n)


# --- beyond what is true ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beyond:
    """What is said of members and others that truly are the same; arrays of shape (values, labels).

    Attributes:
        n: Items of each value that have a truth, shape (values,).
        gap, low, high: How much more often members are called the label, among items that truly
            are the same (conditional demographic disparity; Mantel and Haenszel's weights).
        p: Two-sided; not adjusted.
        is_enough: Whether there is enough to say anything.
    """

    n: Floats
    gap: Floats
    low: Floats
    high: Floats
    p: Floats
    is_enough: Flags


def beyond_truth(
    codes: Ints, size: int, said: Answers, truth: Ints, fewest: int = 1, level: float = 0.95
) -> Beyond:
    """Return how much more often members are called each label than others of the same true label.

    An attribute may go with a label because it truly does; within items that truly are the same it
    should go with none.

    Args:
        codes: Value of each item, from 0; -1 for items that are left out.
        size: How many values there are.
        said: The answers.
        truth: True label of each item; -1 where it is not known.
        fewest: Items below which nothing is said of a value, inside or outside.
        level: Two-sided confidence.
    """
    labels, z = said.labels, normal_quantile(level)
    known = (truth >= 0) & (codes >= 0) & said.said()
    at_truth = codes[known] * labels + truth[known]
    n = _summed(at_truth, np.ones(len(at_truth)), size * labels).reshape(size, labels, 1)
    rows = known[said.item]
    at, label, share = said.item[rows], said.label[rows], said.share[rows]
    key = (codes[at] * labels + truth[at]) * labels + label
    shape, cells = (size, labels, labels), size * labels * labels
    hits = _summed(key, share, cells).reshape(shape)
    squares = _summed(key, share**2, cells).reshape(shape)
    rest, rest_hits = n.sum(0) - n, hits.sum(0) - hits
    gap = hits / np.maximum(n, 1) - rest_hits / np.maximum(rest, 1)
    common = n * rest / np.maximum(n + rest, 1)
    weight = common / np.maximum(common.sum(1, keepdims=True), 1e-12)
    stratum = np.maximum(n.sum(0), 1)
    mean = hits.sum(0) / stratum
    # Of all items of a stratum together, as if the attribute made no difference.
    usual = (
        np.maximum(squares.sum(0) / stratum - mean**2, 0.0) * stratum / np.maximum(stratum - 1, 1)
    )
    moved = (common * usual).sum(1)
    together = (weight * gap).sum(1)
    null = np.sqrt((weight**2 * usual / np.maximum(common, 1e-12)).sum(1))
    inside = _within(hits, squares, n, usual) + _within(
        rest_hits, squares.sum(0) - squares, rest, usual
    )
    reach = z * np.sqrt((weight**2 * inside).sum(1))
    p = np.where(null > 0, 2 * ndtr(-np.abs(together) / np.maximum(null, 1e-12)), 1.0)
    members, others = n.sum((1, 2))[:, None], rest.sum((1, 2))[:, None]
    enough = (members >= fewest) & (others >= fewest) & (moved >= FEWEST_MOVED)
    return Beyond(members[:, 0], together, together - reach, together + reach, p, enough)


def _within(hits: Floats, squares: Floats, n: Floats, usual: Floats) -> Floats:
    """Return the variance of each share; never below half of what is usual in its stratum."""
    share = hits / np.maximum(n, 1)
    seen = np.maximum(squares / np.maximum(n, 1) - share**2, 0.0)
    return np.asarray(np.maximum(seen, usual / 2) / np.maximum(n, 1))
