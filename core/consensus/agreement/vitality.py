"""What a person does to the agreement: alpha with their votes less alpha without them.

Below 0 the others agree better among themselves. Called the vitality of an annotator (after
Braylan, Alonso and Lease 2022, and the tool iaa-od). Leaving a person out changes the sums of
their items alone, so all people together cost one pass over the votes. The interval is that of
the infinitesimal jackknife over items (Efron 1982), which the bootstrap tends to: drawing
again for each of hundreds of people would take minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.consensus.agreement.alpha_sums import AlphaSums, Said
from core.consensus.agreement.estimate import NOTHING
from core.consensus.counts import Floats, Ints, count_labels
from core.errors import InputError
from core.stats.intervals import Estimate, normal_quantile

MOST_CELLS_AT_ONCE = 500_000
MOST_PEOPLE_AT_ONCE = 256
"""People looked at together: their slopes take 4 MB at 2,000 classes."""


@dataclass(frozen=True, slots=True)
class Vitality:
    """A person's effect on nominal alpha; n counts their items that others voted on too."""

    person: int
    effect: Estimate


def vitality(
    item: ArrayLike, person: ArrayLike, label: ArrayLike, level: float = 0.95
) -> list[Vitality]:
    """Return each person's effect on alpha, sorted by person; undefined where either alpha is.

    Args:
        item: Whole number of the item of each vote; one vote per person and item.
        person: Whole number of the person.
        label: Class code from 0.
        level: Two-sided confidence.

    Raises:
        InputError: The arrays differ in length, or a code is negative.
    """
    people, row = np.unique(np.asarray(person, dtype=np.int64), return_inverse=True)
    labels = np.asarray(label, dtype=np.int64)
    if len(row) != len(labels):
        raise InputError(f"People and labels differ in length: {len(row)} and {len(labels)}.")
    if len(row) == 0:
        return []
    at = np.unique(np.asarray(item, dtype=np.int64), return_inverse=True)[1].astype(np.int64)
    counts = count_labels(at, labels)
    sums = AlphaSums.of(counts)
    place = np.cumsum(counts.votes >= 2) - 1
    shared = np.flatnonzero((counts.votes >= 2)[at])
    # Within a person by item, so that no result depends on the order of the votes.
    order = shared[np.lexsort((at[shared], row[shared]))]
    said = Said(row[order], place[at[order]], labels[order])
    ends = np.searchsorted(said.person, np.arange(len(people) + 1))
    cells = np.append(0, np.cumsum(sums.counts.cells[said.item]))[ends]
    found: list[Estimate] = []
    for first, last in _groups(cells):
        part = said.part(int(ends[first]), int(ends[last]), first)
        found += _effects(sums, part, last - first, level)
    return [Vitality(p, e) for p, e in zip(people.tolist(), found, strict=True)]


def _groups(cells: Ints) -> Iterator[tuple[int, int]]:
    """Yield the first person of each group and the one after its last.

    Args:
        cells: What the people before each person take together, shape (people + 1,).
    """
    first, people = 0, len(cells) - 1
    while first < people:
        fit = int(np.searchsorted(cells, cells[first] + MOST_CELLS_AT_ONCE, side="right")) - 1
        last = min(max(fit, first + 1), first + MOST_PEOPLE_AT_ONCE, people)
        yield first, last
        first = last


def _effects(sums: AlphaSums, said: Said, people: int, level: float) -> list[Estimate]:
    """Return the effect of each person of a group, numbered from 0."""
    figures = sums.without(said, people)
    n = np.bincount(said.person, minlength=people)
    error = _errors(figures.first, figures.second, len(sums.counts.starts))
    half = normal_quantile(level) * error
    return [
        _estimate(value, reach, items)
        for value, reach, items in zip(
            figures.effect.tolist(), half.tolist(), n.tolist(), strict=True
        )
    ]


def _estimate(value: float, reach: float, n: int) -> Estimate:
    """Return an effect, without an interval where none can be given."""
    if np.isnan(value):
        return Estimate(None, None, None, n)
    if not reach > 0:
        return Estimate(value, None, None, n)
    return Estimate(value, value - reach, value + reach, n)


def _errors(first: Floats, second: Floats, items: int) -> Floats:
    """Return standard errors from the sums of the items' influences and of their squares."""
    if items < 2:
        return np.zeros_like(first)
    spread = second - first * first / items
    # What rounding leaves of nothing is nothing.
    enough = spread > 1e-12 * np.maximum(second, NOTHING)
    return np.sqrt(np.where(enough, spread, 0.0) * items / (items - 1))
