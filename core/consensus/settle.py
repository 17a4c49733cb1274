"""Settling one item: from everything said about it to the label in force.

A pure function of the evidence, the schema, the policy and, where the policy's algorithm fits the whole
project, of what that says of the item. The order of votes, the names of people and the names of classes
never change the outcome.
"""

from __future__ import annotations

from core.consensus.evidence import (
    REGIONS,
    Decision,
    DecisionKind,
    Evidence,
    Inferred,
    InferredAnswer,
    Outcome,
    Reason,
    Vote,
)
from core.consensus.policy import OnDisagreement, Policy, Stop
from core.consensus.tally import Tally, tallies_of
from core.labels.answer import Answer
from core.labels.schema import LabelSchema
from core.labels.state import ItemState

__all__ = [
    "REGIONS",
    "Decision",
    "DecisionKind",
    "Evidence",
    "Inferred",
    "InferredAnswer",
    "Outcome",
    "Reason",
    "Vote",
    "settle",
]


def settle(
    evidence: Evidence, schema: LabelSchema, policy: Policy, inferred: Inferred | None = None
) -> Outcome:
    """Return where the item stands: decision, then flag, votes, imported, accepted, open.

    Args:
        evidence: All that bears on the item.
        schema: The questions asked.
        policy: The policy in force.
        inferred: What the policy's algorithm makes of the item's votes; without it they are counted.
    """
    decision = evidence.decision
    sent_back = decision is not None and decision.kind == DecisionKind.SEND_BACK
    if decision is not None and not sent_back:
        return _decided(decision)
    if evidence.flagged:
        return Outcome(ItemState.DISPUTE, None, None, 0, Reason.FLAGGED)
    needed = _needed(evidence, policy)
    if len(evidence.votes) >= needed:
        return _by_votes(evidence.votes, schema, policy, needed, inferred)
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


def _by_votes(
    votes: tuple[Vote, ...],
    schema: LabelSchema,
    policy: Policy,
    needed: int,
    inferred: Inferred | None,
) -> Outcome:
    n = len(votes)
    most = max(policy.max_votes, needed) if policy.asks_more else n
    tallies = tallies_of(votes, schema, policy, inferred)
    early = [t for t in tallies if not _enough(t, policy)]
    if early and n < most and not _hopeless(early, policy, n, most):
        return _asked(early, min(n + max(_gap(t, policy) for t in early), most))
    split = [t for t in tallies if not t.all_agree]
    unsettled = [t for t in split if not _stands(t, policy)]
    if not unsettled:
        return _agreed(tallies, policy, _why_agreed(split, policy))
    wanted = n + max(t.further for t in unsettled)
    if wanted <= most and all(_may_ask(t, policy) for t in unsettled):
        return _asked(unsettled, wanted)
    return _ended(unsettled, policy)


def _enough(tally: Tally, policy: Policy) -> bool:
    """Return whether the policy's stopping rule is met on a question."""
    if policy.stop == Stop.LEAD:
        return tally.ahead >= policy.lead_of
    if policy.stop == Stop.POSTERIOR:
        return tally.probability >= policy.posterior_at_least
    return True


def _gap(tally: Tally, policy: Policy) -> int:
    """Return the fewest further votes that could meet the stopping rule."""
    return max(policy.lead_of - tally.ahead, 1) if policy.stop == Stop.LEAD else 1


def _hopeless(early: list[Tally], policy: Policy, n: int, most: int) -> bool:
    """Return whether no vote that may still be cast could settle one of these by its lead or at the end."""
    if policy.stop != Stop.LEAD:
        return False
    third = policy.on_disagreement == OnDisagreement.THIRD_VOTE
    return any(
        n + _gap(t, policy) > most
        and not (t.all_agree or t.inferred or t.each)
        and not (third and n + t.further <= most)
        for t in early
    )


def _stands(tally: Tally, policy: Policy) -> bool:
    """Return whether a question whose votes differ is settled by the votes there are."""
    if tally.inferred or tally.each:
        return tally.carried
    if policy.stop != Stop.COUNT and tally.value is not None and _enough(tally, policy):
        return True
    return policy.on_disagreement == OnDisagreement.THIRD_VOTE and tally.carried


def _may_ask(tally: Tally, policy: Policy) -> bool:
    return tally.inferred or policy.on_disagreement == OnDisagreement.THIRD_VOTE


def _asked(unsettled: list[Tally], wanted: int) -> Outcome:
    differs = tuple(t.key for t in unsettled if not t.all_agree)
    # Votes that agree may be too few yet for the stopping rule.
    reason = Reason.MORE_VOTES if differs else Reason.WAITING
    return Outcome(ItemState.OPEN, None, None, wanted, reason, differs)


_ENDS = {
    OnDisagreement.DISCARD: ItemState.DISCARDED,
    OnDisagreement.NEUTRAL: ItemState.NEUTRAL,
    OnDisagreement.LEAD: ItemState.DISPUTE,
    OnDisagreement.THIRD_VOTE: ItemState.DISPUTE,
}


def _ended(unsettled: list[Tally], policy: Policy) -> Outcome:
    """Return what the policy does with an item that no further vote may settle."""
    differs = tuple(t.key for t in unsettled)
    state = _ENDS[OnDisagreement(policy.on_disagreement)]
    return Outcome(state, None, None, 0, _why_ended(unsettled, policy), differs)


def _why_ended(unsettled: list[Tally], policy: Policy) -> Reason:
    if any(t.inferred for t in unsettled):
        return Reason.NOT_SURE
    if all(t.each for t in unsettled):
        return Reason.REGIONS_TIE
    if policy.on_disagreement == OnDisagreement.THIRD_VOTE:
        return Reason.NO_MAJORITY
    if policy.stop == Stop.COUNT:
        return Reason.VOTES_DIFFER
    return Reason.NO_LEAD if policy.stop == Stop.LEAD else Reason.NOT_SURE


def _why_agreed(split: list[Tally], policy: Policy) -> Reason:
    """Return why a label stands, by what the questions whose votes differ were settled by."""
    if not split:
        return Reason.ALL_AGREE
    if any(t.inferred for t in split):
        return Reason.INFERRED
    if policy.stop != Stop.COUNT and all(_enough(t, policy) for t in split):
        return Reason.LEAD_REACHED if policy.stop == Stop.LEAD else Reason.SURE_ENOUGH
    return Reason.QUORUM if all(t.each for t in split) else Reason.MAJORITY


def _agreed(tallies: list[Tally], policy: Policy, reason: Reason) -> Outcome:
    found = {t.key: t.value for t in tallies}
    regions = found.pop(REGIONS, None) or ()
    choices = {k: v for k, v in found.items() if isinstance(v, str)}
    multi = {k: v for k, v in found.items() if isinstance(v, tuple)}
    by_rule = policy.stop == Stop.POSTERIOR
    sure = [t.probability if by_rule or t.inferred else t.share for t in tallies]
    answer = Answer(choices, regions, multi)  # type: ignore[arg-type]  # REGIONS alone has regions
    return Outcome(ItemState.AGREED, answer, min(sure, default=1.0), 0, reason)
