"""Dates in metadata: read in the formats cameras, spreadsheets and people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

_TIME = (
    r"(?:[ T,]+(?P<h>\d{1,2}):(?P<i>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FORMATS = tuple(
    re.compile(date + _TIME, re.IGNORECASE)
    for date in (
        r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
        r"(?P<y>\d{4})[:/](?P<m>\d{1,2})[:/](?P<d>\d{1,2})",  # EXIF, and Japan's order
        r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
        r"(?P<d>\d{1,2})\.? (?P<n>[a-z]{3})[a-z]*\.?,? (?P<y>\d{4})",
        r"(?P<n>[a-z]{3})[a-z]*\.? (?P<d>\d{1,2}),? (?P<y>\d{4})",
    )
)
_SLASHED = re.compile(r"(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})" + _TIME)
LONGEST = 40
"""Text longer than this is no date."""


@dataclass(frozen=True, slots=True)
class ReadDates:
    """What became of texts that may be dates.

    Attributes:
        when: The date of each text, None where it is none; as written, without a time zone.
        timed: Whether any of them tells the hour.
        not_dates: Up to three texts that are none.
        unread: How many are none.
        formats: How many different ways of writing occurred.
        order: How ``1/2/2025`` was read: "", "day/month" or "month/day"; "either" where nothing in
            the column tells, and the day was taken to come first.
    """

    when: tuple[datetime | None, ...]
    timed: bool
    not_dates: tuple[str, ...]
    unread: int
    formats: int
    order: str


def read_dates(texts: Sequence[str]) -> ReadDates:
    """Return the texts as dates, each in the format it is written in.

    Whether the day or the month comes first between slashes is told from the column as a whole;
    where it holds both, such texts count as no dates.
    """
    order = _order(texts)
    found = [_one(t, order) for t in texts]
    bad = [t for t, f in zip(texts, found, strict=True) if f is None]
    return ReadDates(
        tuple(None if f is None else f[0] for f in found),
        any(f is not None and f[1] for f in found),
        tuple(bad[:3]),
        len(bad),
        len({f[2] for f in found if f is not None}),
        order,
    )


def looks_dated(texts: Iterable[str]) -> bool:
    """Return whether at least half of some texts may be dates: a quick look before reading all."""
    seen = [_one(t, "day/month") or _one(t, "month/day") for t in texts]
    return bool(seen) and 2 * sum(f is not None for f in seen) >= len(seen)


def _order(texts: Sequence[str]) -> str:
    pairs = [(int(m["a"]), int(m["b"])) for t in texts if (m := _matched(_SLASHED, t))]
    if not pairs:
        return ""
    day_first = any(a > 12 for a, _ in pairs)
    month_first = any(b > 12 for _, b in pairs)
    if day_first and month_first:
        return "both"
    return "day/month" if day_first else "month/day" if month_first else "either"


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return pattern.fullmatch(text.strip()) if len(text) <= LONGEST and text.isascii() else None


def _one(text: str, order: str) -> tuple[datetime, bool, int] | None:
    """Return date, whether it tells the hour, and the number of its format; None for no date."""
    for number, pattern in enumerate(_FORMATS):
        if m := _matched(pattern, text):
            month = _month(m)
            return _made(m, int(m["d"]), month, number)
    if order != "both" and (m := _matched(_SLASHED, text)):
        a, b = int(m["a"]), int(m["b"])
        day, month = (b, a) if order == "month/day" else (a, b)
        return _made(m, day, month, len(_FORMATS))
    return None


def _month(m: re.Match[str]) -> int:
    named = m.groupdict().get("n")
    if named is None:
        return int(m["m"])
    return _MONTHS.index(named.lower()) + 1 if named.lower() in _MONTHS else 0


def _made(m: re.Match[str], day: int, month: int, number: int) -> tuple[datetime, bool, int] | None:
    try:
        when = datetime(
            int(m["y"]), month, day, int(m["h"] or 0), int(m["i"] or 0), int(m["s"] or 0)
        )
    except ValueError:
        return None
    return when, m["h"] is not None, number
