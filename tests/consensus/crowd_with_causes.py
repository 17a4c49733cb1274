"""A crowd whose every dispute has a known cause, planted by how people answer and not by what is measured.

Nine classes, twelve people, three votes an item. Classes 0 and 1 lie in a gap of the guideline:
each person has a reading of their own. Classes 2 and 3 cannot be told apart by anybody, nor by the
model. Anywhere, a hand slips now and then, and an image does not show what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.consensus.autopsy import Cause
from core.consensus.autopsy_pairs import Cases, Record

CLASSES, PEOPLE, VOTES = 9, 12, 3


@dataclass(frozen=True, eq=False)
class Planted:
    """The votes, the disputes among them, and why each is one."""

    record: Record
    cases: Cases
    cause: list[Cause]


def plant(
    seed: int, items: int = 2400, with_model: bool = True, with_seconds: bool = True
) -> Planted:
    """Return a crowd's votes with a planted cause for every dispute."""
    chance = np.random.default_rng(seed)
    usual = chance.uniform(2.0, 9.0, PEOPLE)
    skill = chance.uniform(0.97, 0.995, PEOPLE)
    reading = np.array([n % 2 for n in range(PEOPLE)])
    rows: list[tuple[int, int, int, float]] = []
    causes: list[Cause | None] = []
    models = np.zeros((items, CLASSES))
    near = np.full((items, 8), -1)
    for item in range(items):
        truth = int(chance.integers(CLASSES))
        cause = _drawn(chance, truth)
        people = chance.choice(PEOPLE, VOTES, replace=False)
        flat = _flat(chance, truth, cause)
        slow = chance.lognormal(0.75, 0.25) if cause is Cause.AMBIGUOUS else 1.0
        slipped = people[0] if cause is Cause.SLIP else -1
        for person in people:
            said = truth
            if cause is Cause.GAP:
                said = int(reading[person]) if chance.random() < 0.95 else 1 - int(reading[person])
            elif cause in (Cause.OVERLAP, Cause.AMBIGUOUS):
                said = int(chance.choice(CLASSES, p=flat))
            elif person == slipped or chance.random() > skill[person]:
                said = int((truth + chance.integers(1, CLASSES)) % CLASSES)
            hurry = chance.lognormal(-1.0, 0.3) if person == slipped else 1.0
            rows.append(
                (item, int(person), said, usual[person] * slow * hurry * chance.lognormal(0, 0.35))
            )
        models[item] = chance.dirichlet(_seen_by_model(truth, cause, flat))
        near[item] = chance.choice(CLASSES, 8, p=0.92 * flat + 0.08 / CLASSES)
        causes.append(cause)
    return _disputes(rows, causes, models if with_model else None, near, with_seconds)


def _drawn(chance: np.random.Generator, truth: int) -> Cause | None:
    if truth in (0, 1) and chance.random() < 0.45:
        return Cause.GAP
    if truth in (2, 3) and chance.random() < 0.45:
        return Cause.OVERLAP
    draw = chance.random()
    return Cause.SLIP if draw < 0.07 else Cause.AMBIGUOUS if draw < 0.14 else None


def _flat(chance: np.random.Generator, truth: int, cause: Cause | None) -> np.ndarray:
    """Return what the image itself looks like, as a distribution over classes."""
    shape = np.zeros(CLASSES)
    shape[truth] = 1.0
    if cause is Cause.GAP:
        shape[[0, 1]] = 0.5
    elif cause is Cause.OVERLAP:
        shape[[2, 3]] = 0.5
        shape[truth] = 0.55
        shape /= shape.sum()
    elif cause is Cause.AMBIGUOUS:
        others = chance.choice([c for c in range(CLASSES) if c != truth], 3, replace=False)
        shape[truth], shape[others] = 0.4, (0.3, 0.2, 0.1)
    return shape


def _seen_by_model(truth: int, cause: Cause | None, flat: np.ndarray) -> np.ndarray:
    if cause is Cause.AMBIGUOUS:
        return np.asarray(0.5 + 5 * flat)
    if cause in (Cause.OVERLAP, Cause.GAP):
        return np.asarray(0.15 + 8 * flat)
    sure = np.full(CLASSES, 0.15)
    sure[truth] = 10.0
    return sure


def _disputes(
    rows: list, causes: list, models: np.ndarray | None, near: np.ndarray, with_seconds: bool
) -> Planted:
    item, person, label = (np.array([r[n] for r in rows]) for n in range(3))
    seconds = np.array([r[3] for r in rows]) if with_seconds else np.full(len(rows), np.nan)
    answers = [len({r[2] for r in rows[VOTES * i : VOTES * i + VOTES]}) for i in range(len(causes))]
    open_ones = np.array([i for i, c in enumerate(causes) if c is not None and answers[i] > 1])
    top = (
        np.argsort(-models, axis=1)[:, :5]
        if models is not None
        else np.zeros((len(causes), 0), int)
    )
    share = (
        np.take_along_axis(models, top, axis=1)
        if models is not None
        else np.zeros((len(causes), 0))
    )
    record = Record(item, person, label, seconds, len(causes), CLASSES, np.full(len(causes), -1))
    cases = Cases(
        open_ones, top[open_ones], share[open_ones], near[open_ones], np.zeros(len(open_ones), int)
    )
    return Planted(record, cases, [causes[i] for i in open_ones])
