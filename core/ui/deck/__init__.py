"""Our own elements: the review deck, the votes over an image, the dispute with its ruling."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.labels import Answer, LabelSchema
from core.labels.schema import Task
from core.services.accounts.preferences import Preferences
from core.services.projects.project import ProjectView
from core.ui import urls
from core.ui.deck.element import LOADER, STATIC, STYLE, answer_data, questions_data
from core.ui.deck.texts import deck_texts, order_texts
from core.ui.deck.texts_editing import editing_keys, editing_texts
from core.ui.deck.texts_keys import key_sheet
from core.ui.deck.texts_reasons import flag_reasons, skip_reasons
from core.ui.deck.votes import Layer, votes_view
from core.ui.theme import Markup, draw
from core.web import deck_path

__all__ = [
    "DECK",
    "MANY",
    "STATIC",
    "Layer",
    "Person",
    "answer_data",
    "draft_outcome",
    "edit_request",
    "guideline_view",
    "review_deck",
    "saved_outcome",
    "use_whole_window",
    "votes_view",
]

DECK = "tb-deck"

MANY = 10
"""Classes a question may have before they are searched instead of listed; flow.js has the same."""

_deck = st.components.v2.component("tiebreak_deck", css=STYLE, js=LOADER)
_prose = st.components.v2.component("tiebreak_prose", css=STYLE, js=LOADER)

# The work area takes the whole window: these pages are looked at for eight hours a day.
_WIDE = Markup(
    "<style>[data-testid='stMainBlockContainer']"
    "{max-width:none;padding:.9rem 1.25rem .25rem}"
    "[data-testid='stMainBlockContainer'] > div > [data-testid='stVerticalBlock']{gap:.5rem}"
    # Streamlit's invisible header would lie over our first line.
    "[data-testid='stHeader'],[data-testid='stHeader'] *{pointer-events:none!important}[data-testid='stMainMenu']{display:none}"
    "[data-testid='stExpandSidebarButton'],[data-testid='stExpandSidebarButton'] *"
    "{pointer-events:auto!important}"
    # Streamlit rings its whole scroll area once a key was pressed; nothing is focused there.
    "[data-testid='stMain']:focus-visible{outline:none}</style>"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits at the deck, and how their time is counted.

    Attributes:
        person_id: Whose decisions these are; unsent ones are bound to this number.
        idle_seconds: Pauses beyond this are not active time.
        lease_seconds: How long a claim lasts without renewal.
        preferences: The keys they use.
    """

    person_id: int
    idle_seconds: float
    lease_seconds: float
    preferences: Preferences = field(default_factory=Preferences)


def use_whole_window() -> None:
    """Let the page fill the window; call it once per full run."""
    draw("{style}", style=_WIDE)


def review_deck(
    project: ProjectView,
    person: Person,
    first_id: int | None = None,
    editing: int | None = None,
    outcome: Mapping[str, Any] | None = None,
    on_edit: Callable[[], None] | None = None,
    queue: Mapping[str, str] | None = None,
) -> None:
    """Mount the deck.

    Args:
        project: What is reviewed.
        person: Who reviews.
        first_id: The item of the permalink, to be shown first.
        editing: The item whose boxes are on the canvas now; the deck steps aside.
        outcome: What came of the canvas, once; see `saved_outcome` and `draft_outcome`.
        on_edit: Called when the person asks for the canvas; `edit_request` then says what for.
        queue: Which items are wanted, as the address says: order, queue, class, slice, list.
    """
    config = {**_config(project, person, first_id), "queue": dict(queue or {})}
    _deck(
        key=DECK,
        data={**config, "rev": _revision(config), "editing": editing, "outcome": outcome},
        on_edit_change=on_edit or (lambda: None),
    )


def edit_request() -> dict[str, Any]:
    """Return what the deck asked for: item_id, room, active_seconds, started_at; empty if nothing."""
    state = st.session_state.get(DECK)
    asked = state.get("edit") if state is not None else None
    return dict(asked) if isinstance(asked, Mapping) else {}


