"""The adjudication screen: which disputes there are, the one in hand, and what became of the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.services.projects.project import ProjectView, get_project
from core.services.review.adjudication import DisputeList, DisputeRow, list_disputes
from core.services.review.autopsy import autopsy_of
from core.services.review.dispute_filter import DisputeFilter
from core.services.review.disputes import DisputeView, get_dispute
from core.services.workspace import current_workspace
from core.ui import deck, dispute_filters, identity, ruling, states, threads, widgets
from core.ui.autopsy_panel import autopsy_data
from core.ui.dispute_views import view_switch
from core.ui.recent_rulings import last_rulings
from core.ui.text import _, many
from core.ui.theme import draw

PAGE = 100
"""Disputes in the list at once; the ways to those before and after stand at its ends."""


@st.fragment
def work(slug: str) -> None:
    """Show the disputes and the one in hand; runs again by itself, so it asks again who is looking."""
    with states.boundary():
        ws, actor = current_workspace(), identity.current_actor()
        project = get_project(ws, actor, slug)
        asked = dispute_filters.asked_filter()
        found = list_disputes(ws, actor, slug, asked)
        asked_item = _asked_item()
        if asked_item is None and st.query_params.get("item"):
            widgets.caption(
                _('The address names no item: what follows "item=" is to be its number.')
            )
        item_id = _current(found.rows, asked_item)
        if item_id is None and found.total:
            dispute_filters.nothing_meets(found, asked)
            last_rulings(slug)
            return
        if item_id is None:
            _nothing(slug)
            return
        cause = autopsy_data(autopsy_of(ws, actor, slug, item_id))
        view = replace(get_dispute(ws, actor, slug, item_id), autopsy=cause)
        _head(project, found, asked, item_id, view)
        ruling.show(project, actor, view, [row.item_id for row in found.rows])


def _asked_item() -> int | None:
    asked = st.query_params.get("item", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None


def _current(rows: Sequence[DisputeRow], asked: int | None) -> int | None:
    """Return the item to show: the address's, the one picked, else the most valuable."""
    if asked is not None:
        return asked
    ids = [row.item_id for row in rows]
    picked = st.session_state.get(ruling.PICK)
    if picked is not None and picked in ids:
        return int(picked)
    if not ids:
        return None
    # It stays the one in hand, whatever others do to the order of the list.
    chosen = int(ids[st.session_state.pop(ruling.PLACE, 0) % len(ids)])
    st.session_state[ruling.PICK] = chosen
    return chosen


def _nothing(slug: str) -> None:
    states.nothing_left(
        _("No item is in dispute. New ones come here when votes differ or somebody flags an item.")
    )
    last_rulings(slug)


# --- the line above -----------------------------------------------------------------------------


def _head(
    project: ProjectView,
    found: DisputeList,
    asked: DisputeFilter,
    item_id: int,
    view: DisputeView,
) -> None:
    """Draw which dispute this is, how many there are, and the way to the others."""
    ids = [row.item_id for row in found.rows]
    left, middle, right = st.columns([3.3, 1.2, 7.5], vertical_alignment="center")
    with left:
        _list(found.rows, ids, item_id, view)
    with middle:
        nth = (
            _("{i} of {n}").format(i=f"{ids.index(item_id) + 1:,}", n=f"{len(ids):,}")
            if item_id in ids
            else ""
        )
        draw(
            "<div class='tb-small'><b>{n}</b> <span class='tb-muted'>{all}</span></div>",
            n=nth or many("{n} dispute", "{n} disputes", len(ids)),
            all=_("({n} in all)").format(n=f"{found.total:,}") if asked else "",
        )
    with (
        right,
        st.container(horizontal=True, gap="xsmall", horizontal_alignment="right", key="tb-ways"),
    ):
        view_switch()
        dispute_filters.popover(found, asked)
        with st.popover(_("Guideline")):
            text = project.guideline or _("This project has no guideline yet.")
            deck.guideline_view(text, "tb-guideline")
        threads.popover(project.slug, item_id)
        last_rulings(project.slug)
        # The arrow keys are taken by the element, which knows what else was pressed.
        for label, name, by in ((_("← Previous"), "Left", -1), (_("Next →"), "Right", 1)):
            st.button(label, key=f"tb-go-{name}", on_click=ruling.step, args=(ids, item_id, by))


def _list(rows: Sequence[DisputeRow], ids: list[int], item_id: int, view: DisputeView) -> None:
    """Draw the list of disputes, the page of it that holds the one in hand, with the ways to the others."""
    place = ids.index(item_id) if item_id in ids else 0
    first = place - place % PAGE
    page = rows[first : first + PAGE]
    words = {row.item_id: _row_words(row) for row in page}
    options = [row.item_id for row in page] if item_id in words else [item_id, *words]
    if first:
        options.insert(0, ids[first - PAGE])
        words[ids[first - PAGE]] = _("↑ {a}–{b}").format(a=f"{first - PAGE + 1:,}", b=f"{first:,}")
    if first + PAGE < len(ids):
        after = min(first + 2 * PAGE, len(ids))
        options.append(ids[first + PAGE])
        words[ids[first + PAGE]] = _("↓ {a}–{b}").format(a=f"{first + PAGE + 1:,}", b=f"{after:,}")
    st.selectbox(
        _("Disputes"),
        options,
        index=options.index(item_id),
        format_func=lambda i: words.get(i, view.item.name),
        key=f"tb-pick-dispute-{item_id}",
        label_visibility="collapsed",
        on_change=_picked,
        args=(f"tb-pick-dispute-{item_id}", item_id),
    )


def _row_words(row: DisputeRow) -> str:
    flag = _("flagged") if row.flagged else ""
    return ruling.SEPARATOR.join(p for p in (row.name, " / ".join(row.labels), flag) if p)


def _picked(key: str, shown: int) -> None:
    """Go to the item picked; a list that only says again what is shown moves nobody."""
    picked = st.session_state.get(key)
    if picked is not None and picked != shown:
        ruling.go(picked)
