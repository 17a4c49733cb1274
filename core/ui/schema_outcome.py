"""What an edit of the classes would do, and putting it in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.access import Actor
from core.errors import TiebreakError
from core.labels.colours import hard_to_tell
from core.labels.operations import Operation, SchemaEvent
from core.labels.schema import LabelSchema
from core.services.projects.project import ProjectView
from core.services.steering.schemas import EditPreview, edit_schema, preview_edit
from core.services.workspace import Workspace
from core.ui import states
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import attempt, caption

MOST_SHOWN = 12
"""Sentences of the preview before the rest is counted."""

MOST_COMPARED = 60
"""Classes up to which colours are compared; beyond, no palette keeps them apart."""

ROUND = "schema-round."

_EVENTS = {
    "add": mark("Add “{after}”"),
    "rename": mark("Rename “{before}” to “{after}”"),
    "recolour": mark("Colour of “{name}”: {before} → {after}"),
    "rekey": mark("Key of “{name}”: {before} → {after}"),
    "retire": mark("Retire “{before}”: it stays readable, nobody can choose it"),
    "restore": mark("Restore “{after}”"),
    "merge": mark("Merge “{before}” into “{after}”"),
    "question": mark("Ask “{after}”"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What is edited, and by whom.

    Attributes:
        project: As it is in force.
        base: The schema the table shows: the one in force when editing began.
        version: Its number.
        round: How often editing began anew: another key makes another table, since what was typed
            into one cannot be taken out of it.
    """

    ws: Workspace
    actor: Actor
    project: ProjectView
    base: LabelSchema
    version: int
    round: int

    @property
    def key(self) -> str:
        """Return what the keys of the widgets begin with; a new version begins anew."""
        return f"schema.{self.project.slug}.{self.version}.{self.round}"


def _start_anew(desk: Desk) -> None:
    st.session_state[f"{ROUND}{desk.project.slug}"] = desk.round + 1
    for key in [k for k in st.session_state if str(k).startswith(f"schema.{desk.project.slug}.")]:
        del st.session_state[key]


def outcome(desk: Desk, operations: Sequence[Operation]) -> None:
    """Draw what the operations would do, and what puts them in force."""
    if not operations:
        if desk.version != desk.project.schema_version:
            _start_anew(desk)
            st.rerun()
        _quiet(desk)
        return
    stale = desk.version != desk.project.schema_version
    with st.container(border=True):
        draw("<div class='tb-eyebrow'>{t}</div>", t=_("What you are about to put in force"))
        if stale:
            caption(
                _(
                    "Version {n} was put in force while you edited. Below is what your changes "
                    "would do to it."
                ).format(n=desk.project.schema_version)
            )
        try:
            preview = preview_edit(desk.ws, desk.actor, desk.project.slug, operations)
        except TiebreakError as problem:
            states.say_error(problem)
            _throw_away(desk)
            return
        _sentences(preview)
        _colour_warning(preview.schema)
        if preview.events:
            _publish(desk, operations)
        _throw_away(desk)


def _quiet(desk: Desk) -> None:
    with st.container(border=True):
        draw(
            "<div class='tb-eyebrow'>{h}</div><p class='tb-muted' style='margin:.5rem 0 0'>{t}</p>",
            h=_("Nothing changed yet"),
            t=_(
                "Edit the table; all changes become one version. Nothing is deleted: labels follow "
                "a rename, keep a retired class, and move with a merge."
            ),
        )
        _colour_warning(desk.base)


def _sentences(preview: EditPreview) -> None:
    names = {
        (q.key, c.id): c.name
        for q in (*preview.schema.questions, *preview.schema.region_questions)
        for c in q.classes
    }
    shown = [_words(e, names) for e in preview.events[:MOST_SHOWN]]
    lines = join(fill("<li>{t}</li>", t=t) for t in shown)
    more = len(preview.events) - len(shown)
    rest = many("and {n} more change", "and {n} more changes", more) if more > 0 else ""
    touched = {"rename", "retire", "restore", "merge"} & {e.kind for e in preview.events}
    draw(
        "<ul style='margin:.5rem 0 .3rem;padding-left:1.15rem;line-height:1.55;font-size:.92rem'>{lines}</ul>"
        "<div class='tb-muted tb-small'>{rest}</div>"
        "<p style='margin:.35rem 0 0'><b>{count}</b> {votes}</p>",
        lines=lines,
        rest=rest,
        count=_("{kept} labels keep their class, {moved} move.").format(
            kept=f"{preview.kept:,}", moved=f"{preview.moved:,}"
        )
        if touched
        else "",
        votes=many("{n} vote means another class.", "{n} votes mean another class.",
                   preview.votes_moved) if preview.votes_moved else "",
    )  # fmt: skip


def _words(event: SchemaEvent, names: dict[tuple[str, int], str]) -> str:
    none = _("none")
    return _(_EVENTS[event.kind]).format(
        before=event.before or none,
        after=event.after or none,
        name=names.get((event.question, -1 if event.class_id is None else event.class_id), ""),
    )


def _colour_warning(schema: LabelSchema) -> None:
    for question in (*schema.questions, *schema.region_questions):
        classes = question.open_classes
        if not 2 <= len(classes) <= MOST_COMPARED:
            continue
        close = hard_to_tell([c.colour for c in classes])
        if not close:
            continue
        pairs = join(
            fill(
                "<div><i class='tb-swatch' style='background:{a}'></i>{x} "
                "<i class='tb-swatch' style='background:{b};margin-left:.5rem'></i>{y}</div>",
                a=classes[i].colour, x=classes[i].name, b=classes[j].colour, y=classes[j].name,
            )
            for i, j in close[:4]
        )  # fmt: skip
        draw(
            "<div class='tb-small' style='margin-top:.6rem'><b>{head}</b>{pairs}{rest}</div>",
            head=_("Hard to tell apart for some eyes ({title})").format(title=question.title),
            pairs=pairs,
            rest=fill("<div class='tb-muted'>{t}</div>", t=many(
                "and {n} more pair", "and {n} more pairs", len(close) - 4))
            if len(close) > 4 else Markup(),
        )  # fmt: skip


def _publish(desk: Desk, operations: Sequence[Operation]) -> None:
    # What was on screen when the button was pressed counts, not what this run found.
    seen = st.session_state.get(f"{desk.key}.seen", desk.project.schema_version)
    st.session_state[f"{desk.key}.seen"] = desk.project.schema_version
    with st.form(f"{desk.key}.publish", border=False):
        reason = st.text_input(
            _("Why (required)"), key=f"{desk.key}.reason", placeholder=_("Kept in the record")
        )
        caption(
            _(
                "Every label is derived anew under it. Models that do not know the new classes are marked stale."
            )
        )
        if not st.form_submit_button(_("Put in force"), type="primary", key=f"{desk.key}.adopt"):
            return
    attempt(
        lambda: _adopt(desk, operations, reason, seen),
        _("The new classes are in force; reviewers get them with their next item."),
    )


def _adopt(desk: Desk, operations: Sequence[Operation], reason: str, seen: int) -> None:
    edit_schema(desk.ws, desk.actor, desk.project.slug, operations, reason, seen)
    _start_anew(desk)


def _throw_away(desk: Desk) -> None:
    if st.button(_("Throw my changes away"), key=f"{desk.key}.discard"):
        _start_anew(desk)
        st.rerun()
