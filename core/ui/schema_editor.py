"""Where leads edit classes: a table for each question, and beside it what the edit would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.access import Actor
from core.errors import TiebreakError
from core.labels.colours import hard_to_tell, suggest
from core.labels.operations import AddQuestion, Operation, Retitle, SchemaEvent
from core.labels.schema import LabelSchema, Question
from core.labels.schema_checks import DIGITS
from core.services.projects import ProjectView
from core.services.schemas import EditPreview, edit_schema, preview_edit
from core.services.workspace import Workspace
from core.ui import states
from core.ui.schema_rows import operations_of, rows_of
from core.ui.text import _, many, mark
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import attempt, caption, section

MOST_SHOWN = 12
"""Sentences of the preview before the rest is counted."""

MOST_COMPARED = 60
"""Classes up to which colours are compared; beyond, no palette keeps them apart."""

ROUND = "schema-round."

ROW_PX, HEAD_PX, TABLE_PX = 35, 40, 460

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


def schema_editor(ws: Workspace, actor: Actor, project: ProjectView) -> None:
    """Draw the editor for those who may steer the project."""
    section(
        _("Classes"),
        _("Schema version {n}. A class keeps its number for good; labels follow it.").format(
            n=project.schema_version
        ),
    )
    desk = _desk(ws, actor, project)
    left, right = st.columns([8, 5], gap="large")
    with left:
        operations = _questions(desk)
    with right:
        _outcome(desk, operations)


def _desk(ws: Workspace, actor: Actor, project: ProjectView) -> Desk:
    """Return the version being edited: another's new one must not wipe half an hour of work."""
    base, version = st.session_state.setdefault(
        f"schema.{project.slug}.base", (project.schema, project.schema_version)
    )
    begun = st.session_state.get(f"{ROUND}{project.slug}", 0)
    return Desk(ws, actor, project, base, version, begun)


def _start_anew(desk: Desk) -> None:
    st.session_state[f"{ROUND}{desk.project.slug}"] = desk.round + 1
    for key in [k for k in st.session_state if str(k).startswith(f"schema.{desk.project.slug}.")]:
        del st.session_state[key]


# --- the tables -------------------------------------------------------------------------------


def _questions(desk: Desk) -> list[Operation]:
    asked = (*desk.base.questions, *desk.base.region_questions)
    found: list[Operation] = []
    for place, question in enumerate(asked):
        title = f"{_title(desk.base, question)} · " + many(
            "{n} class", "{n} classes", len(question.open_classes)
        )
        if len(asked) == 1:
            found += _question(desk, question)
            continue
        with st.expander(states.plain_markdown(title), expanded=place == 0):
            found += _question(desk, question)
    return found + _new_questions(desk)


def _title(schema: LabelSchema, question: Question) -> str:
    if question in schema.region_questions:
        return _("{title} (of each region)").format(title=question.title)
    if schema.draws and question is schema.main:
        return _("{title} (class of a region)").format(title=question.title)
    return question.title


def _question(desk: Desk, question: Question) -> list[Operation]:
    key = f"{desk.key}.{question.key}"
    title = st.text_input(_("What is asked"), question.title, key=f"{key}.title", max_chars=200)
    edited = _table(key, question)
    colours = st.session_state.setdefault(f"{key}.colours", {})
    _colour_tools(key, question, colours)
    _merged_note(question)
    operations = operations_of(question, edited, colours)
    if title.strip() != question.title:
        operations.append(Retitle(question.key, title))
    return operations


def _table(key: str, question: Question) -> list[dict[str, Any]]:
    rows = rows_of(question)
    names = [c.name for c in question.open_classes]
    edited = st.data_editor(
        rows,
        key=f"{key}.table",
        num_rows="add",
        hide_index=True,
        width="stretch",
        height=min(TABLE_PX, HEAD_PX + ROW_PX * (len(rows) + 1)),
        column_order=("swatch", "name", "key", "colour", "merge", "retired", "number"),
        disabled=("swatch", "number"),
        alt=_("Classes of {title}").format(title=question.title),
        column_config={
            "swatch": st.column_config.ImageColumn(" ", width=44),
            "name": st.column_config.TextColumn(_("Class"), max_chars=200, width="medium"),
            "key": st.column_config.SelectboxColumn(_("Key"), options=list(DIGITS), width=56),
            "colour": st.column_config.TextColumn(
                _("Colour"), validate="^#[0-9A-Fa-f]{6}$", width=86, help=_("#RRGGBB")
            ),
            "merge": st.column_config.SelectboxColumn(
                _("Merge into"), options=names, width=110,
                help=_("Its labels mean that class from now on. This cannot be taken back."),
            ),
            "retired": st.column_config.CheckboxColumn(
                _("Retired"), width=66, help=_("Labels keep it; nobody can choose it any more.")
            ),
            "number": st.column_config.NumberColumn(_("No."), width=46),
        },
    )  # fmt: skip
    return list(edited)


