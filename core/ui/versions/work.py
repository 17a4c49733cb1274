"""Long work on versions, watched on the page: how far it is, how long it will take, how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.ui import background, states, widgets
from core.ui.text import _

T = TypeVar("T")

PATIENCE_SECONDS = 1.0
"""What is small is done before anybody could read how far it is."""


def begin(key: str, do: Callable[[background.Work[T]], T]) -> None:
    """Do something in a thread of its own, which outlives the reader's next click."""
    st.session_state[key] = background.start(do)
    st.rerun()


def under_way(key: str) -> bool:
    """Draw how far the work is and return whether it is still under way."""
    work: background.Work[object] | None = st.session_state.get(key)
    if work is None or work.over.wait(PATIENCE_SECONDS):
        return False
    _watch(work)
    return True


def ended(key: str) -> object | None:
    """Return what work came to, once; an error is said, and gives None like no work at all."""
    work: background.Work[object] | None = st.session_state.get(key)
    if work is None or not work.over.is_set():
        return None
    del st.session_state[key]
    if work.error is not None:
        states.say_error(work.error)
    return work.result


@st.fragment(run_every=0.7)
def _watch(work: background.Work[object]) -> None:
    if work.over.is_set():
        st.rerun()
    phase = _(work.phase)
    widgets.progress(work.done, work.total, work.seconds_left, phase[:1].upper() + phase[1:])
    widgets.caption(_("You may leave this page; it goes on."))
