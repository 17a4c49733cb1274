"""Tables as files: CSV for spreadsheets, Parquet for programs; numbers stay numbers in both."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from core.formats.cells import escaped, joined
from core.stats.intervals import Estimate

Cell = str | int | float | bool | dt.date | dt.datetime | None

MOST_LETTERS = 120
"""Letters of a file's name without its ending: every file system takes so many."""

_FINE = (bool, int, float, dt.datetime, dt.date)
"""Types a column of a Parquet file may have as a whole; a datetime is a date too, so it comes first."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is downloaded.

    Attributes:
        columns: Names with their units; a name that is there twice gets a number.
        rows: As long as the columns each.
        about: What a reader of the file must know: project, filter, time zone, time.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    about: Mapping[str, str] = field(default_factory=dict)


def estimate_columns(name: str) -> tuple[str, str, str, str]:
    """Return the names of the four columns an estimate takes."""
    return (name, f"{name}_low", f"{name}_high", f"{name}_n")


def estimate_cells(estimate: Estimate | None) -> tuple[Cell, Cell, Cell, Cell]:
    """Return the four cells of an estimate; without enough data only its n."""
    if estimate is None:
        return (None, None, None, None)
    return (estimate.value, estimate.low, estimate.high, estimate.n)


def csv_of(table: Table) -> bytes:
    """Return the table for spreadsheets: nothing in it is run as a formula."""
    lines = [joined(escaped(name) for name in _unlike(table.columns))]
    lines += [joined(_text(cell) for cell in row) for row in table.rows]
    # Spreadsheets take it for UTF-8 only with the mark.
    return b"\xef\xbb\xbf" + _bytes("".join(lines))


def parquet_of(table: Table) -> bytes:
    """Return the table for programs, with what it is about in the file's own notes."""
    names = _unlike(table.columns)
    arrays = [_array([row[i] for row in table.rows]) for i in range(len(names))]
    about = {k: _bytes(v) for k, v in table.about.items()}
    made = pa.table(arrays, [_bytes(n).decode() for n in names]).replace_schema_metadata(about)
    out = io.BytesIO()
    pq.write_table(made, out)
    return out.getvalue()


def file_name(ending: str, *parts: str) -> str:
    """Return a file's name that any system takes: what it holds, in small letters and figures."""
    plain = (re.sub(r"[^a-z0-9.]+", "-", part.lower()).strip("-.") for part in parts)
    return "_".join(p for p in plain if p)[:MOST_LETTERS].rstrip("-_.") + f".{ending}"


def _bytes(text: str) -> bytes:
    """Return text as a file holds it: half a character, which none can hold, is written out."""
    return text.encode("utf-8", "backslashreplace")


def _text(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return escaped(cell) if isinstance(cell, str) else str(cell)


def _array(cells: Sequence[Cell]) -> pa.Array:
    """Return a column: of one type where all cells share it, else of text."""
    known = [None if isinstance(c, float) and not math.isfinite(c) else c for c in cells]
    types = {next((t for t in _FINE if isinstance(c, t)), str) for c in known if c is not None}
    if types == {int, float}:
        known = [None if c is None else float(c) for c in known]  # type: ignore[arg-type]  # numbers
    elif len(types) > 1 or types in (set(), {str}):
        texts = [None if c is None else c if isinstance(c, str) else _text(c) for c in known]
        return pa.array([None if t is None else _bytes(t).decode() for t in texts], pa.string())
    try:
        return pa.array(known)
    except (pa.ArrowInvalid, OverflowError):  # a whole number too large for the column
        return pa.array([None if c is None else float(c) for c in known])  # type: ignore[arg-type]


def _unlike(names: Sequence[str]) -> list[str]:
    """Return the names with a number behind each that was there before."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found
