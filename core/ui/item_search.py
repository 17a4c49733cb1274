"""The fields items are looked for with, and the table of what was found, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.labels.schema import LabelSchema
from core.labels.state import ItemState
from core.services.items.search import MOST_FOUND, FoundItem, ItemSearch
from core.ui import urls
from core.ui.text import _, many
from core.ui.theme import Markup, fill
from core.ui.widgets import caption, state_name, table

PAGE_ROWS = 50
ROW_PX, HEAD_PX, MOST_PX = 52, 36, 480


def search_fields(slug: str, schema: LabelSchema, steers: bool) -> ItemSearch:
    """Draw the fields and return what is asked for.

    Args:
        slug: Of the project; each has fields of its own.
        schema: What the classes are.
        steers: Whether to offer what a model proposes and open threads too.
    """
    key, names = f"items.{slug}", schema.main.names
    columns = st.columns([3, 3, 2, 2, 3] if steers else [3, 3, 2, 3])
    with columns[0]:
        part = st.text_input(
            _("File name, or a part of it"),
            value=st.query_params.get("name", ""),
            key="items.part",
            on_change=lambda: st.query_params.update(name=st.session_state["items.part"]),
        )
    states = columns[1].multiselect(
        _("Where it stands"), list(ItemState), format_func=state_name, key=f"{key}.states",
        placeholder=_("Anywhere"),
    )  # fmt: skip
    label = _class(columns[2], _("Final label"), names, f"{key}.label")
    predicted, talk = "", False
    if steers:
        predicted = _class(columns[3], _("Model says"), names, f"{key}.predicted")
    metadata = columns[-1].text_input(
        _("Metadata"), key=f"{key}.metadata", placeholder=_("text, or column: text")
    )
    if steers:
        talk = st.checkbox(
            _("Only with an open thread"), st.query_params.get("talk") == "open", key=f"{key}.talk"
        )
    return ItemSearch(part, frozenset(states), label, predicted, metadata, talk)


def _class(where: Any, title: str, names: Sequence[str], key: str) -> str:
    return str(where.selectbox(title, ["", *names], format_func=lambda n: n or _("Any"), key=key))


def found_line(found: Sequence[FoundItem]) -> None:
    """Say how many were found, and where the list was cut."""
    if len(found) == MOST_FOUND:
        caption(
            _("The first {n} are shown; look for less to see others.").format(n=f"{MOST_FOUND:,}")
        )
    else:
        caption(many("{n} image found", "{n} images found", len(found)))


def page_of(found: Sequence[FoundItem], slug: str) -> tuple[int, Sequence[FoundItem]]:
    """Draw which page is shown where there are several; return its number and its items."""
    pages = -(-len(found) // PAGE_ROWS)
    if pages < 2:
        return 1, found
    key = f"items.{slug}.page"
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = 1
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        shown = int(
            st.number_input(_("Page"), 1, pages, key=key, width=130, label_visibility="collapsed")
        )
        caption(_("Page {i} of {n}").format(i=shown, n=pages))
    return shown, found[(shown - 1) * PAGE_ROWS : shown * PAGE_ROWS]


def reading_table(slug: str, shown: Sequence[FoundItem]) -> None:
    """Draw the items as links, for those who make no lists."""
    table(
        [_("File"), _("State"), _("Final label")],
        [[_link(slug, f), state_name(f.state), f.label or "–"] for f in shown],
        _("Images found"),
    )


def _link(slug: str, item: FoundItem) -> Markup:
    return fill(
        "<a href='{href}' target='_self' style='color:inherit'>{name}</a>",
        href=urls.page("items", project=slug, item=str(item.item_id)),
        name=item.name,
    )


# --- picking ----------------------------------------------------------------------------------


def picking_table(slug: str, shown: Sequence[FoundItem], picked: set[int], key: str) -> set[int]:
    """Draw the items with a picture and a box to tick; return what is picked after this run.

    Args:
        slug: Of the project.
        shown: The items of this page.
        picked: What is picked so far, on other pages too.
        key: Of the table; another one when `picked` changed by other means than its boxes.
    """
    # The table itself counts what is ticked from what it was first given: that must not change.
    last, begun = st.session_state.get(f"items.{slug}.table", ("", frozenset()))
    if last != key:
        begun = frozenset(picked)
        st.session_state[f"items.{slug}.table"] = (key, begun)
    edited = st.data_editor(
        [_row(slug, f, f.item_id in begun) for f in shown],
        key=key,
        hide_index=True,
        width="stretch",
        row_height=ROW_PX,
        height=min(MOST_PX, HEAD_PX + ROW_PX * len(shown) + 2),
        disabled=("picture", "file", "state", "label", "open"),
        column_order=("pick", "picture", "file", "state", "label", "open"),
        alt=_("Images found"),
        column_config={
            "pick": st.column_config.CheckboxColumn(_("Pick"), width=60),
            "picture": st.column_config.ImageColumn(_("Picture"), width=90),
            "file": st.column_config.TextColumn(_("File")),
            "state": st.column_config.TextColumn(_("State")),
            "label": st.column_config.TextColumn(_("Final label")),
            "open": st.column_config.LinkColumn(
                _("Open"), width=60, display_text=":material/open_in_new:"
            ),
        },
    )
    return ticked(picked, shown, edited)


def ticked(
    picked: Iterable[int], shown: Sequence[FoundItem], rows: Sequence[Mapping[str, Any]]
) -> set[int]:
    """Return what is picked once the boxes of one page say what they say."""
    here = {f.item_id for f, row in zip(shown, rows, strict=True) if row.get("pick")}
    return (set(picked) - {f.item_id for f in shown}) | here


def _row(slug: str, item: FoundItem, pick: bool) -> dict[str, object]:
    return {
        "pick": pick,
        "picture": urls.absolute(f"{item.image}&w=200"),
        "file": item.name,
        "state": state_name(item.state),
        "label": item.label or "–",
        "open": urls.origin() + urls.page("items", project=slug, item=str(item.item_id)),
    }
