"""Hand-picked lists beside the items found: making one, and the way to review it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.services.item_lists import list_lists, make_list
from core.services.projects import get_project
from core.ui import states, urls
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.widgets import attempt, section

MOST_SHOWN = 20


def item_lists(page: PageContext, found: Sequence[int]) -> None:
    """Draw the project's lists, and for who steers it the action that makes one of `found`."""
    project = get_project(page.ws, page.actor, page.slug)
    steers = can(page.actor, Action.STEER, Resource(project.id))
    made = list_lists(page.ws, page.actor, page.slug)
    if not made and not steers:
        return
    section(_("Lists"), _("Hand-picked images; the queue can be narrowed to one of them."))
    for one in made[:MOST_SHOWN]:
        text = _("Review {name} ({n} images)").format(name=f"“{one.name}”", n=f"{one.items:,}")
        states.link(text, urls.page("review", project=page.slug, list=str(one.id)))
    if steers and found:
        _maker(page, found)


def _maker(page: PageContext, found: Sequence[int]) -> None:
    with st.form("items.list", border=True):
        name = st.text_input(_("Make a list of what is found"), key="items.list.name",
                             placeholder=_("Its name"))  # fmt: skip
        label = _("Keep {n} images as a list").format(n=len(found))
        if st.form_submit_button(label, icon=":material/playlist_add:", key="items.list.make"):
            attempt(
                lambda: make_list(page.ws, page.actor, page.slug, name, found),
                _("The list is kept."),
            )
