"""How much a dispute is worth a lead's time: how unsure its label is, times how much hangs on it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log, log10, sqrt

from core.consensus.regions.clusters import Cluster, clusters_of, clusters_of_each
from core.consensus.settle import REGIONS
from core.labels.answer import Answer
from core.labels.schema import LabelSchema

LEAST_UNCERTAINTY = 0.05
"""A dispute nobody doubts (a flag on an agreed item) still ranks by what hangs on it."""

LEAST_OPEN = 1e-6
"""A question people differ in is open, however sure a fit is of its answer."""

MOST_RARE = 4.0
"""A class is at most so many times as rare, or as common, as an even split would make it."""

NOTHING = ""
"""The other side of a pair where only some drew a region."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What answers leave open.

    Attributes:
        uncertainty: 0 (they agree) to 1.
        differs: Keys of the questions they differ in, `regions` for the regions: the most open first.
        pairs: What was said of the same thing, two at a time, in alphabetical order; `NOTHING` with
            the class of a region that only some drew.
    """

    uncertainty: float
    differs: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


def dispute_value(uncertainty: float, boost: int, rarity: float, kin: int) -> float:
    """Return uncertainty × importance, for the order of disputes; the highest first.

    ``max(u, 0.05) × 2^boost × √rarity × (1 + log10(1 + kin))``: a step of the queue plan's boost
    counts double, a class four times as rare as an even split counts double, and nine further open
    disputes over the same classes do, because one ruling or clause may answer them all.

    Args:
        uncertainty: 0 to 1, as `doubt_of` gives it.
        boost: The queue plan's level for the item, -5 to 5.
        rarity: How rare the rarest class in question is, as `rarity_of` gives it.
        kin: How many other open disputes are over the same classes.
    """
    doubt = max(uncertainty, LEAST_UNCERTAINTY)
    return float(doubt * 2.0**boost * sqrt(rarity) * (1 + log10(1 + kin)))


def rarity_of(classes: Iterable[str], counts: Mapping[str, int], n_classes: int) -> float:
    """Return how many times rarer than an even split the rarest of these classes is, ¼ to 4.

    Args:
        classes: The classes in question; none gives 1.
        counts: Settled items by class; one more of each is assumed, so that none is at zero.
        n_classes: How many classes the project has.
    """
    asked = list(classes)
    if not asked or n_classes < 1:
        return 1.0
    total = sum(counts.values()) + n_classes
    share = min(counts.get(name, 0) + 1 for name in asked) / total
    return min(MOST_RARE, max(1 / MOST_RARE, 1 / (n_classes * share)))


def doubt_of(answers: Sequence[Answer], schema: LabelSchema, iou_at_least: float) -> Doubt:
    """Return what is open about an item, and how much: that of the part its answers leave most open.

    A question: the entropy of the shares of what was said, over that of an even split among as many
    answers. Regions: 1 − the mean over all things drawn of the share of people who drew the thing
    under its leading class with the same attributes. No answer at all leaves everything open.
    """
    return doubts_of([answers], schema, iou_at_least)[0]


Chances = Mapping[str, Sequence[float]]
"""By question how probable each class is, by what is known of the people who voted."""


def doubts_of(
    items: Sequence[Sequence[Answer]],
    schema: LabelSchema,
    iou_at_least: float,
    chances: Sequence[Chances] = (),
) -> list[Doubt]:
    """Return `doubt_of` the answers of each of many items; what is drawn is compared together.

    Args:
        items: Of each what was answered.
        schema: The questions.
        iou_at_least: Likeness from which two regions may be one thing.
        chances: Of each what its answers make probable. A question people differ in is then as open
            as that leaves it: two careful people against a careless one leave less than their shares.
    """
    known = chances or [{}] * len(items)
    if not schema.task.draws:
        return [_doubt(a, schema, (), c) for a, c in zip(items, known, strict=True)]
    things = clusters_of_each([[a.regions for a in answers] for answers in items], iou_at_least)
    return [_doubt(a, schema, t, c) for a, t, c in zip(items, things, known, strict=True)]


def _doubt(
    answers: Sequence[Answer], schema: LabelSchema, clusters: Sequence[Cluster], chances: Chances
) -> Doubt:
    if not answers:
        return Doubt(1.0, (), ())
    parts: dict[str, float] = {}
    pairs: set[tuple[str, str]] = set()
    if schema.task.draws:
        parts[REGIONS] = 1 - _agreement(clusters, len(answers))
        pairs |= _pairs_of_regions(clusters, len(answers))
    for question in schema.item_questions:
        told = [_told(a, question.key) for a in answers]
        parts[question.key] = _open(told, chances.get(question.key, ()))
        pairs |= set(combinations(sorted({t for t in told if t is not None}), 2))
    differs = tuple(sorted((key for key in parts if parts[key] > 0), key=lambda key: -parts[key]))
    return Doubt(max(parts.values(), default=0.0), differs, tuple(sorted(pairs)))


def _open(told: Sequence[str | None], chances: Sequence[float]) -> float:
    """Return how open a question is: nothing where all say the same, however likely they err."""
    by_shares = entropy(told)
    if not by_shares or not chances:
        return by_shares
    bits = -sum(p * log(p) for p in chances if p > 0)
    return max(min(1.0, bits / log(len(set(told)))), LEAST_OPEN)


def entropy(said: Iterable[object]) -> float:
    """Return the entropy of the shares of what was said, 0 (all alike) to 1 (evenly split)."""
    counts = Counter(said)
    n = sum(counts.values())
    if len(counts) < 2:
        return 0.0
    bits = -sum(c / n * log(c / n) for c in counts.values())
    return min(1.0, bits / log(len(counts)))


def agreement_of_regions(answers: Sequence[Answer], iou_at_least: float) -> float:
    """Return the mean, over all things drawn, of the share of people behind its leading class.

    Nobody drew anything: they agree, 1.
    """
    return _agreement(_clusters(answers, iou_at_least), len(answers))


def _clusters(answers: Sequence[Answer], iou_at_least: float) -> list[Cluster]:
    people = [a.regions for a in answers]
    return clusters_of(people, iou_at_least, [1.0] * len(people))


def _agreement(clusters: Sequence[Cluster], people: int) -> float:
    if not clusters:
        return 1.0
    leading = [
        max(Counter((m.region.label, m.region.attributes) for m in c).values()) for c in clusters
    ]
    return sum(leading) / (len(leading) * people)


def _pairs_of_regions(clusters: Sequence[Cluster], people: int) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for cluster in clusters:
        labels = {m.region.label for m in cluster}
        if len(cluster) < people:
            labels.add(NOTHING)
        found |= set(combinations(sorted(labels), 2))
    return found


def _told(answer: Answer, key: str) -> str | None:
    """Return what was said to a question as one text; of several classes the set."""
    said = answer.said(key)
    return " + ".join(sorted(said)) if isinstance(said, tuple) else said
