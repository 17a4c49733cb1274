"""Who is looking: one function, asked again by every page, fragment and callback."""

from __future__ import annotations

import streamlit as st

from core.access import Actor
from core.services.accounts.sessions import session_actor
from core.services.workspace import current_workspace
from core.web import COOKIE, read_token


def current_actor() -> Actor:
    """Return who holds this browser's session, roles read afresh; nobody without one.

    The cookie is that of the websocket's handshake, so a session ended in another tab is
    noticed by the record, not by the cookie.
    """
    ws = current_workspace()
    return session_actor(ws, read_token(ws.secret(), st.context.cookies.get(COOKIE)))
