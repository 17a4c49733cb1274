"""Counting statements inside and outside every value of a column, and of every two columns at once.

Columns are whole numbers a statement, so a slice is a number too and all slices of a column are
counted in one pass. Everything here is arrays with one entry a slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from core.errors import InputError
from core.stats.proportions import two_sided_p

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

Z = 1.959963984540054
EXACT_BELOW, EXACT_EXPECTED = 0.05, 20.0
"""Where fewer than so many are expected, a p-value below this is asked of the exact test."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is measured, one entry a statement.

    Attributes:
        weight: How much each statement counts: 1, or how many boxes or pairs it holds.
        total: Of that, what was right (shares), or the sum of what was measured (means).
        who: Number of the person, from 0; None where no people are looked at.
        shares: Whether `total` is a part of `weight`, so that the figure is a share.
        lower_is_better: Whether a slice with a higher figure is the worse one.
    """

    weight: Floats
    total: Floats
    who: Ints | None
    shares: bool
    lower_is_better: bool

    def __post_init__(self) -> None:
        if len(self.weight) != len(self.total):
            raise InputError("Every statement needs a weight and what was measured of it.")

    @property
    def people(self) -> int:
        """Return how many people there are; 0 for a model."""
        return 0 if self.who is None or not len(self.who) else int(self.who.max()) + 1


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums inside every slice; what is outside follows from those of all statements.

    Attributes:
        first, first_code: Column and value of each slice.
        second, second_code: The same of the second column; -1 where there is one column only.
        n: Weight inside.
        total: What was measured inside.
        squares: Sum of ``total²``, ``total·weight`` and ``weight²`` over statements, shape (3, k).
        within: Sum over people of what each departs from the slice's figure, squared.
        across: The same for the difference between inside and outside.
        apart: The same for the difference between a pair and what is left of its first and of its
            second part, shape (2, k); 0 for slices of one column and where no people are looked at.
    """

    first: Ints
    first_code: Ints
    second: Ints
    second_code: Ints
    n: Floats
    total: Floats
    squares: Floats
    within: Floats
    across: Floats
    apart: Floats

    def __len__(self) -> int:
        return len(self.n)


def joined(parts: list[Counted]) -> Counted:
    """Return all slices in one."""
    if not parts:
        none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Counted(
            none, none, none, none, nothing, nothing, np.zeros((3, 0)), nothing, nothing,
            np.zeros((2, 0)),
        )  # fmt: skip
    names = ("first", "first_code", "second", "second_code", "n", "total", "within", "across")
    by_name = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    squares = np.concatenate([p.squares for p in parts], axis=1)
    return Counted(**by_name, squares=squares, apart=np.concatenate([p.apart for p in parts], 1))


def count(
    facts: Facts,
    columns: list[Codes],
    sizes: list[int],
    first: int,
    second: int = -1,
    fewest: int = 1,
) -> Counted:
    """Return the sums of every value of a column, or of every two values of two columns.

    Args:
        facts: What is measured.
        columns: The value of each statement in each column; -1 where it is in no slice.
        sizes: How many values each column has.
        first: Number of the column.
        second: Number of the other column; -1 for none.
        fewest: Weight below which a slice is left out, inside and outside.
    """
    key, size = _keys(columns, sizes, first, second)
    n = _summed(key, facts.weight, size + 1)[:size]
    kept = np.flatnonzero((n >= fewest) & (facts.weight.sum() - n >= fewest))
    renumbered = np.full(size + 1, len(kept), dtype=np.int64)
    renumbered[kept] = np.arange(len(kept))
    total, squares, within, across = _sums(facts, renumbered[key], len(kept))
    none = np.full(len(kept), -1, dtype=np.int64)
    codes = (kept, none) if second < 0 else np.divmod(kept, sizes[second])
    apart = np.zeros((2, len(kept)))
    if second >= 0 and facts.people > 1:
        for side, part in enumerate((first, second)):
            apart[side] = _apart(facts, renumbered[key], columns[part], sizes[part], codes[side])
    return Counted(
        np.full(len(kept), first), codes[0], np.full(len(kept), second), codes[1],
        n[kept], total, squares, within, across, apart,
    )  # fmt: skip


def _keys(columns: list[Codes], sizes: list[int], first: int, second: int) -> tuple[Ints, int]:
    """Return the number of each statement's slice, the number of slices for those in none."""
    a = columns[first]
    if second < 0:
        return np.where(a < 0, sizes[first], a).astype(np.int64), sizes[first]
    b, size = columns[second], sizes[first] * sizes[second]
    key = a.astype(np.int64) * sizes[second] + b
    return np.where((a < 0) | (b < 0), size, key), size


