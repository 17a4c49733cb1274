"""The lines of a large table as bytes: which are whole rows, which are broken, and why.

A line is one row unless a quotation mark holds it open; a mark that is never closed spoils its own
line only. Everything is found from the places of three bytes (line break, delimiter, quotation
mark), so a million lines take a fraction of a second.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.formats.refusals import Fault, alike
from core.formats.text import UnreadableFile, decode_text

MOST_BYTES = 1 << 30
"""Largest table read, 1 GB: about 30 million votes."""
MOST_LINE_BYTES = 1 << 20
_MOST_LINES_OF_A_ROW = 20
_ADVICE = "Give a CSV or TSV table saved as UTF-8."
_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NEWLINE, _RETURN, _QUOTE, _NUL = 10, 13, 34, 0

Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HandRow:
    """A row that had to be taken apart by hand, with the line it begins in."""

    line: int
    cells: list[str]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the rows of a table stand, its first line aside.

    Attributes:
        columns: How many cells a row has.
        lines: Number of each line that is one whole row, from 1.
        starts, ends: Where those lines begin, and end with their line break, in bytes.
        by_hand: Rows of several lines, and rows with marks in unusual places.
        broken: What is no row.
        whole: Whether `lines` are all there is below the first line.
    """

    columns: int
    lines: Longs
    starts: Longs
    ends: Longs
    by_hand: tuple[HandRow, ...]
    broken: tuple[Fault, ...]
    whole: bool

    def clean(self, data: bytes) -> bytes:
        """Return the lines that are whole rows, one after the other."""
        if self.whole:
            return data[int(self.starts[0]) :] if len(self.starts) else b""
        # Neighbouring lines are cut out together: there are as many cuts as broken lines.
        cut = np.flatnonzero(self.starts[1:] != self.ends[:-1])
        begins = self.starts[np.r_[0, cut + 1]] if len(self.starts) else self.starts
        stops = self.ends[np.r_[cut, len(self.ends) - 1]] if len(self.ends) else self.ends
        parts = (data[a:b] for a, b in zip(begins.tolist(), stops.tolist(), strict=True))
        return b"".join(p if p.endswith(b"\n") else p + b"\n" for p in parts)

    def all_by_hand(self, data: bytes, sign: str) -> list[HandRow]:
        """Return the lines that are whole rows, each taken apart by Python's reader."""
        spans = zip(self.lines.tolist(), self.starts.tolist(), self.ends.tolist(), strict=True)
        rows = (HandRow(n, cells_of(data[a:b].decode(), sign) or []) for n, a, b in spans)
        return [HandRow(r.line, (r.cells + [""] * self.columns)[: self.columns]) for r in rows]


