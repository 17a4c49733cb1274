"""The fields of a policy, in plain words; what they make is a `Policy`, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.consensus.policy import (
    ALGORITHMS,
    MAJORITY,
    MODEL_MAY_VOTE,
    MOST_VOTES,
    OnDisagreement,
    Policy,
    RegionGeometry,
    RegionsBy,
    SkillKind,
    SkillRule,
    Stop,
)
from core.services.projects.project import ProjectView
from core.ui.text import _, mark
from core.ui.widgets import caption

RULES = {
    OnDisagreement.THIRD_VOTE: mark("Ask more people, then a lead"),
    OnDisagreement.LEAD: mark("A lead decides"),
    OnDisagreement.NEUTRAL: mark("The item gets no label"),
    OnDisagreement.DISCARD: mark("The item is discarded"),
}
STOPS = {
    Stop.COUNT: mark("At that number, more only where they differ"),
    Stop.LEAD: mark("Once an answer is some votes ahead"),
    Stop.POSTERIOR: mark("Once an answer is sure enough"),
}
METHOD_NAMES = {
    MAJORITY: mark("All votes count alike"),
    "weighted-majority": mark("Votes weighed by skill"),
    "wawa": mark("Votes weighed by agreement with others"),
    "gold-majority": mark("Votes weighed by known answers"),
    "dawid-skene": mark("Learn who confuses what (Dawid-Skene)"),
    "plain-dawid-skene": mark("Dawid-Skene as of 1979"),
    "one-coin": mark("Learn how often each person is right"),
    "pooled": mark("For very many people or classes (pooled)"),
    "glad": mark("Learn people's skill and items' difficulty (GLAD)"),
    "mace": mark("Learn who answers without looking (MACE)"),
    "ordinal": mark("Classes in an order"),
}
REGIONS = {
    RegionsBy.WHOLE: mark("All regions of a person together"),
    RegionsBy.EACH: mark("Each region on its own"),
}
OUTLINES = {
    RegionGeometry.MEDIAN: mark("The middle one"),
    RegionGeometry.MEAN: mark("The mean"),
    RegionGeometry.WEIGHTED: mark("The mean, weighed by skill"),
}
KINDS = {SkillKind.CLASS: mark("predicted class"), SkillKind.SLICE: mark("metadata")}

MOST_SUGGESTED = 30

Fields = dict[str, Any]


def policy_fields(
    project: ProjectView, now: Policy, key: str, granted: Sequence[str] = ()
) -> Fields:
    """Draw the fields and return what is in them, by the name of the policy's field.

    Args:
        project: Whose policy it is.
        now: What the fields start with.
        key: Of the fields; another key starts anew.
        granted: Skills that people of the project hold, to choose names from.
    """
    fields: Fields = {}
    _votes(fields, now, key)
    _weighing(fields, now, key)
    _asking_more(fields, now, key)
    if project.task.draws:
        _regions(fields, now, key)
    fields["adjudicate_own"] = st.toggle(
        _("A lead may decide an item they voted on"), now.adjudicate_own, key=f"{key}.own"
    )
    with st.expander(_("Who may vote on what")):
        _people(fields, now, key, granted)
    return fields


def _votes(fields: Fields, now: Policy, key: str) -> None:
    left, right = st.columns([1, 2])
    with left:
        fields["overlap"] = int(
            st.number_input(
                _("Votes an item needs"), 1, MOST_VOTES, now.overlap, key=f"{key}.overlap"
            )
        )
    with right:
        fields["stop"] = _chosen(_("When votes are enough"), STOPS, now.stop, f"{key}.stop")


def _weighing(fields: Fields, now: Policy, key: str) -> None:
    names = {name: METHOD_NAMES.get(name, name) for name in ALGORITHMS}
    fields["algorithm"] = _chosen(_("How votes are weighed"), names, now.algorithm, f"{key}.method")
    if fields["algorithm"] in MODEL_MAY_VOTE:
        fields["model_votes"] = st.toggle(
            _("The model counts as one more voter"), now.model_votes, key=f"{key}.model",
            help=_("Only beside votes given without seeing what it proposes."),
        )  # fmt: skip
    else:
        fields["model_votes"] = False


def _asking_more(fields: Fields, now: Policy, key: str) -> None:
    learns = fields["algorithm"] != MAJORITY
    left, right = st.columns([2, 1])
    with left:
        fields["on_disagreement"] = _chosen(
            _("When votes differ"), RULES, now.on_disagreement, f"{key}.rule"
        )
    adaptive = fields["stop"] is not Stop.COUNT or learns
    # Fewer than an item needs cannot be: the most follow where somebody asks for more.
    fields["max_votes"] = max(now.max_votes, fields["overlap"])
    if adaptive or fields["on_disagreement"] is OnDisagreement.THIRD_VOTE:
        with right:
            name = f"{key}.max_votes"
            most = max(int(st.session_state.get(name, now.max_votes)), fields["overlap"])
            st.session_state[name] = most
            fields["max_votes"] = int(st.number_input(_("Most votes"), 1, MOST_VOTES, key=name))
    if fields["stop"] is Stop.LEAD:
        fields["lead_of"] = int(
            st.number_input(
                _("Votes the leading answer must be ahead"), 1, MOST_VOTES, now.lead_of,
                key=f"{key}.lead_of",
            )
        )  # fmt: skip
    if fields["stop"] is Stop.POSTERIOR or learns:
        start = round(min(max(now.posterior_at_least * 100, 51.0), 99.9), 1)
        sure = st.slider(
            _("How sure a label must be, in %"), 51.0, 99.9, start, 0.1, "%.1f", key=f"{key}.sure"
        )
        # What was set elsewhere, finer than the slider, stays until somebody moves it.
        fields["posterior_at_least"] = (
            now.posterior_at_least if sure == start else round(sure / 100, 4)
        )


def _regions(fields: Fields, now: Policy, key: str) -> None:
    fields["iou_at_least"] = st.slider(
        _("Two boxes are the same from this overlap on"), 0.05, 1.0, now.iou_at_least, 0.05,
        key=f"{key}.iou",
    )  # fmt: skip
    fields["regions"] = _chosen(
        _("How regions are compared"), REGIONS, now.regions, f"{key}.regions"
    )
    if fields["regions"] is not RegionsBy.EACH:
        return
    left, right = st.columns(2)
    with left:
        fields["quorum"] = st.slider(
            _("Share of the people who must have drawn it"), 0.05, 1.0, now.quorum, 0.05,
            key=f"{key}.quorum",
        )  # fmt: skip
    with right:
        fields["geometry"] = _chosen(
            _("Which outline it gets"), OUTLINES, now.geometry, f"{key}.geometry"
        )


def _people(fields: Fields, now: Policy, key: str, granted: Sequence[str]) -> None:
    fields["conflict_column"] = st.text_input(
        _("Metadata column that names who may not vote on the item"),
        now.conflict_column,
        key=f"{key}.conflict",
        help=_("Who took the picture, say, by the name they sign in with."),
    ).strip()
    caption(_("Items that need a skill: chosen by what the model takes them for, or by metadata."))
    if granted:
        names = ", ".join(f"“{skill}”" for skill in granted[:MOST_SUGGESTED])
        caption(_("Skills people hold here: {names}.").format(names=names))
    rows = st.data_editor(
        [{**asdict(r), "kind": _(KINDS[r.kind])} for r in now.skills] or [_EMPTY_RULE],
        key=f"{key}.skills",
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        column_config={
            "kind": st.column_config.SelectboxColumn(
                _("Chosen by"), options=[_(k) for k in KINDS.values()], width=110
            ),
            "key": st.column_config.TextColumn(_("Question or column"), max_chars=200),
            "value": st.column_config.TextColumn(_("Is"), max_chars=200),
            "skill": st.column_config.TextColumn(_("Skill needed"), max_chars=200),
        },
    )
    fields["skills"] = skills_of(rows)


_EMPTY_RULE: dict[str, Any] = {"kind": None, "key": "", "value": "", "skill": ""}


def skills_of(rows: Sequence[Mapping[str, object]]) -> tuple[SkillRule, ...]:
    """Return the rules in a table; rows without any text are none.

    Raises:
        InputError: A rule is half filled in.
    """
    kinds = {_(name): kind for kind, name in KINDS.items()}
    told = [{k: _text(row.get(k)) for k in _EMPTY_RULE} for row in rows]
    return tuple(
        SkillRule(kinds.get(r["kind"], SkillKind.CLASS), r["key"], r["value"], r["skill"])
        for r in told
        if r["key"] or r["value"] or r["skill"]
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _chosen(label: str, choices: Mapping[Any, str], now: Any, key: str) -> Any:
    options = list(choices)
    at = options.index(now) if now in options else 0
    return st.selectbox(label, options, at, format_func=lambda c: _(choices[c]), key=key)


# --- in words ---------------------------------------------------------------------------------

FIELD_NAMES = {
    "overlap": mark("Votes an item needs"),
    "stop": mark("When votes are enough"),
    "lead_of": mark("Votes the leading answer must be ahead"),
    "posterior_at_least": mark("How sure a label must be"),
    "algorithm": mark("How votes are weighed"),
    "model_votes": mark("The model counts as one more voter"),
    "on_disagreement": mark("When votes differ"),
    "max_votes": mark("Most votes"),
    "iou_at_least": mark("Two boxes are the same from this overlap on"),
    "regions": mark("How regions are compared"),
    "quorum": mark("Share of the people who must have drawn it"),
    "geometry": mark("Which outline it gets"),
    "skills": mark("Who may vote on what"),
    "conflict_column": mark("Metadata column that names who may not vote on the item"),
    "adjudicate_own": mark("A lead may decide an item they voted on"),
}
_NAMES: dict[str, Mapping[Any, str]] = {
    "stop": STOPS, "algorithm": METHOD_NAMES, "on_disagreement": RULES, "regions": REGIONS,
    "geometry": OUTLINES,
}  # fmt: skip


def differences(before: Policy, after: Policy) -> list[tuple[str, str]]:
    """Return what is other in one policy than in another: the field's name and its new value."""
    return [
        (_(text), _value(name, getattr(after, name)))
        for name, text in FIELD_NAMES.items()
        if getattr(before, name) != getattr(after, name)
    ]


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in _NAMES:
        return _(_NAMES[name].get(value, str(value)))
    if isinstance(value, tuple):
        return "; ".join(f"{r.value}: {r.skill}" for r in value) or _("everybody")
    if isinstance(value, float):
        return f"{value * 100:g} %"
    return str(value) or _("none")
