"""Items: find one by its name, see its label and why it has it. The permalink of every item."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Resource, can
from core.labels import Answer
from core.services.items import MOST_FOUND, find_items, look_at
from core.services.projects import get_project
from core.services.views import ReviewItem
from core.services.why import Why, explain
from core.ui import deck, states, threads, urls
from core.ui.adjudication import why_card
from core.ui.item_list_panel import item_lists
from core.ui.shell import PageContext, open_page
from core.ui.text import _
from core.ui.theme import Markup, draw, fill
from core.ui.widgets import caption, section, state_name, table

LABEL_COLOUR = "#0072B2"


def main() -> None:
    """Show the list, and the item the address names."""
    page = open_page(
        _("Items"), Action.SEE_IMAGE, subtitle=_("Find an image, and see why it has its label.")
    )
    part = st.text_input(
        _("File name, or a part of it"),
        value=st.query_params.get("name", ""),
        key="items.part",
        on_change=lambda: st.query_params.update(name=st.session_state["items.part"]),
    )
    found = find_items(page.ws, page.actor, page.slug, part)
    asked = st.query_params.get("item", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 18:
        _item(page, int(asked))
    elif not found:
        states.empty(_("No image has such a name"), _("Try a shorter part of it."))
        return
    section(_("Images"))
    table(
        [_("File"), _("State")],
        [[_link(page.slug, f.item_id, f.name), state_name(f.state)] for f in found],
        _("Images found"),
    )
    if len(found) == MOST_FOUND:
        caption(_("The first {n} are shown.").format(n=MOST_FOUND))
    item_lists(page, [f.item_id for f in found])


def _link(slug: str, item_id: int, name: str) -> Markup:
    return fill(
        "<a href='{href}' target='_self' style='color:inherit'>{name}</a>",
        href=urls.page("items", project=slug, item=str(item_id)),
        name=name,
    )


def _item(page: PageContext, item_id: int) -> None:
    item = look_at(page.ws, page.actor, page.slug, item_id)
    why = explain(page.ws, page.actor, page.slug, item_id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _picture(page, item, why)
    with right:
        draw("<h3 style='margin-top:0'>{name}</h3>", name=item.name)
        why_card(page.ws, page.actor, page.slug, item_id)
        if item.metadata:
            rows = [[k, v] for k, v in sorted(item.metadata.items())]
            table([_("Metadata"), _("Value")], rows, _("Metadata"))
        _ways_on(page, item)
        threads.panel(page.slug, item_id)


def _picture(page: PageContext, item: ReviewItem, why: Why) -> None:
    answer = why.answer or Answer()
    label = deck.Layer(
        name=_("Label in force") if why.answer else state_name(item.state),
        key="",
        colour=LABEL_COLOUR,
        dash="",
        lines=(),
        answer=answer,
        shared=(),
        confidence=None,
    )
    deck.votes_view(
        item.image + "&w=1600",
        item.name,
        (item.width, item.height),
        (label,),
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
