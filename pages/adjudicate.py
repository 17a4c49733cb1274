"""Adjudicate: one dispute at a time, everybody's answer over the image, a ruling with its reason."""

from __future__ import annotations

from core.access import Action
from core.ui import deck
from core.ui.adjudication import work
from core.ui.shell import open_page
from core.ui.text import _

page = open_page(_("Adjudicate"), Action.ADJUDICATE, header=False)
deck.use_whole_window()
work(page.slug)
