"""The policy: how many votes an item needs and what happens when they differ."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace

from core.consensus.policy_fields import (
    OnDisagreement,
    RegionGeometry,
    RegionsBy,
    SkillKind,
    SkillRule,
    Stop,
    checked_names,
    read_document,
)
from core.consensus.truth.methods import METHODS
from core.errors import InputError

__all__ = [
    "ALGORITHMS",
    "MAJORITY",
    "MODEL_MAY_VOTE",
    "MOST_VOTES",
    "OnDisagreement",
    "Policy",
    "RegionGeometry",
    "RegionsBy",
    "SkillKind",
    "SkillRule",
    "Stop",
    "describe",
]

MOST_VOTES = 99
MAJORITY, ORDINAL = "majority", "ordinal"
ALGORITHMS = {
    **{name: method.says for name, method in METHODS.items()},
    ORDINAL: "For classes in an order: an answer near the truth is less wrong than one far from it; "
    "learns how far off each person tends to be.",
}
"""The algorithms a project may settle by, each with a sentence; all but the first fit the whole project."""
MODEL_MAY_VOTE = ("dawid-skene", "plain-dawid-skene")
"""The algorithms that can weigh the model's word beside people's."""
_ALWAYS_WRITTEN = frozenset(
    {"overlap", "on_disagreement", "max_votes", "iou_at_least", "adjudicate_own"}
)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a project's policy.

    Attributes:
        overlap: How many votes an item needs before it can be settled.
        on_disagreement: What happens when they differ.
        max_votes: Where more votes may be asked for, the most of them.
        iou_at_least: Two boxes are the same from this overlap on, above 0 and at most 1.
        adjudicate_own: Whether a lead may decide an item they voted on.
        algorithm: One of `ALGORITHMS`; `majority` looks at each item alone.
        stop: When an item has votes enough.
        lead_of: With `Stop.LEAD`, how many votes the leading answer must be ahead.
        posterior_at_least: How probable a label must be, with `Stop.POSTERIOR` or an algorithm that
            fits the whole project.
        model_votes: Whether the model counts as one more voter beside blind votes.
        regions: How people's regions are compared.
        quorum: Region by region, the share of the people who must have drawn one.
        geometry: Region by region, how several outlines become one.
        skills: Who may vote on what.
        conflict_column: Metadata column naming a person who may neither vote on the item nor rule on
            it; empty for none.

    Raises:
        InputError: A field is out of bounds, or two do not go together.
    """

    overlap: int = 2
    on_disagreement: OnDisagreement = OnDisagreement.THIRD_VOTE
    max_votes: int = 3
    iou_at_least: float = 0.5
    adjudicate_own: bool = False
    algorithm: str = MAJORITY
    stop: Stop = Stop.COUNT
    lead_of: int = 2
    posterior_at_least: float = 0.95
    model_votes: bool = False
    regions: RegionsBy = RegionsBy.WHOLE
    quorum: float = 0.5
    geometry: RegionGeometry = RegionGeometry.MEDIAN
    skills: tuple[SkillRule, ...] = ()
    conflict_column: str = ""

    def __post_init__(self) -> None:
        _check_votes(self)
        _check_shares(self)
        _check_choices(self)
        checked_names(self.conflict_column)

    @property
    def fits_project(self) -> bool:
        """Return whether labels hang on what is learnt of all the project's votes."""
        return self.algorithm != MAJORITY

    @property
    def weighs_outlines(self) -> bool:
        """Return whether regions are fused by how right people are."""
        return self.regions == RegionsBy.EACH and self.geometry == RegionGeometry.WEIGHTED

    @property
    def asks_more(self) -> bool:
        """Return whether an item may get more votes than the overlap."""
        by_rule = self.on_disagreement == OnDisagreement.THIRD_VOTE or self.stop != Stop.COUNT
        return by_rule or self.fits_project

    def to_json(self) -> str:
        """Return canonical JSON: same policy, same text; newer fields at their default are left out."""
        usual = asdict(_USUAL)
        doc = {
            name: value
            for name, value in asdict(self).items()
            if name in _ALWAYS_WRITTEN or value != usual[name]
        }
        return json.dumps(doc, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Policy:
        """Return the policy that `to_json` wrote; fields that are absent keep their default.

        Raises:
            InputError: The text is no policy, or a field is unknown or out of bounds.
        """
        return _USUAL.with_fields(text)[0]

    def with_fields(self, text: str) -> tuple[Policy, tuple[str, ...]]:
        """Return this policy with the fields a document names, and their names in its order.

        Raises:
            InputError: The text is no policy, or a field is unknown, out of bounds or does not go with another.
        """
        found = read_document(text, {f.name: f.default for f in fields(Policy)})
        return replace(self, **found), tuple(found)


def _check_votes(policy: Policy) -> None:
    if not 1 <= policy.overlap <= MOST_VOTES:
        raise InputError(f"An item needs 1 to {MOST_VOTES} votes, found {policy.overlap}.")
    if policy.asks_more and not policy.overlap <= policy.max_votes <= MOST_VOTES:
        raise InputError(
            f"The most votes lie between {policy.overlap}, as many as an item needs, and "
            f"{MOST_VOTES}; found {policy.max_votes}."
        )
    if not 1 <= policy.lead_of <= MOST_VOTES:
        raise InputError(f"A lead is 1 to {MOST_VOTES} votes, found {policy.lead_of}.")
    if policy.stop == Stop.LEAD and policy.lead_of > policy.max_votes:
        raise InputError(
            f"With at most {policy.max_votes} votes no answer can be {policy.lead_of} votes ahead.",
            "Ask for a smaller lead, or allow more votes.",
        )


def _check_shares(policy: Policy) -> None:
    if not 0 < policy.iou_at_least <= 1:
        raise InputError(
            f"The overlap from which boxes are the same lies above 0 and at most at 1, "
            f"found {policy.iou_at_least:g}."
        )
    if not 0.5 < policy.posterior_at_least < 1:
        raise InputError(
            f"How probable a label must be lies between 0.5 and 1, "
            f"found {policy.posterior_at_least:g}."
        )
    if not 0 < policy.quorum <= 1:
        raise InputError(
            f"The share of people who must have drawn a region lies above 0 and at most at 1, "
            f"found {policy.quorum:g}."
        )


def _check_choices(policy: Policy) -> None:
    if policy.algorithm not in ALGORITHMS:
        raise InputError(
            f"There is no algorithm named {policy.algorithm[:80]!r}.",
            f"The algorithms are: {', '.join(ALGORITHMS)}.",
        )
    if policy.model_votes and policy.algorithm not in MODEL_MAY_VOTE:
        raise InputError(
            f"The model can vote only with {' or '.join(MODEL_MAY_VOTE)}, "
            f"found {policy.algorithm!r}.",
            "Choose one of them, or let people alone vote.",
        )


_USUAL = Policy()


def describe(policy: Policy, *, boxes: bool = True) -> str:
    """Return the policy in a few plain sentences; what it says of regions only where any are drawn."""
    sentences = [*_describe_votes(policy), _describe_disagreement(policy)]
    if policy.fits_project:
        sentences.append(f"{ALGORITHMS[policy.algorithm]}")
    if policy.model_votes:
        sentences.append("The model counts as one more voter beside votes given without seeing it.")
    if boxes:
        sentences.append(
            f"Two regions are the same when their class and attributes are and they overlap by at "
            f"least {policy.iou_at_least * 100:.0f} % (keypoints: are as alike by OKS)."
        )
        sentences.append(_describe_regions(policy))
    sentences.extend(_describe_people(policy))
    return " ".join(s for s in sentences if s)


def _describe_votes(policy: Policy) -> list[str]:
    people = "One person votes" if policy.overlap == 1 else f"{policy.overlap} people vote"
    if policy.stop == Stop.COUNT:
        return [f"{people} on each item."]
    until = (
        f"an answer is {policy.lead_of} {'vote' if policy.lead_of == 1 else 'votes'} ahead"
        if policy.stop == Stop.LEAD
        else f"an answer is at least {policy.posterior_at_least * 100:g} % sure"
    )
    return [
        f"{people} on each item, then more one by one until {until}, "
        f"up to {policy.max_votes} votes."
    ]


def _describe_disagreement(policy: Policy) -> str:
    if not policy.asks_more or (policy.stop == Stop.COUNT and not policy.fits_project):
        return _describe_difference(policy)
    sure = ""
    if policy.fits_project and policy.stop != Stop.POSTERIOR:
        sure = f"Where votes differ a label must be at least {policy.posterior_at_least * 100:g} % sure"
        sure += f"; more people are asked, up to {policy.max_votes} votes. "
    after = {
        OnDisagreement.DISCARD: "the item is discarded.",
        OnDisagreement.NEUTRAL: "the item gets no label.",
        OnDisagreement.LEAD: "a lead decides.",
        OnDisagreement.THIRD_VOTE: "more than half of the votes decide, else a lead decides."
        if not policy.fits_project
        else "a lead decides.",
    }
    return f"{sure}If that is not reached, {after[policy.on_disagreement]}"


def _describe_difference(policy: Policy) -> str:
    if policy.on_disagreement == OnDisagreement.DISCARD:
        return "If any two differ, the item is discarded."
    if policy.on_disagreement == OnDisagreement.NEUTRAL:
        return "If any two differ, the item gets no label."
    if policy.on_disagreement == OnDisagreement.LEAD:
        return "If any two differ, a lead decides."
    if policy.max_votes == 1:
        return ""
    return (
        f"A label needs more than half of the votes; without it more people are asked, "
        f"up to {policy.max_votes} votes, and then a lead decides."
    )


def _describe_regions(policy: Policy) -> str:
    if policy.regions == RegionsBy.WHOLE:
        return ""
    outline = {
        RegionGeometry.MEDIAN: "the middle of its outlines is taken",
        RegionGeometry.MEAN: "the mean of its outlines is taken",
        RegionGeometry.WEIGHTED: "the mean of its outlines is taken, by how closely each person draws",
    }[policy.geometry]
    return (
        f"Regions count one by one: one is there if at least {policy.quorum * 100:g} % of the people "
        f"drew it; {outline}."
    )


def _describe_people(policy: Policy) -> list[str]:
    said = []
    for rule in policy.skills:
        named = "the model takes for" if rule.kind == SkillKind.CLASS else f"whose {rule.key} is"
        said.append(f"Items {named} {rule.value} go to people who hold the skill {rule.skill}.")
    if policy.conflict_column:
        said.append(
            f"Whoever '{policy.conflict_column}' names neither votes on the item nor rules on it."
        )
    said.append(
        "A lead may decide items they voted on."
        if policy.adjudicate_own
        else "A lead never decides an item they voted on."
    )
    return said
