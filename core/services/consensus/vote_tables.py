"""Votes straight from a table, without a workspace: one label a task, and what it rests on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.consensus.truth.methods import METHODS, infer
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Named, Votes, make_votes
from core.errors import InputError
from core.formats.refusals import Refusals
from core.formats.vote_table import Column, NamedTable, read_known, read_votes
from core.stats.intervals import UNDEFINED, Estimate, wilson

METHOD_NAMES = tuple(METHODS)
DEFAULT_METHOD = "dawid-skene"
NEEDS_GOLD = frozenset({"gold-majority"})
"""Methods that know nobody without known answers."""
WITHOUT_GOLD = "The method gold-majority weighs people by known answers."
MOST_CONTRADICTED = 100
"""Tasks with different known answers that are told by name; all are counted."""


@dataclass(frozen=True, eq=False)
class VoteFile:
    """A table of votes as numbers, with what was left out of it.

    Attributes:
        votes: The votes; the names' order gives their numbers.
        names: What the numbers stand for, each in alphabetical order.
        replaced: Votes that a later one of the same worker on the same task took the place of.
        refused: Rows left out.
        passed_over: Columns that were not read.
        seconds: Of the votes kept that tell it, how long each took.
    """

    votes: Votes
    names: Named
    replaced: int
    refused: Refusals
    passed_over: tuple[str, ...]
    seconds: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contradicted:
    """Tasks that a table of known answers gives different ones; the last of each counts.

    Attributes:
        tasks: How many.
        told: The first of them by name, with the answers in alphabetical order.
    """

    tasks: int = 0
    told: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How right the labels are, by the tasks whose label is known and was not given as gold.

    Attributes:
        share: Of right labels, with Wilson's interval.
        unknown_labels: Labels of the reference that nobody voted for; their tasks count as wrong.
        without_votes: Tasks of the reference that nobody voted on; they are not compared.
        refused: Rows of the reference left out.
        contradicted: Tasks to which the reference gives different answers.
    """

    share: Estimate
    unknown_labels: tuple[str, ...]
    without_votes: int
    refused: Refusals
    contradicted: Contradicted


@dataclass(frozen=True, slots=True)
class Given:
    """Answers that were given as gold.

    Attributes:
        tasks: How many of the tasks have one.
        without_votes: How many more tasks the table names; nobody voted on them.
        refused: Rows of the table left out.
        contradicted: Tasks to which the table gives different answers.
    """

    tasks: int = 0
    without_votes: int = 0
    refused: Refusals = field(default_factory=Refusals)
    contradicted: Contradicted = field(default_factory=Contradicted)


@dataclass(frozen=True, eq=False)
class Settled:
    """Labels from a table of votes.

    Attributes:
        file: The votes.
        truth: The labels.
        seconds: How long the algorithm took, alone.
        accuracy: None without a reference.
        gold: The answers that were given.
    """

    file: VoteFile
    truth: Truth
    seconds: float
    accuracy: Accuracy | None
    gold: Given


def read_vote_file(path: Path, further: Sequence[str] = ()) -> VoteFile:
    """Return the votes of a table; of a worker's votes on one task the last row counts.

    Args:
        path: The table.
        further: Names of classes that may be the answer though nobody says them.

    Raises:
        UnreadableFile: It cannot be read as a table of votes.
    """
    table = read_votes(path)
    task, worker, label = (table.columns[c] for c in ("task", "worker", "label"))
    classes = tuple(sorted({*label.names, *further}))
    place = {name: i for i, name in enumerate(classes)}
    said = np.array([place[n] for n in label.names], dtype=np.int64)[label.codes]
    names = Named(task.names, worker.names, classes)
    votes, replaced = make_votes(
        task.codes, worker.codes, said,
        tasks=len(names.tasks), workers=len(names.workers), classes=len(classes),
    )  # fmt: skip
    took = table.seconds
    known = np.zeros(0) if took is None else took[np.isfinite(took)]
    return VoteFile(votes, names, replaced, table.refused, table.passed_over, known)


