"""What people who draw disagree about: whether a thing is there, its class, or its border.

The regions of all people that lie in one place are one thing. What most things on the image differ
in is the dispute; what each person says about the first such thing is then an answer like any
other, so that causes are told of shapes as they are of classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import median

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.labels.answer import Answer
from core.labels.geometry import boxes_of, iou_matrix, match_regions
from core.labels.region import Region, Shape

SAME = "the same"
"""What everybody says where nobody differs."""
IN_ONE_PLACE = 0.2
"""Likeness from which two regions are about one thing, right or not."""


class Difference(StrEnum):
    """What answers differ in."""

    CLASS = "class"
    PRESENCE = "presence"
    BORDER = "border"


@dataclass(frozen=True, slots=True)
class ShapeVotes:
    """A dispute about shapes as votes on one question.

    Attributes:
        difference: What it is about; None where all draw the same.
        said: What each person says of the thing, in the order of the answers.
        counts: How many things differ in what.
    """

    difference: Difference | None
    said: tuple[str, ...]
    counts: tuple[tuple[Difference, int], ...]


def shape_votes(answers: Sequence[Answer], iou_at_least: float) -> ShapeVotes:
    """Return what people differ in on one image, and what each says of it.

    Args:
        answers: One a person.
        iou_at_least: Likeness from which two regions count as the same.
    """
    things = _things([a.regions for a in answers])
    kinds = [_kind(t, len(answers), iou_at_least) for t in things]
    counts = Counter(k for k in kinds if k is not None)
    if not counts:
        return ShapeVotes(None, (SAME,) * len(answers), ())
    ordered = sorted(counts.items(), key=lambda c: (-c[1], tuple(Difference).index(c[0])))
    main = ordered[0][0]
    thing = min((t for t, k in zip(things, kinds, strict=True) if k is main), key=_place)
    said = tuple(_said(thing, n, main) for n in range(len(answers)))
    return ShapeVotes(main, said, tuple(ordered))


Thing = dict[int, Region]
"""One thing on the image: the region each person drew of it."""


def _things(drawn: Sequence[Sequence[Region]]) -> list[Thing]:
    """Gather the regions that lie in one place, the likest first, at most one a person."""
    thing_of = {(p, i): {p: r} for p, regions in enumerate(drawn) for i, r in enumerate(regions)}
    match = _boxes_matched(drawn) if _are_boxes(drawn) else _matched(drawn)
    found = [
        (iou, (a, i), (b, j))
        for a, b in combinations(range(len(drawn)), 2)
        for i, j, iou in match(a, b)
    ]
    for _iou, one, two in sorted(found, key=lambda f: (-f[0], f[1], f[2])):
        a, b = thing_of[one], thing_of[two]
        if a is not b and not a.keys() & b.keys():
            a.update(b)
            for key, thing in thing_of.items():
                if thing is b:
                    thing_of[key] = a
    return list({id(t): t for t in thing_of.values()}.values())


Match = Callable[[int, int], list[tuple[int, int, float]]]
"""From two people to the one-to-one pairs of what they drew in one place, with their likeness."""


def _are_boxes(drawn: Sequence[Sequence[Region]]) -> bool:
    return all(r.shape is Shape.BOX for regions in drawn for r in regions)


def _matched(drawn: Sequence[Sequence[Region]]) -> Match:
    return lambda a, b: match_regions(drawn[a], drawn[b], IN_ONE_PLACE, same_class=False)


def _boxes_matched(drawn: Sequence[Sequence[Region]]) -> Match:
    """Return the same of boxes, all of an image compared at once: ten thousand images are looked at."""
    boxes = boxes_of([r for regions in drawn for r in regions])
    like = iou_matrix(boxes, boxes)
    ends = np.cumsum([0, *map(len, drawn)]).tolist()

    def match(a: int, b: int) -> list[tuple[int, int, float]]:
        part = like[ends[a] : ends[a + 1], ends[b] : ends[b + 1]]
        gain = np.where(part >= IN_ONE_PLACE, part, 0.0)
        told = zip(*(side.tolist() for side in linear_sum_assignment(gain, True)), strict=True)
        return [(i, j, float(part[i, j])) for i, j in told if gain[i, j] > 0]

    return match


def _kind(thing: Thing, people: int, iou_at_least: float) -> Difference | None:
    if len(thing) < people:
        return Difference.PRESENCE
    regions = list(thing.values())
    if len({r.label for r in regions}) > 1:
        return Difference.CLASS
    return None if _all_alike(regions, iou_at_least) else Difference.BORDER


def _all_alike(regions: Sequence[Region], iou_at_least: float) -> bool:
    """Return whether any two of these regions of one class count as the same."""
    if _are_boxes([regions]):
        return all(_iou(a, b) >= iou_at_least for a, b in combinations(regions, 2))
    return all(match_regions([a], [b], iou_at_least) for a, b in combinations(regions, 2))


def _iou(a: Region, b: Region) -> float:
    """Return what `iou_matrix` has for two boxes, without its cost of an array."""
    width = max(min(a.x2, b.x2) - max(a.x1, b.x1), 0.0)
    inter = width * max(min(a.y2, b.y2) - max(a.y1, b.y1), 0.0)
    union = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - inter
    return inter / union if union > 0 else 0.0


def _place(thing: Thing) -> tuple[float, ...]:
    return min((r.y1, r.x1, r.y2, r.x2) for r in thing.values())


def _said(thing: Thing, person: int, main: Difference) -> str:
    mine = thing.get(person)
    label = min(Counter(r.label for r in thing.values()).items(), key=lambda c: (-c[1], c[0]))[0]
    if main is Difference.CLASS:
        return mine.label if mine else "no region"
    if main is Difference.PRESENCE:
        return f"{label} drawn" if mine else f"{label} left out"
    if mine and all(r.shape is Shape.KEYPOINTS for r in thing.values()):
        return f"{label} {_set(list(thing.values()), mine)}"
    middle = median(r.area for r in thing.values())
    return f"{label} drawn wide" if mine and mine.area > middle else f"{label} drawn tight"


_SIDES = (("placed further left", "placed further right"), ("placed higher", "placed lower"))


def _set(regions: Sequence[Region], mine: Region) -> str:
    """Return how one person set the points of a thing; points have no extent to be wide or tight.

    Where all set the same points, by the one that lies furthest apart, the way it does.
    """
    there = [frozenset(n for n, p in enumerate(r.points) if p[2] > 0) for r in regions]
    if len(set(there)) > 1 or not there[0]:
        n = sum(p[2] > 0 for p in mine.points)
        return f"with {n or 'no'} {'point' if n == 1 else 'points'}"
    values = {
        (n, axis): [r.points[n][axis] for r in regions] for n in sorted(there[0]) for axis in (0, 1)
    }
    n, axis = max(values, key=lambda at: max(values[at]) - min(values[at]))
    return _SIDES[axis][mine.points[n][axis] > median(values[n, axis])]
