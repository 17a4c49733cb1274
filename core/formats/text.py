"""Text and numbers out of annotation files: decoding, strict numbers, and showing foreign text."""

from __future__ import annotations

import codecs
import math
import re
from functools import lru_cache

from core.errors import BadAnnotationFile, InputError
from core.labels.schema import clean_class_name

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA_NUMBER = re.compile(r"[+-]?[0-9]+,[0-9]+")
_SHOWN_CHARACTERS = 60


class UnreadableFile(BadAnnotationFile):
    """Raised when one annotation file as a whole cannot be read.

    Attributes:
        file: Path of the annotation file.
        line: Line the fault is in, from 1; 0 where no line can be named.
        reason: What is wrong, as one sentence.
    """

    def __init__(self, file: str, line: int, reason: str, advice: str = "") -> None:
        where = f"{file}, line {line}" if line else file
        super().__init__(f"{where}: {reason}", advice or "Correct the file and import it again.")
        self.file = file
        self.line = line
        self.reason = reason


def shown(value: object) -> str:
    """Return foreign text quoted, short and printable, for a message or a log."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def number(text: str) -> float:
    """Return a finite decimal number written with ASCII digits and a point.

    Python's float also takes 'nan', '1_000' and digits of other scripts; they are refused.

    Raises:
        ValueError: It is not such a number; the message says why.
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        if _COMMA_NUMBER.fullmatch(stripped):
            raise ValueError(f"{shown(text)} has a decimal comma; a point is expected")
        raise ValueError(f"{shown(text)} is not a number")
    value = float(stripped)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is too large a number")
    return value


def exact(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) else repr(float(value))


def decode_text(data: bytes, file: str) -> str:
    """Return the text of a UTF-8 file, or of UTF-16 and UTF-32 where a byte-order mark says so.

    Other encodings are not guessed: a wrong guess would spoil class names unseen.

    Raises:
        UnreadableFile: The bytes are not such text, or hold NUL characters.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            file,
            line,
            f"the text is not {encoding.upper()} (byte {data[error.start]:#04x}).",
            "Save the file as UTF-8 and import it again.",
        ) from error
    if (at := text.find("\x00")) >= 0:
        raise UnreadableFile(
            file,
            text.count("\n", 0, at) + 1,
            "the text holds a NUL character.",
            "Save the file as UTF-8 and import it again.",
        )
    return text.removeprefix("\ufeff")


@lru_cache(maxsize=4096)
def class_name(text: str) -> str:
    """Return a class name in its one composed form.

    Raises:
        ValueError: It is empty, invisible, too long or holds control characters.
    """
    try:
        return clean_class_name(text)
    except InputError as error:
        raise ValueError(error.message.rstrip(".")) from error
