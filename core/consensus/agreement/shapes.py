"""Krippendorff's alpha of drawn objects: boxes, polygons, masks, keypoints.

The regions of different people on one item are gathered into objects, at most one of a person.
The units are the objects, and everybody who looked at the item has a value on each: their region,
or "missing". Two regions lie 1 - likeness apart (intersection over union; of keypoints their
OKS), 1 if of different classes; a region and "missing" 1; two "missing" 0. An item on which
nobody drew is one unit that all left empty. The distance expected by chance is the mean over all
pairs of values of all units, as they lie; the interval holds the mean over pairs of regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from core.consensus.agreement.estimate import columns, estimate
from core.consensus.counts import Floats
from core.labels.answer import Answer
from core.labels.geometry import likeness
from core.labels.region import Region
from core.stats.bootstrap import Resampling, kinds_of
from core.stats.intervals import UNDEFINED, Estimate

Regions = Sequence[Region]

MOST_REGIONS = 400
"""Regions compared each with each for the distance by chance; beyond, evenly chosen ones."""


def shape_alpha(
    items: Sequence[Sequence[Answer]], alike_from: float = 0.5, **how: Unpack[Resampling]
) -> Estimate:
    """Return alpha of what people drew; n counts items with two or more people.

    Args:
        items: For each item what each person drew; items with fewer than two are left out.
        alike_from: Likeness from which two regions may be one object.
        **how: Seed, replicates and level.
    """
    return alpha_of_regions([[a.regions for a in item] for item in items], alike_from, **how)


def alpha_of_regions(
    items: Sequence[Sequence[Regions]], alike_from: float = 0.5, **how: Unpack[Resampling]
) -> Estimate:
    """Return `shape_alpha` of each person's regions alone."""
    drawn = [item for item in items if len(item) >= 2]
    if not drawn:
        return UNDEFINED
    apart = distance_by_chance([r for i in drawn for p in i for r in p])
    kinds, repeats = kinds_of(np.array([sums_of(people, alike_from) for people in drawn]))
    return estimate(columns(list(kinds.T)), repeats, lambda sums: parts_of(sums, apart), how)


def parts_of(sums: Floats, apart: float) -> tuple[Floats, Floats]:
    """Return the disagreement observed and that by chance.

    Args:
        sums: What `sums_of` gives, added up over items, shape (r, 3).
        apart: Mean distance of two regions.
    """
    o, n, regions = sums.T
    chance = 2 * regions * (n - regions) + apart * regions * (regions - 1)
    return o / n, chance / (n * (n - 1))


def objects_of(people: Sequence[Regions], alike_from: float = 0.5) -> list[dict[int, Region]]:
    """Return the objects several people drew: of each the region of each person who drew it.

    The most alike regions of two people are joined first, whatever their classes, and never two of
    one person. Nothing depends on the order of people or of their regions.
    """
    drawn = sorted(
        (sorted(p, key=drawn_at) for p in people), key=lambda p: [drawn_at(r) for r in p]
    )
    regions = [(i, r) for i, mine in enumerate(drawn) for r in mine]
    group = [{i: r} for i, r in regions]
    for _, a, b in _edges(regions, alike_from):
        if group[a] is not group[b] and not group[a].keys() & group[b].keys():
            group[a] |= group[b]
            for k, other in enumerate(group):
                if k != b and other is group[b]:
                    group[k] = group[a]
            group[b] = group[a]
    return list({id(g): g for g in group}.values())


def _edges(
    regions: Sequence[tuple[int, Region]], alike_from: float
) -> list[tuple[float, int, int]]:
    """Return the pairs of regions of different people that may be one object, most alike first."""
    if not regions:
        return []
    shapes = [r for _, r in regions]
    like = likeness(shapes, shapes)
    who = np.array([i for i, _ in regions])
    first, second = np.nonzero(np.triu(like >= alike_from) & (who[:, None] != who[None, :]))
    found = zip(-np.round(like[first, second], 12), first, second, strict=True)
    return sorted((float(x), int(a), int(b)) for x, a, b in found)


def sums_of(people: Sequence[Regions], alike_from: float) -> tuple[float, float, float]:
    """Return of one item: distances over pairs / (people - 1), values, and regions among them."""
    return sums_over(objects_of(people, alike_from), len(people))


def sums_over(objects: Sequence[dict[int, Region]], m: int) -> tuple[float, float, float]:
    """Return what `sums_of` gives, of the objects of an item that m people looked at."""
    if not objects:
        return 0.0, float(m), 0.0
    total, drawn = 0.0, 0
    for seen in objects:
        values = list(seen.values())
        drawn += len(values)
        total += 2 * len(values) * (m - len(values))
        total += _distances(values).sum()
    return round(total / (m - 1), 12), float(m * len(objects)), float(drawn)


def _distances(regions: Sequence[Region]) -> Floats:
    """Return how far every two regions lie apart, shape (n, n); nothing from themselves."""
    classes = np.array([r.label for r in regions], dtype=object)
    same = classes[:, None] == classes[None, :]
    apart = np.where(same, 1 - likeness(regions, regions), 1.0)
    np.fill_diagonal(apart, 0.0)
    return apart


def distance_by_chance(regions: Sequence[Region]) -> float:
    """Return the mean distance of two different regions of all that were drawn."""
    regions = sorted(regions, key=drawn_at)
    if len(regions) > MOST_REGIONS:
        step = np.linspace(0, len(regions) - 1, MOST_REGIONS).astype(np.int64)
        regions = [regions[i] for i in step]
    n = len(regions)
    return float(_distances(regions).sum()) / (n * (n - 1)) if n >= 2 else 1.0


def drawn_at(region: Region) -> tuple[object, ...]:
    """Return what puts regions in an order that depends on nothing but themselves."""
    return (*region.box, region.label, region.points, region.rle, region.attributes)
