"""What a replay tells: policies side by side, and what changes under each."""

from __future__ import annotations

from dataclasses import dataclass

from core.consensus.policy import Policy
from core.consensus.replay_figures import Figures


@dataclass(frozen=True, slots=True)
class Move:
    """Labels that change from one class to another; None stands for no label."""

    before: str | None
    after: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Example:
    """An item whose label changes."""

    item_id: int
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Column:
    """One policy over the recorded votes.

    Attributes:
        policy: The policy.
        figures: Its figures; shares and differences are against the policy in force.
        moves: Labels that change, from which class to which, the most first.
        examples: Some of the items whose label changes.
        withheld: Changed items that may not be shown because the actor could still vote or rule on them.
    """

    policy: Policy
    figures: Figures
    moves: tuple[Move, ...]
    examples: tuple[Example, ...]
    withheld: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Policies side by side.

    Attributes:
        columns: The policy in force, then the others in the order given.
        classes: Names behind the numbers of each `balance`.
        items: Items looked at.
        voted: How many of them have a vote.
        votes: Live votes on them.
        gold: How many have gold.
        sampled: Whether they are a fixed random sample of the items with votes.
        policy_version: The version in force when it was made.
        at: When; seconds since the epoch.
    """

    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    items: int
    voted: int
    votes: int
    gold: int
    sampled: bool
    policy_version: int
    at: float
