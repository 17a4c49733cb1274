"""Small things every page draws alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core.errors import TiebreakError
from core.labels.state import ItemState
from core.services.projects.project import ProjectView
from core.ui import states
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.tokens import MUTED, STATE_COLOURS, STATE_ORDER
from core.ui.zones import reader_zone

FLASH = "tiebreak.flash"
_FIGURE = re.compile(r"(?:\bn = \d[\d,]*|[\d.,]*\d (?:%|s|h|points)(?![\w]))(?![^<]*>)")
"""A figure with what belongs to it, in text and not within a tag: n and its number, a number and its unit."""

STATE_NAMES = {
    ItemState.OPEN: mark("Open"),
    ItemState.DISPUTE: mark("In dispute"),
    ItemState.IMPORTED: mark("Imported"),
    ItemState.AUTO_ACCEPTED: mark("Accepted automatically"),
    ItemState.AGREED: mark("Agreed"),
    ItemState.ADJUDICATED: mark("Adjudicated"),
    ItemState.NEUTRAL: mark("No class fits"),
    ItemState.DISCARDED: mark("Discarded"),
}


def page_header(title: str, subtitle: str = "", project: ProjectView | None = None) -> None:
    """Draw the page's title, the project it is about, and whether that is simulated."""
    crumb = Markup()
    if project is not None:
        chip = fill("<span class='tb-chip tb-chip-warn'>{t}</span>", t=_("Simulated data"))
        crumb = fill(
            "<div class='tb-crumb'><span class='tb-muted'>{title}</span>{chip}</div>",
            title=project.title,
            chip=chip if project.simulated else Markup(),
        )
    below = fill("<p>{text}</p>", text=subtitle) if subtitle else Markup()
    draw(
        "<div class='tb-header'>{crumb}<h1>{title}</h1>{below}</div>",
        crumb=crumb,
        title=title,
        below=below,
    )


def section(title: str, text: str = "") -> None:
    """Draw the head of a part of a page."""
    below = fill("<div class='tb-muted tb-small'>{t}</div>", t=text) if text else Markup()
    draw(
        "<div style='margin-top:1rem'><div style='font-size:1.12rem;font-weight:600'>{title}</div>{below}</div>",
        title=title,
        below=below,
    )


def figure(
    label: str,
    value: float | None,
    n: int | None = None,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    note: str = "",
) -> None:
    """Draw one figure with its n and its interval; None shows as "not enough data".

    Args:
        label: What it is.
        value: The figure; with unit "%" a fraction.
        n: How many observations it rests on.
        low: Lower end of the 95 % interval.
        high: Upper end.
        unit: "%" for fractions, else what follows the number.
        note: Whose, against what.
    """
    parts = []
    if value is not None and low is not None and high is not None:
        parts.append(f"{number(low, unit)} – {number(high, unit)}")
    if n is not None:
        parts.append(f"n = {n:,}")
    if note:
        parts.append(note)
    fact(label, None if value is None else number(value, unit), " · ".join(parts))


def fact(label: str, value: str | None, note: str = "") -> None:
    """Draw one figure that is put into words already; None shows as "not enough data"."""
    draw(
        "<div class='tb-figure {none}'><div class='tb-label'>{label}</div>"
        "<div class='tb-value'>{value}</div><div class='tb-note'>{note}</div></div>",
        none="tb-figure-none" if value is None else "",
        label=label,
        value=_("Not enough data") if value is None else value,
        note=unbroken(note or "\u00a0"),
    )


def number(value: float, unit: str = "", decimals: int = 1) -> str:
    """Return a number as people read it: 96.4 %, 1,204, 3.2 s; the decimals are those of a share."""
    if unit == "%":
        return f"{value * 100:.{decimals}f} %"
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.2f}"
    return f"{text} {unit}".strip()


def chips(texts: Mapping[str, str]) -> None:
    """Draw a row of small chips: text to colour of its dot (empty for none)."""
    draw("<div class='tb-chips'>{all}</div>", all=join(chip(t, c) for t, c in texts.items()))


def chip(text: str, colour: str = "") -> Markup:
    """Return a chip with a coloured dot."""
    dot = fill("<i class='tb-dot' style='background:{c}'></i>", c=colour) if colour else Markup()
    return fill("<span class='tb-chip'>{dot}{text}</span>", dot=dot, text=text)


