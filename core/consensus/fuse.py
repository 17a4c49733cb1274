"""Fusing the regions of people who agree: match one to one, then one region of each group.

Regions match when they are alike enough and have the same class and attributes. How a group is
made one is in `core.consensus.regions.blend`.

Nothing here depends on the order of people or of their boxes, or on anybody's name: sums are
exactly rounded (`math.fsum`) and choices fall by geometry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.consensus.regions.blend import blend
from core.consensus.regions.order import Regions, form, in_order
from core.consensus.regions.ways import SETTLED
from core.labels.geometry import match_regions
from core.labels.region import Region


@dataclass(frozen=True, slots=True)
class Group:
    """The most people who all drew the same regions as one of them.

    Attributes:
        size: How many people.
        regions: Their regions, fused; None where two different groups stand equal.
        everybody: Whether any two of all the people given drew the same.
    """

    size: int
    regions: Regions | None
    everybody: bool


def fuse(people: Sequence[Sequence[Region]], iou_at_least: float = 0.5) -> Regions:
    """Return one set of regions for people who drew the same ones.

    The person who shares most with the others is the centre; each region of the centre is made
    one with its match from every other person. Regions that match none of the centre's are left
    out: with people who agree there are none.

    Args:
        people: Each person's regions.
        iou_at_least: Regions less alike than this, or of another class, never match.

    Returns:
        Regions in order of their edges, without a confidence.
    """
    drawn = sorted((in_order(p) for p in people), key=_shape)
    if not drawn:
        return ()
    centre = max(range(len(drawn)), key=lambda i: (*_shared(drawn, i, iou_at_least), -i))
    return _fuse_around(centre, drawn, iou_at_least)


def largest_group(people: Sequence[Sequence[Region]], iou_at_least: float = 0.5) -> Group:
    """Return the largest group: one person and all who drew the same regions as they did.

    Of groups of one size the one whose regions are most alike wins; where even that is equal
    nobody wins, for there would be no honest way to choose.

    Args:
        people: Each person's regions, at least one person; no regions is an opinion too.
        iou_at_least: Likeness from which two regions are the same.
    """
    drawn = [in_order(p) for p in people]
    overlap = _agreement(drawn, iou_at_least)
    around = [tuple(j for j, v in enumerate(row) if v is not None) for row in overlap]
    rank = [
        (len(members), round(math.fsum(v for v in row if v is not None), 9))
        for members, row in zip(around, overlap, strict=True)
    ]
    best = {around[i] for i, r in enumerate(rank) if r == max(rank)}
    everybody = all(len(members) == len(drawn) for members in around)
    fused = fuse([drawn[i] for i in min(best)], iou_at_least) if len(best) == 1 else None
    return Group(max(rank)[0], fused, everybody)


def _agreement(drawn: list[Regions], iou_at_least: float) -> list[list[float | None]]:
    """Return for every two people their summed likeness, or None where they are not the same."""
    n = len(drawn)
    table: list[list[float | None]] = [[None] * n for _ in range(n)]
    for i in range(n):
        table[i][i] = float(len(drawn[i]))
        for j in range(i):
            table[i][j] = table[j][i] = _same(drawn[i], drawn[j], iou_at_least)
    return table


def _same(a: Regions, b: Regions, iou_at_least: float) -> float | None:
    if sorted((r.label, r.attributes) for r in a) != sorted((r.label, r.attributes) for r in b):
        return None
    pairs = _pairs(a, b, iou_at_least)
    return math.fsum(iou for _, _, iou in pairs) if len(pairs) == len(a) else None


def _pairs(a: Regions, b: Regions, iou_at_least: float) -> list[tuple[int, int, float]]:
    return match_regions(a, b, iou_at_least, same_attributes=True)


def _shape(regions: Regions) -> list[tuple[object, ...]]:
    return [form(r) for r in regions]


def _shared(drawn: list[Regions], i: int, iou_at_least: float) -> tuple[int, float]:
    """Return how many regions the others match with this person's, and their summed likeness."""
    pairs = [p for j, d in enumerate(drawn) if j != i for p in _pairs(drawn[i], d, iou_at_least)]
    return len(pairs), round(math.fsum(iou for _, _, iou in pairs), 9)


def _fuse_around(centre: int, drawn: list[Regions], iou_at_least: float) -> Regions:
    clusters = [[r] for r in drawn[centre]]
    for j, other in enumerate(drawn):
        if j != centre:
            for mine, theirs, _ in _pairs(drawn[centre], other, iou_at_least):
                clusters[mine].append(other[theirs])
    return in_order([blend(c, SETTLED) for c in clusters])
