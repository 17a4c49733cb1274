"""What items can be grouped by, as whole numbers: metadata, measured properties, dates.

Metadata comes as people wrote it: numbers and words in one column, dates in several formats,
a value of its own for every item. Every case is either grouped or said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.analytics.cells import Codes, Floats, Ints
from core.analytics.dates import ReadDates, looks_dated, read_dates

MOST_VALUES = 50
"""Values of a column that are looked at, the most frequent ones; the others are part of the rest."""

LISTED_NUMBERS = 12
"""A column with up to so many different numbers is a list of values; a longer one is cut in fifths."""

FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TRIED = 200
"""Values looked at to tell whether a column may hold dates."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Kind(StrEnum):
    """Where a column comes from."""

    METADATA = "metadata"
    MEASURED = "measured"
    LOOKS = "looks"
    """Groups of images that look alike, by their embeddings."""
    STATEMENT = "statement"
    """What the statement itself brings: class, person, time, model, pre-label, guideline."""


@dataclass(frozen=True, slots=True)
class Value:
    """What members of a slice have in common in one column.

    Attributes:
        name: As it is shown; None for items that have no value.
        low, high: Ends of a bin (low excluded but for the first), else None.
    """

    name: str | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SliceColumn:
    """One column, coded.

    Attributes:
        codes: Position in `values` of each item, or of each statement; -1 where it is in no slice.
        of_items: Whether `codes` has one entry an item, else one a statement.
        family: What it was made from; columns of one family are not paired.
    """

    name: str
    kind: Kind
    codes: Codes
    values: tuple[Value, ...]
    of_items: bool
    family: str


@dataclass(frozen=True, slots=True)
class Read:
    """Columns, and what a reader should know of those that were cut short or left out."""

    columns: tuple[SliceColumn, ...]
    notes: tuple[str, ...]


def read_metadata(table: pa.Table, items: Ints, fewest: int, reserved: Sequence[str] = ()) -> Read:
    """Return the metadata columns by which a project's items can be grouped.

    Args:
        table: ``key, item_id, value, number``, ordered by key, as `slice_columns` gives it.
        items: Numbers of the project's items, ascending.
        fewest: Items below which a value of text is not looked at.
        reserved: Names that mean something else; a column called so gets "(metadata)" behind it.
    """
    columns: list[SliceColumn] = []
    notes: list[str] = []
    for key, part in _by_key(table):
        name = f"{key} (metadata)" if key in reserved else key
        place = np.searchsorted(items, part["item_id"].to_numpy()).astype(np.int64)
        numbers = part["number"].to_numpy().astype(np.float64)
        made, said = _one(name, place, part["value"], numbers, len(items), fewest)
        columns += made
        notes += said
    return Read(tuple(columns), tuple(notes))


