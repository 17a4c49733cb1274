"""The algorithms by name, each with a sentence for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.consensus.truth.confusion import PLAIN
from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.glad import glad
from core.consensus.truth.gold_majority import gold_majority
from core.consensus.truth.mace import mace
from core.consensus.truth.majority import majority, weighted_majority
from core.consensus.truth.one_coin import one_coin
from core.consensus.truth.pooled import pooled
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Votes
from core.consensus.truth.wawa import wawa
from core.errors import InputError

Run = Callable[[Votes, Ints | None, int], Truth]


@dataclass(frozen=True, slots=True)
class Method:
    """An algorithm.

    Attributes:
        run: Votes, gold and seed to the result; the seed matters only where chance has a part.
        says: What it does, in one sentence for people.
    """

    run: Run
    says: str


def _by_skill(votes: Votes, gold: Ints | None) -> Truth:
    """Weigh each vote by the log odds of its worker's skill, found by one-coin Dawid-Skene."""
    weight = one_coin(votes, gold=gold).workers.weight
    if weight is None:
        return majority(votes, gold=gold)
    return weighted_majority(votes, weight, gold=gold)


METHODS: dict[str, Method] = {
    "majority": Method(
        lambda votes, gold, _: majority(votes, gold=gold),
        "The answer most people gave; of equal ones, that given more often overall.",
    ),
    "weighted-majority": Method(
        lambda votes, gold, _: _by_skill(votes, gold),
        "The answer with the most weight; people who are right more often weigh more.",
    ),
    "wawa": Method(
        lambda votes, gold, _: wawa(votes, gold=gold),
        "Majority, with each person weighed by how often they agree with the majority.",
    ),
    "gold-majority": Method(
        lambda votes, gold, _: gold_majority(votes, gold=gold),
        "Majority, with each person weighed by how often they were right on known answers.",
    ),
    "dawid-skene": Method(
        lambda votes, gold, _: dawid_skene(votes, gold=gold),
        "Dawid-Skene learns which classes each person takes for which, and the most likely truth with it; "
        "people with few votes are taken to err as others do.",
    ),
    "plain-dawid-skene": Method(
        lambda votes, gold, _: dawid_skene(votes, gold=gold, smoothing=PLAIN),
        "Dawid-Skene as published in 1979, without smoothing; needs many votes of each person.",
    ),
    "one-coin": Method(
        lambda votes, gold, _: one_coin(votes, gold=gold),
        "One-coin Dawid-Skene learns how often each person is right, and the most likely truth with it.",
    ),
    "pooled": Method(
        lambda votes, gold, _: pooled(votes, gold=gold),
        "Pooled Dawid-Skene learns how often each person is right and which classes people in general mix up; "
        "for many people or many classes.",
    ),
    "glad": Method(
        lambda votes, gold, _: glad(votes, gold=gold),
        "GLAD learns how able each person and how hard each item is, and the most likely truth with it.",
    ),
    "mace": Method(
        lambda votes, gold, seed: mace(votes, gold=gold, seed=seed),
        "MACE learns who answers without looking and what they then say, and the most likely truth with it.",
    ),
}
"""Name to algorithm."""


def infer(name: str, votes: Votes, gold: Ints | None = None, seed: int = 0) -> Truth:
    """Return what the named algorithm says.

    Args:
        name: One of `METHODS`.
        votes: The votes.
        gold: Known class of each task, -1 for unknown.
        seed: For algorithms in which chance has a part.

    Raises:
        InputError: There is no algorithm of that name, or the gold does not fit.
    """
    if name not in METHODS:
        raise InputError(
            f"There is no method named {name!r}.", f"The methods are: {', '.join(METHODS)}."
        )
    return METHODS[name].run(votes, gold, seed)
