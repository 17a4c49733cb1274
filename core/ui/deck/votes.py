"""The votes over an image: everybody's answer in a hue and dash of its own, and side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.labels import Answer, LabelSchema
from core.labels.schema import Task
from core.ui import urls
from core.ui.deck.element import LOADER, STYLE, answer_data, questions_data
from core.ui.deck.texts_viewing import votes_texts
from core.web import deck_path

_votes = st.components.v2.component("tiebreak_votes", css=STYLE, js=LOADER)


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
        top: The model's likeliest classes with their shares.
    """

    name: str
    key: str
    colour: str
    dash: str
    lines: tuple[str, ...]
    answer: Answer
    shared: tuple[bool, ...] = ()
    confidence: float | None = None
    top: tuple[tuple[str, float], ...] = ()


def votes_view(
    image: str, name: str, size: tuple[int, int], layers: tuple[Layer, ...], schema: LabelSchema
) -> None:
    """Mount an image with everybody's answers, side by side and over each other.

    Args:
        image: Path of the picture without the app's base.
        name: What the item is called.
        size: Width and height of the image in its own pixels.
        layers: The parties, in the order of their keys.
        schema: What the classes are and which colours they have.
    """
    data = votes_data(image, name, size, layers, schema)
    _votes(key="tb-votes", data={"module": urls.path(deck_path("votes.js")), **data})


def votes_data(
    image: str, name: str, size: tuple[int, int], layers: tuple[Layer, ...], schema: LabelSchema
) -> dict[str, Any]:
    """Return what the browser needs to show the votes; the arguments are those of `votes_view`."""
    return {
        "image": urls.path(image),
        "name": name,
        "width": size[0],
        "height": size[1],
        "boxes": schema.task.draws,
        "questions": questions_data(schema.questions, every=True),
        "layers": [_layer(layer) for layer in layers],
        "chosen": "",
        "texts": votes_texts(schema.task not in (Task.BOXES, Task.CLASSIFICATION)),
    }


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
        "top": [list(pair) for pair in layer.top],
    }
