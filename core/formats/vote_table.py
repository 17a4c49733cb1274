"""Tables of votes (CSV, TSV), read by column: ``task, worker, label`` and perhaps ``seconds``.

Header names in any case and order; further columns are passed over and named. A broken row is left
out and told by its line; the rest is kept. Lines are looked over as bytes first, so that the
good ones, nearly always all, go through Arrow's reader at once. Names are numbered in
alphabetical order, so that nothing depends on the order of the rows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from core.formats.cells import delimiter, unescaped
from core.formats.refusals import Fault, Refusals, alike, gathered
from core.formats.row_lines import HandRow, Layout, cells_of, lay_out, table_bytes
from core.formats.text import UnreadableFile, class_name, number, shown

VOTE_COLUMNS = ("task", "worker", "label")
KNOWN_COLUMNS = ("task", "label")
"""Of a table that says the true label of tasks."""
_NUMBER = r"^[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$"
_MOST_NAME = 1_000
MOST_SECONDS = 366 * 86_400
"""Longest time a vote can have taken, a year; more is a mistake, such as a date."""

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Column:
    """One column of names: `names[codes[i]]` stands in row i; the names are sorted."""

    names: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True, eq=False)
class NamedTable:
    """The rows that could be read, in the order of the file.

    Attributes:
        columns: By name, those asked for.
        seconds: How long each vote took, nan where the cell is empty; None without such a column.
        refused: Rows left out.
        passed_over: Names of the columns that are not read.
    """

    columns: dict[str, Column]
    seconds: NDArray[np.float64] | None
    refused: Refusals
    passed_over: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())).codes)


def read_votes(path: Path) -> NamedTable:
    """Return the votes of a table.

    Raises:
        UnreadableFile: It is missing, no table, too large, empty, or lacks a column.
    """
    return read_columns(path, VOTE_COLUMNS, timed=True)


def read_known(path: Path) -> NamedTable:
    """Return a table of tasks whose label is known: gold or truth.

    Raises:
        UnreadableFile: As for votes.
    """
    return read_columns(path, KNOWN_COLUMNS)


def read_columns(path: Path, wanted: Sequence[str], timed: bool = False) -> NamedTable:
    """Return the columns wanted, all of them names.

    Args:
        path: The file.
        wanted: Names of columns, lower case; each is required.
        timed: Whether a column `seconds` is read too, where there is one.

    Raises:
        UnreadableFile: It is missing, no table, too large, empty, or lacks a column.
    """
    data = table_bytes(path)
    head, _, _ = data.partition(b"\n")
    first = head.decode().rstrip("\r")
    sign = delimiter(first)
    cells = cells_of(first, sign)
    if cells is None:
        raise UnreadableFile(
            str(path), 1, "a quotation mark is stray or never closed.", _names_wanted(wanted)
        )
    header = [c.strip() for c in cells]
    places = _places(header, wanted, timed, str(path))
    layout = lay_out(data, len(header), sign)
    raw, lines = _read(data, layout, places, sign)
    columns, faults = {}, list(layout.broken)
    for name in wanted:
        clean = class_name if name == "label" else _name
        columns[name], found = _column(raw[name], lines, clean, name)
        faults += found
    seconds = None
    if "seconds" in places:
        seconds, found = _seconds(raw["seconds"], lines)
        faults += found
    refused, without = gathered(faults)
    known = np.isin(lines, without, invert=True) if len(without) else np.ones(len(lines), bool)
    if not known.any():
        raise _no_row(str(path), refused, wanted)
    return NamedTable(
        {name: _narrowed(column, known) for name, column in columns.items()},
        None if seconds is None else seconds[known],
        refused,
        tuple(h for i, h in enumerate(header) if i not in places.values()),
    )


def _no_row(file: str, refused: Refusals, wanted: Sequence[str]) -> UnreadableFile:
    """Return that a table has no row that can be read."""
    line, why = next(((r.line, f": {r.reason}") for r in refused.told), (0, "."))
    found = f"none of its {refused.rows:,} rows can be read" if refused.rows else "no rows"
    each = "vote" if "worker" in wanted else "task"
    return UnreadableFile(
        file, line, f"the table has {found}{why}", f"Give a table with a row for each {each}."
    )


def _names_wanted(wanted: Sequence[str]) -> str:
    return f"Name the columns {', '.join(wanted)} in the first line."


def _places(header: list[str], wanted: Sequence[str], timed: bool, file: str) -> dict[str, int]:
    """Return where each column stands.

    Raises:
        UnreadableFile: One is missing or named twice.
    """
    lower = [h.lower() for h in header]
    places = {}
    for name in (*wanted, *(("seconds",) if timed and "seconds" in lower else ())):
        if lower.count(name) != 1:
            found = ", ".join(map(shown, header[:12]))
            many = "is no" if name not in lower else "is more than one"
            raise UnreadableFile(
                file, 1, f"there {many} column '{name}'; its columns are {found}.",
                _names_wanted(wanted),
            )  # fmt: skip
        places[name] = lower.index(name)
    return places


def _read(
    data: bytes, layout: Layout, places: dict[str, int], sign: str
) -> tuple[dict[str, pa.ChunkedArray], Codes]:
    """Return the columns as text, and the line each row begins in, in the order of the file."""
    by_arrow = _by_arrow(layout.clean(data), layout.columns, places, sign)
    rows = list(layout.by_hand)
    if by_arrow is not None and by_arrow.num_rows == len(layout.lines):
        raw, lines = {name: by_arrow[name] for name in places}, layout.lines
    else:  # the two readers understand a quotation mark differently: take the slower
        raw = {name: pa.chunked_array([], pa.string()) for name in places}
        lines, rows = layout.lines[:0], [*rows, *layout.all_by_hand(data, sign)]
    if rows:
        lines = np.concatenate([lines, np.array([r.line for r in rows], dtype=np.int64)])
        order = np.argsort(lines, kind="stable")
        raw = {name: _added(raw[name], rows, places[name]).take(order) for name in places}
        lines = lines[order]
    return raw, lines


def _added(column: pa.ChunkedArray, rows: list[HandRow], place: int) -> pa.ChunkedArray:
    more = pa.array([r.cells[place] for r in rows], pa.string())
    return pa.chunked_array([*column.chunks, more], pa.string())


def _by_arrow(data: bytes, count: int, places: dict[str, int], sign: str) -> pa.Table | None:
    """Return the rows as Arrow reads them; None where it cannot."""
    names = [str(i) for i in range(count)]
    if not data:
        return pa.table({name: pa.array([], pa.string()) for name in places})
    used = [str(i) for i in places.values()]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(column_names=names, block_size=8 << 20),
            arrow_csv.ParseOptions(delimiter=sign, invalid_row_handler=lambda _: "skip"),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(used, pa.string()),
                include_columns=used,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table.rename_columns(list(places))


def _name(text: str) -> str:
    """Return the name of a task or worker in its one composed form.

    Raises:
        ValueError: It is longer than any name.
    """
    if len(text) > _MOST_NAME:
        raise ValueError(f"{shown(text)} is longer than {_MOST_NAME:,} characters")
    return unicodedata.normalize("NFC", text)


def _column(
    raw: pa.ChunkedArray, lines: Codes, clean: Callable[[str], str], called: str
) -> tuple[Column, list[Fault]]:
    """Return a column by number, -1 where a cell is no name, and the lines of such cells."""
    coded = raw.combine_chunks().dictionary_encode()
    names: list[str | None] = []
    why: dict[int, str] = {}
    for i, text in enumerate(coded.dictionary.to_pylist()):
        try:
            names.append(clean(unescaped(text.strip())) if text.strip() else None)
        except ValueError as error:
            names.append(None)
            why[i] = f"{called}: {error}"
    sorted_names = sorted({n for n in names if n is not None})
    place = {n: i for i, n in enumerate(sorted_names)}
    new = np.array([-1 if n is None else place[n] for n in names] or [0], dtype=np.int64)
    entry = _numbers(coded.indices, np.int32)
    codes = new[entry]
    wrong = codes < 0
    unusable = wrong & np.isin(entry, list(why)) if why else np.zeros(len(entry), dtype=bool)
    which = entry[unusable]
    return Column(tuple(sorted_names), codes), [
        alike(f"the {called} is empty", lines[wrong & ~unusable]),
        Fault(f"the {called} is no name", lines[unusable], lambda i: why[int(which[i])]),
    ]


def _seconds(raw: pa.ChunkedArray, lines: Codes) -> tuple[NDArray[np.float64], list[Fault]]:
    """Return numbers, nan for empty cells, and the lines with anything else."""
    text = pc.ascii_trim_whitespace(raw.combine_chunks())
    fits = pc.match_substring_regex(text, _NUMBER)
    plain = pc.if_else(fits, text, pa.scalar(None, pa.string()))
    found = _numbers(pc.cast(plain, pa.float64()).fill_null(float("nan")), np.float64)
    no_number = ~_flags(pc.or_(fits, pc.equal(text, "")))
    faults = []
    for kind, wrong in (
        ("the seconds are no number", no_number),
        ("the seconds are negative", found < 0),
        ("the seconds are more than a year", found > MOST_SECONDS),
    ):
        rows = np.flatnonzero(wrong)
        faults.append(Fault(kind, lines[rows], partial(_second, text, rows)))
    return found, faults


def _second(text: pa.Array, rows: Codes, place: int) -> str:
    """Return what is wrong with a number of seconds."""
    cell = text[int(rows[place])].as_py()
    try:
        value = number(cell)
    except ValueError as error:
        return f"seconds: {error}"
    return f"seconds: {shown(cell)} is {'negative' if value < 0 else 'more than a year'}"


def _numbers(array: pa.Array, kind: type[np.generic]) -> NDArray:
    """Return the numbers of an array without gaps; Arrow's own way would import pandas for it."""
    if not len(array):
        return np.zeros(0, dtype=kind)
    return np.frombuffer(
        array.buffers()[1], kind, len(array), array.offset * np.dtype(kind).itemsize
    )


def _flags(array: pa.Array) -> NDArray[np.bool_]:
    return _numbers(pc.cast(array, pa.uint8()), np.uint8).astype(bool)


def _narrowed(column: Column, known: NDArray[np.bool_]) -> Column:
    """Return the rows known alone, without the names no row has any more."""
    codes = column.codes[known]
    used = np.zeros(len(column.names), dtype=bool)
    used[codes] = True
    if used.all():
        return Column(column.names, codes)
    names = tuple(n for n, u in zip(column.names, used, strict=True) if u)
    return Column(names, (np.cumsum(used) - 1)[codes])
