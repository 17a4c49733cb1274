"""A new project from a template: its name, and the classes before it is made."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import streamlit as st

from core.access import Action, Actor, Resource, can
from core.errors import TiebreakError
from core.labels.schema import Task
from core.services.projects.project import NewProject, create_project
from core.services.projects.ready_templates import TEMPLATES
from core.services.projects.templates import Template, from_template, shaped
from core.services.workspace import Workspace
from core.ui import shell, states, widgets
from core.ui.text import _, mark
from core.ui.theme import draw, fill, join

TASKS = {
    Task.CLASSIFICATION: mark("Classes of the whole image"),
    Task.BOXES: mark("Boxes"),
    Task.POLYGONS: mark("Outlines"),
    Task.KEYPOINTS: mark("Points of a skeleton"),
    Task.MASKS: mark("Brush masks"),
}


def may_create(actor: Actor) -> bool:
    """Return whether a person may make projects."""
    return can(actor, Action.CREATE_PROJECT, Resource(None))


def new_project(
    ws: Workspace, actor: Actor, place: str, made: Callable[[], object] = lambda: None
) -> None:
    """Draw the form.

    Args:
        place: Where it stands, so that two of them have widgets of their own.
        made: Called once a project is made, before its page is opened.
    """
    key = f"new.{place}"
    names = {t.key: t for t in TEMPLATES}
    left, right = st.columns([5, 6], gap="large")
    with left:
        chosen = names[
            st.selectbox(
                _("Begin with"), list(names), format_func=lambda k: _(names[k].title),
                key=f"{key}.template",
            )
        ]  # fmt: skip
        sound = True
        if chosen.free:
            chosen, sound = _shape(key, chosen)
        _about(chosen)
        title = st.text_input(_("Name"), key=f"{key}.title", placeholder=_(chosen.title))
        slug = st.text_input(
            _("Name in addresses"), key=f"{key}.slug", placeholder=slug_of(title) or "leaf-species",
            help=_("a-z, 0-9 and '-'; cannot be changed later."),
        )  # fmt: skip
        required = _required(f"{key}.{chosen.key}", chosen)
    with right:
        classes = _classes(f"{key}.{chosen.key}", chosen)
    if st.button(_("Create the project"), type="primary", key=f"{key}.create", disabled=not sound):
        named = slug.strip() or slug_of(title), title.strip() or _(chosen.title)
        _create(ws, actor, lambda: from_template(chosen, *named, classes, required), made)


def _shape(key: str, chosen: Template) -> tuple[Template, bool]:
    """Ask what people give; return the template for it and whether what was asked for will do."""
    task = st.selectbox(
        _("What people give"), list(TASKS), format_func=lambda t: _(TASKS[t]), key=f"{key}.task"
    )
    several, points = False, []
    if task is Task.CLASSIFICATION:
        several = st.toggle(_("An image may have several classes"), key=f"{key}.several")
    if task is Task.KEYPOINTS:
        text = st.text_area(
            _("Points of the skeleton"), "head\nmiddle\nend", key=f"{key}.points", height=110,
            help=_("One point a line, in order; each is joined to the next."),
        )  # fmt: skip
        points = [line.strip() for line in text.splitlines() if line.strip()]
    try:
        return shaped(chosen, task, points, several), True
    except TiebreakError as problem:
        states.say_error(problem)
        return chosen, False


def _required(key: str, chosen: Template) -> list[str]:
    text = st.text_input(
        _("Metadata every image must bring"), key=f"{key}.required",
        placeholder=_("none; or columns, e.g. location, date"),
        help=_("Columns of a table. An image without one of them is left out of an import."),
    )  # fmt: skip
    if chosen.usual_metadata:
        names = ", ".join(chosen.usual_metadata)
        widgets.caption(_("Images of this kind often bring: {names}").format(names=names))
    return text.split(",")


def _about(chosen: Template) -> None:
    policy = chosen.policy
    facts = [_(TASKS[chosen.schema.task]), _("{n} votes an item").format(n=policy.overlap)]
    if chosen.schema.skeleton.points:
        facts.append(_("{n} points").format(n=len(chosen.schema.skeleton.points)))
    draw(
        "<p style='margin:0 0 .5rem'>{text}</p><div class='tb-chips'>{chips}</div>",
        text=_(chosen.description),
        chips=join(fill("<span class='tb-chip'>{t}</span>", t=f) for f in facts),
    )


def _classes(key: str, chosen: Template) -> dict[str, list[str]]:
    found = {}
    about_region = {q.key for q in chosen.schema.region_questions}
    columns = st.columns(2) if len(chosen.asked) > 1 else [st.container()]
    for place, question in enumerate(chosen.asked):
        title = question.title
        if question.several:
            title = _("{title} (several)").format(title=title)
        if question.key in about_region:
            title = _("{title} (of each region)").format(title=title)
        with columns[place % len(columns)]:
            text = st.text_area(
                title, "\n".join(question.names), key=f"{key}.{question.key}",
                height=min(250, 60 + 23 * len(question.names)), help=_("One class a line."),
            )  # fmt: skip
        found[question.key] = [line for line in text.splitlines() if line.strip()]
    return found


def _create(
    ws: Workspace, actor: Actor, new: Callable[[], NewProject], made: Callable[[], object]
) -> None:
    try:
        project = create_project(ws, actor, new())
    except TiebreakError as problem:
        states.say_error(problem)
        return
    widgets.flash(_("“{title}” is there; bring its images.").format(title=project.title))
    made()
    shell.go("datasets", project.slug)


def slug_of(title: str) -> str:
    """Return a name for addresses made from a title: latin letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
