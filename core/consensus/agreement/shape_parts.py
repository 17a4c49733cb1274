"""Agreement on drawn objects by class and by person: the parts of `shape_alpha`.

By class as for labels (`per_class`, `vitality`): of a class alone what people drew under it counts,
so whoever called the thing otherwise has drawn nothing there. A person's effect leaves all they drew
out and gathers the objects of the others anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from core.consensus.agreement.estimate import NOTHING, columns, estimate
from core.consensus.agreement.shapes import (
    Regions,
    distance_by_chance,
    objects_of,
    parts_of,
    sums_of,
    sums_over,
)
from core.consensus.agreement.vitality import Vitality
from core.consensus.counts import Floats
from core.labels.region import Region
from core.stats.bootstrap import (
    REPLICATES,
    Resampling,
    kinds_of,
    percentile_interval,
    resampled_sums,
)
from core.stats.intervals import Estimate


@dataclass(frozen=True, slots=True)
class ShapeClass:
    """How far people agree on the regions of one class.

    Attributes:
        name: The class.
        drawn: Its regions on items with two or more people.
        alpha: Of its regions alone; n counts items with two or more people.
        positive: Where one person drew it, how often another drew a region alike under the same
            class; n counts items anybody drew it on.
    """

    name: str
    drawn: int
    alpha: Estimate
    positive: Estimate


def shape_class_agreement(
    items: Sequence[Sequence[Regions]], alike_from: float = 0.5, **how: Unpack[Resampling]
) -> list[ShapeClass]:
    """Return the agreement on each class somebody drew, by name.

    Args:
        items: For each item the regions of each person; items with fewer than two are left out.
        alike_from: Likeness from which two regions may be one object.
        **how: Seed, replicates and level.
    """
    shared = [people for people in items if len(people) >= 2]
    on: dict[str, list[int]] = {}
    for i, people in enumerate(shared):
        for name in {r.label for p in people for r in p}:
            on.setdefault(name, []).append(i)
    return [_one_class(name, shared, set(on[name]), alike_from, how) for name in sorted(on)]


def _one_class(
    name: str,
    shared: Sequence[Sequence[Regions]],
    on: set[int],
    alike_from: float,
    how: Resampling,
) -> ShapeClass:
    """Return the agreement on a class drawn on these items."""
    drawn = {i: [[r for r in p if r.label == name] for p in shared[i]] for i in on}
    objects = {i: objects_of(people, alike_from) for i, people in drawn.items()}
    sums = [sums_over(objects.get(i, ()), len(people)) for i, people in enumerate(shared)]
    apart = distance_by_chance([r for people in drawn.values() for p in people for r in p])
    kinds, repeats = kinds_of(np.array(sums))
    alpha = estimate(columns(list(kinds.T)), repeats, lambda s: parts_of(s, apart), how)
    met = np.array([_met(objects[i], len(shared[i])) for i in sorted(on)], dtype=np.float64)
    kinds, repeats = kinds_of(met)
    positive = estimate(columns(list(kinds.T)), repeats, _missed, how)
    return ShapeClass(
        name, sum(len(p) for people in drawn.values() for p in people), alpha, positive
    )


def _met(objects: Sequence[dict[int, Region]], m: int) -> tuple[int, int]:
    """Return how often another of m people has left out what one drew, and could have drawn it."""
    return sum(len(o) * (m - len(o)) for o in objects), sum(len(o) * (m - 1) for o in objects)


def _missed(sums: Floats) -> tuple[Floats, Floats]:
    share = sums[:, 0] / sums[:, 1]
    return share, np.ones_like(share)


def shape_vitality(
    items: Sequence[Sequence[tuple[int, Regions]]],
    people: Sequence[int],
    alike_from: float = 0.5,
    **how: Unpack[Resampling],
) -> list[Vitality]:
    """Return what each of these people does to the alpha of all; undefined where either alpha is.

    The interval is a bootstrap over items, of both alphas on the same draws.

    Args:
        items: For each item each person's number and regions.
        people: Whose effect is asked, in the order of the answer.
        alike_from: Likeness from which two regions may be one object.
        **how: Seed, replicates and level.
    """
    shared = [item for item in items if len(item) >= 2]
    if not shared:
        return [Vitality(p, Estimate(None, None, None, 0)) for p in people]
    whole = np.array([sums_of([r for _, r in item], alike_from) for item in shared])
    without = [_without(shared, p, whole, alike_from) for p in people]
    apart = [_by_chance(shared, p) for p in people]
    everything, all_apart = np.hstack([whole, *without]), _by_chance(shared, None)
    kinds, repeats = kinds_of(everything)
    replicates = how.get("replicates", REPLICATES)
    sums = (repeats @ kinds)[None]
    if replicates and len(shared) >= 2:
        drawn = resampled_sums(kinds, repeats, how.get("seed", 0), replicates)
        sums = np.concatenate([sums, drawn])
    alpha = _alpha(sums[:, :3], all_apart)
    found = []
    for k, person in enumerate(people):
        change = alpha - _alpha(sums[:, 3 * k + 3 : 3 * k + 6], apart[k])
        n = sum(any(p == person for p, _ in item) for item in shared)
        found.append(Vitality(person, _estimate(change, n, how.get("level", 0.95))))
    return found


def _without(
    shared: Sequence[Sequence[tuple[int, Regions]]], person: int, whole: Floats, alike_from: float
) -> Floats:
    """Return the sums of each item without a person; nothing of those left to one alone."""
    found = whole.copy()
    for i, item in enumerate(shared):
        others = [regions for p, regions in item if p != person]
        if len(others) < len(item):
            found[i] = sums_of(others, alike_from) if len(others) >= 2 else 0.0
    return found


def _by_chance(shared: Sequence[Sequence[tuple[int, Regions]]], person: int | None) -> float:
    kept = [[(p, r) for p, r in item if p != person] for item in shared]
    return distance_by_chance(
        [one for item in kept if len(item) >= 2 for _, regions in item for one in regions]
    )


def _alpha(sums: Floats, apart: float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        observed, expected = parts_of(sums, apart)
        return np.asarray(1 - observed / np.where(expected > NOTHING, expected, np.nan))


def _estimate(change: Floats, n: int, level: float) -> Estimate:
    """Return the first as the value, its interval from the others where they differ."""
    if not np.isfinite(change[0]):
        return Estimate(None, None, None, n)
    low, high = percentile_interval(change[1:], level) if len(change) > 1 else (None, None)
    if low is None or high is None or high - low <= NOTHING:
        return Estimate(float(change[0]), None, None, n)
    return Estimate(float(change[0]), low, high, n)
