"""The views of the adjudication page, one by one, by cause or what was ruled, and which dialog is open over it.

What is open is kept in the session: a page drawn anew for another reason does not close it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.ui.text import _

BY_CAUSE = "causes"
PAST = "rulings"
_KEY = "tb-dispute-view-choice"
_CHOSEN = "tb-dispute-view-chosen"
_OPEN = "tb-dispute-dialog"


def by_cause() -> bool:
    """Return whether the address asks for the disputes by cause."""
    return st.query_params.get("view", "") == BY_CAUSE


def past() -> bool:
    """Return whether the address asks for the rulings made before."""
    return st.query_params.get("view", "") == PAST


def view_switch() -> None:
    """Draw the choice between the views; it lives in the address."""
    now = BY_CAUSE if by_cause() else PAST if past() else "one"
    chosen = st.session_state.pop(_CHOSEN, None)
    if chosen not in (None, now):
        _go(chosen)
        st.rerun()
    # The address says which it is, whatever was pressed here before somebody came by a link.
    st.session_state[_KEY] = now
    names = {"one": _("One by one"), BY_CAUSE: _("By cause")}
    if now == PAST:
        names[PAST] = _("Past rulings")
    st.segmented_control(
        _("View"),
        list(names),
        format_func=lambda code: names[code],
        key=_KEY,
        label_visibility="collapsed",
        on_change=_press,
    )


def _press() -> None:
    """Remember what was pressed: the control itself is set to the address before it is drawn."""
    st.session_state[_CHOSEN] = st.session_state[_KEY]


def _go(view: str) -> None:
    if view == BY_CAUSE:
        st.query_params["view"] = BY_CAUSE
        st.query_params.pop("item", None)
    else:
        st.query_params.pop("view", None)


def open_dialog(name: str, about: Any) -> None:
    """Let a dialog be open from the next run on."""
    st.session_state[_OPEN] = (name, about)


def opened() -> tuple[str, Any]:
    """Return which dialog is open, and about what; an empty name if none is."""
    found = st.session_state.get(_OPEN, ("", None))
    return found[0], found[1]


def close_dialog() -> None:
    """Let no dialog be open from the next run on."""
    st.session_state.pop(_OPEN, None)
