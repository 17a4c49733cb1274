"""Figures as the pages show them: every one with n and a 95 % interval, or "not enough data".

Intervals about people are a seeded bootstrap that draws whole persons again, and never
narrower than Wilson's interval of the plain proportion, which a handful of people would
undercut; those about one person or a model are Wilson's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.analytics.asked import Basis
from core.analytics.boxes import BoxFigure, Kind
from core.analytics.people import PersonRow
from core.analytics.rightness import Accuracy
from core.analytics.tally import Tally
from core.stats.bootstrap import bootstrap, kinds_of
from core.stats.intervals import UNDEFINED, Estimate, wilson

FEWEST = 5
"""Statements below which there is no figure, only "not enough data"."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """One proportion as shown.

    Attributes:
        name: What it is about, a class for example.
        n: Statements it rests on.
        correct: Of them right.
        estimate: Value and interval; all None where there is not enough data. Its n is `n`.
    """

    name: str
    n: int
    correct: float
    estimate: Estimate

    @property
    def is_enough(self) -> bool:
        """Return whether there is enough data for a figure."""
        return self.estimate.value is not None


@dataclass(frozen=True, slots=True)
class AccuracyFigures:
    """Accuracy in all and by class, and what it rests on."""

    basis: Basis
    left_out: int
    overall: Figure
    classes: tuple[Figure, ...]


def accuracy_figures(accuracy: Accuracy, fewest: int = FEWEST, seed: int = 0) -> AccuracyFigures:
    """Return accuracy with its intervals."""
    overall = _of_people("", accuracy.n, accuracy.correct, accuracy.by_person, fewest, seed)
    classes = tuple(
        _of_people(c.name, c.n, c.correct, c.by_person, fewest, seed) for c in accuracy.classes
    )
    return AccuracyFigures(accuracy.basis, accuracy.left_out, overall, classes)


def box_figures(found: BoxFigure, fewest: int = FEWEST, seed: int = 0) -> tuple[Figure, Figure]:
    """Return recall and precision of a class, their intervals clustered by item or person."""
    pairs = ((found.recall, found.recall_kinds), (found.precision, found.precision_kinds))
    recall, precision = (_of_kinds(f.name, f.n, f.correct, k, fewest, seed) for f, k in pairs)
    return recall, precision


def f1_figure(found: BoxFigure, fewest: int = FEWEST, seed: int = 0) -> Figure:
    """Return F1 of a class: paired boxes of both sides among all of both."""
    f = found.f1
    return _of_kinds(f.name, f.n, f.correct, found.f1_kinds, fewest, seed)


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """One person's votes: how often right on gold, how often others said the same."""

    row: PersonRow
    gold: Figure
    agreement: Figure


def person_figures(
    rows: Sequence[PersonRow], fewest: int = FEWEST, seed: int = 0
) -> tuple[PersonFigures, ...]:
    """Return everybody with intervals; agreement is a mean over items, and draws items again."""
    return tuple(
        PersonFigures(
            row,
            _plain(row.person, row.gold_n, row.gold_correct, fewest),
            _agreement(row, fewest, seed),
        )
        for row in rows
    )


def _agreement(row: PersonRow, fewest: int, seed: int) -> Figure:
    n = sum(s.items for s in row.agreement)
    same = sum(s.items * s.same / s.others for s in row.agreement)
    if n < fewest:
        return Figure(row.person, n, same, replace(UNDEFINED, n=n))
    kinds = np.array([[s.same / s.others, 1.0] for s in row.agreement])
    repeats = np.array([s.items for s in row.agreement], dtype=np.int64)
    low, high = bootstrap(kinds, repeats, _ratio, seed=seed)
    if len(kinds) == 1 and same in (0, n):
        # Drawing equal items again can only say the same.
        sure = wilson(int(same), n)
        low, high = sure.low, sure.high
    return Figure(row.person, n, same, Estimate(same / n, low, high, n))


def _of_people(
    name: str, n: int, correct: int, people: Sequence[Tally], fewest: int, seed: int
) -> Figure:
    rows = np.array([[p.n, p.correct] for p in people], dtype=np.float64).reshape(-1, 2)
    distinct, repeats = kinds_of(rows)
    kinds = [Kind(int(k[0]), int(k[1]), int(r)) for k, r in zip(distinct, repeats, strict=True)]
    return _of_kinds(name, n, correct, kinds, fewest, seed)


def _of_kinds(
    name: str, n: int, correct: int, kinds: Sequence[Kind], fewest: int, seed: int
) -> Figure:
    figure = _plain(name, n, correct, fewest)
    if not figure.is_enough or sum(k.clusters for k in kinds) < 2:
        return figure
    sums = np.array([[k.correct, k.n] for k in kinds], dtype=np.float64)
    repeats = np.array([k.clusters for k in kinds], dtype=np.int64)
    return replace(
        figure, estimate=_wider(figure.estimate, bootstrap(sums, repeats, _ratio, seed=seed))
    )


def _plain(name: str, n: int, correct: int, fewest: int) -> Figure:
    estimate = wilson(correct, n) if n >= fewest else replace(UNDEFINED, n=n)
    return Figure(name, n, correct, estimate)


def _wider(plain: Estimate, ends: tuple[float | None, float | None]) -> Estimate:
    low, high = ends
    if low is None or high is None or plain.low is None or plain.high is None:
        return plain
    return replace(plain, low=min(low, plain.low), high=max(high, plain.high))


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / sums[:, 1])
