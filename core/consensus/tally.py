"""How the votes on one item fall: on each question, and on the regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.consensus.evidence import REGIONS, Inferred, Vote
from core.consensus.fuse import largest_group
from core.consensus.policy import Policy, RegionGeometry, RegionsBy, Stop
from core.consensus.regions import Dispute, FusedRegions, Geometry, Middle, consensus_of
from core.consensus.truth.stopping import simple_posterior
from core.labels.answer import Answer
from core.labels.region import Region
from core.labels.schema import LabelSchema, Question

Value = str | tuple[str, ...] | tuple[Region, ...] | None
USUAL_ACCURACY = 0.8
"""Of a vote, where a policy asks for a probability and nothing is known of the people."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the votes fall on one question, or on the regions.

    Attributes:
        key: The question, or `REGIONS`.
        value: What leads; None where several lead, or the leading votes left it unanswered.
        all_agree: Whether any two votes say the same.
        share: How far it is supported, from 0 to 1.
        ahead: How many votes it is ahead of the next.
        probability: How probable it is by the policy's rule; the share where no rule asks.
        carried: Whether it stands by itself: more than half of the votes; a quorum without a tie;
            inferred and probable enough.
        further: The fewest further votes after which it could be carried.
        inferred: Whether it comes from what is known of the whole project.
        each: Whether it is regions one by one.
    """

    key: str
    value: Value
    all_agree: bool
    share: float
    ahead: int
    probability: float
    carried: bool
    further: int
    inferred: bool = False
    each: bool = False


def tallies_of(
    votes: Sequence[Vote], schema: LabelSchema, policy: Policy, inferred: Inferred | None
) -> list[Tally]:
    """Return how the votes fall, at least one: the regions first, then the questions in order."""
    answers = [v.answer for v in votes]
    found = [_choice(q, answers, policy) for q in schema.item_questions]
    if inferred is not None:
        found = [_weighed(t, inferred, policy) for t in found]
    if not schema.draws:
        return found
    if policy.regions == RegionsBy.EACH:
        return [_each(votes, schema, policy, inferred), *found]
    return [_whole(answers, policy), *found]


def _counted(key: str, value: Value, counts: Sequence[int], classes: int, policy: Policy) -> Tally:
    """Return a tally by plain count; `counts` are the votes for each thing said, the most first."""
    n = sum(counts)
    support, ahead = counts[0], counts[0] - (counts[1] if len(counts) > 1 else 0)
    probability = support / n
    if policy.stop == Stop.POSTERIOR:
        row = [*counts, *[0] * (max(classes, 2) - len(counts))]
        probability = float(simple_posterior([row], USUAL_ACCURACY)[0, 0])
    return Tally(
        key, value, len(counts) == 1, support / n, ahead, probability,
        2 * support > n, n - 2 * support + 1,
    )  # fmt: skip


def _choice(question: Question, answers: Sequence[Answer], policy: Policy) -> Tally:
    # A question left unanswered (asked only since, say) counts as an answer of its own.
    said = Counter(_told(a.said(question.key)) for a in answers)
    counts = sorted(said.values(), reverse=True)
    leaders = [value for value, count in said.items() if count == counts[0]]
    value = _value(question, leaders[0]) if len(leaders) == 1 else None
    # A set of classes stands against every other set; two is the careful number of alternatives.
    return _counted(
        question.key, value, counts, 2 if question.several else len(question.names), policy
    )


def _told(said: str | tuple[str, ...] | None) -> str | frozenset[str] | None:
    """Return what is counted: of several classes the set, whatever their order."""
    return frozenset(said) if isinstance(said, tuple) else said


def _value(question: Question, told: str | frozenset[str] | None) -> str | tuple[str, ...] | None:
    if not isinstance(told, frozenset):
        return told
    known = tuple(n for n in question.names if n in told)
    return (*known, *sorted(told.difference(known)))


def _weighed(tally: Tally, inferred: Inferred, policy: Policy) -> Tally:
    """Return the tally with what the project-wide algorithm says in place of the plain count."""
    found = inferred.questions.get(tally.key)
    if found is None:
        return tally
    if tally.all_agree:  # unanimous votes are the label; only how sure it is comes from elsewhere
        same = tally.value == found.value
        return replace(tally, probability=found.probability if same else 0.0)
    return replace(
        tally,
        value=found.value,
        probability=found.probability,
        carried=found.probability >= policy.posterior_at_least,
        further=1,
        inferred=True,
    )


def _whole(answers: Sequence[Answer], policy: Policy) -> Tally:
    group = largest_group([a.regions for a in answers], policy.iou_at_least)
    n = len(answers)
    # Two groups that stand equal settle nothing, even where they overlap and both are large.
    support = group.size if group.regions is not None else min(group.size, n // 2)
    counts = [support, *([n - support] if support < n else [])]
    found = _counted(REGIONS, group.regions, counts, 2, policy)
    ahead = found.ahead if group.regions is not None else 0
    return replace(found, all_agree=group.everybody, ahead=ahead)


def _each(
    votes: Sequence[Vote], schema: LabelSchema, policy: Policy, inferred: Inferred | None
) -> Tally:
    """Return how the regions stand one by one, each in or out by quorum."""
    # A person's place among equals decides nothing, so their order is of no matter.
    answers = [v.answer for v in votes]
    fused = consensus_of(
        answers,
        iou_at_least=policy.iou_at_least,
        quorum=policy.quorum,
        geometry=_geometry(policy),
        weights=_weights(votes, policy, inferred),
        outlines=_outlines(votes, policy, inferred),
        schema=schema,
    )
    sure, ahead = _least_sure(fused, len(votes))
    everybody = not fused.disputed and all(
        r.people == len(votes) and len(r.classes) == 1 for r in fused.regions
    )
    # Attributes may differ still; the fused regions do not tell.
    everybody = everybody and _whole(answers, policy).all_agree
    tied = any(r.dispute is Dispute.CLASS_TIE for r in fused.regions)
    return Tally(
        REGIONS, fused.label, everybody, sure, ahead, sure, not tied, 1, each=True
    )  # fmt: skip


def _least_sure(fused: FusedRegions, n: int) -> tuple[float, int]:
    """Return how sure the least sure region is, and the fewest votes any is ahead by.

    A region that too few drew is as sure to be left out as it was not drawn.
    """
    kept = [(r.probability * r.classes[0][1], 2 * r.people - n) for r in fused.regions]
    left = [(1 - r.probability, n - 2 * r.people) for r in fused.refused]
    found = [*kept, *left] or [(1.0, n)]
    return min(p for p, _ in found), min(a for _, a in found)


def _geometry(policy: Policy) -> Geometry:
    by_median = policy.geometry == RegionGeometry.MEDIAN
    return Geometry(middle=Middle.MEDIAN if by_median else Middle.MEAN)


def _weights(
    votes: Sequence[Vote], policy: Policy, inferred: Inferred | None
) -> list[float] | None:
    if policy.geometry != RegionGeometry.WEIGHTED or inferred is None or not inferred.weights:
        return None
    return [max(inferred.weights.get(v.person, USUAL_ACCURACY), 1e-3) for v in votes]


def _outlines(
    votes: Sequence[Vote], policy: Policy, inferred: Inferred | None
) -> list[float] | None:
    if policy.geometry != RegionGeometry.WEIGHTED or inferred is None or not inferred.outlines:
        return None
    return [inferred.outlines.get(v.person, 1.0) for v in votes]
