"""Adjudicate: one dispute at a time with its ruling, all by cause, or the rulings made before."""

from __future__ import annotations

from core.access import Action
from core.ui import deck
from core.ui.adjudication import work
from core.ui.autopsy_panel import causes, ruled
from core.ui.dispute_views import by_cause, past
from core.ui.shell import open_page
from core.ui.text import _

page = open_page(_("Adjudicate"), Action.ADJUDICATE, header=False)
if by_cause():
    causes(page.slug)
elif past():
    ruled(page.slug)
else:
    deck.use_whole_window()
    work(page.slug)
