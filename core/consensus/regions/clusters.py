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

from core.consensus.regions.alike import alike, box_ious
from core.consensus.regions.bounded import Alike
from core.consensus.regions.nearby import Ints
from core.consensus.regions.order import place
from core.consensus.regions.pairing import pairs_of
from core.labels.geometry import Boxes, boxes_of
from core.labels.region import Region, Shape

_SMALL = 64
"""Boxes of all people on an item up to which it is compared together with others."""
_TOGETHER = 500
"""Items compared together."""


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


def clusters_of_each(
    items: Sequence[Sequence[Sequence[Region]]], alike_at_least: float
) -> list[list[Cluster]]:
    """Return what `clusters_of` gives of each of many items, everybody counting the same.

    Small items of boxes are compared together: a few boxes cost ten times as much one by one.
    """
    small = [i for i, people in enumerate(items) if _is_small(people)]
    found: dict[int, list[Cluster]] = {}
    for start in range(0, len(small), _TOGETHER):
        some = small[start : start + _TOGETHER]
        done = _small_ones([items[i] for i in some], alike_at_least)
        found.update(zip(some, done, strict=True))
    return [
        found[i] if i in found else clusters_of(people, alike_at_least, [1.0] * len(people))
        for i, people in enumerate(items)
    ]


def _is_small(people: Sequence[Sequence[Region]]) -> bool:
    drawn = sum(map(len, people))
    return drawn <= _SMALL and all(r.shape is Shape.BOX for p in people for r in p)


def _small_ones(
    items: Sequence[Sequence[Sequence[Region]]], alike_at_least: float
) -> list[list[Cluster]]:
    """Return the clusters of items of a few boxes; people of different items are never compared."""
    members = [_in_turn(people, [1.0] * len(people)) for people in items]
    ends = np.cumsum([len(m) for m in members])
    regions = [m.region for told in members for m in told]
    first_person = np.cumsum([0, *map(len, items)])
    person = np.array(
        [m.person + p for told, p in zip(members, first_person, strict=False) for m in told],
        dtype=np.int64,
    )
    near = _near_boxes(boxes_of(regions), person, ends, alike_at_least)
    first, second = pairs_of(regions, person, near)
    item = np.searchsorted(ends, first, side="right")
    turn = np.argsort(item, kind="stable")  # an item's pairs stay in their order
    first, second = first[turn], second[turn]
    places = np.arange(len(members) + 1)
    ours = np.searchsorted(np.searchsorted(ends, near.first, side="right"), places).tolist()
    theirs = np.searchsorted(item[turn], places).tolist()
    found = []
    for i, told in enumerate(members):
        start = int(ends[i]) - len(told)
        a, b, c, d = ours[i], ours[i + 1], theirs[i], theirs[i + 1]
        part = Alike(near.first[a:b] - start, near.second[a:b] - start, near.likeness[a:b])
        groups = _grown([m.person for m in told], part, first[c:d] - start, second[c:d] - start)
        found.append([tuple(told[k] for k in group) for group in groups])
    return found


def _near_boxes(boxes: Boxes, person: Ints, ends: Ints, alike_at_least: float) -> Alike:
    """Return the pairs of boxes of two people on one item that are alike enough."""
    sizes = np.diff(ends, prepend=0)
    begins = np.repeat(ends - sizes, sizes)
    within = np.arange(len(person)) - begins
    first = np.repeat(np.arange(len(person)), within)
    second = np.arange(len(first)) - np.repeat(np.cumsum(within) - within, within)
    second += np.repeat(begins, within)
    a, b = np.minimum(first, second), np.maximum(first, second)
    other = person[a] != person[b]
    a, b = a[other], b[other]
    value = box_ious(boxes[a], boxes[b])
    enough = value >= alike_at_least
    return Alike(a[enough], b[enough], value[enough])


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