def state_bar(counts: Mapping[str, int]) -> None:
    """Draw how many items are in which state, as one stacked bar with its numbers."""
    total = sum(counts.values())
    present = [s for s in STATE_ORDER if counts.get(s)]
    bar = join(
        fill(
            "<i class='{open}' style='width:{w}%;background:{c}' title='{t}'></i>",
            open="tb-open" if s == ItemState.OPEN else "",
            w=f"{100 * counts[s] / total:.2f}",
            c=STATE_COLOURS[s],
            t=state_name(s),
        )
        for s in present
    )
    legend = join(
        fill(
            "<span><i class='tb-dot' style='background:{c}'></i>{t} <b>{n}</b></span>",
            c=STATE_COLOURS.get(s, MUTED),
            t=state_name(s),
            n=f"{counts[s]:,}",
        )
        for s in present
    )
    draw(
        "<div class='tb-stack' role='img' aria-label='{alt}'>{bar}</div><div class='tb-legend'>{legend}</div>",
        alt=", ".join(f"{state_name(s)}: {counts[s]}" for s in present),
        bar=bar,
        legend=legend,
    )


def state_name(state: str) -> str:
    """Return an item state in the reader's words."""
    return _(STATE_NAMES[ItemState(state)])


def progress(done: int, total: int, seconds_left: float | None = None, text: str = "") -> None:
    """Draw a progress bar that says how much there is and how long it will take."""
    share = min(done / total, 1.0) if total else 0.0
    parts = [text] if text else []
    if total:
        parts.append(_("{done} of {total}").format(done=f"{done:,}", total=f"{total:,}"))
    if seconds_left is not None and not (total and done >= total):
        parts.append(_("about {time} left").format(time=duration(seconds_left)))
    st.progress(share, text=" · ".join(parts) or None)


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 90:
        return many("{n} second", "{n} seconds", max(1, round(seconds)))
    if seconds < 90 * 60:
        return many("{n} minute", "{n} minutes", round(seconds / 60))
    if seconds < 36 * 3600:
        return many("{n} hour", "{n} hours", round(seconds / 3600))
    return many("{n} day", "{n} days", round(seconds / 86400))


def when(at: float) -> str:
    """Return a moment in the reader's own time zone, to the minute."""
    return f"{datetime.fromtimestamp(at, ZoneInfo(reader_zone())):%Y-%m-%d %H:%M}"


def flash(message: str, icon: str = "check_circle") -> None:
    """Say that something was done, on the next run: the one that shows the result."""
    st.session_state[FLASH] = (message, icon)


def show_flash() -> None:
    """Show what `flash` left; the shell calls it."""
    said = st.session_state.pop(FLASH, None)
    if said:
        st.toast(said[0], icon=f":material/{said[1]}:")


def attempt(work: Callable[[], object], done: str) -> None:
    """Do the one thing a person asked for: say that it is done and draw the page anew, or say why not."""
    try:
        work()
    except TiebreakError as problem:
        states.say_error(problem)
        return
    flash(done)
    st.rerun()


def table(head: Sequence[str], rows: Sequence[Sequence[Markup | str]], label: str) -> None:
    """Draw a plain table for reading: a head, rows of text or markup, a name for screen readers.

    A row of a single cell is a title over those that follow: it goes all the way across.
    """
    # A column without a title has no head for screen readers to announce.
    top = join(fill("<th scope='col'>{t}</th>", t=t) if t else Markup("<td></td>") for t in head)
    body = join(fill("<tr>{cells}</tr>", cells=_cells(row, len(head))) for row in rows)
    draw(
        "<div class='tb-table' tabindex='0' role='region' aria-label='{label}'><table>"
        "<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>",
        label=label,
        top=top,
        body=body,
    )


def _cells(row: Sequence[Markup | str], wide: int) -> Markup:
    if len(row) == 1 < wide:
        return fill("<th scope='rowgroup' colspan='{n}'>{c}</th>", n=wide, c=row[0])
    return join(fill("<td>{c}</td>", c=unbroken(c)) for c in row)


def unbroken(text: Markup | str) -> Markup:
    """Return text or markup in which no line ends within a figure, as in "n = 25" or "9.5 s"."""
    shown = text if isinstance(text, Markup) else fill("{t}", t=text)
    return Markup(_FIGURE.sub(r"<span class='tb-whole'>\g<0></span>", shown))


def muted(text: str) -> Markup:
    """Return text that steps back."""
    return fill("<span class='tb-muted'>{t}</span>", t=text)


def caption(text: str) -> None:
    """Draw a small hint."""
    draw("<div class='tb-muted tb-small'>{t}</div>", t=unbroken(text))
