"""Our own elements: the review deck, and the votes of a dispute over their image.

Both are Components-v2 elements. A line of inline script imports our module from the asset route,
so the browser keeps the modules and they may import each other; there is no build step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from core.labels import Answer, LabelSchema
from core.labels.schema import Question, Task
from core.services.accounts.preferences import Preferences
from core.services.projects.project import ProjectView
from core.ui import urls
from core.ui.deck.texts import (
    deck_texts,
    flag_reasons,
    key_sheet,
    order_texts,
    skip_reasons,
    votes_texts,
)
from core.ui.deck.texts_editing import editing_keys, editing_texts
from core.ui.text import _
from core.ui.theme import Markup, draw
from core.web import deck_path

STATIC = Path(__file__).with_name("static")
DECK = "tb-deck"
VOTES = "tb-votes"
_LOADER = (
    "export default async (c) => "
    "(await import(new URL(c.data.module, location.href).href)).default(c);"
)
# One file a part of the deck; "deck.css" is first and holds what the others share.
_STYLE = "\n".join(p.read_text(encoding="utf-8") for p in sorted(STATIC.glob("*.css")))

MANY = 10
"""Classes a question may have before they are searched instead of listed; flow.js has the same."""

_deck = st.components.v2.component("tiebreak_deck", css=_STYLE, js=_LOADER)
_votes = st.components.v2.component("tiebreak_votes", css=_STYLE, js=_LOADER)
_prose = st.components.v2.component("tiebreak_prose", css=_STYLE, js=_LOADER)

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


@dataclass(frozen=True, slots=True)
class Layer:
    """One party's answer over the image of a dispute.

    Attributes:
        name: "Reviewer 1", "Model": never a person's name.
        key: The key that picks it.
        colour: Its hue.
        dash: Its dash, so that hue is not the only sign.
        lines: What the card says below the name.
        answer: What it says of the item.
        shared: For each box whether all voters have it; those are drawn faintly.
        confidence: The model's; None for people.
    """

    name: str
    key: str
    colour: str
    dash: str
    lines: tuple[str, ...]
    answer: Answer
    shared: tuple[bool, ...] = ()
    confidence: float | None = None


def votes_view(
    image: str,
    name: str,
    size: tuple[int, int],
    layers: tuple[Layer, ...],
    schema: LabelSchema,
    chosen: str = "",
) -> None:
    """Mount the image of a dispute with everybody's answers, side by side and over each other.

    Args:
        image: Path of the picture without the app's base.
        name: What the item is called.
        size: Width and height of the image in its own pixels.
        layers: The parties, in the order of their keys.
        schema: What the classes are and which colours they have.
        chosen: Key of the layer the lead is about to take.
    """
    _votes(
        key=VOTES,
        on_room_change=lambda: None,
        data={
            "module": urls.path(deck_path("votes.js")),
            "image": urls.path(image),
            "name": name,
            "width": size[0],
            "height": size[1],
            "boxes": schema.task.draws,
            "questions": _questions(schema.questions, every=True),
            "layers": [_layer(layer) for layer in layers],
            "chosen": chosen,
            "texts": votes_texts(schema.task not in (Task.BOXES, Task.CLASSIFICATION)),
        },
    )


def votes_room() -> dict[str, Any]:
    """Return how much room the browser has for the image of a dispute, as it last said."""
    state = st.session_state.get(VOTES)
    room = state.get("room") if state is not None else None
    return dict(room) if isinstance(room, Mapping) else {}


def guideline_view(text: str, key: str) -> None:
    """Mount a guideline's text exactly as the deck's guideline sheet shows it."""
    _prose(key=key, data={"module": urls.path(deck_path("prose.js")), "text": text})


def answer_data(answer: Answer | None) -> dict[str, Any] | None:
    """Return an answer in the deck's form: choices, and boxes as [x1, y1, x2, y2] in pixels."""
    return None if answer is None else json.loads(answer.to_json())


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "key": layer.key,
        "colour": layer.colour,
        "dash": layer.dash,
        "lines": list(layer.lines),
        "answer": answer_data(layer.answer),
        "shared": list(layer.shared),
        "confidence": layer.confidence,
    }


def _config(project: ProjectView, person: Person, first_id: int | None) -> dict[str, Any]:
    schema, slug = project.schema, project.slug
    boxes, own = schema.task.draws, person.preferences
    shapes = boxes and schema.task is not Task.BOXES
    asked = _questions(schema.item_questions)
    more = len(asked) > (0 if boxes else 1)
    several = any(q["several"] for q in asked)
    many = any(len(q["classes"]) > MANY for q in asked)
    links = _urls(slug)
    return {
        "module": urls.path(deck_path("deck.js")),
        "slug": slug,
        "person": person.person_id,
        "boxes": boxes,
        "questions": _questions(schema.questions),
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
        "regionQuestions": _questions(schema.region_questions),
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


def _questions(questions: Sequence[Question], every: bool = False) -> list[dict[str, Any]]:
    """Return questions with the classes that can be chosen now, or with all that ever could."""
    return [
        {
            "key": q.key,
            "title": _(q.title),
            "several": q.several,
            "classes": [
                {"name": c.name, "colour": c.colour, "key": c.key}
                for c in (q.classes if every else q.open_classes)
            ],
        }
        for q in questions
    ]


def _revision(config: Mapping[str, Any]) -> str:
    """Return a short hash of all that would need a new deck: language, schema, person, project."""
    lasting = {k: v for k, v in config.items() if k not in ("urls", "queue")}
    text = json.dumps(lasting, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
