"""Answers that are sets of classes: one yes-or-no question a class, each settled by a binary method.

An empty answer is an answer: it says no to every class. A derived set may come out empty, and then stays
empty, unless the question needs at least one class: then the most probable class is taken, of equal ones
the earlier. A class at exactly 0.5 follows the binary method's tie rule.
Source: the binary-relevance way of crowdsourced multi-label work, as in Nowak & Rueger, MIR 2010.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Longs, Reals, Votes, make_votes
from core.errors import InputError

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answers:
    """Who answered what, and the classes each answer names.

    Attributes:
        task, worker: Numbers of each answer, shape (answers,).
        row, label: Answer and class of each class named, shape (named,).
        tasks, workers, classes: How many there are.
    """

    task: Ints
    worker: Ints
    row: Longs
    label: Ints
    tasks: int
    workers: int
    classes: int


@dataclass(frozen=True, eq=False)
class SetTruth:
    """Sets derived from answers.

    Attributes:
        member: Whether each class belongs to each task's set, shape (tasks, classes).
        probability: That it does; the share of all answers naming the class where nobody answered.
        answered: Which tasks have an answer or are known; the others' sets say nothing.
        votes: How many answers each worker gave, shape (workers,).
        accuracy: The expected share of a worker's yes-or-no answers that is right; nan without any.
        classes: What the binary method found for each class; its class 1 is "yes".
    """

    member: Bools
    probability: Reals
    answered: Bools
    votes: Longs
    accuracy: Reals
    classes: tuple[Truth, ...]


def make_answers(
    task: ArrayLike,
    worker: ArrayLike,
    sets: list[tuple[int, ...]],
    *,
    tasks: int | None = None,
    workers: int | None = None,
    classes: int | None = None,
) -> tuple[Answers, int]:
    """Return answers, the last of each worker on a task, and how many were replaced.

    Args:
        task, worker: Numbers of each answer, in the order they were given.
        sets: The classes each answer names; may be empty.
        tasks, workers, classes: How many there are; by default up to the highest number seen.

    Raises:
        InputError: The columns differ in length, or a number is negative or out of range.
    """
    if len(sets) != np.size(task):
        raise InputError(f"Every answer has its set, found {np.size(task)} and {len(sets)}.")
    last, replaced = make_votes(
        task, worker, np.arange(len(sets)), tasks=tasks, workers=workers, classes=len(sets)
    )
    kept = [sorted(set(sets[i])) for i in last.label]
    row = np.repeat(np.arange(len(kept)), [len(names) for names in kept])
    label = np.array([c for names in kept for c in names], dtype=np.int32)
    size = int(label.max(initial=-1)) + 1 if classes is None else classes
    if label.min(initial=0) < 0 or label.max(initial=-1) >= size:
        raise InputError(f"A class is a number from 0 to {size - 1}, found another.")
    made = Answers(last.task, last.worker, row, label, last.tasks, last.workers, size)
    return made, replaced


def multi_label(
    answers: Answers,
    method: Callable[..., Truth],
    *,
    gold: NDArray[np.int8] | None = None,
    at_least_one: bool = False,
) -> SetTruth:
    """Return the set of each task, by one binary question a class.

    Args:
        answers: The answers.
        method: Any method of this room for votes on two classes, 1 for yes.
        gold: Known answer, 1 or 0, for each class of each task, -1 where unknown.
        at_least_one: Whether a set must not be empty.
    """
    found = tuple(
        method(_question(answers, c), gold=None if gold is None else gold[:, c].astype(np.int32))
        for c in range(answers.classes)
    )
    shape = (answers.tasks, answers.classes)
    probability, member = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    for c, truth in enumerate(found):
        probability[:, c], member[:, c] = truth.probability[:, 1], truth.label == 1
    answered = np.bincount(answers.task, minlength=answers.tasks) > 0
    if gold is not None:
        answered |= (gold >= 0).all(axis=1)
    if at_least_one and answers.classes:
        bare = np.flatnonzero(answered & ~member.any(axis=1))
        member[bare, np.argmax(probability[bare], axis=1)] = True
    cast = np.bincount(answers.worker, minlength=answers.workers)
    return SetTruth(member, probability, answered, cast, _mean_accuracy(answers, found), found)


def _question(answers: Answers, label: int) -> Votes:
    """Return the votes on whether one class belongs to each task."""
    yes = np.zeros(len(answers.task), dtype=np.int32)
    yes[answers.row[answers.label == label]] = 1
    votes, _ = make_votes(
        answers.task,
        answers.worker,
        yes,
        tasks=answers.tasks,
        workers=answers.workers,
        classes=2,
    )
    return votes


def _mean_accuracy(answers: Answers, found: tuple[Truth, ...]) -> Reals:
    """Return each worker's accuracy over all classes; every answer speaks to each of them."""
    if not found:
        return np.full(answers.workers, np.nan)
    return np.asarray(np.mean([truth.workers.accuracy for truth in found], axis=0))
