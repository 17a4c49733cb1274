"""The rules of `core.consensus.settle` for one question, over the counts of all items at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.policy import OnDisagreement, Policy, Stop
from core.consensus.tally import USUAL_ACCURACY
from core.labels.state import ItemState

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

STATES = tuple(ItemState)
CODE = {state: code for code, state in enumerate(STATES)}
NO_LABEL = -1


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What a project-wide algorithm believes of each item.

    Attributes:
        label: Class; -1 where it says nothing of the item.
        probability: How sure that is.
    """

    label: Ints
    probability: Reals

    def of(self, tasks: NDArray[np.intp]) -> Beliefs:
        """Return what it believes of some items."""
        return Beliefs(self.label[tasks], self.probability[tasks])


@dataclass(frozen=True, eq=False)
class Standing:
    """How the votes counted so far fall on each item; they are added in place.

    Attributes:
        votes: How many, shape (items,).
        most: Votes of the leading class; leaving the question unanswered counts as one.
        second: Votes of the next.
        leaders: How many classes have the most.
        kinds: How many different ones were said.
        leader: The class that came to the most first; -1 for "unanswered".
    """

    votes: Ints
    most: Ints
    second: Ints
    leaders: Ints
    kinds: Ints
    leader: Ints

    @staticmethod
    def empty(tasks: int) -> Standing:
        """Return items without votes."""
        votes, most, second, leaders, kinds = np.zeros((5, tasks), dtype=np.int32)
        nobody = np.full(tasks, NO_LABEL, dtype=np.int32)
        return Standing(votes, most, second, leaders, kinds, nobody)

    def of(self, tasks: NDArray[np.intp]) -> Standing:
        """Return a copy for some items."""
        columns = (self.votes, self.most, self.second, self.leaders, self.kinds, self.leader)
        return Standing(*(c[tasks] for c in columns))

    def add(self, tasks: NDArray[np.intp], label: Ints, count: Ints) -> None:
        """Count one vote more on each of these items.

        Args:
            tasks: The items, each once.
            label: Class said.
            count: How often it was said of the item, with this vote.
        """
        most, leader = self.most[tasks], self.leader[tasks]
        ahead, level = count > most, count == most
        same = ahead & (label == leader) & (most > 0)
        self.votes[tasks] += 1
        self.kinds[tasks] += count == 1
        self.second[tasks] = np.where(
            same, self.second[tasks], np.where(ahead, most, np.maximum(self.second[tasks], count))
        )
        self.leaders[tasks] = np.where(ahead, 1, self.leaders[tasks] + level)
        self.most[tasks] = np.where(ahead, count, most)
        self.leader[tasks] = np.where(ahead, label, leader)


@dataclass(frozen=True, eq=False)
class ByVotes:
    """Where votes alone leave each item: as in `core.consensus.settle.Outcome`."""

    state: NDArray[np.int8]
    label: Ints
    probability: Reals
    wanted: Ints


_ENDS = {
    OnDisagreement.DISCARD: ItemState.DISCARDED,
    OnDisagreement.NEUTRAL: ItemState.NEUTRAL,
    OnDisagreement.LEAD: ItemState.DISPUTE,
    OnDisagreement.THIRD_VOTE: ItemState.DISPUTE,
}


def settled_by_votes(
    standing: Standing,
    needed: Longs,
    policy: Policy,
    beliefs: Beliefs | None,
    sure: Callable[[], Reals] | None = None,
) -> ByVotes:
    """Return where votes alone leave each item; below the votes it needs it stays open.

    Args:
        standing: How the votes fall.
        needed: From how many votes on each item is settled.
        policy: The policy.
        beliefs: What a project-wide algorithm says.
        sure: How probable each leading class is by the plain count; only a policy that stops by it asks.
    """
    by_posterior = policy.stop == Stop.POSTERIOR and sure is not None
    plain = sure() if by_posterior and sure is not None else _share(standing)
    t = _weighed(standing, plain, policy, beliefs)
    n = standing.votes.astype(np.int64)
    most = np.maximum(policy.max_votes, needed) if policy.asks_more else n
    gap = np.maximum(policy.lead_of - t.ahead, 1) if policy.stop == Stop.LEAD else np.ones_like(n)
    early = ~t.enough & (n < most) & ~_hopeless(t, n, gap, most, policy)
    agreed = ~early & (t.all_agree | _stands(t, policy))
    further = n + t.further
    third = policy.on_disagreement == OnDisagreement.THIRD_VOTE
    more = ~early & ~agreed & (further <= most) & (t.inferred | third)
    few = n < needed
    opened = few | early | more
    state = np.where(agreed, CODE[ItemState.AGREED], CODE[_ENDS[policy.on_disagreement]])
    wanted = np.where(few, needed, np.where(early, np.minimum(n + gap, most), further))
    by_rule = t.inferred | (policy.stop == Stop.POSTERIOR)
    probability = np.where(by_rule, t.probability, _share(standing))
    settled = agreed & ~few
    return ByVotes(
        np.where(opened, CODE[ItemState.OPEN], state).astype(np.int8),
        np.where(settled, t.value, NO_LABEL).astype(np.int32),
        np.where(settled, probability, np.nan),
        np.where(opened, wanted, 0).astype(np.int32),
    )


