"""Settling one item: from everything said about it to the label in force.

A pure function of the evidence, the schema and the policy. The order of votes, the names of
people and the names of classes never change the outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.consensus.fuse import largest_group
from core.consensus.policy import OnDisagreement, Policy
from core.errors import InputError
from core.labels.answer import Answer
from core.labels.region import Region
from core.labels.schema import LabelSchema, Question
from core.labels.state import ItemState

REGIONS = "regions"


class DecisionKind(StrEnum):
    """What a lead may do with an item."""

    DECIDE = "decide"
    DISCARD = "discard"
    NEUTRAL = "neutral"
    SEND_BACK = "send-back"


class Reason(StrEnum):
    """Why an item stands where it stands."""

    DECIDED = "decided"
    DECIDED_DISCARD = "decided-discard"
    DECIDED_NEUTRAL = "decided-neutral"
    FLAGGED = "flagged"
    ALL_AGREE = "all-agree"
    MAJORITY = "majority"
    VOTES_DIFFER = "votes-differ"
    """The policy answers any difference at once: a lead, discard or neutral."""
    NO_MAJORITY = "no-majority"
    """No vote that may still be cast could settle it."""
    MORE_VOTES = "more-votes"
    """The votes differ and more may settle it."""
    SENT_BACK = "sent-back"
    IMPORTED = "imported"
    AUTO_ACCEPTED = "auto-accepted"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's live annotation; at most one per person."""

    person: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Decision:
    """A lead's binding decision.

    Attributes:
        kind: What was decided.
        answer: The label, where the kind is `decide`.
        person: The lead.
        votes_seen: How many live votes there were at that moment.

    Raises:
        InputError: A label is decided without saying which.
    """

    kind: DecisionKind
    answer: Answer | None = None
    person: str = ""
    votes_seen: int = 0

    def __post_init__(self) -> None:
        if self.kind == DecisionKind.DECIDE and self.answer is None:
            raise InputError("A decision for a label needs the label.", "Answer and decide again.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that bears on one item.

    Attributes:
        votes: Live votes only, one per person.
        decision: The latest decision, the one in force.
        imported: What a file brought along.
        accepted: What the model was allowed to decide alone.
        flagged: Whether somebody flagged the item after the decision in force, if there is one.
        extra_votes: With a send-back, how many more votes the lead asked for; without, how many
            the item needs beyond the policy's overlap.
    """

    votes: tuple[Vote, ...] = ()
    decision: Decision | None = None
    imported: Answer | None = None
    accepted: Answer | None = None
    flagged: bool = False
    extra_votes: int = 0


@dataclass(frozen=True, slots=True)
class InferredAnswer:
    """What the project-wide algorithm makes of one question of one item.

    Attributes:
        value: The class; of a multi-label question the classes in schema order.
        probability: How sure that is, from 0 to 1; of several classes the least sure of them.
    """

    value: str | tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Inferred:
    """What the project-wide algorithm makes of one item.

    Attributes:
        questions: Key of each question it can answer, and the answer.
        weights: Expected accuracy of each person who voted on the item, where it is known.
    """

    questions: Mapping[str, InferredAnswer] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the item stands.

    Attributes:
        state: Its state.
        answer: The label in force; None unless the state has one.
        probability: For an agreed label the share of votes that support it, of the question they
            agree on least; else None.
        votes_wanted: How many live votes in total the item should get; 0 where it takes none.
        reason: Stable code of why.
        differs: Keys of the questions in dispute, `regions` for the regions, in schema order.
    """

    state: ItemState
    answer: Answer | None
    probability: float | None
    votes_wanted: int
    reason: Reason
    differs: tuple[str, ...] = ()


def settle(evidence: Evidence, schema: LabelSchema, policy: Policy) -> Outcome:
    """Return where the item stands: decision, then flag, votes, imported, accepted, open."""
    decision = evidence.decision
    sent_back = decision is not None and decision.kind == DecisionKind.SEND_BACK
    if decision is not None and not sent_back:
        return _decided(decision)
    if evidence.flagged:
        return Outcome(ItemState.DISPUTE, None, None, 0, Reason.FLAGGED)
    needed = _needed(evidence, policy)
    if len(evidence.votes) >= needed:
        return _by_votes(evidence.votes, schema, policy, needed)
    if sent_back:
        return Outcome(ItemState.OPEN, None, None, needed, Reason.SENT_BACK)
    return _without_votes(evidence, needed)


def _needed(evidence: Evidence, policy: Policy) -> int:
    """Return from how many votes on the item is settled by them."""
    decision = evidence.decision
    if decision is None:
        return policy.overlap + evidence.extra_votes
    return decision.votes_seen + max(1, evidence.extra_votes)


def _without_votes(evidence: Evidence, needed: int) -> Outcome:
    if evidence.imported is not None:
        return Outcome(ItemState.IMPORTED, evidence.imported, None, 0, Reason.IMPORTED)
    if evidence.accepted is not None:
        return Outcome(ItemState.AUTO_ACCEPTED, evidence.accepted, None, 0, Reason.AUTO_ACCEPTED)
    return Outcome(ItemState.OPEN, None, None, needed, Reason.WAITING)


_DECIDED = {
    DecisionKind.DECIDE: (ItemState.ADJUDICATED, Reason.DECIDED),
    DecisionKind.DISCARD: (ItemState.DISCARDED, Reason.DECIDED_DISCARD),
    DecisionKind.NEUTRAL: (ItemState.NEUTRAL, Reason.DECIDED_NEUTRAL),
}


def _decided(decision: Decision) -> Outcome:
    state, reason = _DECIDED[DecisionKind(decision.kind)]
    answer = decision.answer if state.has_label else None
    return Outcome(state, answer, None, 0, reason)


@dataclass(frozen=True, slots=True)
class _Tally:
    """How the votes fall on one question, or on the regions.

    Attributes:
        support: How many votes say the leading thing.
        value: That thing; None where several lead, or the leading votes left it unanswered.
        all_agree: Whether any two votes say the same.
    """

    key: str
    support: int
    value: str | tuple[str, ...] | tuple[Region, ...] | None
    all_agree: bool


def _by_votes(votes: tuple[Vote, ...], schema: LabelSchema, policy: Policy, needed: int) -> Outcome:
    n = len(votes)
    tallies = _tallies(votes, schema, policy.iou_at_least)
    differs = tuple(t.key for t in tallies if not t.all_agree)
    if not differs:
        return _agreed(tallies, n, Reason.ALL_AGREE)
    if policy.on_disagreement == OnDisagreement.THIRD_VOTE:
        return _by_majority(tallies, n, max(policy.max_votes, needed))
    state = {
        OnDisagreement.DISCARD: ItemState.DISCARDED,
        OnDisagreement.NEUTRAL: ItemState.NEUTRAL,
        OnDisagreement.LEAD: ItemState.DISPUTE,
    }[policy.on_disagreement]
    return Outcome(state, None, None, 0, Reason.VOTES_DIFFER, differs)


def _by_majority(tallies: list[_Tally], n: int, most: int) -> Outcome:
    """Settle by more than half of the votes, ask for as many as could, or leave it to a lead."""
    unsettled = [t for t in tallies if 2 * t.support <= n]
    if not unsettled:
        return _agreed(tallies, n, Reason.MAJORITY)
    differs = tuple(t.key for t in unsettled)
    weakest = min(t.support for t in unsettled)
    # The fewest further votes after which, all cast alike, the weakest leader has a majority.
    wanted = n + (n - 2 * weakest + 1)
    if wanted > most:
        return Outcome(ItemState.DISPUTE, None, None, 0, Reason.NO_MAJORITY, differs)
    return Outcome(ItemState.OPEN, None, None, wanted, Reason.MORE_VOTES, differs)


def _agreed(tallies: list[_Tally], n: int, reason: Reason) -> Outcome:
    found = {t.key: t.value for t in tallies}
    regions = found.pop(REGIONS, None) or ()
    choices = {k: v for k, v in found.items() if isinstance(v, str)}
    multi = {k: v for k, v in found.items() if isinstance(v, tuple)}
    support = min((t.support for t in tallies), default=n)
    answer = Answer(choices, regions, multi)  # type: ignore[arg-type]  # REGIONS alone has regions
    return Outcome(ItemState.AGREED, answer, support / n, 0, reason)


def _tallies(votes: tuple[Vote, ...], schema: LabelSchema, iou_at_least: float) -> list[_Tally]:
    answers = [v.answer for v in votes]
    tallies = [_tally_choice(q, answers) for q in schema.item_questions]
    if schema.task.draws:
        tallies.insert(0, _tally_regions(answers, iou_at_least))
    return tallies


def _tally_choice(question: Question, answers: list[Answer]) -> _Tally:
    # A question left unanswered (asked only since, say) counts as an answer of its own.
    said = Counter(_told(a.said(question.key)) for a in answers)
    most = max(said.values())
    leaders = [value for value, count in said.items() if count == most]
    value = _value(question, leaders[0]) if len(leaders) == 1 else None
    return _Tally(question.key, most, value, len(said) == 1)


def _told(said: str | tuple[str, ...] | None) -> str | frozenset[str] | None:
    """Return what is counted: of several classes the set, whatever their order."""
    return frozenset(said) if isinstance(said, tuple) else said


def _value(question: Question, told: str | frozenset[str] | None) -> str | tuple[str, ...] | None:
    if not isinstance(told, frozenset):
        return told
    known = tuple(n for n in question.names if n in told)
    return (*known, *sorted(told.difference(known)))


def _tally_regions(answers: list[Answer], iou_at_least: float) -> _Tally:
    group = largest_group([a.regions for a in answers], iou_at_least)
    # Two groups that stand equal settle nothing, even where they overlap and both are large.
    support = group.size if group.regions is not None else min(group.size, len(answers) // 2)
    return _Tally(REGIONS, support, group.regions, group.everybody)
