"""Precision, recall and F1 of each class, from what was said of items of each true class.

Recall of a class is what the pages call its accuracy: of the items truly of it, the share said to
be. Precision is the other way round: of the items said to be of it, the share that truly are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analytics.asked import ALL, Basis, Filters
from core.analytics.figures import FEWEST, Figure, accuracy_figures
from core.analytics.replica import Replica
from core.analytics.rightness import Accuracy, ClassFigure
from core.analytics.rolled import compared_rows
from core.analytics.tally import Tally
from core.stats.bootstrap import bootstrap, kinds_of
from core.stats.intervals import UNDEFINED, Estimate, wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How right somebody is about one class.

    Attributes:
        name: The class.
        recall: Of items truly of it, how many were said to be.
        precision: Of items said to be of it, how many truly are.
        f1: Harmonic mean of both; n counts statements that are of it on either side.
    """

    name: str
    recall: Figure
    precision: Figure
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Scores:
    """How right somebody is about every class, and what it rests on.

    Attributes:
        basis, left_out: As of `questions.Accuracy`.
        overall: Statements that are right.
        classes: By name; also those only said, never true, and the other way round.
    """

    basis: Basis
    left_out: int
    overall: Figure
    classes: tuple[ClassScores, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    truth: str
    said: str
    who: int | None
    n: int


def class_scores(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    filters: Filters = ALL,
    fewest: int = FEWEST,
    seed: int = 0,
) -> Scores:
    """Return recall, precision and F1 of each class.

    Intervals about several people draw whole persons again, never narrower than Wilson's; those
    about a model or one person are Wilson's. F1 draws statements again, and whole persons too where there are several; the
    wider of both holds.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    rows, basis, left_out = compared_rows(
        replica, project_id, "pair_cells", whose, against, filters
    )
    cells = [_Cell(r["truth"], r["said"], r["who"], int(r["n"])) for r in rows]
    names = sorted({c.truth for c in cells} | {c.said for c in cells})
    recall, overall = _figures(cells, names, "truth", fewest, seed)
    precision, _ = _figures(cells, names, "said", fewest, seed)
    classes = tuple(
        ClassScores(c, recall[c], precision[c], _f1(cells, c, fewest, seed)) for c in names
    )
    return Scores(basis, left_out, overall, classes)


def _figures(
    cells: Sequence[_Cell], names: Sequence[str], side: str, fewest: int, seed: int
) -> tuple[dict[str, Figure], Figure]:
    """Return how often the cells of each class on one side are right, and all of them."""
    parts: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        parts[getattr(cell, side)].append(cell)
    counted = tuple(
        ClassFigure(c, sum(x.n for x in parts[c]), _right(parts[c]), _tallies(parts[c]))
        for c in names
    )
    accuracy = Accuracy(Basis.INDEPENDENT, 0, counted, _tallies(cells))
    found = accuracy_figures(accuracy, fewest, seed)
    return {f.name: f for f in found.classes}, found.overall


def _right(cells: Iterable[_Cell]) -> int:
    return sum(c.n for c in cells if c.truth == c.said)


def _tallies(cells: Iterable[_Cell]) -> tuple[Tally, ...]:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for c in cells:
        if c.who is not None:
            sums[c.who][0] += c.n
            sums[c.who][1] += c.n * (c.truth == c.said)
    return tuple(Tally(who, n, correct) for who, (n, correct) in sorted(sums.items()))


def _f1(cells: Sequence[_Cell], name: str, fewest: int, seed: int) -> Estimate:
    """Return 2 TP / (2 TP + FP + FN) with its bootstrap interval."""
    sides = [(c.who, c.n, (c.truth == name) + (c.said == name)) for c in cells]
    sides = [s for s in sides if s[2]]
    n = sum(count for _, count, _ in sides)
    if n < fewest:
        return replace(UNDEFINED, n=n)
    one_by_one = _statements([(count, both) for _, count, both in sides])
    value = float(one_by_one[0][:, 0] @ one_by_one[1] / (one_by_one[0][:, 1] @ one_by_one[1]))
    ends = [bootstrap(*one_by_one, _ratio, seed=seed)]
    people = f1_rows(sides)
    if len(people) > 1:
        ends.append(bootstrap(*kinds_of(people), _ratio, seed=seed))
    sure = wilson(value * n, n)  # drawing equal statements again can only say the same
    if all(low == high for low, high in ends):
        ends.append((sure.low, sure.high))
    known = [(low, high) for low, high in ends if low is not None and high is not None]
    if not known:
        return Estimate(value, None, None, n)
    return Estimate(value, min(low for low, _ in known), max(high for _, high in known), n)


def f1_rows(sides: Iterable[tuple[int | None, int, int]]) -> Floats:
    """Return twice the true positives and the denominator of F1 by person; a model is one.

    Args:
        sides: (who, statements, on how many sides of truth and said the class stands).
    """
    sums: dict[int | None, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for who, count, both in sides:
        sums[who][0] += 2 * count * (both == 2)
        sums[who][1] += count * both
    return np.array(list(sums.values()), dtype=np.float64).reshape(-1, 2)


def _statements(sides: Iterable[tuple[int, int]]) -> tuple[Floats, NDArray[np.int64]]:
    """Return single statements as the clusters drawn again: those right, and those not."""
    counts = {1: 0, 2: 0}
    for count, both in sides:
        counts[both] += count
    found = {b: n for b, n in counts.items() if n}
    kinds = np.array([[2.0 * (b == 2), float(b)] for b in found])
    return kinds, np.array(list(found.values()), dtype=np.int64)


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[:, 0] / sums[:, 1])


def as_rows(scores: Scores, order: Mapping[str, Any]) -> tuple[ClassScores, ...]:
    """Return the classes in the order of a schema, unknown ones last."""
    return tuple(sorted(scores.classes, key=lambda c: (order.get(c.name, len(order)), c.name)))
