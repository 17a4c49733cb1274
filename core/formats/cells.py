"""Cells of tables: splitting text into them, and escaping what a spreadsheet would run.

Spreadsheets run cells that begin with ``= + - @``, a tab or a line break as formulas. Such a text
is written with an apostrophe before it; reading takes one apostrophe away again, so nothing
is lost (a text that itself begins with apostrophes and such a sign gets one more). That holds for
a text such as -3 too: what was written as a number is a number where it is read back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from core.formats.text import UnreadableFile

NONE_OF_THEM = "-"
"""The cell of a question with several answers to which 'none of them' was said."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def delimiter(text: str) -> str:
    """Return the sign that separates the cells of the first line: comma, semicolon, tab or bar."""
    head = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(",;\t|", key=lambda d: (head.count(d), d == ","))


def lines(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line the record begins in, cells), empty lines left out.

    Raises:
        UnreadableFile: A quotation mark is stray or never closed, or a cell is too long.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    begins = 1
    try:
        for cells in reader:
            if cells:
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        reason = str(error)
        if "end of data" in reason:
            reason = "a quotation mark is never closed"
        raise UnreadableFile(file, begins, f"{reason}.") from error


def unescaped(cell: str) -> str:
    """Return the text of a cell that `escaped` wrote; other cells as they are."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def escaped(text: str) -> str:
    """Return the text as no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def split_names(text: str) -> tuple[str, ...]:
    r"""Return the names of a cell 'a|b'; a bar in a name is written as '\|'."""
    if "\\" not in text:
        return tuple(n for n in text.split("|") if n)
    parts = re.findall(r"(?:[^|\\]|\\.)+", text)
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in parts)


def joined_names(names: Sequence[str]) -> str:
    """Return names as one cell, for `split_names` to take apart."""
    return "|".join(n.replace("\\", "\\\\").replace("|", "\\|") for n in names)


def split_classes(text: str) -> tuple[str, ...]:
    r"""Return the classes of a cell 'a|b' or 'a;b'; '-' is none of them, '\|' a bar in a name."""
    if text.strip() == NONE_OF_THEM:
        return ()
    parts = re.findall(r"(?:[^|;\\]|\\.)+", text)
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in parts if part.strip())


def joined_classes(names: Sequence[str]) -> str:
    """Return several classes as one cell, for `split_classes` to take apart."""
    if not names:
        return NONE_OF_THEM
    cell = "|".join(re.sub(r"([\\|;])", r"\\\1", n) for n in names)
    return "\\-" if cell == NONE_OF_THEM else cell


def joined(cells: Iterable[str]) -> str:
    """Return one line of a comma-separated table, quoted where needed."""
    return ",".join(map(_quoted, cells)) + "\n"


def _quoted(cell: str) -> str:
    if any(c in cell for c in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
