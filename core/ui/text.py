"""Texts in the reader's language, found when they are needed and never before.

Fragments and callbacks run in new threads without the shell, so the language lives in the
session's state and is looked up at each call. Never cache what `_` returns.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.catalogue import catalogue

LANGUAGE = "tiebreak.language"


def use_language(code: str) -> None:
    """Let this browser session read a language from now on."""
    st.session_state[LANGUAGE] = code


def language() -> str:
    """Return the code of the language of this browser session."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return str(st.session_state.get(LANGUAGE, "en"))


def _(message: str) -> str:
    """Return a text in the reader's language."""
    return catalogue(language()).gettext(message)


def many(one: str, several: str, n: int) -> str:
    """Return the right form of a text for a number, with ``{n}`` filled in."""
    return catalogue(language()).ngettext(one, several, n).format(n=f"{n:,}")


def mark(message: str) -> str:
    """Return the text unchanged; marks it for the catalogue where it is defined, not shown."""
    return message
