"""Team: a person's own numbers, and everybody's for those who steer the project."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.access import Action, Resource, can
from core.services.analytics.people_quality import everybodys_quality, person_quality
from core.services.analytics.people_work import everybodys_work, my_work
from core.services.projects.project import ProjectView
from core.ui import states, widgets
from core.ui.choices import choose
from core.ui.shell import PageContext, open_page
from core.ui.team.everyone import Row, draw_everyone, rows_of
from core.ui.team.gold import draw_gold_left
from core.ui.team.person import draw_person
from core.ui.team.steering import draw_steering
from core.ui.text import _


def main() -> None:
    """Draw the page: one's own numbers, or for who steers everybody's."""
    page = open_page(_("Team"), Action.SEE_OWN, header=False)
    if page.project is None:
        return
    steers = can(page.actor, Action.SEE_FIGURES, Resource(page.project.id))
    title = _("Team") if steers else _("My numbers")
    below = (
        _("How everybody does, each figure with its interval: for talking, not for ranking.")
        if steers
        else _("How you do in this project. Only you and those who steer it see this.")
    )
    widgets.page_header(title, below, page.project)
    with states.boundary(inline=True):
        if steers:
            _team(page, page.project)
        else:
            _own(page)


def _own(page: PageContext) -> None:
    quality = person_quality(page.ws, page.actor, page.slug, page.actor.person_id)
    draw_person(page, quality, my_work(page.ws, page.actor, page.slug), own=True)


def _team(page: PageContext, project: ProjectView) -> None:
    qualities = everybodys_quality(page.ws, page.actor, page.slug)
    rows = rows_of(qualities, everybodys_work(page.ws, page.actor, page.slug))
    named = {r.work.person: r.quality.name for r in rows}
    chosen = choose(_("Whose numbers"), "person", {"": _("Everybody"), **named}, "")
    _say_unknown(named)
    found = next((r for r in rows if r.work.person == chosen), None)
    if found is None:
        draw_gold_left(page, project)
        draw_everyone(page, rows)
    else:
        _one(page, project, found)


def _say_unknown(named: Mapping[str, str]) -> None:
    """Say that the address asks for somebody who has no numbers here."""
    asked = st.query_params.get("person", "")
    if asked and asked not in named:
        text = _(
            "The address asks for a person who has no numbers in this project; this is everybody."
        )
        widgets.caption(text)


def _one(page: PageContext, project: ProjectView, row: Row) -> None:
    own = row.quality.person_id == page.actor.person_id
    draw_person(page, row.quality, row.work, own)
    if can(page.actor, Action.STEER, Resource(project.id)):
        draw_steering(page, project, row.quality)


main()
