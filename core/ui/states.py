"""Designed states: what a page shows when it has nothing to show, and why."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import AccessError, NotFound, NotSignedIn, TiebreakError
from core.ui import urls
from core.ui.text import _
from core.ui.theme import Markup, draw, fill

log = logging.getLogger("tiebreak.ui")

# Names of Material symbols, the icon font that Streamlit brings.
_GLYPHS = {
    "inbox": "inbox",
    "check": "check",
    "lock": "lock",
    "alert": "warning",
    "search": "search",
    "plug": "power",
    "person": "person",
}


def show(
    glyph: str, title: str, text: str = "", advice: str = "", code: str = "", inline: bool = False
) -> None:
    """Draw a state: a glyph, what is so, and what to do next.

    Args:
        glyph: inbox, check, lock, alert, search, plug or person.
        title: What is so, in a few words.
        text: One sentence more.
        advice: What to do next.
        code: The stable code of an error.
        inline: Within a page instead of in its place.
    """
    extra = fill("<p>{text}</p>", text=text) if text else Markup()
    hint = fill("<p>{advice}</p>", advice=advice) if advice else Markup()
    tail = fill("<p class='tb-code'>{code}</p>", code=code) if code else Markup()
    draw(
        "<div class='tb-state {inline}' role='status'><div class='tb-glyph'>"
        "<i class='tb-icon' aria-hidden='true'>{glyph}</i></div>"
        "<h2>{title}</h2>{extra}{hint}{tail}</div>",
        inline="tb-state-inline" if inline else "",
        glyph=_GLYPHS[glyph],
        title=title,
        extra=extra,
        hint=hint,
        tail=tail,
    )


def empty(title: str, text: str = "", advice: str = "") -> None:
    """Say that there is nothing here yet, within a page."""
    show("inbox", title, text, advice, inline=True)


def nothing_left(text: str = "", advice: str = "") -> None:
    """Say that the work is done for now."""
    show("check", _("Nothing left to do here"), text, advice)


def not_found(title: str, text: str = "", advice: str = "") -> None:
    """Say that what the address names is not there."""
    show("search", title, text, advice)


def sign_in_first() -> None:
    """Say that one has to sign in, with the way there."""
    show("person", _("Sign in to go on"), _("Your work is kept under your own name."))
    link(_("Sign in"), urls.sign_in())


def no_permission(what: str = "") -> None:
    """Say that one's roles do not reach here, and who can change that."""
    show(
        "lock",
        _("This page is not part of your role"),
        what or _("Your roles in this project do not include what this page does."),
        _("Ask an admin if you need it."),
    )


def routes_missing() -> None:
    """Say that the app was started in a way that leaves out images and sign-in."""
    show(
        "plug",
        _("Half of Tiebreak is running"),
        _("The pages are served, but not the routes for sign-in and images."),
        _("Start it with 'tiebreak serve' or 'streamlit run app.py' from the project's folder."),
    )


def error(problem: TiebreakError, inline: bool = False) -> None:
    """Draw an error as what it is for a person: a sentence, what to do next, a stable code."""
    if isinstance(problem, NotSignedIn):
        sign_in_first()
        return
    glyph, title = "alert", _("That did not work")
    if isinstance(problem, AccessError):
        glyph, title = "lock", _("You may not do this here")
    elif isinstance(problem, NotFound):
        glyph, title = "search", _("This is not here")
    # Only a fault needs its code, for the log; the other two are ordinary answers.
    code = problem.code if glyph == "alert" else ""
    show(glyph, title, problem.message, problem.advice, code, inline)


def link(label: str, href: str) -> None:
    """Draw a link that looks like a button and stays in this tab."""
    draw(
        "<div style='text-align:center'><a class='tb-link' href='{href}'>{label}</a></div>",
        href=href,
        label=label,
    )


@contextmanager
def boundary(inline: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside into a designed state; use it in fragments too.

    Streamlit's own control flow (stop, rerun) is no Exception and passes through.
    """
    try:
        yield
    except TiebreakError as problem:
        error(problem, inline)
    except Exception:
        log.exception("page_failed")
        show(
            "alert",
            _("Something went wrong on our side"),
            _("What you sent before is safe. The details are in the server's log."),
            _("Reload the page; if it comes back, tell an admin."),
            inline=inline,
        )


def say_error(problem: TiebreakError) -> None:
    """Show why one action on a page was refused, above everything that stays as it was."""
    st.error(
        f"{plain_markdown(problem.message)}  \n{plain_markdown(problem.advice)}",
        icon=":material/error:",
    )


def plain_markdown(text: str) -> str:
    """Return text that Markdown shows as written: names of people's choosing go into labels."""
    """Return text that Markdown shows as it is written."""
    for character in "\\`*_{}[]()<>#+-!|$:~":
        text = text.replace(character, "\\" + character)
    return text
