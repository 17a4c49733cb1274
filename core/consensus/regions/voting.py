"""One name by vote, and who wins where votes are even."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Votes = Mapping[str, float]
"""Name to weight."""


@dataclass(frozen=True, slots=True)
class Elected:
    """A name chosen by vote.

    Attributes:
        name: The winner.
        shares: Each name and its share of the weight, the largest first, then in schema order.
        tied: Whether another name has as much weight.
    """

    name: str
    shares: tuple[tuple[str, float], ...]
    tied: bool


def counted(votes: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the weight of each name, exactly rounded whatever the order."""
    told: dict[str, list[float]] = {}
    for name, weight in votes:
        told.setdefault(name, []).append(weight)
    return {name: math.fsum(w) for name, w in told.items()}


def leaders(votes: Votes) -> list[str]:
    """Return the names with the largest weight."""
    most = max(votes.values())
    return [name for name, weight in votes.items() if weight >= most * (1 - 1e-9)]


def elect(votes: Votes, order: Sequence[str] = (), wins: Votes | None = None) -> Elected:
    """Return the name with the largest weight.

    Tie rule: the name that won more other votes, then the first in schema order; names the schema
    has not stand behind those, by alphabet.

    Args:
        votes: The weight of each name; at least one name.
        order: Names in schema order.
        wins: How often each name won alone elsewhere in the item.
    """
    if len(votes) == 1:
        (name,) = votes
        return Elected(name, ((name, 1.0),), False)
    won = wins or {}
    rank = {name: i for i, name in enumerate(order)}
    first = leaders(votes)

    def turn(name: str) -> tuple[float, int, str]:
        return (-won.get(name, 0), rank.get(name, len(rank)), name)

    total = math.fsum(votes.values())
    listed = sorted(votes, key=lambda n: (-round(votes[n], 9), rank.get(n, len(rank)), n))
    shares = tuple((n, votes[n] / total if total else 1 / len(votes)) for n in listed)
    return Elected(min(first, key=turn), shares, len(first) > 1)