def table_bytes(path: Path) -> bytes:
    """Return a table as UTF-8 without a byte-order mark, its lines ended by line feeds.

    Raises:
        UnreadableFile: It is missing, too large, empty, or no text.
    """
    name = str(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(MOST_LINE_BYTES)
            _check_head(head, size, name)
            data = head + file.read(MOST_BYTES)  # what is no plain file has no size, nor an end
    except OSError as error:
        raise UnreadableFile(
            name, 0, f"the file cannot be read: {(error.strerror or 'no reason').lower()}.",
            "Check its name.",
        ) from error  # fmt: skip
    _check_size(len(data), name)
    if data[:2] in _MARKS:
        data = _decoded(data, name).encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.isascii():
        _decoded(data.replace(b"\0", b" "), name)
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _check_head(head: bytes, size: int, name: str) -> None:
    """Check how a file begins, before all of it is read.

    Raises:
        UnreadableFile: It is no table, or too large.
    """
    if not head.strip():
        raise UnreadableFile(name, 0, "the file is empty.", _ADVICE)
    first = head.partition(b"\n")[0]
    if head[:2] not in _MARKS:
        if b"\0" in first[:4096]:
            raise UnreadableFile(name, 1, "this is no text, but a file of another kind.", _ADVICE)
        try:
            codecs.getincrementaldecoder("utf-8")().decode(head)
        except UnicodeDecodeError:
            _decoded(head.replace(b"\0", b" "), name)
    if len(first) >= MOST_LINE_BYTES and b"\r" not in first:
        raise UnreadableFile(name, 1, "the first line is longer than 1 MB.", _ADVICE)
    _check_size(size, name)


def _check_size(size: int, name: str) -> None:
    if size > MOST_BYTES:
        raise UnreadableFile(
            name, 0, f"the file has {size / 1e9:.1f} GB or more; up to 1.1 GB are read.",
            "Split it by tasks.",
        )  # fmt: skip


def _decoded(data: bytes, name: str) -> str:
    """Return text.

    Raises:
        UnreadableFile: The bytes are none.
    """
    try:
        return decode_text(data, name)
    except UnreadableFile as error:
        raise UnreadableFile(name, error.line, error.reason, "Save the file as UTF-8.") from error


def cells_of(text: str, sign: str) -> list[str] | None:
    """Return the cells of one row; None where a quotation mark is stray or never closed."""
    try:
        return next(csv.reader((text,), delimiter=sign, strict=True), None)
    except csv.Error:
        return None


def lay_out(data: bytes, columns: int, sign: str) -> Layout:
    """Return where the rows of a table stand.

    Args:
        data: The table in UTF-8, its first line the header.
        columns: How many cells the header has.
        sign: What separates cells.
    """
    raw = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(raw == _NEWLINE)
    ends = breaks + 1
    if len(data) and data[-1] != _NEWLINE:
        ends = np.append(ends, len(data))
    starts = np.r_[0, ends[:-1]]
    filled = _filled(raw, starts, ends)
    filled[:1] = False  # the header
    quotes = np.flatnonzero(raw == _QUOTE)
    marks = _per_line(quotes, starts, ends)
    signs = np.flatnonzero(raw == ord(sign))
    if len(quotes):  # those inside quotation marks separate nothing
        line = np.searchsorted(ends, signs, side="right")
        opened = np.asarray(np.searchsorted(quotes, starts), dtype=np.int64)
        before = np.searchsorted(quotes, signs) - opened[line]
        signs = signs[before % 2 == 0]
    cells = _per_line(signs, starts, ends) + 1
    long = ends - starts > MOST_LINE_BYTES
    nul = np.zeros(len(long), dtype=bool)
    if b"\0" in data:
        nul = _per_line(np.flatnonzero(raw == _NUL), starts, ends) > 0
    spoilt = long | nul
    good = filled & ~spoilt & (marks % 2 == 0) & (cells == columns)
    odd = filled & ~good & ~spoilt
    quoted = np.flatnonzero(odd & (marks > 0))
    last = _closing(quoted, spoilt, marks)
    rows, stray, counted, used = _quoted_lines(data, starts, ends, quoted, last, columns, sign)
    lined, told = np.array(counted, dtype=np.int64).reshape(-1, 2).T
    plain = odd & (marks == 0)
    plain[used] = good[used] = False
    broken = [
        alike("the line is longer than 1 MB", np.flatnonzero(filled & long) + 1),
        alike("the line holds a NUL character", np.flatnonzero(filled & nul & ~long) + 1),
        alike("a quotation mark is stray or never closed", np.array(stray, dtype=np.int64)),
        *_miscounted(np.flatnonzero(plain), cells[plain], columns),
        *_miscounted(lined, told, columns),
    ]
    kept = np.flatnonzero(good)
    return Layout(
        columns, kept + 1, starts[kept], ends[kept], tuple(rows), tuple(broken),
        whole=len(kept) == len(starts) - 1,
    )  # fmt: skip


def _filled(raw: Bytes, starts: Longs, ends: Longs) -> NDArray[np.bool_]:
    """Return which lines have more than their line break."""
    filled = ends - starts > 2
    short = np.flatnonzero(~filled)
    for place in (starts[short], ends[short] - 1):
        filled[short] |= (raw[place] != _NEWLINE) & (raw[place] != _RETURN)
    return filled


def _per_line(places: Longs, starts: Longs, ends: Longs) -> Longs:
    """Return how many of some sorted places fall into each line."""
    return np.asarray(np.searchsorted(places, ends) - np.searchsorted(places, starts))


def _miscounted(at: Longs, cells: Longs, columns: int) -> Iterator[Fault]:
    """Yield the lines with too few cells and those with too many.

    Args:
        at: Number of each line, from 0.
        cells: How many cells it has.
        columns: How many it should have.
    """
    for kind, which in (
        ("too few columns", cells < columns),
        ("too many columns", cells > columns),
    ):
        yield Fault(kind, at[which] + 1, partial(_miscount, cells[which], columns))


def _miscount(cells: Longs, columns: int, place: int) -> str:
    return f"{cells[place]} columns, the first line has {columns}"


def _quoted_lines(
    data: bytes, starts: Longs, ends: Longs, quoted: Longs, last: Longs, columns: int, sign: str
) -> tuple[list[HandRow], list[int], list[tuple[int, int]], list[int]]:
    """Take lines with quotation marks apart by hand.

    Returns:
        Rows; lines with a stray mark; lines with another number of cells, from 0, and that number;
        further lines of the rows, from 0.
    """
    rows: list[HandRow] = []
    stray: list[int] = []
    counted: list[tuple[int, int]] = []
    used: list[int] = []
    taken = 0
    spans = (quoted, last, starts[quoted], ends[quoted], ends[last])
    for i, closed, start, end, far in zip(*(s.tolist() for s in spans), strict=True):
        if i < taken:
            continue
        cells = cells_of(data[start:far].decode().rstrip("\r\n"), sign)
        if cells is not None and len(cells) == columns:
            rows.append(HandRow(i + 1, cells))
            used += range(i + 1, closed + 1)
            taken = closed + 1
            continue
        if closed > i:
            cells = cells_of(data[start:end].decode().rstrip("\r\n"), sign)
        if cells is None:
            stray.append(i + 1)
        else:
            counted.append((i, len(cells)))
    return rows, stray, counted, used


def _closing(quoted: Longs, spoilt: NDArray[np.bool_], marks: Longs) -> Longs:
    """Return for each line the one that closes what it leaves open; itself where none near does."""
    opening = np.flatnonzero((marks % 2 == 1) | spoilt)  # a spoilt line closes nothing
    following = np.append(opening, len(marks))[np.searchsorted(opening, quoted, side="right")]
    near = (following < len(marks)) & (following < quoted + _MOST_LINES_OF_A_ROW)
    near &= (marks[quoted] % 2 == 1) & ~np.append(spoilt, True)[following]
    return np.where(near, following, quoted)
