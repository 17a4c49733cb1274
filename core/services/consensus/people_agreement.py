"""Who agrees with whom, on which class, and what each person does to the agreement of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np

from core.analytics.selected import Differing
from core.analytics.votes import VoteTable
from core.consensus.agreement import (
    class_agreement,
    shape_class_agreement,
    shape_vitality,
    vitality,
)
from core.consensus.box_agreement import pair_score
from core.consensus.counts import count_labels
from core.consensus.pairwise import PairwiseMatrix, pairwise_matrix
from core.services.consensus.agreement import FEWEST_ITEMS, enough
from core.services.consensus.answers import Answers
from core.services.projects.project import ProjectView
from core.stats.bootstrap import Resampling, clustered_mean
from core.stats.intervals import UNDEFINED, Estimate

MOST_CLASSES = 100
"""Classes up to which each has its interval; redrawing the items of a thousand takes seconds."""

MOST_PEOPLE = 30
"""People in the matrix: those with most votes."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How far people agree on one class against all others.

    Attributes:
        votes: Votes for it, or regions of it, on items with two or more votes.
        alpha: Of "this class or another", of regions by their likeness; n counts items with two or
            more votes.
        positive: How often others say the class where one does, or draw a region alike; n counts
            items anybody said it of.
    """

    name: str
    votes: int
    alpha: Estimate
    positive: Estimate


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who agrees with whom; rows and columns follow `people`.

    Attributes:
        people: Numbers of the people, those with most votes first.
        shared: Items both voted on; own votes on the diagonal.
        agreement: Share of shared items both call the same, with Wilson's interval; of regions the
            mean F1, with a bootstrap over items. No value below five items.
        kappa: Cohen's kappa; None where undefined, below five items, or for regions.
        left_out: People with fewer votes who are not in it.
    """

    people: tuple[int, ...]
    shared: tuple[tuple[int, ...], ...]
    agreement: tuple[tuple[Estimate, ...], ...]
    kappa: tuple[tuple[float | None, ...], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Together:
    """Agreement by class, by pair and by person of one selection.

    Attributes:
        effects: Alpha with a person's votes less alpha without them, by person.
    """

    classes: tuple[ClassRow, ...]
    pairs: Pairs
    effects: tuple[tuple[int, Estimate], ...]


def together(project: ProjectView, table: VoteTable, fewest: int = FEWEST_ITEMS) -> Together:
    """Return agreement by class, pair and person; the caller has asked the gate."""
    effects = vitality(table.item_id, table.person_id, table.label)
    return Together(
        _classes(project, table, fewest),
        _pairs(table, fewest),
        tuple((v.person, enough(v.effect, fewest)) for v in effects),
    )


def together_of_regions(
    project: ProjectView, answers: Answers, fewest: int = FEWEST_ITEMS
) -> Together:
    """Return agreement on what people drew, by class, pair and person."""
    alike, items = project.policy.iou_at_least, answers.drawn()
    pairs = pairs_of_regions(answers, alike, fewest)
    drawn = [[regions for _, regions in item] for item in items]
    many = len({r.label for item in drawn for person in item for r in person}) > MOST_CLASSES
    how: Resampling = {"replicates": 0} if many else {}
    classes = shape_class_agreement(drawn, alike, **how)
    effects = shape_vitality(items, sorted(pairs.people), alike)
    rows = [
        ClassRow(c.name, c.drawn, enough(c.alpha, fewest), enough(c.positive, fewest))
        for c in classes
    ]
    return Together(
        _in_schema_order(project, rows),
        pairs,
        tuple((v.person, enough(v.effect, fewest)) for v in effects),
    )


def _classes(project: ProjectView, table: VoteTable, fewest: int) -> tuple[ClassRow, ...]:
    """Return each class somebody said, in schema order, dropped ones last."""
    if not table.names:
        return ()
    counts = count_labels(table.item_id, table.label, len(table.names))
    many = len(table.names) > MOST_CLASSES
    found = class_agreement(counts, replicates=0) if many else class_agreement(counts)
    rows = [
        ClassRow(table.names[c.label], c.votes, enough(c.alpha, fewest), enough(c.positive, fewest))
        for c in found
    ]
    return _in_schema_order(project, rows)


def _in_schema_order(project: ProjectView, rows: Sequence[ClassRow]) -> tuple[ClassRow, ...]:
    place = {name: i for i, name in enumerate(project.schema.classes)}
    return tuple(sorted(rows, key=lambda r: (place.get(r.name, len(place)), r.name)))


def _pairs(table: VoteTable, fewest: int) -> Pairs:
    people, votes = np.unique(table.person_id, return_counts=True)
    order = np.lexsort((people, -votes))[:MOST_PEOPLE]
    kept = np.isin(table.person_id, people[order])
    found = pairwise_matrix(table.item_id[kept], table.person_id[kept], table.label[kept])
    at = [int(i) for i in np.searchsorted(found.people, people[order])]
    return Pairs(
        people=tuple(int(p) for p in people[order]),
        shared=tuple(tuple(int(found.shared[i, j]) for j in at) for i in at),
        agreement=tuple(tuple(enough(found.agreement(i, j), fewest) for j in at) for i in at),
        kappa=tuple(tuple(_kappa(found, i, j, fewest) for j in at) for i in at),
        left_out=len(people) - len(order),
    )


def _kappa(found: PairwiseMatrix, i: int, j: int, fewest: int) -> float | None:
    value = float(found.kappa[i, j])
    return None if np.isnan(value) or found.shared[i, j] < fewest else value


def pairs_of_regions(answers: Answers, iou_at_least: float, fewest: int = FEWEST_ITEMS) -> Pairs:
    """Return how many regions every two people have in common, over the items both looked at."""
    people, votes = np.unique(answers.person_id, return_counts=True)
    order = [int(p) for p in people[np.lexsort((people, -votes))][:MOST_PEOPLE]]
    scores: dict[tuple[int, int], list[float]] = {}
    for one, other, score in _scored(answers, iou_at_least):
        scores.setdefault((one, other), []).append(score)
    own = dict(zip(people.tolist(), votes.tolist(), strict=True))
    found = {pair: _mean(s, fewest) for pair, s in scores.items()}

    def estimate(a: int, b: int) -> Estimate:
        return found.get((min(a, b), max(a, b)), UNDEFINED)

    return Pairs(
        people=tuple(order),
        shared=tuple(tuple(own[a] if a == b else estimate(a, b).n for b in order) for a in order),
        agreement=tuple(tuple(estimate(a, b) for b in order) for a in order),
        kappa=tuple(tuple(None for _ in order) for _ in order),
        left_out=len(people) - len(order),
    )


def differing_regions(answers: Answers, first: int, iou_at_least: float) -> tuple[Differing, ...]:
    """Return the items on which two people's regions differ, least alike first.

    Args:
        answers: Of two people.
        first: The number of the one whose regions are named first.
        iou_at_least: Likeness from which two regions are the same.
    """
    found = []
    rows = zip(answers.item_id.tolist(), answers.person_id.tolist(), answers.said, strict=True)
    for item, group in groupby(rows, key=lambda row: row[0]):
        (_, one, a), (_, _, b) = group
        mine, theirs = (a, b) if one == first else (b, a)
        score = pair_score(a, b, iou_at_least)
        if score < 1:
            counts = (str(len(mine.regions)), str(len(theirs.regions)))
            found.append(Differing(item, *counts, score))
    return tuple(sorted(found, key=lambda d: (d.in_common, d.item_id)))


def _scored(answers: Answers, iou_at_least: float) -> Iterator[tuple[int, int, float]]:
    """Yield two people, the lower number first, and what they have in common on an item."""
    rows = zip(answers.item_id.tolist(), answers.person_id.tolist(), answers.said, strict=True)
    for _, group in groupby(rows, key=lambda row: row[0]):
        for (_, one, a), (_, other, b) in combinations(list(group), 2):
            yield one, other, pair_score(a, b, iou_at_least)


def _mean(scores: Sequence[float], fewest: int) -> Estimate:
    return enough(clustered_mean(range(len(scores)), scores), fewest)
