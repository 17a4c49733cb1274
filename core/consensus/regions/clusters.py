"""Which regions of several people are one thing.

As CVAT merges (its consensus documentation, "Merging"): regions are paired one to one between every
two people, and clusters grow over the pairs, the most alike first; a region joins only where it is
alike enough with every member and its person is not in yet.

People and regions are put in order by geometry first, so that nothing depends on who came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.consensus.regions.alike import alike
from core.consensus.regions.bounded import Alike
from core.consensus.regions.order import place
from core.consensus.regions.pairing import pairs_of
from core.labels.region import Region


@dataclass(frozen=True, slots=True)
class Member:
    """A region and the number of the person who drew it."""

    person: int
    region: Region


Cluster = tuple[Member, ...]


def clusters_of(
    people: Sequence[Sequence[Region]], alike_at_least: float, weights: Sequence[float]
) -> list[Cluster]:
    """Return the regions of each thing, at most one a person; each region is in one cluster.

    Args:
        people: Each person's regions.
        alike_at_least: Likeness from which two regions may be one thing, above 0.
        weights: How much each person counts; only to tell people apart who drew the same.

    Returns:
        Members by their form, clusters by that of their first member.
    """
    members = _in_turn(people, weights)
    regions = [m.region for m in members]
    person = np.array([m.person for m in members], dtype=np.int64)
    near = alike(regions, person, alike_at_least)
    groups = _grown([m.person for m in members], near, *pairs_of(regions, person, near))
    return [tuple(members[i] for i in group) for group in groups]


def _in_turn(people: Sequence[Sequence[Region]], weights: Sequence[float]) -> list[Member]:
    """Return all regions by their place; equal ones by all else that their people drew."""
    placed = [sorted(((place(r), r) for r in regions), key=_first) for regions in people]
    keys = [([p for p, _ in told], w) for told, w in zip(placed, weights, strict=True)]
    ranked = sorted(range(len(people)), key=lambda i: keys[i])
    told = [(p, rank, i, r) for rank, i in enumerate(ranked) for p, r in placed[i]]
    return [Member(i, r) for _, _, i, r in sorted(told, key=lambda t: t[:2])]


def _first(told: tuple[tuple[object, ...], Region]) -> tuple[object, ...]:
    return told[0]


def _grown(
    person: Sequence[int], near: Alike, first: np.ndarray, second: np.ndarray
) -> list[list[int]]:
    """Return clusters grown over the pairs in turn; two become one where all of both are alike."""
    n = len(person)
    may = set((near.first * n + near.second).tolist())
    groups: list[list[int]] = [[i] for i in range(n)]
    home = list(range(n))
    inside = [1 << p for p in person]
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        a, b = home[i], home[j]
        if a == b or inside[a] & inside[b]:
            continue
        if len(groups[a]) + len(groups[b]) > 2 and not _all_alike(groups[a], groups[b], may, n):
            continue
        for k in groups[b]:
            home[k] = a
        groups[a] += groups[b]
        groups[b] = []
        inside[a] |= inside[b]
    return sorted(sorted(g) for g in groups if g)


def _all_alike(a: list[int], b: list[int], may: set[int], n: int) -> bool:
    return all((i * n + j if i < j else j * n + i) in may for i in a for j in b)
