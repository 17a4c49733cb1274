"""How right each person is, against a reference and against the others.

A figure never judges a person by their own vote: labels whose evidence includes it are left
out, and agreement with others asks only the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.consensus.counts import Ints, count_labels
from core.errors import InputError
from core.stats.intervals import Estimate, wilson

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PersonFigure:
    """One person's share of right votes, with Wilson's interval; n counts votes compared."""

    person: int
    figure: Estimate


def accuracy_against(
    person: ArrayLike, label: ArrayLike, reference: ArrayLike, own_evidence: ArrayLike
) -> list[PersonFigure]:
    """Return each person's accuracy against a reference, sorted by person.

    Args:
        person: Whole number of the person of each vote, shape (votes,).
        label: Class code of each vote, from 0.
        reference: Class code the reference gives that vote's item; -1 where it gives none.
        own_evidence: Whether the reference's label rests on this very vote; such votes are left
            out.

    Raises:
        InputError: The arrays differ in length.
    """
    people, labels, truth = (np.asarray(x, dtype=np.int64) for x in (person, label, reference))
    own = np.asarray(own_evidence, dtype=np.bool_)
    _same_length(people, labels, truth, own)
    return _by_person(people, labels == truth, (truth >= 0) & ~own)


def agreement_with_others(
    item: ArrayLike, person: ArrayLike, label: ArrayLike
) -> list[PersonFigure]:
    """Return how often each person says what most of the others say, sorted by person.

    Each vote is held against the commonest class among the *other* votes on the item. Where
    there are no others, or they tie, the vote is not compared.

    Args:
        item: Whole number of the item of each vote; one vote per person and item.
        person: Whole number of the person.
        label: Class code from 0.

    Raises:
        InputError: The arrays differ in length, or a code is negative.
    """
    items, people, labels = (np.asarray(x, dtype=np.int64) for x in (item, person, label))
    _same_length(items, people, labels)
    position = np.unique(items, return_inverse=True)[1].astype(np.int64)
    counts = count_labels(position, labels)
    if len(labels) == 0:
        return []
    top, tied, second = _leaders(counts.starts, counts.cells, counts.counts)
    cell_key = np.repeat(np.arange(len(counts.starts)), counts.cells) * counts.classes
    cell = np.searchsorted(cell_key + counts.labels, position * counts.classes + labels)
    mine, best, ties = counts.counts[cell], top[position], tied[position]
    # Three cases, by whether the vote's own class leads: alone, with others, or not at all.
    alone = (mine == best) & (ties == 1)
    agrees = alone & (best - 1 > second[position])
    differs = ((mine == best) & (ties == 2)) | ((mine < best) & (ties == 1))
    return _by_person(people, agrees, agrees | differs)


def _leaders(starts: Ints, cells: Ints, counts: Ints) -> tuple[Ints, Ints, Ints]:
    """Return of each item the highest count, how many classes have it, and the next lower count."""
    top = np.maximum.reduceat(counts, starts)
    leads = counts == np.repeat(top, cells)
    tied = np.add.reduceat(leads.astype(np.int64), starts)
    second = np.maximum.reduceat(np.where(leads, 0, counts), starts)
    return top, tied, second


def _by_person(people: Ints, right: Flags, compared: Flags) -> list[PersonFigure]:
    names, row = np.unique(people, return_inverse=True)
    n = np.bincount(row[compared], minlength=len(names))
    hits = np.bincount(row[compared & right], minlength=len(names))
    return [
        PersonFigure(int(p), wilson(int(h), int(k))) for p, h, k in zip(names, hits, n, strict=True)
    ]


def _same_length(*arrays: NDArray) -> None:
    if len({a.shape for a in arrays}) > 1:
        raise InputError(f"Votes come as columns of one length, found {[a.size for a in arrays]}.")