def settle_table(
    path: Path,
    method: str = DEFAULT_METHOD,
    truth: Path | None = None,
    gold: Path | None = None,
    seed: int = 0,
) -> Settled:
    """Return one label for each task of a table of votes.

    Args:
        path: The votes: task, worker, label.
        method: Name of the algorithm.
        truth: A table task, label to hold the labels against.
        gold: A table task, label of answers that are known; they are given to the algorithm.
        seed: Matters only where chance has a part.

    Raises:
        InputError: A table cannot be read, there is no such algorithm, or it lacks the gold it needs.
    """
    if method not in METHODS:
        raise InputError(
            f"There is no method '{method}'.", f"Choose one of {', '.join(METHOD_NAMES)}."
        )
    if method in NEEDS_GOLD and gold is None:
        raise InputError(WITHOUT_GOLD, "Give their table with --gold, or choose another method.")
    given = None if gold is None else read_known(gold)
    file = read_vote_file(path, () if given is None else given.columns["label"].names)
    clamps = None if given is None else _answers(given, file.names)
    if method in NEEDS_GOLD and clamps is not None and (clamps < 0).all():
        raise InputError(
            f"{WITHOUT_GOLD[:-1]}; nobody voted on a task of '{gold}'.",
            "Check that both tables name tasks alike, or choose another method.",
        )
    _compile(method)
    began = time.perf_counter()
    found = infer(method, file.votes, gold=clamps, seed=seed)
    seconds = time.perf_counter() - began
    known = np.zeros(file.votes.tasks, dtype=bool) if clamps is None else clamps >= 0
    against = None if truth is None else _accuracy(read_known(truth), file.names, found, known)
    return Settled(file, found, seconds, against, _given(given, file.names, int(known.sum())))


def _given(table: NamedTable | None, names: Named, tasks: int) -> Given:
    if table is None:
        return Given()
    return Given(tasks, _absent(table, names), table.refused, _contradicted(table))


def _contradicted(table: NamedTable) -> Contradicted:
    """Return the tasks to which a table of known answers gives different ones."""
    task, label = (table.columns[c] for c in ("task", "label"))
    pairs = np.unique(np.stack([task.codes, label.codes], axis=1), axis=0)
    several = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
    told = tuple(
        (task.names[t], tuple(label.names[c] for c in pairs[pairs[:, 0] == t, 1].tolist()))
        for t in several[:MOST_CONTRADICTED].tolist()
    )
    return Contradicted(len(several), told)


def _absent(table: NamedTable, names: Named) -> int:
    """Return how many tasks of a table have no vote."""
    return len(set(table.columns["task"].names) - set(names.tasks))


def _compile(method: str) -> None:
    """Let what is compiled on first use be compiled, which is no part of the algorithm's time."""
    tiny, _ = make_votes([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1])
    infer(method, tiny)


def _answers(table: NamedTable, names: Named) -> NDArray[np.int32]:
    """Return the known class of each task, -1 where none is; the last row about a task counts."""
    answers = np.full(len(names.tasks), -1, dtype=np.int32)
    task, label = (table.columns[c] for c in ("task", "label"))
    rows, codes = _codes(task, names.tasks), _codes(label, names.classes)
    met = rows >= 0
    answers[rows[met]] = codes[met]
    return answers


def _codes(column: Column, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the number each row's name has among other names; -1 where it is not there."""
    place = {name: i for i, name in enumerate(names)}
    codes = np.array([place.get(n, -1) for n in column.names], dtype=np.int64)
    return np.asarray(codes[column.codes])


def _accuracy(table: NamedTable, names: Named, found: Truth, given: NDArray[np.bool_]) -> Accuracy:
    task, label = (table.columns[c] for c in ("task", "label"))
    rows, said = _codes(task, names.tasks), _codes(label, names.classes)
    truth = np.full(len(names.tasks), -2, dtype=np.int64)
    truth[rows[rows >= 0]] = said[rows >= 0]
    compared = (truth != -2) & (found.label >= 0) & ~given
    n, right = int(compared.sum()), int((found.label == truth)[compared].sum())
    unknown = tuple(sorted(set(label.names) - set(names.classes)))
    share = wilson(right, n) if n else UNDEFINED
    return Accuracy(share, unknown, _absent(table, names), table.refused, _contradicted(table))
