"""Agreement of the votes of a table, without a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.consensus.agreement import (
    Agreement,
    class_agreement,
    gwet_ac2,
    interval_alpha,
    measure_agreement,
    ordinal_alpha,
    vitality,
)
from core.consensus.counts import count_labels
from core.consensus.pairwise import pairwise_matrix
from core.consensus.truth.votes import Votes
from core.errors import InputError
from core.formats.row_lines import cells_of
from core.formats.text import class_name, number, shown
from core.services.consensus.vote_tables import VoteFile, read_vote_file
from core.stats.intervals import Estimate

NUMBERS = "numbers"
"""What to say for an order where the classes are numbers."""
SHOWN = 5
"""Names told in a sentence."""
_IN_ORDER = "Name every class once, from the lowest to the highest, or say 'numbers'."
MOST_PAIRED = 500
"""People compared two by two, those with the most votes; memory grows with their square."""
MOST_PAIRS = 2_000
"""Pairs told, those that met most often."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The coefficients of classes in an order; `interval` only where they are numbers."""

    ordinal: Estimate
    interval: Estimate | None
    ac2: Estimate


@dataclass(frozen=True, slots=True)
class OneClass:
    """Agreement on one class against all others.

    Attributes:
        votes: How many votes said it.
        paired_votes: How many of them on tasks with two or more votes; agreement rests on these.
    """

    name: str
    votes: int
    paired_votes: int
    alpha: Estimate
    positive: Estimate


@dataclass(frozen=True, slots=True)
class OneWorker:
    """What a worker does to alpha: alpha less alpha without them."""

    name: str
    votes: int
    effect: Estimate


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers on the tasks both voted on; kappa is None where it is undefined."""

    names: tuple[str, str]
    agreement: Estimate
    kappa: float | None


@dataclass(frozen=True, eq=False)
class TableAgreement:
    """How far the people of a table of votes agree.

    Attributes:
        file: The votes.
        found: The coefficients.
        scale: Those of ordered classes, where an order was given.
        classes: By name.
        workers: By name.
        pairs: Those who met most often first.
        pairs_left_out: Pairs who met and are not told.
    """

    file: VoteFile
    found: Agreement
    scale: Scale | None
    classes: tuple[OneClass, ...]
    workers: tuple[OneWorker, ...]
    pairs: tuple[Pair, ...]
    pairs_left_out: int


def agreement_of_table(path: Path, order: str | None = None, seed: int = 0) -> TableAgreement:
    """Return how far the people of a table of votes agree.

    Args:
        path: The votes: task, worker, label.
        order: Classes in ascending order, separated by commas; 'numbers' where they are numbers;
            None where they have none. A class with a comma in its name is quoted.
        seed: Same seed, same intervals.

    Raises:
        InputError: The table cannot be read, or the order does not fit its classes.
    """
    ranked = None if order is None or order == NUMBERS else _ranked(order)
    file = read_vote_file(path)
    votes, names = file.votes, file.names
    counts = count_labels(votes.task, votes.label, votes.classes)
    pairs, left_out = _pairs(votes, names.workers)
    per_class = np.bincount(votes.label, minlength=votes.classes)
    per_worker = np.bincount(votes.worker, minlength=votes.workers)
    return TableAgreement(
        file,
        measure_agreement(votes.task, votes.label, votes.classes, seed=seed),
        None if order is None else _scale(votes, names.classes, ranked, seed),
        tuple(
            OneClass(names.classes[c.label], int(per_class[c.label]), c.votes, c.alpha, c.positive)
            for c in class_agreement(counts, seed=seed)
        ),
        tuple(
            OneWorker(names.workers[v.person], int(per_worker[v.person]), v.effect)
            for v in vitality(votes.task, votes.worker, votes.label)
        ),
        pairs,
        left_out,
    )


def _ranked(order: str) -> list[str]:
    """Return the classes an order names.

    Raises:
        InputError: It names none, one twice, or what is no class.
    """
    cells = cells_of(order, ",") if order.strip() else []
    if not cells:
        raise InputError(f"The order '{order}' cannot be read: it names no classes.", _IN_ORDER)
    named: list[str] = []
    for cell in cells:
        try:
            named.append(class_name(cell.strip()))
        except ValueError as error:
            raise InputError(f"The order cannot be read: {error}.", _IN_ORDER) from error
    if twice := sorted({c for c in named if named.count(c) > 1}):
        raise InputError(f"The order names {_some(twice)} more than once.", _IN_ORDER)
    return named


def _some(names: Sequence[str]) -> str:
    more = "" if len(names) <= SHOWN else f" and {len(names) - SHOWN:,} more"
    return ", ".join(map(shown, names[:SHOWN])) + more


def _scale(votes: Votes, classes: Sequence[str], named: list[str] | None, seed: int) -> Scale:
    """Return the coefficients of ordered classes.

    Args:
        votes: The votes.
        classes: Their classes.
        named: These in ascending order, perhaps with further ones; None where they are numbers.
        seed: Same seed, same intervals.

    Raises:
        InputError: The order leaves out a class, or a class is no number.
    """
    values = _values(classes) if named is None else None
    if values is not None:
        ranks = np.unique(values, return_inverse=True)[1]
        length = int(ranks.max()) + 1
    else:
        place = {name: i for i, name in enumerate(named or ())}
        if missing := [c for c in classes if c not in place]:
            raise InputError(f"The order leaves out {_some(missing)}.", _IN_ORDER)
        ranks, length = np.array([place[c] for c in classes]), len(place)
    ranked = count_labels(votes.task, ranks[votes.label], length)
    counts = count_labels(votes.task, votes.label, votes.classes)
    return Scale(
        ordinal_alpha(ranked, seed=seed),
        None if values is None else interval_alpha(counts, values, seed=seed),
        gwet_ac2(ranked, seed=seed),
    )


def _values(classes: Sequence[str]) -> NDArray[np.float64]:
    try:
        return np.array([number(c) for c in classes])
    except ValueError as error:
        raise InputError(f"Not every label is a number: {error}.", "Name the order.") from error


def _pairs(votes: Votes, names: Sequence[str]) -> tuple[tuple[Pair, ...], int]:
    """Return the pairs who met most often, and how many met and are left out."""
    most = np.argsort(-np.bincount(votes.worker, minlength=votes.workers), kind="stable")
    among = np.isin(votes.worker, most[:MOST_PAIRED])
    matrix = pairwise_matrix(votes.task[among], votes.worker[among], votes.label[among])
    row, column = np.nonzero(np.triu(matrix.shared, 1))
    best = np.argsort(-matrix.shared[row, column], kind="stable")[:MOST_PAIRS]
    people = matrix.people.tolist()
    found = tuple(
        Pair(
            (names[people[i]], names[people[j]]),
            matrix.agreement(i, j),
            None if np.isnan(matrix.kappa[i, j]) else float(matrix.kappa[i, j]),
        )
        for i, j in zip(row[best].tolist(), column[best].tolist(), strict=True)
    )
    return found, len(row) - len(found)
