"""Where leads write the guideline and choose its examples, beside what reviewers will see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.access import Actor
from core.errors import TiebreakError
from core.labels.rules import read_rules
from core.services.projects.project import GuidelineExample, ProjectView
from core.services.steering.rules import MAX_NOTE, example_of, set_guideline
from core.services.workspace import Workspace
from core.ui import deck, states, urls
from core.ui.text import _, many
from core.ui.theme import Markup, draw, fill, join
from core.ui.widgets import attempt, caption, section

Examples = list[GuidelineExample]


def guideline_editor(ws: Workspace, actor: Actor, project: ProjectView) -> None:
    """Draw the editor for those who may steer the project."""
    _head(project)
    key = f"guideline.{project.slug}.{project.guideline_version}"
    examples: Examples = st.session_state.setdefault(
        f"{key}.examples", list(project.guideline_examples)
    )
    left, right = st.columns(2, gap="large")
    with left:
        text = st.text_area(_("Text"), project.guideline, height=320, key=f"{key}.text")
        _rules_said(text)
        chosen = _examples(ws, actor, project, key, examples)
        _publish(ws, actor, project, key, text, chosen)
    with right:
        draw("<div class='tb-eyebrow'>{t}</div>", t=_("As reviewers see it"))
        with st.container(border=True):
            _shown(text, chosen)


def guideline_reader(project: ProjectView) -> None:
    """Draw the guideline for those who only read it."""
    _head(project)
    _shown(project.guideline, project.guideline_examples)


def _head(project: ProjectView) -> None:
    section(
        _("Guideline"),
        _("Version {n}. What reviewers read beside the image.").format(n=project.guideline_version),
    )


def _shown(text: str, examples: Sequence[GuidelineExample]) -> None:
    deck.guideline_view(text or _("Nothing is written down yet."), "tb-guideline")
    if examples:
        draw("<div class='tb-examples'>{all}</div>", all=join(_card(e) for e in examples))


def _card(example: GuidelineExample) -> Markup:
    verdict = f"✓ {_('Good')}" if example.good else f"✗ {_('Bad')}"
    return fill(
        "<figure class='{look}'><img src='{src}' alt='{alt}' loading='lazy'>"
        "<figcaption><b>{verdict}</b> {note}</figcaption></figure>",
        look="tb-good" if example.good else "tb-bad",
        src=urls.path(f"{example.image}&w=400"),
        alt=example.note or example.name,
        verdict=verdict,
        note=example.note,
    )


def _rules_said(text: str) -> None:
    """Say how many rules can be measured, and which lines are none; that keeps nobody from publishing."""
    found = read_rules(text)
    if found.rules:
        caption(
            many(
                "{n} rule is measured on the page Bias.", "{n} rules are measured on the page Bias.",
                len(found.rules),
            )
        )  # fmt: skip
    for bad in found.refused:
        draw("<div class='tb-banner' style='margin:.2rem 0'><span>{t}</span></div>", t=bad.why)


# --- editing ----------------------------------------------------------------------------------


def _examples(
    ws: Workspace, actor: Actor, project: ProjectView, key: str, examples: Examples
) -> Examples:
    draw("<div class='tb-eyebrow' style='margin-top:.4rem'>{t}</div>", t=_("Good and bad examples"))
    chosen = [_one(key, e, examples) for e in list(examples)]
    with st.form(f"{key}.add", border=False):
        refusal = st.container()  # above the field: below it would be out of sight
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        name = left.text_input(
            _("Image to show as an example"), placeholder=_("Name or number of an item"),
            key=f"{key}.name.{st.session_state.get(f'{key}.taken', 0)}",
        )  # fmt: skip
        if right.form_submit_button(_("Add"), width="stretch", key=f"{key}.take"):
            with refusal:
                _add(ws, actor, project, key, name, examples)
    if not examples:
        caption(_("Pictures say more than rules: one that is right, one that is often got wrong."))
    return chosen


def _one(key: str, example: GuidelineExample, examples: Examples) -> GuidelineExample:
    own = f"{key}.example.{example.item_id}"
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        gap="small",
        key=f"tb-example-{example.item_id}",
    ):
        draw(
            "<img src='{src}' alt='{name}' class='tb-thumb'>",
            src=urls.path(f"{example.image}&w=200"),
            name=example.name,
        )
        kind = st.selectbox(
            _("Kind"), [True, False], index=0 if example.good else 1, key=f"{own}.good",
            format_func=lambda good: _("Good") if good else _("Bad"), width=100,
            label_visibility="collapsed",
        )  # fmt: skip
        note = st.text_input(
            states.plain_markdown(_("What is to be seen in {name}").format(name=example.name)),
            example.note, max_chars=MAX_NOTE, key=f"{own}.note", label_visibility="collapsed",
            placeholder=_("What is to be seen in it"),
        )  # fmt: skip
        if st.button(
            "", icon=":material/close:", key=f"{own}.remove",
            help=states.plain_markdown(_("Take {name} out").format(name=example.name)),
        ):  # fmt: skip
            examples[:] = [e for e in examples if e.item_id != example.item_id]
            st.rerun()
    return replace(example, good=kind, note=note)


def _add(
    ws: Workspace, actor: Actor, project: ProjectView, key: str, name: str, examples: Examples
) -> None:
    try:
        found = example_of(ws, actor, project.slug, name)
    except TiebreakError as problem:
        states.say_error(problem)
        return
    if all(e.item_id != found.item_id for e in examples):
        examples.append(found)
        # Another key makes another field, an empty one; what was refused stays to be mended.
        st.session_state[f"{key}.taken"] = st.session_state.get(f"{key}.taken", 0) + 1
        st.rerun()
    caption(_("It is among the examples already."))


def _publish(
    ws: Workspace, actor: Actor, project: ProjectView, key: str, text: str, chosen: Examples
) -> None:
    reason = st.text_input(
        _("What changed (required)"), key=f"{key}.reason", placeholder=_("Kept in the record")
    )
    if st.button(_("Publish"), type="primary", key="guideline.publish"):
        attempt(
            lambda: set_guideline(ws, actor, project.slug, text, reason, chosen),
            _("Published; reviewers read it from their next item on."),
        )
