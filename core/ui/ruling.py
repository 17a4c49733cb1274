"""Ruling on one dispute: the element it is made in, what became of it, the canvas for regions.

Nothing is decided here: the browser sends a ruling to the server's route and tells what came of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.access import Actor
from core.clock import new_uuid
from core.errors import InputError
from core.labels import Answer
from core.labels.schema import Task
from core.services.projects.project import ProjectView
from core.services.review.disputes import DisputeView
from core.services.review.submission import check_answer
from core.ui import box_editor, differences, layers, urls
from core.ui.deck.dispute import Edited, dispute_view, heard
from core.ui.text import _

PICK = "tb-dispute"
PLACE = "tb-dispute-place"
LIST = "tb-disputes"
EDITED = "tb-ruling-edited"
CANVAS = "tb-ruling-canvas"
SEPARATOR = " · "


@dataclass(frozen=True, slots=True)
class Listed:
    """The disputes as they stood on the screen: their order, and what the one in hand is called."""

    ids: tuple[int, ...]
    shown: int
    name: str


def go(item_id: int) -> None:
    """Show another dispute."""
    st.session_state[PICK] = item_id
    st.session_state.pop(CANVAS, None)
    st.session_state.pop(EDITED, None)
    st.query_params.pop("item", None)


def show(project: ProjectView, actor: Actor, view: DisputeView, ids: list[int]) -> None:
    """Show a dispute with everything a ruling needs, or the canvas.

    Args:
        project: The project.
        actor: Who rules.
        view: The dispute.
        ids: All disputes in their order.
    """
    st.session_state[LIST] = Listed(tuple(ids), view.item.item_id, view.item.name)
    editing = st.session_state.get(CANVAS)
    if editing is not None and editing.item_id == view.item.item_id:
        _edit(project, view, editing)
        return
    parties = layers.of_dispute(view, project.policy.iou_at_least)
    said = [differences.Said(v.alias, v.answer) for v in view.votes]
    edited = st.session_state.get(EDITED)
    dispute_view(
        project,
        view,
        parties,
        differences.differences(project.schema, said, project.policy.iou_at_least),
        actor.person_id,
        edited if edited is not None and edited.item_id == view.item.item_id else None,
        {
            "settled": _settled,
            "refused": lambda: None,
            "step": _step,
            "edit": lambda: _begin_edit(project, view),
        },
    )


# --- what the browser tells ---------------------------------------------------------------------


def _settled() -> None:
    """Open what came next in the list; the ruling itself is on the record already."""
    listed, item_id = st.session_state.get(LIST), heard("settled").get("item_id")
    if listed is None or item_id != listed.shown:
        return
    # The list is in a new order by then: what stands at this place counts, at the top the worthiest.
    go(0)
    st.session_state[PLACE] = listed.ids.index(listed.shown) if listed.shown in listed.ids else 0


def _step() -> None:
    said = heard("step")
    listed = st.session_state.get(LIST)
    if listed is not None and said.get("item_id") == listed.shown:
        step(list(listed.ids), listed.shown, -1 if said.get("by") == -1 else 1)


def step(ids: list[int], item_id: int, by: int) -> None:
    """Show the dispute before or after one in the list."""
    if ids:
        place = ids.index(item_id) if item_id in ids else -1 if by > 0 else 1
        go(ids[(place + by) % len(ids)])


# --- regions of the lead's own ------------------------------------------------------------------


def _begin_edit(project: ProjectView, view: DisputeView) -> None:
    said = heard("edit")
    if said.get("item_id") != view.item.item_id or not view.may_decide:
        return
    begun = _answer_of(project, view, said.get("answer"))
    size, room = (view.item.width, view.item.height), said.get("room")
    st.session_state[CANVAS] = box_editor.start(
        view.item.item_id, size, begun.regions, project.schema,
        room if isinstance(room, dict) else None, begun.choices, begun.multi,
    )  # fmt: skip


def _answer_of(project: ProjectView, view: DisputeView, sent: Any) -> Answer:
    """Return the answer in the browser's hand; what it has no regions of has the first vote's."""
    first = view.votes[0].answer if view.votes else Answer()
    if not isinstance(sent, dict):
        return first
    try:
        answer = Answer.from_json(json.dumps({k: v for k, v in sent.items() if v is not None}))
        if sent.get("regions") is None:
            answer = replace(answer, regions=first.regions)
        return check_answer(project, answer, view.item.width, view.item.height, complete=False)
    except (InputError, ValueError):
        return first


def _edit(project: ProjectView, view: DisputeView, editing: box_editor.Editing) -> None:
    def actions(good: bool) -> None:
        st.button(
            _("Use these boxes") if project.task is Task.BOXES else _("Use these regions"),
            key="tb-use",
            type="primary",
            shortcut="S",
            width="stretch",
            disabled=not good,
            on_click=_use_regions,
            args=(editing,),
        )
        st.button(_("Back"), key="tb-leave", shortcut="Esc", width="stretch", on_click=_leave)

    image = urls.absolute(f"{view.item.image}&w=1600")
    box_editor.show(editing, image, project.schema, None, actions)


def _use_regions(editing: box_editor.Editing) -> None:
    st.session_state[EDITED] = Edited(editing.item_id, new_uuid(), editing.answer)
    _leave()


def _leave() -> None:
    st.session_state.pop(CANVAS, None)
