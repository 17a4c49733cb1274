"""Agreement of every two people."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from core.consensus.counts import Floats, Ints
from core.stats.intervals import Estimate, wilson


@dataclass(frozen=True, slots=True)
class PairwiseMatrix:
    """How often every two people met on an item, and agreed.

    Attributes:
        people: The people's numbers, ascending; rows and columns follow them.
        shared: Items both voted on, shape (people, people); the diagonal counts own votes.
        agreed: Of those, items on which both said the same class.
        kappa: Cohen's kappa; nan where two people share nothing or agreement is certain.
    """

    people: Ints
    shared: Ints
    agreed: Ints
    kappa: Floats

    def agreement(self, row: int, column: int) -> Estimate:
        """Return the share of shared items two people agree on, with Wilson's interval."""
        return wilson(int(self.agreed[row, column]), int(self.shared[row, column]))


def pairwise_matrix(item: ArrayLike, person: ArrayLike, label: ArrayLike) -> PairwiseMatrix:
    """Return the agreement of every two people.

    Args:
        item: Whole number of the item of each vote; one vote per person and item.
        person: Whole number of the person.
        label: Class code from 0.
    """
    people, row = np.unique(np.asarray(person, dtype=np.int64), return_inverse=True)
    items, column = np.unique(np.asarray(item, dtype=np.int64), return_inverse=True)
    labels = np.asarray(label, dtype=np.int64)
    shape = (len(people), len(items))
    voted = _incidence(row, column, shape)
    shared = (voted @ voted.T).toarray().astype(np.int64)
    agreed, chance = np.zeros_like(shared), np.zeros(shared.shape)
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order], prepend=-1, append=-1))
    for start, stop in pairwise(ends.tolist()):
        this = order[start:stop]
        # Only who says a class can agree on it, by chance or not: with many classes those are few.
        who, place = np.unique(row[this], return_inverse=True)
        said = _incidence(place, column[this], (len(who), shape[1]))
        both = np.ix_(who, who)
        agreed[both] += (said @ said.T).toarray().astype(np.int64)
        # [a, b]: how often a said this class of the items b voted on too.
        said_with = (said @ voted[who].T).toarray()
        chance[both] += said_with * said_with.T
    return PairwiseMatrix(people, shared, agreed, _kappa(shared, agreed, chance))


def _kappa(shared: Ints, agreed: Ints, chance: Floats) -> Floats:
    n = np.where(shared > 0, shared, np.nan)
    by_chance = chance / (n * n)
    room = np.where(by_chance < 1, 1 - by_chance, np.nan)
    return np.asarray((agreed / n - by_chance) / room)


def _incidence(
    row: NDArray[np.intp], column: NDArray[np.intp], shape: tuple[int, int]
) -> csr_array:
    return csr_array((np.ones(len(row)), (row, column)), shape=shape)
