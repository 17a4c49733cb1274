"""The time zone days and weeks are cut in: the address's, else the reader's own; shown and chosen."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from core.ui.choices import put
from core.ui.text import _
from core.ui.theme import draw

PARAMETER = "tz"
_KEY = "choice.tz"


def reader_zone() -> str:
    """Return the time zone the address asks for, else the browser's, else UTC.

    A zone that does not exist counts as none; `draw_zone` says so.
    """
    return _known(st.query_params.get(PARAMETER, "")) or _own_zone()


def draw_zone() -> str:
    """Draw the choice of the time zone, keep it in the address, and return it.

    Where the address asks for a zone that does not exist, a sentence says so.
    """
    asked, zone = st.query_params.get(PARAMETER, ""), reader_zone()
    if not asked:
        put(tz=zone)  # so that whoever opens this address elsewhere reads the same days
    st.session_state[_KEY] = zone
    st.selectbox(
        _("Time zone"),
        _names(),
        key=_KEY,
        on_change=lambda: put(tz=str(st.session_state[_KEY])),
        help=_("Days and weeks begin at midnight there. The address keeps it."),
    )
    if asked and not _known(asked):
        text = _("There is no time zone '{asked}'; days are cut in {zone} instead.")
        draw(
            "<div class='tb-muted tb-small' role='status'>{t}</div>",
            t=text.format(asked=asked[:60], zone=zone),
        )
    return zone


def _own_zone() -> str:
    return _known(str(st.context.timezone or "")) or "UTC"


def _known(name: str) -> str:
    return name if name in _names() else ""


@cache
def _names() -> tuple[str, ...]:
    """Return the zones named after a place, and UTC first."""
    return ("UTC", *sorted(n for n in available_timezones() if "/" in n and n[:4] != "Etc/"))


def day_ends(day: date, zone: str, days: int = 1) -> tuple[float, float]:
    """Return where a day, or so many days from it on, begins and ends by the clocks of a zone.

    Raises:
        ValueError: The calendar ends before the days do; an address may ask for any day.
    """
    try:
        begins, ends = (
            datetime.combine(d, time(), ZoneInfo(zone)).timestamp()
            for d in (day, day + timedelta(days=days))
        )
    except OverflowError as error:
        raise ValueError(f"there is no day after {day}") from error
    return begins, ends
