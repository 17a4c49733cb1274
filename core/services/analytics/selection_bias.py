"""Selection bias: whether a project's pictures are like those it will be used on, and what it lacks.

Every metadata column, every measured property and the groups of pictures that look alike are
compared between both sets. Where they differ, the values that the reference has and the project has
too few of are holes, told in pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from core.access import Actor
from core.analytics.cells import Codes, Floats
from core.analytics.columns import Kind, read_metadata
from core.errors import InputError
from core.intake.measures import NAMES
from core.learning.clusters import grouped
from core.services.analytics.kept import Kept
from core.services.analytics.measured import measures_stamp
from core.services.analytics.reference_sets import (
    Pictures,
    ReferenceAsk,
    TwoSets,
    measures_of,
    metadata_of,
    pictures_to_show,
    two_sets,
    vectors_of,
)
from core.services.analytics.slice_columns import LOOKS, MOST_GROUPS, RESERVED
from core.services.workspace import Workspace
from core.stats.distribution_tests import chi_squared, distances, kolmogorov_smirnov, larger
from core.stats.intervals import Estimate, wilson
from core.stats.multiple import benjamini_hochberg
from core.stats.proportions import two_sided_p

FALSE_DISCOVERY = 0.05
LISTED_NUMBERS = 12
"""A column with up to so many different numbers is a list of values; a longer one is cut in fifths."""

FIFTHS = (0.2, 0.4, 0.6, 0.8)
SHORT = 0.8
"""A value is a hole where the project's share is below this part of the reference's."""

FEWEST_BEHIND, LEAST_SHARE = 5, 0.01
"""Reference pictures, and share of the reference, below which a value is no hole."""

MOST_HOLES = 60
PICTURES_A_GROUP = 40


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
            "Choose one from the list.",
        )
    inside = (coded.codes == names.index(value)) & (sets.is_there == of_reference)
    ids = np.concatenate([sets.here.ids, sets.there.ids])[inside]
    side = sets.there if of_reference else sets.here
    return pictures_to_show(ws, actor, side.project, ids.tolist())


# --- what is compared ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Coded:
    """A column of both sets: a code a picture, -1 for none; numbers where it has any."""

    name: str
    kind: Kind
    codes: Codes
    values: tuple[tuple[str, float | None, float | None], ...]
    numbers: Floats | None = None


@dataclass(frozen=True, slots=True)
class _Compared:
    view: SelectionView
    coded: tuple[_Coded, ...]


_kept: Kept[_Compared] = Kept(6)


def _compared(ws: Workspace, sets: TwoSets) -> _Compared:
    """Return the comparison; the same one is made once."""
    return _kept.get((ws.root, *sets.key, measures_stamp(ws)), lambda: _made(ws, sets))


def _made(ws: Workspace, sets: TwoSets) -> _Compared:
    rows = measures_of(ws, sets)
    unmeasured = np.isnan(rows[:, 0]) if len(rows) else np.zeros(0, np.bool_)
    metadata, notes = _metadata(sets)
    coded = (*metadata, *_measured(rows, sets), *_looks(ws, sets)) if sets.is_enough else ()
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


def _metadata(sets: TwoSets) -> tuple[list[_Coded], tuple[str, ...]]:
    """Return the metadata columns that both sides fill in, and what is to be said of the others."""
    ids = np.concatenate([sets.here.ids, sets.there.ids])
    order = np.argsort(ids)
    table = metadata_of(sets)
    read = read_metadata(table, ids[order], FEWEST_BEHIND, RESERVED)
    numbers = _numbers(table, ids[order])
    found, notes, seen = [], list(read.notes), set()
    for column in read.columns:
        if column.family == sets.column:
            continue
        codes = np.full(len(ids), -1, dtype=np.int32)
        codes[order] = column.codes
        names = [v.name for v in column.values]
        codes[np.isin(codes, [i for i, n in enumerate(names) if n is None])] = -1
        known = [int((codes[side] >= 0).sum()) for side in (~sets.is_there, sets.is_there)]
        if min(known) < sets.asked.fewest:
            notes += [_one_sided(column.name, *known)] if column.family not in seen else []
            seen.add(column.family)
        elif column.name in numbers:
            back = np.full(len(ids), np.nan)
            back[order] = numbers[column.name]
            found.append(_of_numbers(column.name, Kind.METADATA, back, sets.is_there))
        else:
            values = tuple(
                (n or "", v.low, v.high) for n, v in zip(names, column.values, strict=True)
            )
            found.append(_Coded(column.name, Kind.METADATA, codes, values))
    return found, tuple(notes)


def _numbers(table: pa.Table, ids: np.ndarray) -> dict[str, Floats]:
    """Return the columns that hold numbers alone, one number an item."""
    keys = np.array(table["key"].to_pylist(), dtype=object)
    items, numbers = table["item_id"].to_numpy(), table["number"].to_numpy().astype(np.float64)
    found = {}
    for key in dict.fromkeys(keys.tolist()):
        own = keys == key
        if np.isfinite(numbers[own]).all():
            out = np.full(len(ids), np.nan)
            out[np.searchsorted(ids, items[own])] = numbers[own]
            found[key] = out
    return found


def _one_sided(name: str, here: int, there: int) -> str:
    return (
        f"'{name}' was not compared: {here:,} pictures of the project and {there:,} of the reference "
        "have a value that can be grouped."
    )


def _measured(rows: Floats, sets: TwoSets) -> Iterator[_Coded]:
    for i, name in enumerate(NAMES):
        if len(np.unique(rows[np.isfinite(rows[:, i]), i])) > 1:
            yield _of_numbers(name, Kind.MEASURED, rows[:, i], sets.is_there)


def _looks(ws: Workspace, sets: TwoSets) -> Iterator[_Coded]:
    """Yield the groups of pictures that look alike, made of both sides together."""
    vectors = vectors_of(ws, sets)
    if vectors is None:
        return
    groups = min(MOST_GROUPS, len(vectors.places) // PICTURES_A_GROUP)
    if groups < 2:
        return
    codes = np.full(len(sets.hashes), -1, dtype=np.int32)
    codes[vectors.places] = grouped(vectors.rows, groups, 0)
    values = tuple((f"group {i + 1}", None, None) for i in range(groups))
    yield _Coded(LOOKS, Kind.LOOKS, codes, values)


def _of_numbers(name: str, kind: Kind, numbers: Floats, is_there: np.ndarray) -> _Coded:
    """Return a column of numbers: few different ones by value, many in fifths of the reference."""
    known = np.isfinite(numbers)
    different = np.unique(numbers[known])
    codes = np.full(len(numbers), -1, dtype=np.int32)
    if len(different) <= LISTED_NUMBERS:
        codes[known] = np.searchsorted(different, numbers[known])
        return _Coded(name, kind, codes, tuple((f"{v:.10g}", None, None) for v in different))
    inner = np.quantile(numbers[known & is_there], FIFTHS, method="inverted_cdf").tolist()
    ends = np.unique(np.array(inner)) if (known & is_there).any() else np.zeros(0)
    codes[known] = np.searchsorted(ends, numbers[known], side="left")
    return _Coded(name, kind, codes, tuple(_bins(ends.tolist())), numbers)


def _bins(ends: Sequence[float]) -> Iterator[tuple[str, float | None, float | None]]:
    edges = [None, *ends, None]
    for low, high in pairwise(edges):
        if low is None:
            yield (f"up to {_short(high)}" if high is not None else "any", None, high)
        elif high is None:
            yield f"above {_short(low)}", low, None
        else:
            yield f"{_short(low)} to {_short(high)}", low, high


def _short(number: float | None) -> str:
    value = 0.0 if number is None else number
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


# --- the tests ----------------------------------------------------------------------------------


def _test(column: _Coded, sets: TwoSets) -> ColumnTest:
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


def _cells(column: _Coded, a: Floats, b: Floats) -> tuple[CellShare, ...]:
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