def _colour_tools(key: str, question: Question, chosen: dict[int, str]) -> None:
    names = {c.id: c.name for c in question.open_classes}
    with st.container(horizontal=True, gap="small"):
        with st.popover(_("Pick a colour"), icon=":material/palette:"):
            _picker(key, question, names, chosen)
        if len(names) <= MOST_COMPARED:
            st.button(
                _("Suggest colours told apart"), key=f"{key}.suggest", icon=":material/contrast:",
                help=_("As far apart as can be, also for eyes that see no red or green."),
                on_click=_set_colours,
                args=(key, chosen, dict(zip(names, suggest(len(names)), strict=True))),
            )  # fmt: skip
        if chosen:
            st.button(
                _("Keep the colours"), key=f"{key}.keep", on_click=_set_colours,
                args=(key, chosen, {}),
            )  # fmt: skip


def _picker(key: str, question: Question, names: dict[int, str], chosen: dict[int, str]) -> None:
    which = st.selectbox(_("Class"), list(names), format_func=names.__getitem__, key=f"{key}.which")
    now = next(c.colour for c in question.classes if c.id == which)
    begun = st.session_state.get(f"{key}.pickers", 0)
    picked = st.color_picker(
        _("Colour"), chosen.get(which, now), key=f"{key}.picker.{which}.{begun}"
    ).upper()
    if picked != now:
        chosen[which] = picked
    else:
        chosen.pop(which, None)


def _set_colours(key: str, chosen: dict[int, str], colours: dict[int, str]) -> None:
    chosen.clear()
    chosen.update(colours)
    # The picker remembers what it showed; another key makes one that shows what was set.
    st.session_state[f"{key}.pickers"] = st.session_state.get(f"{key}.pickers", 0) + 1


def _merged_note(question: Question) -> None:
    gone = [c.name for c in question.classes if c.merged_into is not None]
    if gone:
        shown = ", ".join(f"{n} → {question.today(n)}" for n in gone[:MOST_SHOWN])
        caption(_("Merged before: {names}").format(names=shown))


def _new_questions(desk: Desk) -> list[Operation]:
    waiting: list[Operation] = st.session_state.setdefault(f"{desk.key}.questions", [])
    with (
        st.popover(_("Ask something more"), icon=":material/add:"),
        st.form(f"{desk.key}.ask", border=False, clear_on_submit=True),
    ):
        title = st.text_input(_("What is asked"), placeholder=_("Condition of the leaf"))
        key = st.text_input(_("Key in exports"), placeholder="condition")
        names = st.text_area(_("Classes, one a line"), height=120)
        several = st.toggle(_("Several classes may be chosen"))
        of_regions = desk.base.draws and st.toggle(_("About each region"))
        if st.form_submit_button(_("Add the question")):
            classes = tuple(n for n in names.splitlines() if n.strip())
            waiting.append(AddQuestion(key.strip(), title, classes, several, of_regions))
    if waiting and st.button(_("Take the new questions back"), key=f"{desk.key}.unask"):
        waiting.clear()
        st.rerun()
    return list(waiting)


# --- what it would do -------------------------------------------------------------------------


def _outcome(desk: Desk, operations: Sequence[Operation]) -> None:
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
    draw(
        "<ul style='margin:.5rem 0 .3rem;padding-left:1.15rem;line-height:1.55;font-size:.92rem'>{lines}</ul>"
        "<div class='tb-muted tb-small'>{rest}</div>"
        "<p style='margin:.35rem 0 0'><b>{count}</b> {votes}</p>",
        lines=lines,
        rest=rest,
        count=_("{kept} labels keep their class, {moved} move.").format(
            kept=f"{preview.kept:,}", moved=f"{preview.moved:,}"
        ),
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
            _("Why"), key=f"{desk.key}.reason", placeholder=_("Kept in the record")
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