def _by_key(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield each column's rows; the table is ordered by column."""
    runs = table["key"].combine_chunks()
    encoded = pc.run_end_encode(runs) if len(runs) else None
    if encoded is None:
        return
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    start = 0
    for key, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
        yield key, table.slice(start, end - start)
        start = end


def _one(
    name: str, place: Ints, values: pa.ChunkedArray, numbers: Floats, n: int, fewest: int
) -> tuple[list[SliceColumn], list[str]]:
    numeric = np.isfinite(numbers)
    if numeric.all():
        column = coded_numbers(name, Kind.METADATA, spread(place, numbers, n))
        return _only_useful([column]), []
    codes, names = _encoded(values)
    if not numeric.any() and looks_dated(names[:: max(1, len(names) // TRIED)][:TRIED]):
        dates = read_dates(names)
        if not dates.unread:
            return _only_useful(_dated(name, place, codes, dates, n)), _said_of_dates(name, dates)
        notes = [_partly(name, dates, len(names))]
    else:
        notes = []
    if numeric.any() and len(np.unique(numbers[numeric])) > LISTED_NUMBERS:
        notes.append(_mixed(name, int(numeric.sum()), int((~numeric).sum())))
        column, more = _mixed_column(name, place, codes, names, numbers, n, fewest)
    else:
        column, more = _worded(name, place, codes, names, n, fewest)
    return _only_useful([column]), notes + more


def _only_useful(columns: Sequence[SliceColumn]) -> list[SliceColumn]:
    """Leave out columns in which all items are the same: there is nothing to compare."""
    return [c for c in columns if len(c.values) > 1 or (len(c.values) == 1 and (c.codes < 0).any())]


def _encoded(values: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    found = values.combine_chunks().dictionary_encode()
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    indices = found.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return indices, found.dictionary.to_pylist()


def spread(place: Ints, values: Floats, n: int) -> Floats:
    """Return one value an item, NaN where it has none."""
    out = np.full(n, np.nan)
    out[place] = values
    return out


# --- numbers ----------------------------------------------------------------------------------


def coded_numbers(name: str, kind: Kind, numbers: Floats, family: str = "") -> SliceColumn:
    """Return a column of numbers: few different ones by value, many in fifths of all items.

    Args:
        name: Of the column.
        kind: Where it comes from.
        numbers: One an item; NaN where it has none.
        family: What it was made from; its name where nothing is given.
    """
    known = np.isfinite(numbers)
    different = np.unique(numbers[known])
    if len(different) <= LISTED_NUMBERS:
        values = [Value(f"{v:.10g}") for v in different]
        codes = np.searchsorted(different, numbers).astype(np.int32)
    else:
        ends = np.unique(np.quantile(numbers[known], FIFTHS, method="inverted_cdf"))
        values = _bins(ends)
        codes = np.searchsorted(ends[1:-1], numbers, side="left").astype(np.int32)
    codes[~known] = len(values)
    return _closed(name, kind, codes, values, family or name)


def _bins(ends: Floats) -> list[Value]:
    if len(ends) == 1:
        return [Value(_short(ends[0]))]
    pairs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    return [Value(f"{_short(low)} to {_short(high)}", low, high) for low, high in pairs]


def _short(number: float) -> str:
    """Return a number short enough for a label, but never in powers of ten below a million."""
    return f"{number:.0f}" if 1000 <= abs(number) < 1e6 else f"{number:.3g}"


def _closed(
    name: str, kind: Kind, codes: Codes, values: list[Value], family: str, of_items: bool = True
) -> SliceColumn:
    """Return the column, with a value for "has none" where some have none."""
    missing = codes == len(values)
    if missing.any():
        values = [*values, Value(None)]
    return SliceColumn(name, kind, codes, tuple(values), of_items, family)


# --- words ------------------------------------------------------------------------------------


def _worded(
    name: str, place: Ints, codes: Ints, names: list[str], n: int, fewest: int
) -> tuple[SliceColumn, list[str]]:
    counts = np.bincount(codes, minlength=len(names))
    by_size = sorted(range(len(names)), key=lambda i: (-int(counts[i]), names[i]))
    kept = [i for i in by_size if counts[i] >= fewest][:MOST_VALUES]
    renumbered = np.full(len(names), -1, dtype=np.int32)
    renumbered[kept] = np.arange(len(kept))
    out = np.full(n, len(kept), dtype=np.int32)
    out[place] = renumbered[codes]
    values = [Value(names[i]) for i in kept]
    if not kept:
        nothing = SliceColumn(name, Kind.METADATA, np.full(n, -1, np.int32), (), True, name)
        return nothing, [_scattered(name, len(names), fewest)] if len(names) > 1 else []
    said = [_pooled(name, len(names), len(kept))] if len(kept) < len(names) else []
    return _closed(name, Kind.METADATA, out, values, name), said


def _mixed_column(
    name: str, place: Ints, codes: Ints, names: list[str], numbers: Floats, n: int, fewest: int
) -> tuple[SliceColumn, list[str]]:
    """Return a column whose numbers are cut in fifths and whose words are values beside them."""
    numeric = np.isfinite(numbers)
    binned = coded_numbers(name, Kind.METADATA, spread(place[numeric], numbers[numeric], n))
    words_at, words = codes[~numeric], sorted(set(codes[~numeric].tolist()))
    renumbered = {code: i for i, code in enumerate(words)}
    own = np.array([renumbered[c] for c in words_at.tolist()], dtype=np.int64)
    worded, said = _worded(name, place[~numeric], own, [names[c] for c in words], n, fewest)
    bins = [v for v in binned.values if v.name is not None]
    values = [v for v in worded.values if v.name is not None]
    out = np.full(n, len(bins) + len(values), dtype=np.int32)
    out[place[numeric]] = binned.codes[place[numeric]]
    code = worded.codes[place[~numeric]]
    out[place[~numeric]] = np.where(code < 0, -1, code + len(bins))
    return _closed(name, Kind.METADATA, out, [*bins, *values], name), said


# --- dates ------------------------------------------------------------------------------------


def _dated(name: str, place: Ints, codes: Ints, dates: ReadDates, n: int) -> list[SliceColumn]:
    """Return what a date is grouped by: month (or year), weekday, and hour where it is told."""
    months = {(d.year, d.month) for d in dates.when if d}
    parts: dict[str, Callable[[datetime], tuple[int, str]]] = {
        "weekday": lambda d: (d.weekday(), WEEKDAYS[d.weekday()]),
    }
    if len(months) <= MOST_VALUES:
        parts["month"] = lambda d: (12 * d.year + d.month, f"{d.year}-{d.month:02d}")
    else:
        parts["year"] = lambda d: (d.year, str(d.year))
    if dates.timed:
        parts["hour"] = lambda d: (d.hour, f"{d.hour:02d}:00 to {d.hour + 1:02d}:00")
    return [
        _date_part(f"{name}: {part}", name, place, codes, [read(d) for d in dates.when if d], n)
        for part, read in parts.items()
    ]


def _date_part(
    name: str, family: str, place: Ints, codes: Ints, read: list[tuple[int, str]], n: int
) -> SliceColumn:
    ordered = sorted(set(read))[-MOST_VALUES:]
    position = {value: i for i, value in enumerate(ordered)}
    of_text = np.array([position.get(value, -1) for value in read], dtype=np.int32)
    out = np.full(n, len(ordered), dtype=np.int32)
    out[place] = of_text[codes]
    values = [Value(text) for _, text in ordered]
    return _closed(name, Kind.METADATA, out, values, family)


# --- what items were measured to be, and what statements bring --------------------------------


def measured_columns(names: Sequence[str], rows: Floats) -> tuple[SliceColumn, ...]:
    """Return one column a measured property, in fifths.

    Args:
        names: Of the properties.
        rows: One row an item, NaN where it was not measured; shape (n, properties).
    """
    if not np.isfinite(rows).any():
        return ()
    columns = [
        _without_unknown(
            coded_numbers(name, Kind.MEASURED, rows[:, i], _MEASURED_FAMILY.get(name, name))
        )
        for i, name in enumerate(names)
    ]
    return tuple(c for c in columns if len(c.values) > 1)


def _without_unknown(column: SliceColumn) -> SliceColumn:
    """Return the column without the value "has none": what was not measured tells nothing."""
    if column.values[-1].name is not None:
        return column
    last = len(column.values) - 1
    codes = np.where(column.codes == last, -1, column.codes).astype(np.int32)
    return replace(column, codes=codes, values=column.values[:last])


_MEASURED_FAMILY = dict.fromkeys(("width", "height", "megapixels", "aspect"), "size")


def listed(
    name: str, kind: Kind, codes: Codes | Ints, names: Sequence[str | None], of_items: bool
) -> SliceColumn:
    """Return a column whose values have names already; the rarest beyond `MOST_VALUES` are pooled.

    Args:
        name: Of the column.
        kind: Where it comes from.
        codes: Positions in `names`; -1 where there is no value.
        names: Of the values.
        of_items: Whether there is one code an item, else one a statement.
    """
    column = SliceColumn(
        name, kind, codes.astype(np.int32), tuple(Value(v) for v in names), of_items, name
    )
    if len(names) <= MOST_VALUES:
        return column
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    renumbered = np.full(len(names) + 1, -1, dtype=np.int32)
    renumbered[kept] = np.arange(MOST_VALUES)
    return replace(column, codes=renumbered[codes], values=tuple(column.values[i] for i in kept))


# --- sentences --------------------------------------------------------------------------------


def _scattered(name: str, values: int, fewest: int) -> str:
    return (
        f"'{name}' has {values:,} different values and none on {fewest} items or more, so it groups "
        "nothing."
    )


def _pooled(name: str, values: int, kept: int) -> str:
    return (
        f"'{name}' has {values:,} different values; the {kept} most frequent are looked at, the "
        "others are part of the rest."
    )


def _mixed(name: str, numbers: int, words: int) -> str:
    return (
        f"'{name}' mixes {numbers:,} numbers with {words:,} words: numbers are cut in fifths, words "
        "are values beside them."
    )


def _partly(name: str, dates: ReadDates, values: int) -> str:
    such = ", ".join(f"'{t[:40]}'" for t in dates.not_dates)
    return (
        f"'{name}' is read as text, not as dates: {dates.unread:,} of {values:,} different values "
        f"are none ({such})."
    )


def _said_of_dates(name: str, dates: ReadDates) -> list[str]:
    said = []
    if dates.formats > 1:
        said.append(f"'{name}' writes its dates in {dates.formats} formats; all were read.")
    if dates.order == "either":
        said.append(
            f"Nothing in '{name}' tells whether 1/2 is in January or February; the day was taken to "
            "come first."
        )
    return said
