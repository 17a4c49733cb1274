"""Grid: pages of tiles of one predicted class; mark what is wrong, confirm the rest."""

from __future__ import annotations

import streamlit as st

from core.access import Action
from core.ui import deck
from core.ui.grid import grid, known_count
from core.ui.shell import open_page
from core.ui.text import _

page = open_page(_("Grid"), Action.VOTE, header=False)
deck.use_whole_window()
if page.project is not None:
    settings = page.ws.settings
    grid(
        page.project,
        deck.Person(page.actor.person_id, settings.idle_seconds, settings.lease_seconds),
        settings.lease_cap,
        st.query_params.get("class", ""),
        known_count(st.query_params.get("n", "")),
    )
