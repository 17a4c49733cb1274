"""What settling looks at and what it gives: votes, decisions, the outcome and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import InputError
from core.labels.answer import Answer
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
    LEAD_REACHED = "lead-reached"
    """The leading answer is as many votes ahead as the policy asks."""
    SURE_ENOUGH = "sure-enough"
    """With the votes it has, an answer is as probable as the policy asks."""
    INFERRED = "inferred"
    """The votes differ; weighed by what is known of the people, an answer is probable enough."""
    QUORUM = "quorum"
    """Enough people drew each region."""
    NOT_SURE = "not-sure"
    """No answer is probable enough, and no further vote is allowed."""
    NO_LEAD = "no-lead"
    """No answer is far enough ahead, and no further vote is allowed."""
    REGIONS_TIE = "regions-tie"
    """Region by region, two classes have as many votes, and no further vote is allowed."""


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
        outlines: How much the outlines of each of them count, 1 as most people's; where it is known.
    """

    questions: Mapping[str, InferredAnswer] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    outlines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the item stands.

    Attributes:
        state: Its state.
        answer: The label in force; None unless the state has one.
        probability: For an agreed label how sure it is, of the question it is least sure of: the share
            of votes that support it, or what the policy's rule or algorithm makes of them; else None.
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