@dataclass(frozen=True, eq=False)
class _Tallies:
    """As `core.consensus.tally.Tally`, of one question of many items."""

    value: Ints
    all_agree: Flags
    ahead: Longs
    probability: Reals
    carried: Flags
    further: Longs
    inferred: Flags
    enough: Flags


def _share(standing: Standing) -> Reals:
    return np.asarray(standing.most / np.maximum(standing.votes, 1), dtype=np.float64)


def _weighed(standing: Standing, plain: Reals, policy: Policy, beliefs: Beliefs | None) -> _Tallies:
    n, support = standing.votes.astype(np.int64), standing.most.astype(np.int64)
    value = np.where(standing.leaders == 1, standing.leader, NO_LABEL)
    all_agree, inferred = standing.kinds == 1, np.zeros(len(n), dtype=np.bool_)
    probability, carried, further = plain, 2 * support > n, n - 2 * support + 1
    if beliefs is not None:
        said = beliefs.label != NO_LABEL
        inferred = said & ~all_agree
        same = np.where(value == beliefs.label, beliefs.probability, 0.0)
        probability = np.where(said, np.where(all_agree, same, beliefs.probability), plain)
        value = np.where(inferred, beliefs.label, value)
        carried = np.where(inferred, probability >= policy.posterior_at_least, carried)
        further = np.where(inferred, 1, further)
    ahead = support - standing.second
    enough = np.ones(len(n), dtype=np.bool_)
    if policy.stop == Stop.LEAD:
        enough = ahead >= policy.lead_of
    elif policy.stop == Stop.POSTERIOR:
        enough = probability >= policy.posterior_at_least
    return _Tallies(value, all_agree, ahead, probability, carried, further, inferred, enough)


def _hopeless(t: _Tallies, n: Longs, gap: Longs, most: Longs, policy: Policy) -> Flags:
    """Return whether no vote that may still be cast could settle an item by its lead or at the end."""
    if policy.stop != Stop.LEAD:
        return np.zeros(len(n), dtype=np.bool_)
    third = policy.on_disagreement == OnDisagreement.THIRD_VOTE
    by_majority = (n + t.further <= most) & third
    return np.asarray((n + gap > most) & ~(t.all_agree | t.inferred) & ~by_majority)


def _stands(t: _Tallies, policy: Policy) -> Flags:
    """Return whether items whose votes differ are settled by the votes there are."""
    third = policy.on_disagreement == OnDisagreement.THIRD_VOTE
    by_rule = (t.value != NO_LABEL) & t.enough & (policy.stop != Stop.COUNT)
    return np.asarray(np.where(t.inferred, t.carried, by_rule | (t.carried & third)))


def plain_posterior(
    standing: Standing, said: Ints, starts: NDArray[np.intp], choices: int
) -> Reals:
    """Return how probable each leading class is when every vote is right with the usual accuracy.

    Args:
        standing: How the votes fall.
        said: Votes for each class said of each item, the items in order; zeros welcome.
        starts: Where each item's begin.
        choices: Classes the question offers.
    """
    if not len(said):
        return np.zeros(len(standing.votes))
    sizes = np.diff(np.append(starts, len(said)))
    item = np.repeat(np.arange(len(starts)), sizes)
    classes = np.maximum(max(choices, 2), standing.kinds)
    weight = np.log(USUAL_ACCURACY) - np.log((1 - USUAL_ACCURACY) / (classes - 1))
    behind = np.where(said > 0, np.exp((said - standing.most[item]) * weight[item]), 0.0)
    rest = (classes - standing.kinds) * np.exp(-standing.most * weight)
    return np.asarray(1.0 / (np.bincount(item, behind, minlength=len(starts)) + rest))
