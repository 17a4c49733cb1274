"""Beside the regions: the classes, which region is picked, and the keys that change it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.labels import LabelClass, LabelSchema
from core.labels.region import Shape
from core.ui.box_editor.editing import Editing
from core.ui.text import _
from core.ui.theme import Markup, draw

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_BRUSHES = (6, 18, 40)


def classes(editing: Editing, schema: LabelSchema, said: str | None) -> None:
    """Draw the classes; a key gives the picked box its class, else says what new boxes are."""
    open_classes = schema.main.open_classes
    swatches("tb-class", open_classes[:10])
    with st.container(key="tb-classes", gap="xsmall"):
        for c in open_classes[:10]:
            current = c.name == editing.label
            st.button(
                c.name,
                key=f"tb-class-{c.id}",
                shortcut=c.key or None,
                type="primary" if current else "secondary",
                width="stretch",
                on_click=take_class,
                args=(editing, c.name, said),
            )
    if len(open_classes) > 10:
        names = schema.main.open_names
        st.selectbox(
            _("Class of new regions"),
            names,
            index=names.index(editing.label) if editing.label in names else None,
            key=f"tb-all-classes-{editing.label}",
            on_change=lambda: take_class(
                editing, st.session_state[f"tb-all-classes-{editing.label}"], said
            ),
        )


def swatches(prefix: str, classes: Sequence[LabelClass]) -> None:
    """Give each class' button, keyed ``<prefix>-<id>``, its colour beside the name."""
    rules = [
        f".st-key-{prefix}-{c.id} button::before{{content:'';width:11px;height:11px;flex:none;"
        f"border-radius:3px;margin-right:.5rem;background:{c.colour};"
        "box-shadow:inset 0 0 0 1px rgb(0 0 0/.25),0 0 0 1px rgb(255 255 255/.35)}"
        for c in classes
        if _COLOUR.fullmatch(c.colour)
    ]
    draw("{style}", style=Markup(f"<style>{''.join(rules)}</style>"))


def take_class(editing: Editing, name: str, said: str | None) -> None:
    """Make a class that of new regions, and of the picked one."""
    editing.label = name
    place = editing.picked
    if place is None or place >= len(editing.regions):
        return
    boxes = list(editing.regions)
    boxes[place] = replace(boxes[place], label=name)
    editing.trouble = ""
    editing.change(tuple(boxes), said)


def regions_in_hand(editing: Editing, schema: LabelSchema, said: str | None) -> None:
    """Draw which region is picked, and the keys that pick, delete and switch to numbers."""
    n = len(editing.regions)
    boxes = schema.task.shape is Shape.BOX
    if editing.picked is None:
        text = _("Boxes: {n}. Draw, or pick one with N.") if boxes else _how_to_draw(schema)
        text = text.format(n=n)
    else:
        picked = editing.regions[editing.picked]
        text = _("Box {i} of {n}: {label}") if boxes else _("Region {i} of {n}: {label}")
        text = text.format(i=editing.picked + 1, n=n, label=picked.label)
    draw("<div class='tb-muted tb-small'>{t}</div>", t=text)
    with st.container(horizontal=True, gap="small", key="tb-pair-walk"):
        for label, key, by in ((_("Next"), "N", 1), (_("Previous"), "P", -1)):
            _action(label, key, n == 0, pick, (editing, by, said))
    with st.container(horizontal=True, gap="small", key="tb-pair-change"):
        # Never disabled for want of a pick: Delete right after N would come before the button knew.
        _action(_("Remove"), "Delete", n == 0, delete, (editing, said))
        if boxes:
            other = _("Canvas") if editing.table else _("Numbers")
            _action(other, "T", False, _switch, (editing, said))
    if schema.task.shape is Shape.MASK:
        editing.brush = st.select_slider(
            _("Brush (px on the screen)"), _BRUSHES, editing.brush, key="tb-brush"
        )


def _how_to_draw(schema: LabelSchema) -> str:
    """Return how regions of this project are drawn on the canvas."""
    if schema.task.shape is Shape.POLYGON:
        return _("Polygons: {n}. Click the corners, the first one again to close.")
    if schema.task.shape is Shape.MASK:
        return _("Masks: {n}. Paint; strokes of one class that touch are one mask.")
    points = ", ".join(schema.skeleton.points[:20])
    return _("Keypoint sets: {n}. Click in this order:") + f" {points}"


def _action(
    label: str, key: str, disabled: bool, run: Callable[..., None], args: tuple[Any, ...]
) -> None:
    st.button(
        label,
        key=f"tb-box-{key}",
        shortcut=key,
        disabled=disabled,
        width="stretch",
        on_click=run,
        args=args,
    )


def pick(editing: Editing, by: int, said: str | None) -> None:
    """Pick the next region or the one before; none beyond the ends."""
    n = len(editing.regions)
    if editing.picked is None:
        editing.picked = 0 if by > 0 else n - 1
    else:
        place = editing.picked + by
        editing.picked = place if 0 <= place < n else None
    editing.change(editing.regions, said)


def delete(editing: Editing, said: str | None) -> None:
    """Take the picked region away."""
    if editing.picked is None or editing.picked >= len(editing.regions):
        return
    boxes = list(editing.regions)
    boxes.pop(editing.picked)
    editing.picked = None
    editing.trouble = ""
    editing.change(tuple(boxes), said)


def _switch(editing: Editing, said: str | None) -> None:
    editing.table = not editing.table
    editing.trouble = ""
    editing.change(editing.regions, said)
