"""What the project-wide algorithm has learnt: people's tables, classes' shares; kept in the workspace's cache.

A fit is thrown away at will: without it votes are counted until the next full resolve.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.consensus.settle import Inferred, InferredAnswer
from core.consensus.truth.incremental import Known, provisional
from core.consensus.truth.votes import Longs, Reals
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

FORM = 1
"""Of the files; one of another form is as none."""
MOST_FITS = 4
"""Fits kept of one project: a policy taken back finds the one it had."""
LEFT_BEHIND_SECONDS = 3_600.0
_LEAST = 1e-4
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class QuestionFit:
    """What was learnt from the votes on one question, or on one class of a question with several answers.

    Attributes:
        votes: How many votes each person cast, shape (people,).
        accuracy: Expected share of each person's votes that is right; nan without votes.
        prior: Share of each class.
        confusion: P(says l | truth is j) at [person, j, l]; None where the algorithm has none.
        weight: How much a person's vote counts, for algorithms that add up votes; else None.
        word_item: Items on which the model counts as a voter, ascending.
        word: P(truth | the model's word) of each of them.
    """

    votes: Reals
    accuracy: Reals
    prior: Reals
    confusion: Floats | None = None
    weight: Reals | None = None
    word_item: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    word: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @cached_property
    def _known(self) -> Known:
        """Return the tables ready for single items; a person never met errs as all do on average."""
        assert self.confusion is not None
        share = self.votes if self.votes.sum() else np.ones(len(self.votes))
        mean = np.tensordot(share, self.confusion, 1) / share.sum()
        return Known(self.confusion, self.prior, self.votes, mean)

    @cached_property
    def usual(self) -> float:
        """Return the accuracy of a person never met: the mean of all votes."""
        met = self.votes > 0
        return float(np.average(self.accuracy[met], weights=self.votes[met])) if met.any() else 0.5

    def posterior(self, people: Sequence[int], said: Sequence[int], item: int) -> Reals:
        """Return the probability of each class of an item from its votes.

        Args:
            people: Place of each voter in this fit; -1 for one it has not met.
            said: Class of each vote.
            item: For the model's word.
        """
        if self.weight is not None:
            return self._added(people, said)
        if self.confusion is not None:
            rows = [p if p >= 0 else len(self.votes) for p in people]
            found = provisional(self._known, rows, said)
        else:
            found = self._by_accuracy(people, said)
        return self._with_word(found, item)

    def _added(self, people: Sequence[int], said: Sequence[int]) -> Reals:
        assert self.weight is not None
        mean = float(np.average(self.weight, weights=np.maximum(self.votes, 1e-9)))
        total = np.zeros(len(self.prior))
        for person, label in zip(people, said, strict=True):
            total[label] += self.weight[person] if person >= 0 else mean
        total = np.maximum(total, 0.0)
        return total / total.sum() if total.sum() > 0 else self.prior

    def _by_accuracy(self, people: Sequence[int], said: Sequence[int]) -> Reals:
        score, others = np.log(np.maximum(self.prior, 1e-12)), max(len(self.prior) - 1, 1)
        for person, label in zip(people, said, strict=True):
            told = self.accuracy[person] if person >= 0 else self.usual
            right = float(np.clip(told if np.isfinite(told) else self.usual, _LEAST, 1 - _LEAST))
            wrong = np.log((1 - right) / others)
            score = score + wrong
            score[label] += np.log(right) - wrong
        odds = np.exp(score - score.max())
        return np.asarray(odds / odds.sum())

    def _with_word(self, found: Reals, item: int) -> Reals:
        at = int(np.searchsorted(self.word_item, item))
        if at == len(self.word_item) or self.word_item[at] != item:
            return found
        both = found * self.word[at] / np.maximum(self.prior, 1e-12)
        return both / both.sum() if both.sum() > 0 else found


@dataclass(frozen=True, eq=False)
class Asked:
    """A question as a fit knows it.

    Attributes:
        classes: Names by number.
        several: Whether it takes several answers; then there is a part for each class, no or yes.
        parts: What was learnt; one part where it takes one answer.
    """

    classes: tuple[str, ...]
    several: bool
    parts: tuple[QuestionFit, ...]


@dataclass(frozen=True, eq=False)
class Fit:
    """What an algorithm learnt of a project's people.

    Attributes:
        algorithm: Which.
        seq: The newest annotation it saw.
        people: Number of each person it met, ascending.
        questions: By key, what was learnt from the votes on it.
        outline: How much each person's outlines count, shape (people,), nan where unknown; None
            where the policy does not ask.
    """

    algorithm: str
    seq: int
    people: Longs
    questions: Mapping[str, Asked]
    outline: Reals | None = None

    def place(self, person_id: int) -> int:
        """Return the row of a person, -1 for one it has not met."""
        at = int(np.searchsorted(self.people, person_id))
        return at if at < len(self.people) and self.people[at] == person_id else -1

    def accuracy(self, person_id: int, key: str = "") -> float | None:
        """Return the expected share of a person's votes that is right; None where unknown.

        Args:
            person_id: Whose.
            key: The question; the first by default. Of several answers, the mean over the classes.
        """
        asked, at = self._asked(key), self.place(person_id)
        if asked is None or at < 0:
            return None
        found = [float(p.accuracy[at]) for p in asked.parts if p.votes[at] > 0]
        return sum(found) / len(found) if found else None

    def per_class(self, person_id: int, key: str = "") -> dict[str, float]:
        """Return how likely a person names each class where it is the truth; empty where unknown."""
        asked, at = self._asked(key), self.place(person_id)
        if asked is None or at < 0:
            return {}
        if asked.several:
            tables = [(c, p.confusion) for c, p in zip(asked.classes, asked.parts, strict=True)]
            return {c: float(t[at, 1, 1]) for c, t in tables if t is not None}
        table = asked.parts[0].confusion
        if table is None:
            return {}
        return {c: float(table[at, j, j]) for j, c in enumerate(asked.classes)}

    def prior(self, key: str = "") -> dict[str, float]:
        """Return how common each class is; of several answers, in what share of the items it is."""
        asked = self._asked(key)
        if asked is None:
            return {}
        if asked.several:
            return {c: float(p.prior[1]) for c, p in zip(asked.classes, asked.parts, strict=True)}
        return dict(zip(asked.classes, map(float, asked.parts[0].prior), strict=True))

    def _asked(self, key: str) -> Asked | None:
        if key:
            return self.questions.get(key)
        return next(iter(self.questions.values()), None)

    def infer(self, item: int, votes: Sequence[tuple[int, Mapping[str, Any]]]) -> Inferred:
        """Return what the fit makes of one item.

        Args:
            item: Its number.
            votes: Person, and by question what they said: a class, or several.
        """
        people = [self.place(person) for person, _ in votes]
        found = {}
        for key, asked in self.questions.items():
            told = [
                (p, said[key]) for p, (_, said) in zip(people, votes, strict=True) if key in said
            ]
            answer = _of_sets(asked, told, item) if asked.several else _of_one(asked, told, item)
            if answer is not None:
                found[key] = answer
        voters = [person for person, _ in votes]
        return Inferred(found, self.weights(voters), self.outlines(voters))

    def chances(
        self, item: int, votes: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> dict[str, tuple[float, ...]]:
        """Return by question how probable each class of an item is; nothing where nobody answered.

        Of several answers: how probable the class that is least sure is in, and out.

        Args:
            item: Its number.
            votes: As for `infer`.
        """
        found: dict[str, tuple[float, ...]] = {}
        for key, asked in self.questions.items():
            told = [(self.place(person), said[key]) for person, said in votes if key in said]
            chances = _set_chances if asked.several else _class_chances
            row = chances(asked, told, item)
            if row is not None and row.size:
                found[key] = tuple(row.tolist())
        return found

    def weights(self, people: Sequence[int]) -> dict[str, float]:
        """Return the expected accuracy of those of these people that are known, by number as text."""
        known = {str(p): self.accuracy(p) for p in people}
        return {p: a for p, a in known.items() if a is not None}

    def outlines(self, people: Sequence[int]) -> dict[str, float]:
        """Return how much the outlines of those of these people count that are known, by number as text."""
        if self.outline is None:
            return {}
        found = {str(p): float(self.outline[at]) for p in people if (at := self.place(p)) >= 0}
        return {p: w for p, w in found.items() if np.isfinite(w)}


def inferred_answer(asked: Asked, place: int, probability: float) -> InferredAnswer:
    """Return one class of a question with one answer, how sure it is to a ten-thousandth, so that small drifts write nothing anew."""
    return InferredAnswer(asked.classes[place], round(float(probability), 4))


def inferred_set(
    asked: Asked, member: Sequence[bool], probability: Sequence[float]
) -> InferredAnswer:
    """Return a set of classes, as sure as the least sure of them is in or out."""
    names = tuple(c for c, there in zip(asked.classes, member, strict=True) if there)
    sure = [p if there else 1 - p for p, there in zip(probability, member, strict=True)]
    return InferredAnswer(names, round(float(min(sure, default=1.0)), 4))


def _class_chances(asked: Asked, told: Sequence[tuple[int, str]], item: int) -> Reals | None:
    number = {name: i for i, name in enumerate(asked.classes)}
    known = [(p, number[name]) for p, name in told if name in number]
    if not known:
        return None
    return asked.parts[0].posterior([p for p, _ in known], [c for _, c in known], item)


def _of_one(asked: Asked, told: Sequence[tuple[int, str]], item: int) -> InferredAnswer | None:
    found = _class_chances(asked, told, item)
    if found is None:
        return None
    best = int(np.argmax(found))
    return inferred_answer(asked, best, found[best])


def _of_sets(
    asked: Asked, told: Sequence[tuple[int, Sequence[str]]], item: int
) -> InferredAnswer | None:
    if not told:
        return None
    yes = _yes(asked, told, item)
    return inferred_set(asked, [p > 0.5 for p in yes], yes)


def _set_chances(
    asked: Asked, told: Sequence[tuple[int, Sequence[str]]], item: int
) -> Reals | None:
    if not told or not asked.classes:
        return None
    least = min(_yes(asked, told, item), key=lambda p: abs(p - 0.5))
    return np.array([least, 1 - least])


def _yes(asked: Asked, told: Sequence[tuple[int, Sequence[str]]], item: int) -> list[float]:
    """Return how probable it is that each class is in."""
    people = [p for p, _ in told]
    return [
        float(part.posterior(people, [int(name in names) for _, names in told], item)[1])
        for name, part in zip(asked.classes, asked.parts, strict=True)
    ]


def fit_path(ws: Workspace, project: ProjectView) -> Path:
    """Return where the fit of the policy and schema in force lies."""
    doc = hashlib.sha256(project.policy.to_json().encode()).hexdigest()[:12]
    name = f"{project.id}-{project.policy_version}-{project.schema_version}-{doc}.npz"
    return ws.cache / "consensus" / name


def fit_edition(ws: Workspace, project: ProjectView) -> int:
    """Return what changes whenever the fit in force does; 0 where there is none."""
    try:
        return fit_path(ws, project).stat().st_mtime_ns
    except OSError:
        return 0


def save_fit(path: Path, fit: Fit) -> None:
    """Write a fit so that a reader finds the old one or the new one, never a part; sweep older ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {
        "form": FORM, "algorithm": fit.algorithm, "seq": fit.seq,
        "questions": [[k, list(a.classes), a.several] for k, a in fit.questions.items()],
    }  # fmt: skip
    arrays: dict[str, Any] = {"people": fit.people, "head": np.array(json.dumps(head))}
    if fit.outline is not None:
        arrays["outline"] = fit.outline
    for q, asked in enumerate(fit.questions.values()):
        for i, part in enumerate(asked.parts):
            arrays.update({f"{q}/{i}/{n}": v for n, v in _arrays(part) if v is not None})
    part_file = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    with part_file.open("wb") as stream:
        np.savez(stream, **arrays)
    part_file.replace(path)
    _sweep(path)


def _sweep(path: Path) -> None:
    """Delete the fits of the same project but the newest few: those of policies and schemas gone by."""
    project = path.name.split("-", 1)[0]
    kept = sorted((p for p in path.parent.glob(f"{project}-*.npz") if p != path), key=_written)
    for old in [*kept[: -(MOST_FITS - 1)], *_left_behind(path.parent)]:
        with suppress(OSError):  # another process may have deleted it first
            old.unlink()


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _left_behind(folder: Path) -> list[Path]:
    """Return the parts whose writers were killed."""
    long_ago = time.time() - LEFT_BEHIND_SECONDS
    return [p for p in folder.glob("*.npz.*.part") if 0 < _written(p) < long_ago]


def load_fit(path: Path) -> Fit | None:
    """Return a fit that was saved; None where there is none, or it cannot be read."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile, EOFError, zlib.error):
        return None


def _arrays(part: QuestionFit) -> list[tuple[str, Any]]:
    return [(name, getattr(part, name)) for name in QuestionFit.__dataclass_fields__]


@lru_cache(maxsize=8)
def _load(path: Path, _: int) -> Fit:
    with np.load(path, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    head = json.loads(str(arrays["head"]))
    if head["form"] != FORM:
        raise ValueError("another form")
    asked = {
        key: Asked(tuple(classes), several, _parts(arrays, q, len(classes) if several else 1))
        for q, (key, classes, several) in enumerate(head["questions"])
    }
    people, outline = arrays["people"], arrays.get("outline")
    return Fit(head["algorithm"], head["seq"], people, asked, outline)


def _parts(arrays: Mapping[str, Any], question: int, count: int) -> tuple[QuestionFit, ...]:
    names = QuestionFit.__dataclass_fields__
    return tuple(
        QuestionFit(**{n: arrays[key] for n in names if (key := f"{question}/{i}/{n}") in arrays})
        for i in range(count)
    )
