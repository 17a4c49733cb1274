"""Settings: the project's policy, guideline and schema, and what is one's own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.access import Action, Resource, can
from core.catalogue import languages
from core.errors import InputError
from core.labels.schema import Question
from core.services.accounts import changing
from core.services.projects.project import ProjectView
from core.ui import widgets
from core.ui.guideline_editor import guideline_editor, guideline_reader
from core.ui.history import history_view
from core.ui.key_settings import key_settings
from core.ui.new_project import may_create, new_project
from core.ui.policy_settings import policy_settings
from core.ui.queue_settings import queue_settings
from core.ui.schema_editor import schema_editor
from core.ui.shell import PageContext, current_project, open_page
from core.ui.states import say_error
from core.ui.text import _
from core.ui.theme import Markup, draw, fill
from core.ui.widgets import attempt, muted, section, table


def main() -> None:
    """Draw the page."""
    page = open_page(_("Settings"), None, needs_project=False)
    project = current_project(page.ws, page.actor)
    tabs = _tabs(page, project)
    for tab, (_title, draw_tab) in zip(st.tabs([t for t, _draw in tabs]), tabs, strict=True):
        with tab:
            draw_tab()


def _tabs(page: PageContext, project: ProjectView | None) -> list[tuple[str, Callable[[], None]]]:
    """Return what the page holds for this person: titles and what draws them, one line each."""
    tabs: list[tuple[str, Callable[[], None]]] = []
    if project is not None:
        steers = can(page.actor, Action.STEER, Resource(project.id))
        tabs += [
            (_("Policy"), lambda: policy_settings(page, project, steers)),
            (_("Queue"), lambda: queue_settings(page, project, steers)),
            (_("Guideline"), lambda: _guideline(page, project, steers)),
            (_("Classes"), lambda: _classes(page, project, steers)),
            (_("History"), lambda: history_view(page.ws, page.actor, project.slug)),
        ]
    if may_create(page.actor):
        tabs.append((_("New project"), lambda: _new_project(page)))
    tabs.append((_("You"), lambda: _personal(page)))
    return tabs


# --- guideline and classes --------------------------------------------------------------------


def _guideline(page: PageContext, project: ProjectView, steers: bool) -> None:
    if steers:
        guideline_editor(page.ws, page.actor, project)
    else:
        guideline_reader(project)


def _classes(page: PageContext, project: ProjectView, steers: bool) -> None:
    if steers:
        schema_editor(page.ws, page.actor, project)
    else:
        _schema(project)


def _schema(project: ProjectView) -> None:
    section(
        _("Classes"),
        _("Schema version {n}. A class keeps its number for good.").format(
            n=project.schema_version
        ),
    )
    for question in (*project.schema.questions, *project.schema.region_questions):
        title = _("Class of a box") if _is_box_class(project, question) else question.title
        draw("<div class='tb-eyebrow' style='margin:.6rem 0 .1rem'>{t}</div>", t=title)
        rows = [
            (_class_cell(c.colour, c.name), _key_cell(c.key), str(c.id))
            for c in question.open_classes
        ]
        table((_("Class"), _("Key"), _("Number")), rows, title)
    if project.required_metadata:
        names = ", ".join(project.required_metadata)
        draw("<p>{t} <b>{n}</b></p>", t=_("Every item must bring:"), n=names)


def _is_box_class(project: ProjectView, question: Question) -> bool:
    return project.task.draws and question is project.schema.main


def _class_cell(colour: str, name: str) -> Markup:
    return fill("<i class='tb-swatch' style='background:{c}'></i>{n}", c=colour, n=name)


def _key_cell(key: str) -> Markup:
    return fill("<span class='tb-key'>{k}</span>", k=key) if key else muted("–")


def _new_project(page: PageContext) -> None:
    section(_("New project"), _("One labelling goal. Everything can be changed afterwards."))
    new_project(page.ws, page.actor, "settings")


# --- one's own --------------------------------------------------------------------------------


def _personal(page: PageContext) -> None:
    section(page.actor.display_name, f"@{page.actor.name}")
    left, right = st.columns(2, gap="large")
    with left:
        _language(page)
    with right:
        _password(page)
    key_settings(page.ws, page.actor)


def _language(page: PageContext) -> None:
    have = languages()
    codes = list(have)
    mine = page.actor.language if page.actor.language in have else "en"
    chosen = st.selectbox(
        _("Language"), codes, codes.index(mine), format_func=have.__getitem__, key="me.language"
    )
    if chosen != mine:
        attempt(lambda: changing.set_language(page.ws, page.actor, chosen), _("Language changed."))
    widgets.caption(_("Choose light or dark in the menu at the top right."))


def _password(page: PageContext) -> None:
    with st.form("me.password", border=False, clear_on_submit=True):
        first = st.text_input(_("New password"), type="password", key="me.password.first")
        again = st.text_input(_("Once more"), type="password", key="me.password.again")
        if not st.form_submit_button(_("Change password"), icon=":material/key:"):
            return
    if first != again:
        say_error(
            InputError(_("The two passwords differ; nothing was changed."), _("Type both again."))
        )
        return
    attempt(
        lambda: changing.set_password(page.ws, page.actor, page.actor.person_id, first),
        _("Password changed."),
    )


main()
