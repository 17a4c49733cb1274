"""Keeping Streamlit's older page discovery away from our ``pages`` folder."""

from __future__ import annotations

from streamlit.runtime.pages_manager import PagesManager


def claim_pages() -> None:
    """Say before the first visitor comes that pages are opened by the shell, never on their own.

    Until some session has called ``st.navigation``, Streamlit 1.67 takes a ``pages`` folder for an
    old-style app: whoever opens a deep link first after a start would see a bare page without
    the shell. There is no public setting for it.
    """
    PagesManager.uses_pages_directory = False
