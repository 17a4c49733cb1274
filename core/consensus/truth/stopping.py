"""When a task has votes enough: the lead, the posterior, and the most votes to spend on it.

The leader's lead is the gap to the runner-up. The posterior takes one accuracy for all: a vote speaks
for its class with that accuracy, for each other class with an equal share of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.consensus.truth.posterior import normalised
from core.consensus.truth.votes import Reals
from core.errors import InputError


class Stop(IntEnum):
    """Why a task needs no further vote, or that it does."""

    OPEN = 0
    LEAD = 1
    POSTERIOR = 2
    MAXIMUM = 3


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """Whichever bound is met first ends the voting.

    Attributes:
        lead: Votes the leading class must be ahead of the next; None for no such bound.
        posterior: Probability the leading class must reach; None for no such bound.
        minimum: Votes before the lead or the posterior may end it.
        maximum: Votes after which it ends whatever they say.

    Raises:
        InputError: A bound is out of its range.
    """

    lead: int | None = 2
    posterior: float | None = None
    minimum: int = 1
    maximum: int = 7

    def __post_init__(self) -> None:
        if self.lead is not None and self.lead < 1:
            raise InputError(f"A lead is 1 vote or more, found {self.lead}.")
        if self.posterior is not None and not 0.0 < self.posterior < 1.0:
            raise InputError(f"A posterior bound lies between 0 and 1, found {self.posterior}.")
        if not 1 <= self.minimum <= self.maximum:
            raise InputError(
                f"Votes go from a minimum of 1 or more up to the maximum, "
                f"found {self.minimum} to {self.maximum}."
            )


def stops(
    rule: StoppingRule, tally: ArrayLike, probability: ArrayLike | None = None
) -> NDArray[np.int8]:
    """Return the code of `Stop` for each task.

    Args:
        rule: The bounds.
        tally: Votes for each class, shape (tasks, classes).
        probability: Of each class of each task by whatever method is in force; needed for a posterior
            bound only.

    Raises:
        InputError: The rule bounds the posterior, and none is given.
    """
    votes = np.asarray(tally, dtype=np.float64)
    cast = votes.sum(axis=1)
    code = np.full(len(votes), Stop.OPEN, dtype=np.int8)
    code[cast >= rule.maximum] = Stop.MAXIMUM
    ready = cast >= rule.minimum
    if rule.posterior is not None:
        if probability is None:
            raise InputError("A posterior bound needs the probabilities, and none were given.")
        best = np.asarray(probability, dtype=np.float64).max(axis=1, initial=0.0)
        code[ready & (best >= rule.posterior)] = Stop.POSTERIOR
    if rule.lead is not None:
        code[ready & (_lead(votes) >= rule.lead)] = Stop.LEAD
    return code


def simple_posterior(tally: ArrayLike, accuracy: float) -> Reals:
    """Return each class's probability when every vote is right with one accuracy.

    Args:
        tally: Votes for each class, shape (tasks, classes).
        accuracy: Of any vote, between chance and 1, both left out.
    """
    votes = np.asarray(tally, dtype=np.float64)
    others = max(votes.shape[1] - 1, 1)
    weight = np.log(accuracy) - np.log((1 - accuracy) / others)
    return normalised(votes * weight)[0]


def _lead(votes: Reals) -> Reals:
    """Return how far the leading class is ahead; all its votes where there is one class."""
    if votes.shape[1] < 2:
        return np.asarray(votes.sum(axis=1))
    top = np.partition(votes, votes.shape[1] - 2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0])
