"""Hand-picked lists: picking items out of what was found, naming them, and the way to review them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.services.items.lists import ItemList, list_lists, make_list
from core.services.items.search import FoundItem
from core.ui import urls
from core.ui.item_search import page_of, picking_table
from core.ui.shell import PageContext
from core.ui.text import _
from core.ui.theme import draw
from core.ui.widgets import attempt, section

MOST_SHOWN = 20


def pick_items(page: PageContext, found: Sequence[FoundItem]) -> None:
    """Draw what was found with boxes to tick, and what keeps the ticked as a list."""
    slug = page.slug
    key = f"items.{slug}.picked"
    round_key = f"items.{slug}.round"
    picked: set[int] = st.session_state.setdefault(key, set())
    bar = st.container(horizontal=True, gap="small", vertical_alignment="center")
    number, shown = page_of(found, slug)
    ids = "-".join(str(f.item_id) for f in (*shown[:1], *shown[-1:]))
    table_key = f"items.{slug}.{st.session_state.get(round_key, 0)}.{number}.{len(found)}.{ids}"
    if shown:
        picked = st.session_state[key] = picking_table(slug, shown, picked, table_key)
    with bar:
        _bar(slug, found, picked)
    if picked:
        _maker(page, sorted(picked))


def _bar(slug: str, found: Sequence[FoundItem], picked: set[int]) -> None:
    st.button(
        _("Pick all {n} found").format(n=f"{len(found):,}"), key="items.pick.all",
        on_click=_pick, args=(slug, picked | {f.item_id for f in found}), disabled=not found,
    )  # fmt: skip
    st.button(
        _("Pick none"), key="items.pick.none", on_click=_pick, args=(slug, set()),
        disabled=not picked,
    )  # fmt: skip
    draw("<b>{t}</b>", t=_("{n} picked").format(n=f"{len(picked):,}"))


def _pick(slug: str, wanted: set[int]) -> None:
    st.session_state[f"items.{slug}.picked"] = wanted
    # Another key makes another table: this one remembers what was ticked in it.
    round_key = f"items.{slug}.round"
    st.session_state[round_key] = st.session_state.get(round_key, 0) + 1


def _maker(page: PageContext, picked: Sequence[int]) -> None:
    with (
        st.form("items.list", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        name = st.text_input(_("Name of the list"), key="items.list.name", width=320)
        label = _("Keep {n} images as a list").format(n=f"{len(picked):,}")
        if st.form_submit_button(label, icon=":material/playlist_add:", key="items.list.make"):
            attempt(lambda: _make(page, name, picked), _("The list is kept; its link is below."))


def _make(page: PageContext, name: str, picked: Sequence[int]) -> None:
    make_list(page.ws, page.actor, page.slug, name, picked)
    _pick(page.slug, set())


def item_lists(page: PageContext) -> None:
    """Draw the project's lists, each with the way to review it and a link to hand on."""
    made = list_lists(page.ws, page.actor, page.slug)
    if not made:
        return
    section(_("Lists"), _("Hand-picked images; the queue can be narrowed to one of them."))
    for one in made[:MOST_SHOWN]:
        _list(page.slug, one)


def _list(slug: str, one: ItemList) -> None:
    where = urls.page("review", project=slug, list=str(one.id))
    text = _("Review {name} ({n} images)").format(name=f"“{one.name}”", n=f"{one.items:,}")
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        draw("<a href='{href}' target='_self'>{text}</a>", href=where, text=text)
    with right:
        st.code(urls.origin() + where, language=None)
