"""Who agrees with whom, on which class, and what each person does to the agreement of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.analytics.questions import VoteTable
from core.consensus.agreement import class_agreement, vitality
from core.consensus.counts import count_labels
from core.consensus.pairwise import PairwiseMatrix, pairwise_matrix
from core.services.consensus.agreement import FEWEST_ITEMS, enough
from core.services.projects.project import ProjectView
from core.stats.intervals import Estimate

MOST_CLASSES = 100
"""Classes up to which each has its interval; redrawing the items of a thousand takes seconds."""

MOST_PEOPLE = 30
"""People in the matrix: those with most votes."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How far people agree on one class against all others.

    Attributes:
        votes: Votes for it on items with two or more votes.
        alpha: Of "this class or another"; n counts items with two or more votes.
        positive: How often others say the class where one does; n counts items anybody said it of.
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
        agreement: Share of shared items both call the same, with Wilson's interval; no value
            below five items.
        kappa: Cohen's kappa; None where undefined or below five items.
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


def _classes(project: ProjectView, table: VoteTable, fewest: int) -> tuple[ClassRow, ...]:
    """Return each class somebody said, in schema order, dropped ones last."""
    if not table.names:
        return ()
    counts = count_labels(table.item_id, table.label, len(table.names))
    many = len(table.names) > MOST_CLASSES
    found = class_agreement(counts, replicates=0) if many else class_agreement(counts)
    place = {name: i for i, name in enumerate(project.schema.classes)}
    rows = [
        ClassRow(table.names[c.label], c.votes, enough(c.alpha, fewest), enough(c.positive, fewest))
        for c in found
    ]
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