def saved_outcome(
    submission: Mapping[str, Any], revision: int, item: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what tells the deck that the canvas' boxes are on the record."""
    return {
        "nonce": submission["uuid"],
        "submission": dict(submission),
        "revision": revision,
        "item": dict(item),
    }


def draft_outcome(nonce: str, item_id: int, draft: Answer | None) -> dict[str, Any]:
    """Return what tells the deck that the canvas was left without saving a vote."""
    return {"nonce": nonce, "item_id": item_id, "draft": answer_data(draft)}


def guideline_view(text: str, key: str) -> None:
    """Mount a guideline's text exactly as the deck's guideline sheet shows it."""
    _prose(key=key, data={"module": urls.path(deck_path("prose.js")), "text": text})


def _config(project: ProjectView, person: Person, first_id: int | None) -> dict[str, Any]:
    schema, slug = project.schema, project.slug
    boxes, own = schema.task.draws, person.preferences
    shapes = boxes and schema.task is not Task.BOXES
    asked = questions_data(schema.item_questions)
    more = len(asked) > (0 if boxes else 1)
    several = any(q["several"] for q in asked)
    many = any(len(q["classes"]) > MANY for q in asked)
    links = _urls(slug)
    return {
        "module": urls.path(deck_path("deck.js")),
        "slug": slug,
        "person": person.person_id,
        "boxes": boxes,
        "questions": questions_data(schema.questions),
        "asked": asked,
        "schemaVersion": project.schema_version,
        "guidelineVersion": project.guideline_version,
        "idleSeconds": person.idle_seconds,
        "leaseSeconds": person.lease_seconds,
        "firstId": first_id,
        "guideline": project.guideline,
        "guidelineExamples": [
            {"image": urls.path(f"{e.image}&w=400"), "good": e.good, "note": e.note}
            for e in project.guideline_examples
        ],
        "urls": links,
        "orders": [{"code": c, "text": t} for c, t in order_texts()],
        "skipReasons": [{"code": c, "text": t} for c, t in skip_reasons()],
        "flagReasons": [{"code": c, "text": t} for c, t in flag_reasons()],
        "keymap": {name: list(keys) for name, keys in own.keymap.items()},
        "ownKeys": list(own.keys),
        "keys": key_sheet(boxes, more, several, many, "grid" in links, shapes),
        **_editing(schema),
        "texts": {**deck_texts(shapes), "editing": editing_texts()},
    }


def _editing(schema: LabelSchema) -> dict[str, Any]:
    """Return what the editor of regions needs beside the classes."""
    shape = schema.task.shape
    return {
        "shape": shape.value if shape else None,
        "regionQuestions": questions_data(schema.region_questions),
        "skeleton": {
            "points": list(schema.skeleton.points),
            "edges": [list(e) for e in schema.skeleton.edges],
        },
        "editKeys": editing_keys(shape, bool(schema.region_questions)),
    }


def _urls(slug: str) -> dict[str, str]:
    return {
        "base": urls.base(),
        "queue": urls.path(f"/files/queue/{slug}"),
        "open": urls.path(f"/files/open/{slug}"),
        "decisions": urls.path(f"/files/decisions/{slug}"),
        "draft": urls.path(f"/files/draft/{slug}"),
        "release": urls.path(f"/files/release/{slug}"),
        "renew": urls.path(f"/files/renew/{slug}"),
        "about": urls.path(f"/files/about/{slug}"),
        "comment": urls.path(f"/files/comment/{slug}"),
        "known": urls.page("items", project=slug, item="__ITEM__"),
        "item": urls.page("review", project=slug, item="__ITEM__"),
        "project": urls.page("review", project="__SLUG__"),
        "settings": urls.page("settings", project=slug),
        "grid": urls.page("grid", project=slug),
        "signIn": urls.sign_in(),
    }


def _revision(config: Mapping[str, Any]) -> str:
    """Return a short hash of all that would need a new deck: language, schema, person, project."""
    lasting = {k: v for k, v in config.items() if k not in ("urls", "queue")}
    text = json.dumps(lasting, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