def _sums(facts: Facts, key: Ints, size: int) -> tuple[Floats, Floats, Floats, Floats]:
    def summed(weights: Floats) -> Floats:
        return _summed(key, weights, size + 1)[:size]

    w, t = facts.weight, facts.total
    total = summed(t)
    squares = np.stack([summed(t * t), summed(t * w), summed(w * w)])
    if facts.people < 2:
        return total, squares, np.zeros(size), np.zeros(size)
    return total, squares, *_by_person(facts, key, size)


def _by_person(facts: Facts, key: Ints, size: int) -> tuple[Floats, Floats]:
    """Return how far people depart from the slice's figure, and from the difference, squared."""
    people = facts.people
    n, t = _of_people(facts, key, size + 1)
    rest_n, rest_t = n.sum(0) - n[:size], t.sum(0) - t[:size]
    inside = _departures(n[:size], t[:size])
    within = (inside**2).sum(1)
    across = ((inside - _departures(rest_n, rest_t)) ** 2).sum(1)
    # Of one person's own answers it is the answers that could have been others, not the person.
    correction = people / (people - 1) * ((n[:size] > 0).sum(1) > 1)
    return within * correction, across * correction


def _apart(facts: Facts, key: Ints, column: Codes, size: int, part: Ints) -> Floats:
    """Return how far people depart from the difference between pairs and the rest of a part, squared.

    Whoever errs more errs so in both, so it says nothing of the difference.

    Args:
        facts: What is measured.
        key: Number of each statement's pair; the number of pairs for those in none.
        column: Value of each statement in the part's column.
        size: How many values it has.
        part: Which of them each pair lies in.
    """
    people = facts.people
    n, t = (found[: len(part)] for found in _of_people(facts, key, len(part) + 1))
    all_n, all_t = _of_people(facts, np.where(column < 0, size, column).astype(np.int64), size + 1)
    rest_n, rest_t = all_n[part] - n, all_t[part] - t
    apart = ((_departures(n, t) - _departures(rest_n, rest_t)) ** 2).sum(1)
    return np.asarray(apart * people / (people - 1) * ((n > 0).sum(1) > 1))


def _of_people(facts: Facts, key: Ints, size: int) -> tuple[Floats, Floats]:
    """Return each person's weight and total in each group, shape (size, people)."""
    assert facts.who is not None  # who asks has looked whether there are people
    place, shape = key * facts.people + facts.who, (size, facts.people)
    cells = size * facts.people
    return (
        _summed(place, facts.weight, cells).reshape(shape),
        _summed(place, facts.total, cells).reshape(shape),
    )


def _summed(key: Ints, weights: Floats, size: int) -> Floats:
    """Return the sum of the weights of each key."""
    return np.bincount(key, weights=weights, minlength=size).astype(np.float64, copy=False)


def _departures(n: Floats, t: Floats) -> Floats:
    """Return each person's part in how a group's figure would move, shape (slices, people)."""
    all_n = np.maximum(n.sum(1, keepdims=True), 1e-12)
    figure = t.sum(1, keepdims=True) / all_n
    return np.asarray((t - figure * n) / all_n)


