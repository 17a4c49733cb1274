"""What is asked of the picked region, and of the item as a whole."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.labels import LabelSchema
from core.labels.schema import Question
from core.ui.box_editor.editing import Editing
from core.ui.text import _


def ask_of_region(editing: Editing, schema: LabelSchema, said: str | None) -> None:
    """Ask what is asked of the picked region."""
    if editing.picked is None or editing.picked >= len(editing.regions):
        return
    given = dict(editing.regions[editing.picked].attributes)
    for question in schema.region_questions:
        key = f"tb-about-{question.key}-{editing.item_id}-{editing.picked}-{editing.version}"
        st.segmented_control(
            _(question.title),
            question.open_names,
            default=given.get(question.key)
            if given.get(question.key) in question.open_names
            else None,
            key=key,
            on_change=take_attribute,
            args=(editing, question.key, key, said),
        )


def take_attribute(editing: Editing, question: str, widget: str, said: str | None) -> None:
    """Give the picked region the answer chosen, or none."""
    place = editing.picked
    if place is None or place >= len(editing.regions):
        return
    chosen = st.session_state.get(widget)
    region = editing.regions[place]
    given = {**dict(region.attributes), question: chosen}
    told = tuple(sorted((k, v) for k, v in given.items() if v))
    regions = (
        *editing.regions[:place], replace(region, attributes=told), *editing.regions[place + 1 :]
    )  # fmt: skip
    editing.change(regions, said)


def ask_of_item(editing: Editing, schema: LabelSchema) -> None:
    """Ask what a project of regions asks of the item as a whole."""
    for question in schema.item_questions:
        if question.several:
            _several(editing, question)
            continue
        chosen = st.segmented_control(
            _(question.title),
            question.names,
            default=editing.choices.get(question.key),
            key=f"tb-question-{question.key}-{editing.item_id}",
        )
        if chosen:
            editing.choices[question.key] = chosen


def _several(editing: Editing, question: Question) -> None:
    """Ask a question that takes several classes; nothing chosen is an answer once one was touched."""
    widget = f"tb-question-{question.key}-{editing.item_id}"
    st.pills(
        _(question.title),
        question.open_names,
        selection_mode="multi",
        default=[n for n in editing.multi.get(question.key, ()) if n in question.open_names],
        key=widget,
        on_change=take_several,
        args=(editing, question, widget),
    )
    if question.key not in editing.multi:
        st.button(
            _("None of them"),
            key=f"{widget}-none",
            on_click=take_several,
            args=(editing, question, widget),
        )


def take_several(editing: Editing, question: Question, widget: str) -> None:
    """Keep the classes chosen, in the order of the schema."""
    chosen = st.session_state.get(widget) or ()
    editing.multi[question.key] = tuple(n for n in question.names if n in chosen)
