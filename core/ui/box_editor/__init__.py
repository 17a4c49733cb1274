"""Editing the regions of one item: the canvas, its keys, the table in its stead, the draft.

The person draws; everything else (class, pick, attributes, delete) happens here, so the regions on
the canvas and those in hand can differ for a moment. The rule: what Python changed counts until the canvas
answers with something it had not said before.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import TiebreakError
from core.labels import LabelSchema, Region
from core.ui import states, widgets
from core.ui.box_editor.drawing import as_numbers, on_canvas
from core.ui.box_editor.editing import RAIL_PX, Editing, start
from core.ui.box_editor.questions import ask_of_item, ask_of_region
from core.ui.box_editor.rail import classes, regions_in_hand
from core.ui.text import _
from core.ui.theme import draw

__all__ = ["Editing", "show", "start"]


def show(
    editing: Editing,
    image_url: str,
    schema: LabelSchema,
    keep: Callable[[tuple[Region, ...]], float] | None,
    actions: Callable[[bool], None],
) -> None:
    """Draw the editor and take in what the person did.

    Args:
        editing: Changed in place.
        image_url: Full address of the image.
        schema: The project's.
        keep: Keeps the boxes as a draft and returns when; None where there are no drafts.
        actions: Draws the buttons that end the editing; told whether the boxes are good.
    """
    left, right = st.columns([editing.display.width, RAIL_PX], gap="small")
    with left:
        said = None
        if editing.table:
            as_numbers(editing, schema)
        else:
            said = on_canvas(editing, image_url, schema)
    with right:
        classes(editing, schema, said)
        regions_in_hand(editing, schema, said)
        ask_of_region(editing, schema, said)
        ask_of_item(editing, schema)
        if editing.answer != editing.kept and keep is not None and not editing.trouble:
            _keep(editing, keep)
        actions(not editing.trouble)
        if keep is not None:
            _status(editing)


def _keep(editing: Editing, keep: Callable[[tuple[Region, ...]], float]) -> None:
    try:
        editing.saved_at = keep(editing.regions)
        editing.kept = editing.answer
    except TiebreakError as problem:
        states.say_error(problem)


def _status(editing: Editing) -> None:
    if editing.saved_at is None:
        text = _("Every change is kept as a draft.")
    else:
        text = _("Draft saved {time}").format(time=widgets.when(editing.saved_at))
    draw("<div class='tb-muted tb-small' role='status'>{t}</div>", t=text)