# --- what follows from the sums ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """Every slice against the rest; arrays of one length.

    Attributes:
        value, low, high: The figure inside, with its 95 % interval.
        rest_n, rest: Weight and figure outside.
        gap, gap_low, gap_high: Inside minus outside.
        p: Two-sided, of "there is no difference"; not adjusted.
        variance, rest_variance: Of both figures.
        design: By how much statements depend on each other: the effective number is n / design.
    """

    value: Floats
    low: Floats
    high: Floats
    rest_n: Floats
    rest: Floats
    gap: Floats
    gap_low: Floats
    gap_high: Floats
    p: Floats
    variance: Floats
    rest_variance: Floats
    design: Floats


def compare(facts: Facts, found: Counted) -> Compared:
    """Return every slice against all other statements.

    Shares have Wilson's and Newcombe's intervals and the score test, means those of the normal
    distribution. Where a statement holds several boxes the image is the unit; where people are
    looked at, no interval is narrower, and no p smaller, than with whole people drawn.
    """
    n, total = found.n, found.total
    rest_n, rest_total = facts.weight.sum() - n, facts.total.sum() - total
    value, rest = total / n, rest_total / rest_n
    gap = value - rest
    plain, by_unit = _variance(facts.shares, value, n, found.squares)
    rest_plain, rest_by_unit = _variance(
        facts.shares, rest, rest_n, _squares_of(facts)[:, None] - found.squares
    )
    unit, rest_unit = np.maximum(plain, by_unit), np.maximum(rest_plain, rest_by_unit)
    variance = np.maximum(unit, found.within)
    low, high = _ends(facts.shares, value, n, plain, unit)
    rest_low, rest_high = _ends(facts.shares, rest, rest_n, rest_plain, rest_unit)
    below, above = np.hypot(value - low, rest_high - rest), np.hypot(high - value, rest - rest_low)
    reach, by_person = _with_people(facts, gap, found.across)
    p = _p_value(
        facts,
        gap,
        n / _design(plain, unit),
        rest_n / _design(rest_plain, rest_unit),
        unit + rest_unit,
    )
    p = np.maximum(_exact(facts, found, rest_n, rest_total, p), by_person)
    wide_low, wide_high = _ends(facts.shares, value, n, plain, variance)
    return Compared(
        value, wide_low, wide_high, rest_n, rest, gap, gap - np.maximum(below, reach),
        gap + np.maximum(above, reach), p, variance, rest_unit, _design(plain, variance),
    )  # fmt: skip


def _design(plain: Floats, variance: Floats) -> Floats:
    """Return how many times wider the variance is than that of single, independent units."""
    found = np.where(plain > 0, variance / np.maximum(plain, 1e-300), 1.0)
    return np.where(found < 1 + 1e-9, 1.0, found)  # rounding is no dependence


def _ends(
    shares: bool, figure: Floats, n: Floats, plain: Floats, variance: Floats
) -> tuple[Floats, Floats]:
    if shares:
        return wilson_ends(figure, n / _design(plain, variance))
    half = Z * np.sqrt(variance)
    return figure - half, figure + half


def wilson_ends(share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's 95 % interval of each share; n may be fractional."""
    scale = 1 + Z * Z / n
    centre = (share + Z * Z / (2 * n)) / scale
    half = Z / scale * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    low = np.where(share <= 0, 0.0, np.maximum(0.0, centre - half))
    return low, np.where(share >= 1, 1.0, np.minimum(1.0, centre + half))


def _squares_of(facts: Facts) -> Floats:
    w, t = facts.weight, facts.total
    return np.array([(t * t).sum(), (t * w).sum(), (w * w).sum()])


def unit_variance(shares: bool, figure: Floats, n: Floats, squares: Floats) -> Floats:
    """Return the variance of figures with the statement as the unit, and no narrower than of single units."""
    return np.maximum(*_variance(shares, figure, n, squares))


def _variance(shares: bool, figure: Floats, n: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Return the variance of a figure as if all its units were single ones, and by statement."""
    by_unit = (squares[0] - 2 * figure * squares[1] + figure**2 * squares[2]) / n**2
    by_unit = np.maximum(by_unit, 0.0)
    if shares:
        return figure * (1 - figure) / n, by_unit
    by_unit = by_unit * n / np.maximum(n - 1, 1)
    return by_unit, by_unit


def _p_value(facts: Facts, gap: Floats, n: Floats, rest_n: Floats, variance: Floats) -> Floats:
    """Return two-sided p: of the score test for shares, of the normal test for means."""
    if facts.shares:
        share = float(facts.total.sum() / max(float(facts.weight.sum()), 1e-300))
        variance = share * (1 - share) * (1 / n + 1 / rest_n)
    z = np.abs(gap) / np.sqrt(np.maximum(variance, 1e-300))
    return np.where(variance > 0, 2 * ndtr(-z), 1.0)


def _with_people(facts: Facts, gap: Floats, across: Floats) -> tuple[Floats, Floats]:
    """Return how far an interval must reach with whole people drawn, and p with them."""
    if facts.people < 2:
        return np.zeros(len(gap)), np.zeros(len(gap))
    moved = np.sqrt(across)
    p = np.where(moved > 0, 2 * ndtr(-np.abs(gap) / np.maximum(moved, 1e-300)), 0.0)
    return Z * moved, p


def _exact(facts: Facts, found: Counted, rest_n: Floats, rest_total: Floats, p: Floats) -> Floats:
    """Return p with the exact test's where few are expected and the answer matters."""
    if not facts.shares:
        return p
    n_all, hits = facts.weight.sum(), facts.total.sum()
    expected = min(hits, n_all - hits) * np.minimum(found.n, rest_n) / max(n_all, 1.0)
    single = found.squares[2] == found.n  # every statement weighs 1
    whole = single & (found.total % 1 == 0) & (rest_total % 1 == 0)
    p = p.copy()
    for i in np.flatnonzero(whole & (expected < EXACT_EXPECTED) & (p < EXACT_BELOW)):
        counts = (found.total[i], found.n[i], rest_total[i], rest_n[i])
        p[i] = two_sided_p(*(round(float(c)) for c in counts))
    return p
