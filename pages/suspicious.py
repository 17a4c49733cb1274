"""Suspicious labels: what is probably wrong, why, and one key to send it back or to say it is right."""

from __future__ import annotations

from core.access import Action
from core.ui import states
from core.ui.shell import open_page
from core.ui.suspicious import show_suspicious
from core.ui.text import _

page = open_page(_("Suspicious labels"), Action.SEE_FIGURES)
with states.boundary(inline=True):
    show_suspicious(page)
