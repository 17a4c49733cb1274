"""One-to-one pairs between every two people, so that their summed gain is the greatest.

The gain of a pair is its likeness and something more where both say the same (below): of two
pairings about as alike, the one with more pairs of one class is taken.

The assignment problem of every two people (scipy's linear_sum_assignment), solved only where a
region may pair with several; the others are paired as they are. Two regions of one class are
likelier one thing than two of different classes: likeness counts for more there, so a rider and a
horse on one spot stay two, and a horse that somebody calls a cow stays one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.consensus.regions.bounded import Alike
from core.consensus.regions.nearby import Ints
from core.labels.region import Region

Reals = NDArray[np.float64]
SAME_CLASS = 0.25
SAME_ATTRIBUTES = 0.05


def pairs_of(regions: Sequence[Region], person: Ints, near: Alike) -> tuple[Ints, Ints]:
    """Return the pairs, the likeliest first: between two people each region is in one at most."""
    gain = near.likeness + _said_alike(regions, near)
    people = int(person.max(initial=0)) + 1
    open_ended = _several(
        near.first * people + person[near.second], near.second * people + person[near.first]
    )
    kept = [np.flatnonzero(~open_ended)]
    choice = np.flatnonzero(open_ended)
    if choice.size:
        kept += _assigned(near, person, gain, choice, people)
    chosen = np.concatenate(kept)
    order = np.lexsort((near.second[chosen], near.first[chosen], -gain[chosen]))
    return near.first[chosen[order]], near.second[chosen[order]]


def _said_alike(regions: Sequence[Region], near: Alike) -> Reals:
    classes, attributes = (_numbered([told(r) for r in regions]) for told in (_label, _attributes))
    gain: Reals = SAME_CLASS * (classes[near.first] == classes[near.second])
    gain += SAME_ATTRIBUTES * (attributes[near.first] == attributes[near.second])
    return gain


def _label(region: Region) -> object:
    return region.label


def _attributes(region: Region) -> object:
    return region.attributes


def _numbered(told: Sequence[object]) -> Ints:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(t, len(numbers)) for t in told], dtype=np.int64)


def _several(*ends: Ints) -> NDArray[np.bool_]:
    """Return which pairs have an end that another pair has too."""
    _, where, counts = np.unique(np.concatenate(ends), return_inverse=True, return_counts=True)
    return np.asarray((counts[where] > 1).reshape(len(ends), -1).any(axis=0))


def _assigned(
    near: Alike, person: Ints, gain: Reals, choice: Ints, people: int
) -> list[NDArray[np.intp]]:
    """Return the pairs chosen of those that may be, two people at a time."""
    a, b = person[near.first[choice]], person[near.second[choice]]
    both = np.minimum(a, b) * people + np.maximum(a, b)
    order = np.argsort(both, kind="stable")
    ends = np.flatnonzero(np.diff(both[order])) + 1
    found = []
    for part in np.split(choice[order], ends):
        # The person with the lower number gives the rows.
        turned = person[near.first[part]] > person[near.second[part]]
        ours = np.where(turned, near.second[part], near.first[part])
        theirs = np.where(turned, near.first[part], near.second[part])
        found.append(part[_best(ours, theirs, gain[part])])
    return found


def _best(ours: Ints, theirs: Ints, gain: Reals) -> NDArray[np.intp]:
    """Return which of the pairs of two people's regions to take."""
    rows, row = np.unique(ours, return_inverse=True)
    columns, column = np.unique(theirs, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    number = np.full(table.shape, -1, dtype=np.int64)
    table[row, column] = gain
    number[row, column] = np.arange(len(gain))
    taken = number[linear_sum_assignment(table, maximize=True)]
    return np.asarray(taken[taken >= 0])
