"""The two views of the adjudication page: one dispute after another, or gathered by cause."""

from __future__ import annotations

import streamlit as st

from core.ui.text import _

BY_CAUSE = "causes"
_KEY = "tb-dispute-view-choice"


def by_cause() -> bool:
    """Return whether the address asks for the disputes by cause."""
    return st.query_params.get("view", "") == BY_CAUSE


def view_switch() -> None:
    """Draw the choice between the two views; it lives in the address."""
    now = BY_CAUSE if by_cause() else "one"
    st.session_state[_KEY] = now
    names = {"one": _("One by one"), BY_CAUSE: _("By cause")}
    chosen = st.segmented_control(
        _("View"),
        list(names),
        format_func=lambda code: names[code],
        key=_KEY,
        label_visibility="collapsed",
    )
    if chosen in (None, now):
        return
    if chosen == BY_CAUSE:
        st.query_params["view"] = BY_CAUSE
        st.query_params.pop("item", None)
    else:
        st.query_params.pop("view", None)
    st.rerun()
