"""The lines of a large table as bytes: which are whole rows, which are broken, and why.

A line is one row unless a quotation mark holds it open; a mark that is never closed spoils its own
line only. Everything is found from the places of three bytes (line break, delimiter, quotation
mark), so a million lines take a fraction of a second.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.formats.text import UnreadableFile, decode_text

MOST_BYTES = 1 << 30
"""Largest table read, 1 GB: about 30 million votes."""
MOST_LINE_BYTES = 1 << 20
_MOST_LINES_OF_A_ROW = 20
_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NEWLINE, _RETURN, _QUOTE, _NUL = 10, 13, 34, 0

Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no row, and why, without a full stop."""

    line: int
    reason: str


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
    broken: tuple[BrokenLine, ...]
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
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(MOST_LINE_BYTES)
            _check_head(head, size, name)
            data = head + file.read()
    except OSError as error:
        raise UnreadableFile(
            name, 0, f"the file cannot be read: {(error.strerror or 'no reason').lower()}.",
            "Check its name.",
        ) from error  # fmt: skip
    if data[:2] in _MARKS:
        data = decode_text(data, name).encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.isascii():
        decode_text(data.replace(b"\0", b" "), name)
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _check_head(head: bytes, size: int, name: str) -> None:
    advice = "Give a CSV or TSV table saved as UTF-8."
    if not head.strip():
        raise UnreadableFile(name, 0, "the file is empty.", advice)
    first = head.partition(b"\n")[0]
    if head[:2] not in _MARKS and b"\0" in first[:4096]:
        raise UnreadableFile(name, 1, "this is no text, but a file of another kind.", advice)
    if len(first) >= MOST_LINE_BYTES and b"\r" not in first:
        raise UnreadableFile(name, 1, "the first line is longer than 1 MB.", advice)
    if size > MOST_BYTES:
        raise UnreadableFile(
            name, 0, f"the file has {size / 1e9:.1f} GB; up to 1.1 GB are read.",
            "Split it by tasks.",
        )  # fmt: skip


def cells_of(text: str, sign: str) -> list[str] | None:
    """Return the cells of one row; None where a quotation mark is stray or never closed."""
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=sign, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


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
    spoilt = ends - starts > MOST_LINE_BYTES
    if b"\0" in data:
        spoilt |= _per_line(np.flatnonzero(raw == _NUL), starts, ends) > 0
    good = filled & ~spoilt & (marks % 2 == 0) & (cells == columns)
    odd = np.flatnonzero(filled & ~good)
    rows, broken, used = _odd_lines(data, starts, ends, odd, spoilt, marks, columns, sign)
    good[used] = False
    kept = np.flatnonzero(good)
    return Layout(
        columns, kept + 1, starts[kept], ends[kept], tuple(rows), tuple(broken),
        whole=len(kept) == len(starts) - 1,
    )  # fmt: skip


def _filled(raw: Bytes, starts: Longs, ends: Longs) -> NDArray[np.bool_]:
    """Return which lines have more than their line break."""
    length = ends - starts
    filled = length > 2
    for i in np.flatnonzero(~filled).tolist():
        filled[i] = bool(raw[starts[i] : ends[i]].tobytes().strip(b"\r\n"))
    return filled


def _per_line(places: Longs, starts: Longs, ends: Longs) -> Longs:
    """Return how many of some sorted places fall into each line."""
    return np.asarray(np.searchsorted(places, ends) - np.searchsorted(places, starts))


def _odd_lines(
    data: bytes, starts: Longs, ends: Longs, odd: Longs, spoilt: NDArray[np.bool_], marks: Longs,
    columns: int, sign: str,
) -> tuple[list[HandRow], list[BrokenLine], list[int]]:  # fmt: skip
    """Return rows taken apart by hand, lines that are none, and further lines of the rows."""
    rows: list[HandRow] = []
    broken: list[BrokenLine] = []
    used: list[int] = []
    taken = 0
    for i in odd.tolist():
        if i < taken:
            continue
        if spoilt[i]:
            long = int(ends[i] - starts[i]) > MOST_LINE_BYTES
            reason = "the line is longer than 1 MB" if long else "the line holds a NUL character"
            broken.append(BrokenLine(i + 1, reason))
            continue
        last = _closing(i, spoilt, marks) if marks[i] % 2 else i
        text = data[starts[i] : ends[last]].decode().rstrip("\r\n")
        cells = cells_of(text, sign)
        if cells is not None and len(cells) == columns:
            rows.append(HandRow(i + 1, cells))
            used += range(i + 1, last + 1)
            taken = last + 1
        else:
            broken.append(BrokenLine(i + 1, _why(data[starts[i] : ends[i]], sign, columns)))
    return rows, broken, used


def _closing(i: int, spoilt: NDArray[np.bool_], marks: Longs) -> int:
    """Return the line that closes what line i leaves open; line i where none near does."""
    for j in range(i + 1, min(len(marks), i + _MOST_LINES_OF_A_ROW)):
        if spoilt[j]:
            break
        if marks[j] % 2:
            return j
    return i


def _why(line: bytes, sign: str, columns: int) -> str:
    cells = cells_of(line.decode().rstrip("\r\n"), sign)
    if cells is None:
        return "a quotation mark is stray or never closed"
    return f"{len(cells)} columns, the first line has {columns}"
