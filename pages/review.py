"""Review: the deck, and the canvas in its place while boxes are edited."""

from __future__ import annotations

from dataclasses import asdict, replace

import streamlit as st

from core.access import Action
from core.clock import new_uuid
from core.errors import TiebreakError
from core.labels import Answer, Region
from core.services.accounts.preferences import get_preferences
from core.services.projects.project import ProjectView, get_project
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.visibility.views import ReviewItem
from core.services.workspace import current_workspace
from core.ui import box_editor, deck, identity, states, urls, widgets
from core.ui.box_editor import Editing
from core.ui.shell import open_page
from core.ui.text import _
from core.ui.theme import draw

EDITING = "tb-review-editing"
ITEM = "tb-review-item"
OUTCOME = "tb-review-outcome"
QUEUE_PARTS = ("order", "queue", "class", "slice", "list")
MOST_ASKED = 500  # characters of one part of the address


@st.fragment
def work(slug: str) -> None:
    """Show the deck, or the canvas; runs again by itself, so it asks again who is looking."""
    with states.boundary():
        ws, actor = current_workspace(), identity.current_actor()
        project = get_project(ws, actor, slug)
        editing: Editing | None = st.session_state.get(EDITING)
        settings = ws.settings
        deck.review_deck(
            project,
            deck.Person(
                actor.person_id,
                settings.idle_seconds,
                settings.lease_seconds,
                get_preferences(ws, actor),
            ),
            _asked_item(),
            editing.item_id if editing else None,
            st.session_state.get(OUTCOME),
            lambda: _begin(slug),
            _asked_queue(),
        )
        if editing:
            _canvas(project, editing)


def _asked_item() -> int | None:
    """Return the item the address names, if it is a number."""
    asked = st.query_params.get("item", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None


def _asked_queue() -> dict[str, str]:
    """Return which items the address asks for; what it says is checked where it is used."""
    asked = st.query_params
    return {p: asked[p][:MOST_ASKED] for p in QUEUE_PARTS if asked.get(p)}


def _begin(slug: str) -> None:
    """Open the canvas for the item the deck asks for."""
    asked = deck.edit_request()
    if not asked:
        return
    try:
        ws, actor = current_workspace(), identity.current_actor()
        project = get_project(ws, actor, slug)
        item = open_item(ws, actor, slug, int(asked["item_id"]))
    except (TiebreakError, KeyError, TypeError, ValueError) as problem:
        known = isinstance(problem, TiebreakError)
        widgets.flash(str(problem) if known else _("That did not work"), "error")
        return
    shown = item.draft or item.mine or (item.prelabel.answer if item.prelabel else Answer())
    editing = box_editor.start(
        item.item_id,
        (item.width, item.height),
        shown.regions,
        project.schema,
        asked.get("room"),
        shown.choices,
        shown.multi,
    )
    editing.seconds = _seconds(asked.get("active_seconds"))
    st.session_state[EDITING] = editing
    st.session_state[ITEM] = (item, _seconds(asked.get("started_at")))


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e11 else 0.0


def _canvas(project: ProjectView, editing: Editing) -> None:
    ws, actor = current_workspace(), identity.current_actor()
    item: ReviewItem = st.session_state[ITEM][0]
    editing.tick(ws.settings.idle_seconds)
    if "said" in st.session_state:
        states.say_error(st.session_state.pop("said"))

    def keep(regions: tuple[Region, ...]) -> float:
        answer = replace(editing.answer, regions=regions)
        return save_draft(ws, actor, project.slug, item.item_id, answer, item.revision)

    def actions(good: bool) -> None:
        st.button(
            _("Save, next image"),
            key="tb-save",
            type="primary",
            shortcut="S",
            width="stretch",
            disabled=not good or not item.can_vote,
            on_click=_save,
            args=(project.slug,),
        )
        st.button(_("Back"), key="tb-back", shortcut="Esc", width="stretch", on_click=_back)

    draw("<div style='font-weight:620'>{name}</div>", name=item.name)
    if item.notice:
        st.warning(item.notice)
    image = urls.absolute(f"{item.image}&w=1600")
    box_editor.show(editing, image, project.schema, keep, actions)


def _save(slug: str) -> None:
    """Submit the boxes; on a refusal everything stays as it is, with the reason."""
    ws, actor = current_workspace(), identity.current_actor()
    editing: Editing = st.session_state[EDITING]
    item, started_at = st.session_state[ITEM]
    editing.tick(ws.settings.idle_seconds)
    submission = Submission(
        uuid=new_uuid(),
        item_id=item.item_id,
        kind="vote",
        answer=editing.answer,
        base_revision=item.revision,
        prelabel_seq=item.prelabel.seq if item.prelabel else None,
        prelabel_shown=item.prelabel is not None,
        active_seconds=editing.seconds,
        started_at=started_at,
    )
    try:
        receipt = submit(ws, actor, slug, submission)
    except TiebreakError as problem:
        st.session_state["said"] = problem
        return
    sent = {**asdict(submission), "answer": deck.answer_data(submission.answer)}
    st.session_state[OUTCOME] = deck.saved_outcome(
        sent, receipt.revision, {"item_id": item.item_id, "name": item.name}
    )
    del st.session_state[EDITING], st.session_state[ITEM]


def _back() -> None:
    """Leave the canvas; the boxes stay as a draft."""
    editing: Editing = st.session_state.pop(EDITING)
    item, _started = st.session_state.pop(ITEM)
    draft = item.draft
    if editing.saved_at is not None:
        draft = editing.answer
    st.session_state[OUTCOME] = deck.draft_outcome(new_uuid(), item.item_id, draft)


page = open_page(_("Review"), Action.VOTE, header=False)
deck.use_whole_window()
work(page.slug)
