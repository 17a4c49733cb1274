"""The dispute as one element: the votes over their image, and the lead's ruling beside them.

The ruling is made in the browser, where keys typed fast stay in order, and recorded by a route of ours
(core/server/rulings.py). Python hears of it afterwards, to bring the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.labels import Answer
from core.labels.region import Shape
from core.labels.schema import Task
from core.services.projects.project import ProjectView
from core.services.review.disputes import DisputeView
from core.ui import urls
from core.ui.deck.element import LOADER, STYLE, answer_data, questions_data
from core.ui.deck.texts_reasons import flag_words
from core.ui.deck.texts_ruling import reason_templates, ruling_texts
from core.ui.deck.votes import Layer, votes_data
from core.ui.text import _
from core.web import deck_path

DISPUTE = "tb-dispute-view"

_dispute = st.components.v2.component("tiebreak_dispute", css=STYLE, js=LOADER)


@dataclass(frozen=True, slots=True)
class Edited:
    """Regions that were drawn on the canvas for one dispute.

    Attributes:
        item_id: Which.
        nonce: Names this visit to the canvas: taken over once.
        answer: What was drawn, with the answers to the questions.
    """

    item_id: int
    nonce: str
    answer: Answer


def dispute_view(
    project: ProjectView,
    view: DisputeView,
    layers: tuple[Layer, ...],
    differences: Sequence[str],
    person_id: int,
    edited: Edited | None,
    told: Mapping[str, Callable[[], None]],
) -> None:
    """Mount a dispute with everything a ruling needs.

    Args:
        project: The project.
        view: The dispute.
        layers: The parties, in the order of their keys.
        differences: What they differ in, a sentence a pair.
        person_id: Who rules.
        edited: What the canvas was left with, if it was.
        told: Callbacks by what the browser tells: settled, refused, step, edit; see `heard`.
    """
    size = (view.item.width, view.item.height)
    data = votes_data(view.item.image, view.item.name, size, layers, project.schema)
    _dispute(
        key=DISPUTE,
        data={
            "module": urls.path(deck_path("dispute.js")),
            **data,
            "dispute": {
                **_ruling(project, view, list(differences)),
                "layers": data["layers"],
                "person": person_id,
                "edited": None if edited is None else _edited(edited),
            },
        },
        on_settled_change=told["settled"],
        on_refused_change=told["refused"],
        on_step_change=told["step"],
        on_edit_change=told["edit"],
    )


def heard(name: str) -> dict[str, Any]:
    """Return what the browser told last under a name; empty if nothing."""
    state = st.session_state.get(DISPUTE)
    said = state.get(name) if state is not None else None
    return dict(said) if isinstance(said, Mapping) else {}


def _edited(edited: Edited) -> dict[str, Any]:
    return {"nonce": edited.nonce, "answer": answer_data(edited.answer)}


def _ruling(project: ProjectView, view: DisputeView, differences: list[str]) -> dict[str, Any]:
    schema = project.schema
    shapes = schema.task not in (Task.BOXES, Task.CLASSIFICATION)
    return {
        "slug": project.slug,
        "item_id": view.item.item_id,
        "votes_seen": view.votes_seen,
        "newest_seq": view.newest_seq,
        "decision_seen": view.decision_seen,
        "may": view.may_decide,
        "mayNot": view.may_not_because,
        "why": view.why,
        "differs": ", ".join(_parts(project, view.differs)),
        "sentences": differences,
        "flags": [{"who": f.alias, "what": flag_words(f.reason)} for f in view.flags],
        "asked": questions_data(schema.item_questions),
        "draws": schema.task.draws,
        "edit": _("Edit boxes") if schema.task.shape is Shape.BOX else _("Edit regions"),
        "reasons": [{"key": key, "text": text} for key, text in reason_templates()],
        "autopsy": dict(view.autopsy) if view.autopsy else None,
        "alike": _alike(project, view),
        "urls": {"ruling": urls.path(f"/files/ruling/{project.slug}")},
        "texts": ruling_texts(shapes),
    }


def _alike(project: ProjectView, view: DisputeView) -> dict[str, Any]:
    """Return the settled cases like it; None for cases where nothing was compared."""
    cases = None
    if view.similar is not None:
        names = ("item_id", "name", "image", "label", "similarity", "reason")
        cases = [
            {**{n: getattr(case, n) for n in names}, "state": case.state.value}
            for case in view.similar
        ]
    return {
        "cases": cases,
        "base": urls.base(),
        "known": urls.page("items", project=project.slug, item="__ITEM__"),
    }


def _parts(project: ProjectView, keys: tuple[str, ...]) -> list[str]:
    """Return in words what answers differ in: a question as people know it, or the regions."""
    titles = {q.key: _(q.title) for q in project.schema.item_questions}
    drawn = _("boxes") if project.schema.task.shape is Shape.BOX else _("regions")
    return [drawn if key == "regions" else titles.get(key, key) for key in keys]
