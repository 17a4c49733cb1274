"""Items: find one by its name, see its label and why it has it. The permalink of every item."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.access import Action, Resource, can
from core.labels import Answer
from core.services.items.search import FoundItem, find_items, look_at
from core.services.items.why import Why, explain
from core.services.projects.project import get_project
from core.services.review.used import what_used
from core.services.visibility.views import ReviewItem
from core.ui import deck, states, threads, urls
from core.ui.item_list_panel import item_lists, pick_items
from core.ui.item_search import found_line, page_of, reading_table, search_fields
from core.ui.past_rulings import used_card
from core.ui.recent_rulings import why_card
from core.ui.shell import PageContext, open_page
from core.ui.text import _
from core.ui.theme import draw
from core.ui.widgets import section, table

LABEL_COLOUR = "#0072B2"


def main() -> None:
    """Show the list, and the item the address names."""
    page = open_page(
        _("Items"), Action.SEE_IMAGE, subtitle=_("Find an image, and see why it has its label.")
    )
    project = get_project(page.ws, page.actor, page.slug)
    asked = st.query_params.get("item", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 18:
        _item(page, int(asked))
        section(_("Images"))
    steers = can(page.actor, Action.STEER, Resource(project.id))
    with states.boundary(inline=True):
        search = search_fields(page.slug, project.schema, steers)
        found = find_items(page.ws, page.actor, page.slug, search)
        _list(page, found, steers)
    item_lists(page)


def _list(page: PageContext, found: Sequence[FoundItem], steers: bool) -> None:
    if found:
        found_line(found)
    else:
        states.empty(
            _("No image is like that"), _("Try a shorter part of the name, or ask for less.")
        )
    if steers:
        pick_items(page, found)
    elif found:
        reading_table(page.slug, page_of(found, page.slug)[1])


def _item(page: PageContext, item_id: int) -> None:
    item = look_at(page.ws, page.actor, page.slug, item_id)
    why = explain(page.ws, page.actor, page.slug, item_id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _picture(page, item, why)
    with right:
        draw("<h3 style='margin-top:0'>{name}</h3>", name=item.name)
        talk_first = "thread" in st.query_params or threads.any_open(page.slug, item_id)
        if talk_first:
            threads.panel(page.slug, item_id)
        why_card(page.ws, page.actor, page.slug, item_id)
        # Of an open item it would tell a lead who may still vote what it used to be.
        if why.answer is not None and can(page.actor, Action.EXCHANGE, _here(page)):
            used_card(what_used(page.ws, page.actor, page.slug, item_id))
        if item.metadata:
            rows = [[k, v] for k, v in sorted(item.metadata.items())]
            table([_("Metadata"), _("Value")], rows, _("Metadata"))
        _ways_on(page, item)
        if not talk_first:
            threads.panel(page.slug, item_id)


def _here(page: PageContext) -> Resource:
    return Resource(get_project(page.ws, page.actor, page.slug).id)


def _picture(page: PageContext, item: ReviewItem, why: Why) -> None:
    # Without a label in force there is no party to show: the picture stands alone.
    label = deck.Layer(
        name=_("Label in force"),
        key="",
        colour=LABEL_COLOUR,
        dash="",
        lines=(),
        answer=why.answer or Answer(),
        shared=(),
        confidence=None,
    )
    deck.votes_view(
        item.image + "&w=1600",
        item.name,
        (item.width, item.height),
        (label,) if why.answer else (),
        get_project(page.ws, page.actor, page.slug).schema,
    )


def _ways_on(page: PageContext, item: ReviewItem) -> None:
    project = get_project(page.ws, page.actor, page.slug)
    where = {"project": page.slug, "item": str(item.item_id)}
    if item.can_vote:
        states.link(_("Open in Review"), urls.page("review", **where))
    if can(page.actor, Action.ADJUDICATE, Resource(project.id)):
        states.link(_("Open in Adjudicate"), urls.page("adjudicate", **where))


main()
