"""Pairs of regions that are alike, and never more of them than can be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.consensus.regions.nearby import Ints

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Alike:
    """Pairs of regions of two people.

    Attributes:
        first, second: Numbers of the regions, first < second, shape (pairs,).
        likeness: Between the bound and 1.
    """

    first: Ints
    second: Ints
    likeness: Reals


def gathered(found: Iterable[Alike], person: Ints, most: int) -> Alike:
    """Return all blocks as one, cut to the most alike whenever they are too many."""
    place = place_of_own(person)
    held: list[Alike] = []
    for block in found:
        held.append(block)
        if sum(len(h.first) for h in held) > 2 * most:
            held = [most_alike(held, place, most)]
    return most_alike(held, place, most)


def place_of_own(person: Ints) -> Ints:
    """Return which of its person's regions each is."""
    order = np.argsort(person, kind="stable")
    starts = np.searchsorted(person[order], person[order], side="left")
    place = np.empty(len(person), dtype=np.int64)
    place[order] = np.arange(len(person)) - starts
    return place


def most_alike(parts: Sequence[Alike], place: Ints, most: int) -> Alike:
    """Return at most so many pairs: the most alike, of equals those in the same place of two sets."""
    if len(parts) == 1 and len(parts[0].first) <= most:
        return parts[0]
    none: Ints = np.zeros(0, dtype=np.int64)
    first = np.concatenate([none, *(p.first for p in parts)])
    second = np.concatenate([none, *(p.second for p in parts)])
    value = np.concatenate([np.zeros(0), *(p.likeness for p in parts)])
    if len(first) > most:
        kept = _highest(first, second, value, place, most)
        first, second, value = first[kept], second[kept], value[kept]
    return Alike(first, second, value)


def _highest(first: Ints, second: Ints, value: Reals, place: Ints, most: int) -> NDArray[np.intp]:
    """Return which so many pairs to keep; equal sets piled on one spot then pair as they lie."""
    last = np.partition(value, len(value) - most)[len(value) - most]
    above, even = np.flatnonzero(value > last), np.flatnonzero(value == last)
    a, b, n = first[even], second[even], len(place)
    turn = (np.abs(place[a] - place[b]) * n + a) * n + b
    wanted = most - len(above)
    return np.concatenate([above, even[np.argpartition(turn, wanted - 1)[:wanted]]])
