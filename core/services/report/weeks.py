"""Weeks as calendars name them (2026-W46, Monday to Sunday), in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Week:
    """One week in a time zone.

    Attributes:
        first: Its Monday.
        tz: The time zone its days begin in.
    """

    first: date
    tz: str

    @property
    def name(self) -> str:
        """Return the week as ISO 8601 names it."""
        return f"{self.first:%G-W%V}"

    @property
    def days(self) -> tuple[date, ...]:
        """Return its seven days."""
        return tuple(self.first + timedelta(days=i) for i in range(7))

    @property
    def since(self) -> float:
        """Return its first moment, seconds since the epoch."""
        return datetime.combine(self.first, time(), ZoneInfo(self.tz)).timestamp()

    @property
    def until(self) -> float:
        """Return the first moment after it: weeks in which clocks change have another length."""
        return self.after.since

    @property
    def before(self) -> Week:
        """Return the week before."""
        return Week(self.first - timedelta(days=7), self.tz)

    @property
    def after(self) -> Week:
        """Return the week after."""
        return Week(self.first + timedelta(days=7), self.tz)


def week_of(at: float, tz: str) -> Week:
    """Return the week a moment lies in."""
    day = datetime.fromtimestamp(at, ZoneInfo(tz)).date()
    return Week(day - timedelta(days=day.weekday()), tz)


def week_named(name: str, tz: str) -> Week:
    """Return the week of a name such as 2026-W46.

    Raises:
        InputError: It names no week.
    """
    found = re.fullmatch(r"([0-9]{4})-?[Ww]([0-9]{1,2})", name.strip())
    try:
        if found is None or not 1970 < int(found[1]) < 9000:
            raise ValueError(name)
        return Week(date.fromisocalendar(int(found[1]), int(found[2]), 1), tz)
    except ValueError as error:
        raise InputError(
            f"'{name[:40]}' is no week; expected a year and its week, as in '2026-W46'.",
            "Leave it out for the newest week with work in it.",
        ) from error
