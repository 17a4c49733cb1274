"""The policy in settings: edit it, hold others beside it on the recorded votes, put one in force."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from core.consensus.policy import Policy, describe
from core.errors import InputError, TiebreakError
from core.services.accounts.skills import skills_of
from core.services.consensus.replay import MOST_OTHERS
from core.services.consensus.replay_views import Replay
from core.services.projects.project import ProjectView
from core.services.steering import policy_versions as versions
from core.services.steering import rules
from core.services.steering.policy_versions import PolicyVersion
from core.ui import policy_columns, states, widgets
from core.ui.policy_columns import Comparison, WhatIf
from core.ui.policy_comparison import changes_of, comparison_charts, comparison_table
from core.ui.policy_editor import differences, policy_fields
from core.ui.shell import PageContext
from core.ui.states import plain_markdown, say_error
from core.ui.text import _, many, mark
from core.ui.theme import draw, fill, join
from core.ui.widgets import attempt, caption, section, when

MOST_RATE = 100_000.0
PHASES = {
    "reading votes": mark("Reading the votes"),
    "weighing votes": mark("Weighing the votes"),
    "replaying policies": mark("Replaying the policies"),
    "settling items": mark("Settling items one by one"),
}


def policy_settings(page: PageContext, project: ProjectView, steers: bool) -> None:
    """Draw the policy in force, and for who steers the project what changes it."""
    section(
        _("How votes become labels in {project}").format(project=project.title),
        _("Version {n} is in force.").format(n=project.policy_version),
    )
    if not steers:
        draw("<p>{t}</p>", t=_in_words(project, project.policy))
        return
    left, right = st.columns([1, 1], gap="large")
    with left:
        policy = _edited(page, project)
    with right:
        _preview(page, project, policy)
    _what_if(page, project)
    _history(page, project)


def _in_words(project: ProjectView, policy: Policy) -> str:
    return describe(policy, boxes=project.task.draws)


# --- editing ----------------------------------------------------------------------------------


def _edited(page: PageContext, project: ProjectView) -> Policy | InputError:
    """Return the policy in the fields, or why it is none."""
    key = f"policy.{project.slug}.{project.policy_version}"
    try:
        held = skills_of(page.ws, page.actor, project.slug).values()
        granted = sorted({skill for skills in held for skill in skills})
        fields = policy_fields(project, project.policy, key, granted)
        return replace(project.policy, **fields)
    except InputError as problem:
        return problem


def _preview(page: PageContext, project: ProjectView, policy: Policy | InputError) -> None:
    if isinstance(policy, InputError):
        say_error(policy)
        return
    changed = policy != project.policy
    with st.container(border=True):
        head = _("What you are about to put in force") if changed else _("What is in force now")
        draw(
            "<div class='tb-eyebrow'>{h}</div><p style='line-height:1.6;margin:.5rem 0 0'>{t}</p>",
            h=head,
            t=_in_words(project, policy),
        )
    if not changed:
        caption(_("Change something on the left to see what it would do with the votes you have."))
        return
    _hold_beside(project, policy)
    with st.expander(_("Put in force without comparing")):
        _adopt(page, project, policy, f"policy.{project.slug}")


def _hold_beside(project: ProjectView, policy: Policy) -> None:
    with st.form(f"policy.{project.slug}.hold", border=False):
        name = st.text_input(
            _("Name of the column (optional)"),
            key=f"policy.{project.slug}.name",
            max_chars=policy_columns.MOST_NAME,
            placeholder=_("What if"),
        )
        if st.form_submit_button(
            _("What if? Try it on the recorded votes"), type="primary",
            icon=":material/compare_arrows:", key="policy.hold",
        ):  # fmt: skip
            try:
                policy_columns.add(project.slug, name, policy, project.policy)
            except InputError as problem:
                say_error(problem)


def _adopt(page: PageContext, project: ProjectView, policy: Policy, key: str) -> None:
    _with_reason(
        key,
        _("Put in force"),
        lambda reason: rules.set_policy(page.ws, page.actor, project.slug, policy, reason),
        _("The new policy is in force."),
    )


def _with_reason(key: str, button: str, work: Callable[[str], object], done: str) -> None:
    """Draw a form that asks for a reason and does one thing with it."""
    with st.form(f"{key}.adopt", border=False):
        reason = st.text_input(
            _("Why (required)"), key=f"{key}.reason", placeholder=_("Kept in the record")
        )
        caption(_("Every label is derived anew under it. Votes are never changed."))
        if st.form_submit_button(button, type="primary", key=f"{key}.go"):
            attempt(lambda: work(reason), done)


# --- what if ----------------------------------------------------------------------------------


def _what_if(page: PageContext, project: ProjectView) -> None:
    section(
        _("What if"),
        _("Other policies on the votes you have, beside the one in force. Nothing is changed."),
    )
    columns = policy_columns.kept(project.slug)
    if not columns:
        policy_columns.forget(project.slug)
        states.empty(
            _("No other policy to compare yet"),
            _("Change the policy above and try it on the recorded votes; up to four stand side by side."),
        )  # fmt: skip
        return
    _chips(project, columns)
    comparison = policy_columns.compared(
        page, project, columns, anew=bool(st.session_state.pop(f"policy.{project.slug}.anew", 0))
    )
    if not comparison.work.over.is_set():
        _watch(project, comparison)
        return
    if comparison.work.error is not None or comparison.work.result is None:
        states.error(comparison.work.error or TiebreakError(_("Nothing came back.")), inline=True)
        return
    _result(page, project, columns, comparison.work.result)


def _chips(project: ProjectView, columns: Sequence[WhatIf]) -> None:
    """Draw what each column changes, with a button that takes it away."""
    for i, (place, column) in enumerate(zip(st.columns(MOST_OTHERS), columns, strict=False)):
        with place, st.container(border=True):
            changes = differences(project.policy, column.policy)
            draw(
                "<b>{n}</b><div class='tb-muted tb-small'>{all}</div>",
                n=column.name,
                all=join(fill("<div>{t}: <b>{v}</b></div>", t=t, v=v) for t, v in changes) if changes
                else _("The same as in force"),
            )  # fmt: skip
            st.button(
                _("Take away"),
                key=f"policy.{project.slug}.away.{i}",
                icon=":material/close:",
                help=_("Take “{name}” out of the comparison").format(
                    name=plain_markdown(column.name)
                ),
                on_click=policy_columns.take_away,
                args=(project.slug, column.name),
            )


def _watch(project: ProjectView, comparison: Comparison) -> None:
    @st.fragment(run_every=1)
    def poll() -> None:
        if comparison.work.over.is_set():
            st.rerun()
        work = comparison.work
        widgets.progress(work.done, work.total, None, _(PHASES.get(work.phase, work.phase)))
        if st.button(_("Stop"), key=f"policy.{project.slug}.stop", icon=":material/stop:"):
            comparison.stop.set()

    poll()


def _result(
    page: PageContext, project: ProjectView, columns: Sequence[WhatIf], found: Replay
) -> None:
    if not found.votes:
        states.empty(
            _("No votes yet"),
            _("Every policy gives the same until somebody has voted."),
        )
        return
    names = [_("In force (version {n})").format(n=found.policy_version), *[c.name for c in columns]]
    comparison_table(found, names, _basis(project, found))
    key = f"policy.{project.slug}"
    comparison_charts(found, names, key)
    chosen = st.segmented_control(
        _("Look closer, or put in force"), range(len(columns)), default=0,
        format_func=lambda i: plain_markdown(columns[i].name), key=f"{key}.closer.{len(columns)}",
    )  # fmt: skip
    if not isinstance(chosen, int) or not 0 <= chosen < len(columns):
        return
    changes_of(found.columns[chosen + 1], project)
    column = columns[chosen]
    draw("<p style='line-height:1.6'>{t}</p>", t=_in_words(project, column.policy))
    if column.policy == project.policy:
        caption(_("This policy is in force now."))
        return
    _adopt(page, project, column.policy, f"{key}.column.{chosen}")


def _basis(project: ProjectView, found: Replay) -> float:
    """Draw what the figures rest on, and return what an hour of reviewing costs."""
    left, middle, right = st.columns([5, 3, 2], vertical_alignment="bottom")
    with left:
        text = _("{votes} votes on {voted} items, {gold} items with gold; as of {at}.").format(
            votes=f"{found.votes:,}", voted=f"{found.voted:,}", gold=f"{found.gold:,}",
            at=when(found.at),
        )  # fmt: skip
        if found.sampled:
            text += " " + _("A random sample of {n} items: settling one by one takes long.").format(
                n=f"{found.items:,}"
            )
        caption(text)
    with middle:
        given = st.number_input(
            _("Cost of an hour (0: leave it out)"), 0.0, MOST_RATE, 0.0, 1.0,
            key=f"policy.{project.slug}.rate",
        )  # fmt: skip
    with right:
        if st.button(
            _("Count again"), key=f"policy.{project.slug}.again", icon=":material/refresh:"
        ):
            st.session_state[f"policy.{project.slug}.anew"] = True
            st.rerun()
    return float(given) if math.isfinite(given) else 0.0


# --- history ----------------------------------------------------------------------------------


def _history(page: PageContext, project: ProjectView) -> None:
    found = versions.policy_versions(page.ws, page.actor, project.slug)
    section(
        _("Earlier versions"),
        many("{n} version so far. None is ever overwritten.",
             "{n} versions so far. None is ever overwritten.", len(found)),
    )  # fmt: skip
    earlier = [v for v in found if v.version != project.policy_version]
    if not earlier:
        caption(_("The first version is in force; once there is another, you can come back to it."))
        return
    by_number = {v.version: v for v in earlier}
    chosen = st.selectbox(
        _("Version"), list(by_number), format_func=lambda n: _version_line(by_number[n]),
        key=f"policy.{project.slug}.{project.policy_version}.version",
    )  # fmt: skip
    _version(page, project, by_number[chosen])


def _version_line(version: PolicyVersion) -> str:
    by = f" · {version.by}" if version.by else ""
    return f"{version.version} · {when(version.at)}{by} · “{version.reason}”"


def _version(page: PageContext, project: ProjectView, version: PolicyVersion) -> None:
    policy = version.policy
    if policy is None:
        caption(_("This version was written by a newer Tiebreak and cannot be read here."))
        return
    left, right = st.columns([1, 1], gap="large")
    with left:
        draw("<p style='line-height:1.6'>{t}</p>", t=_in_words(project, policy))
        if policy == project.policy:
            caption(_("It says the same as the version in force."))
            return
        name = _("Version {n}").format(n=version.version)
        if st.button(
            _("Try it on the recorded votes"), key=f"policy.{project.slug}.try",
            icon=":material/compare_arrows:",
        ):  # fmt: skip
            try:
                policy_columns.add(project.slug, name, policy, project.policy)
            except InputError as problem:
                say_error(problem)
            else:
                st.rerun()
    with right:
        _with_reason(
            f"policy.{project.slug}.{project.policy_version}.back",
            _("Put back in force"),
            lambda reason: versions.put_back(
                page.ws, page.actor, project.slug, version.version, reason
            ),
            _("Version {n} is back in force, as a new version.").format(n=version.version),
        )
