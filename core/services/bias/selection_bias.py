"""Selection bias: whether a project's pictures are like those it will be used on, and what it lacks.

Every metadata column, every measured property and the groups of pictures that look alike are
compared between both sets. Where they differ, the values that the reference has and the project has
too few of are holes, told in pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.access import Actor
from core.analytics.cells import Floats
from core.analytics.columns import Kind
from core.errors import InputError, one_of
from core.services.bias.kept import Kept
from core.services.bias.measured import measures_stamp
from core.services.bias.reference_sets import (
    Pictures,
    ReferenceAsk,
    TwoSets,
    embedded_stamp,
    measures_of,
    pictures_to_show,
    two_sets,
)
from core.services.bias.selection_columns import (
    FEWEST_BEHIND,
    PICTURES_A_GROUP,
    Coded,
    coded_columns,
)
from core.services.workspace import Workspace
from core.stats.distribution_tests import chi_squared, distances, kolmogorov_smirnov, larger
from core.stats.intervals import Estimate, wilson
from core.stats.multiple import benjamini_hochberg
from core.stats.proportions import two_sided_p

FALSE_DISCOVERY = 0.05
SHORT = 0.8
"""A value is a hole where the project's share is below this part of the reference's."""

LEAST_SHARE = 0.01
"""Share of the reference below which a value is no hole."""

MOST_HOLES = 60


@dataclass(frozen=True, slots=True)
class CellShare:
    """One value of a column, or a bin: how many of each side have it.

    Attributes:
        low, high: Ends of a bin (low excluded), None where it is open or no bin.
        here, there: Shares with Wilson's interval; their n counts pictures with a value.
        here_count, there_count: Pictures.
    """

    value: str
    low: float | None
    high: float | None
    here: Estimate
    there: Estimate
    here_count: int
    there_count: int


@dataclass(frozen=True, slots=True)
class ColumnTest:
    """One column, compared.

    Attributes:
        test: "chi-squared" or "Kolmogorov-Smirnov".
        here_n, there_n: Pictures with a value.
        variation: Total variation between both, over values or fifths of the reference.
        divergence: Jensen-Shannon divergence of the same, in bits.
        statistic: Of the test.
        above: How often a picture of the reference has more than one of the project; None for words.
        medians: Of the project and of the reference; None for words.
        p, adjusted_p: None where a side has too few pictures with a value.
        cells: In the order of the values; the most frequent first for words.
    """

    column: str
    kind: Kind
    test: str
    here_n: int
    there_n: int
    variation: Estimate
    divergence: Estimate
    statistic: float
    above: Estimate | None
    medians: tuple[float, float] | None
    p: float | None
    adjusted_p: float | None
    cells: tuple[CellShare, ...]

    @property
    def differs(self) -> bool:
        """Return whether both surely differ, after adjusting for all columns."""
        return self.adjusted_p is not None and self.adjusted_p < FALSE_DISCOVERY


@dataclass(frozen=True, slots=True)
class Hole:
    """A value that the reference has and the project has too few of.

    Attributes:
        missing: How many more pictures would give the project the reference's share; the interval
            follows from that of the share. Without a value where no number would do.
        adjusted_p: Of "both have the same share", for all values of all columns.
    """

    column: str
    cell: CellShare
    missing: Estimate
    adjusted_p: float


@dataclass(frozen=True, slots=True)
class SelectionView:
    """A project against a reference.

    Attributes:
        columns: Those that differ most first.
        holes: The largest first.
        notes: What a reader should know of columns that were left out.
        unmeasured_here, unmeasured_there: Pictures not measured yet.
        looked_alike: Whether groups of pictures that look alike could be made.
    """

    sets: TwoSets
    columns: tuple[ColumnTest, ...]
    holes: tuple[Hole, ...]
    notes: tuple[str, ...]
    unmeasured_here: int
    unmeasured_there: int
    looked_alike: bool

    @property
    def could_look_alike(self) -> bool:
        """Return whether there are pictures enough for groups of those that look alike."""
        return len(self.sets.here) + len(self.sets.there) >= 2 * PICTURES_A_GROUP

    @property
    def tested(self) -> int:
        """Return how many columns were tested; p is adjusted for all of them."""
        return sum(c.p is not None for c in self.columns)

    @property
    def differing(self) -> tuple[ColumnTest, ...]:
        """Return the columns that surely differ."""
        return tuple(c for c in self.columns if c.differs)


def selection_bias(ws: Workspace, actor: Actor, slug: str, asked: ReferenceAsk) -> SelectionView:
    """Return how a project's pictures differ from those of a reference.

    Raises:
        Forbidden: The actor may not see figures in both projects.
        NotFound: One of them is not there for the actor.
        InputError: No reference is named, or no item has that value.
        LimitExceeded: It took too long.
    """
    return _compared(ws, two_sets(ws, actor, slug, asked)).view


def selection_pictures(
    ws: Workspace,
    actor: Actor,
    slug: str,
    asked: ReferenceAsk,
    column: str,
    value: str,
    of_reference: bool = True,
) -> Pictures:
    """Return the pictures behind a value of a column, of the reference or of the project.

    Raises:
        Forbidden: The actor may not see figures in both projects.
        NotFound: One of them is not there for the actor.
        InputError: There is no such reference, column or value.
        LimitExceeded: It took too long.
    """
    sets = two_sets(ws, actor, slug, asked)
    coded = {c.name: c for c in _compared(ws, sets).coded}.get(column)
    names = [] if coded is None else [v[0] for v in coded.values]
    if coded is None or value not in names:
        raise InputError(
            f"There is no '{column[:80]}' of '{value[:80]}' to look at.",
            one_of(names or [c.name for c in _compared(ws, sets).coded]),
        )
    inside = (coded.codes == names.index(value)) & (sets.is_there == of_reference)
    ids = np.concatenate([sets.here.ids, sets.there.ids])[inside]
    side = sets.there if of_reference else sets.here
    return pictures_to_show(ws, actor, side.project, ids.tolist())


# --- what is compared ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compared:
    view: SelectionView
    coded: tuple[Coded, ...]


_kept: Kept[_Compared] = Kept(6)


def _compared(ws: Workspace, sets: TwoSets) -> _Compared:
    """Return the comparison; the same one is made once."""
    return _kept.get(
        (ws.root, *sets.key, measures_stamp(ws), embedded_stamp(ws, sets)), lambda: _made(ws, sets)
    )


def _made(ws: Workspace, sets: TwoSets) -> _Compared:
    rows = measures_of(ws, sets)
    unmeasured = np.isnan(rows[:, 0]) if len(rows) else np.zeros(0, np.bool_)
    coded, notes = coded_columns(ws, sets, rows)
    tests = _tested([_test(c, sets) for c in coded])
    ordered = sorted(tests, key=lambda t: (t.p is None, -(t.variation.value or 0.0), t.column))
    view = SelectionView(
        sets,
        tuple(ordered),
        _holes(ordered),
        notes,
        int(unmeasured[: len(sets.here)].sum()),
        int(unmeasured[len(sets.here) :].sum()),
        any(c.kind is Kind.LOOKS for c in coded),
    )
    return _Compared(view, tuple(coded))


# --- the tests ----------------------------------------------------------------------------------


def _test(column: Coded, sets: TwoSets) -> ColumnTest:
    codes, there = column.codes, sets.is_there
    size = len(column.values)
    a = np.bincount(codes[(codes >= 0) & ~there], minlength=size).astype(np.float64)
    b = np.bincount(codes[(codes >= 0) & there], minlength=size).astype(np.float64)
    here_n, there_n = int(a.sum()), int(b.sum())
    cells = _cells(column, a, b)
    nothing = Estimate(None, None, None, here_n + there_n)
    name = "chi-squared" if column.numbers is None else "Kolmogorov-Smirnov"
    if min(here_n, there_n) < sets.asked.fewest:
        return ColumnTest(
            column.name, column.kind, name, here_n, there_n, nothing, nothing, 0.0, None, None,
            None, None, cells,
        )  # fmt: skip
    apart, far = chi_squared(a, b), distances(a, b)
    above, medians = None, None
    if column.numbers is not None:
        known = np.isfinite(column.numbers)
        first, second = column.numbers[known & ~there], column.numbers[known & there]
        apart, above = kolmogorov_smirnov(first, second), larger(first, second).auc
        medians = float(np.median(first)), float(np.median(second))
    return ColumnTest(
        column.name, column.kind, name, here_n, there_n, far.variation, far.divergence,
        apart.statistic, above, medians, apart.p, None, cells,
    )  # fmt: skip


def _cells(column: Coded, a: Floats, b: Floats) -> tuple[CellShare, ...]:
    order = list(range(len(a)))
    if column.numbers is None and column.kind is not Kind.MEASURED:
        order = sorted(order, key=lambda i: (-b[i], -a[i], column.values[i][0]))
    return tuple(
        CellShare(
            *column.values[i],
            wilson(int(a[i]), int(a.sum())),
            wilson(int(b[i]), int(b.sum())),
            int(a[i]),
            int(b[i]),
        )
        for i in order
    )


def _tested(tests: Sequence[ColumnTest]) -> list[ColumnTest]:
    adjusted = benjamini_hochberg([t.p for t in tests])
    return [replace(t, adjusted_p=p) for t, p in zip(tests, adjusted, strict=True)]


def _holes(tests: Sequence[ColumnTest]) -> tuple[Hole, ...]:
    """Return the values with too few pictures, of the columns that differ as a whole."""
    pairs = [(t, c) for t in tests if t.p is not None for c in t.cells]
    ps = benjamini_hochberg(
        [two_sided_p(c.here_count, t.here_n, c.there_count, t.there_n) for t, c in pairs]
    )
    found = [
        Hole(t.column, c, missing(c, t.here_n), p)
        for (t, c), p in zip(pairs, ps, strict=True)
        if t.differs and p is not None and p < FALSE_DISCOVERY and _is_short(t, c)
    ]
    gap = {id(h): (h.cell.there.value or 0.0) - (h.cell.here.value or 0.0) for h in found}
    return tuple(sorted(found, key=lambda h: (-gap[id(h)], h.column, h.cell.value))[:MOST_HOLES])


def _is_short(test: ColumnTest, cell: CellShare) -> bool:
    here, there = cell.here_count / test.here_n, cell.there_count / test.there_n
    return cell.there_count >= FEWEST_BEHIND and there >= LEAST_SHARE and here < SHORT * there


def missing(cell: CellShare, here_n: int) -> Estimate:
    """Return how many more pictures of a value give the project the reference's share of it.

    With m more, (count + m) / (n + m) is the share; its ends give the ends.
    """

    def more(share: float | None) -> float | None:
        if share is None or share >= 1:
            return None
        return float(max(0, math.ceil((share * here_n - cell.here_count) / (1 - share) - 1e-9)))

    share = cell.there
    if more(share.value) is None:
        return Estimate(None, None, None, share.n)
    return Estimate(more(share.value), more(share.low), more(share.high), share.n)
