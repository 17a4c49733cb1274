"""The time zones days are cut in."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InputError


def checked_zone(tz: str) -> str:
    """Return the name of a time zone.

    Raises:
        InputError: There is no such time zone.
    """
    try:
        if tz.startswith(("localtime", "posix", "right/")):  # files of a machine, not names
            raise ValueError(tz)
        return ZoneInfo(tz).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = " ".join(tz.split())[:60]
        raise InputError(
            f"There is no time zone '{shown}'.", "Use a name such as 'Europe/Berlin' or 'UTC'."
        ) from error
