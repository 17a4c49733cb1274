"""What a lead does about a person: pause or resume with a reason, grant or take back a skill."""

from __future__ import annotations

import streamlit as st

from core.services.accounts.skills import grant_skill, revoke_skill, skills_of
from core.services.analytics.people_quality import PersonQuality
from core.services.projects.project import ProjectView
from core.services.review.admission import pause_person, resume_person, standing_events
from core.ui.charts import card_head
from core.ui.shell import PageContext
from core.ui.text import _, mark
from core.ui.widgets import attempt, caption, table, when

EVENTS = {
    "onboarding-passed": mark("Onboarding passed"),
    "onboarding-failed": mark("Onboarding not passed"),
    "paused": mark("Paused"),
    "resumed": mark("Resumed"),
}
STOPPED = ("paused", "onboarding-failed")


def draw_steering(page: PageContext, project: ProjectView, quality: PersonQuality) -> None:
    """Draw the forms for one person, and what happened to their standing so far."""
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        _standing(page, quality)
    with right, st.container(border=True, height="stretch"):
        _skills(page, project, quality.person_id)


def _standing(page: PageContext, quality: PersonQuality) -> None:
    stopped = quality.standing in STOPPED
    card_head(
        _("Standing"),
        _("Who is paused gets no items and can vote on none; their votes stay."),
    )
    key = f"team.standing.{quality.person_id}.{stopped}"
    change, done, label, icon = (
        (
            resume_person,
            _("The person may review again."),
            _("Let them review again"),
            "play_circle",
        )
        if stopped
        else (pause_person, _("The person is paused."), _("Pause"), "pause_circle")
    )
    with st.form(key, border=False):
        reason = st.text_input(_("Reason"), key=f"{key}.reason", max_chars=2000)
        if st.form_submit_button(label, icon=f":material/{icon}:", key=f"{key}.send"):
            attempt(lambda: change(page.ws, page.actor, page.slug, quality.person_id, reason), done)
    events = [
        e
        for e in standing_events(page.ws, page.actor, page.slug)
        if e.person_id == quality.person_id
    ]
    if events:
        rows = [[when(e.at), _(EVENTS[e.what]), e.reason, e.by or _("Automatic")] for e in events]
        table((_("When"), _("What"), _("Why"), _("By")), rows, _("What happened to their standing"))


def _skills(page: PageContext, project: ProjectView, person_id: int) -> None:
    everybodys = skills_of(page.ws, page.actor, page.slug)
    held = everybodys.get(person_id, ())
    asked = sorted({rule.skill for rule in project.policy.skills})
    known = {*asked, *(skill for skills in everybodys.values() for skill in skills)}
    card_head(
        _("Skills"), _("Items the policy keeps for a skill are voted on only by who holds it.")
    )
    key = f"team.skills.{person_id}"
    if held:
        with st.container(horizontal=True, gap="small"):
            for skill in held:
                if st.button(
                    _("Take away: {skill}").format(skill=skill),
                    key=f"{key}.revoke.{skill}",
                    icon=":material/close:",
                ):
                    attempt(
                        lambda s=skill: revoke_skill(page.ws, page.actor, page.slug, person_id, s),  # type: ignore[misc]
                        _("Skill taken away."),
                    )
    else:
        caption(_("Holds no skill."))
    if not asked:
        caption(_("The policy asks for no skill yet; rules for it are made under Settings."))
    with st.form(f"{key}.grant", border=False):
        named = st.selectbox(
            _("Skill"),
            sorted(known.difference(held)),
            index=None,
            key=f"{key}.skill",
            placeholder=_("Choose one, or name a new one"),
            accept_new_options=True,
        )
        if st.form_submit_button(_("Give this skill"), icon=":material/add:", key=f"{key}.give"):
            attempt(
                lambda: grant_skill(page.ws, page.actor, page.slug, person_id, named or ""),
                _("Skill given."),
            )
