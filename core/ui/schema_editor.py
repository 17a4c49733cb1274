"""Where leads edit classes: a table for each question, and beside it what the edit would do."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.access import Actor
from core.labels.colours import suggest
from core.labels.operations import AddQuestion, Operation, Retitle
from core.labels.schema import LabelSchema, Question
from core.labels.schema_checks import DIGITS
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.ui import states
from core.ui.schema_outcome import MOST_COMPARED, MOST_SHOWN, ROUND, Desk, outcome
from core.ui.schema_rows import operations_of, rows_of
from core.ui.text import _, many
from core.ui.widgets import caption, section

ROW_PX, HEAD_PX, TABLE_PX = 35, 40, 460


def schema_editor(ws: Workspace, actor: Actor, project: ProjectView) -> None:
    """Draw the editor for those who may steer the project."""
    section(
        _("Classes"),
        _("Schema version {n}. A class keeps its number for good; labels follow it.").format(
            n=project.schema_version
        ),
    )
    desk = _desk(ws, actor, project)
    left, right = st.columns([9, 5], gap="medium")
    with left:
        operations = _questions(desk)
    with right, st.container(key="tb-outcome"):
        outcome(desk, operations)


def _desk(ws: Workspace, actor: Actor, project: ProjectView) -> Desk:
    """Return the version being edited: another's new one must not wipe half an hour of work."""
    base, version = st.session_state.setdefault(
        f"schema.{project.slug}.base", (project.schema, project.schema_version)
    )
    begun = st.session_state.get(f"{ROUND}{project.slug}", 0)
    return Desk(ws, actor, project, base, version, begun)


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
        column_order=("swatch", "name", "key", "colour", "merge", "retired"),
        disabled=("swatch",),
        placeholder="",
        alt=_("Classes of {title}").format(title=question.title),
        column_config={
            "swatch": st.column_config.ImageColumn(" ", width=34),
            "name": st.column_config.TextColumn(_("Class"), max_chars=200, width=158),
            "key": st.column_config.SelectboxColumn(_("Key"), options=list(DIGITS), width=68),
            "colour": st.column_config.TextColumn(
                _("Colour"), validate="^#[0-9A-Fa-f]{6}$", width=94, help=_("#RRGGBB")
            ),
            "merge": st.column_config.SelectboxColumn(
                _("Merge into"), options=names, width=112,
                help=_("Its labels mean that class from now on. This cannot be taken back."),
            ),
            "retired": st.column_config.CheckboxColumn(
                _("Retired"), width=88, help=_("Labels keep it; nobody can choose it any more.")
            ),
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
    # Each question added makes another popover: closed again, and its fields empty.
    key_of = f"{desk.key}.ask.{len(waiting)}"
    with (
        st.popover(_("Ask something more"), icon=":material/add:", key=f"{key_of}.popover"),
        st.form(key_of, border=False),
    ):
        title = st.text_input(_("What is asked"), placeholder=_("Condition of the leaf"))
        key = st.text_input(_("Key in exports"), placeholder="condition")
        names = st.text_area(_("Classes, one a line"), height=120)
        several = st.toggle(_("Several classes may be chosen"))
        of_regions = desk.base.draws and st.toggle(_("About each region"))
        if st.form_submit_button(_("Add the question")):
            classes = tuple(n for n in names.splitlines() if n.strip())
            waiting.append(AddQuestion(key.strip(), title, classes, several, of_regions))
            st.rerun()
    if waiting:
        _waiting_note(desk, waiting)
    return list(waiting)


def _waiting_note(desk: Desk, waiting: list[Operation]) -> None:
    """Say which questions were added and that they are not in force yet, and offer the way back."""
    names = ", ".join(f"“{q.title or q.key}”" for q in waiting if isinstance(q, AddQuestion))
    said = _("Added to your changes: {names}. Publish them to put it in force.")
    st.info(states.plain_markdown(said.format(names=names)), icon=":material/check:")
    if st.button(_("Take the new questions back"), key=f"{desk.key}.unask"):
        waiting.clear()
        st.rerun()
