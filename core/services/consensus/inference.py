"""The project-wide fit: all votes of a project to labels and to what is known of its people.

Every question is fitted on its own. Gold answers stay fixed while people are learnt; the label of an item
with gold still comes from its votes, as everybody else's. Gold of evaluate items is never read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from core.consensus.policy import ORDINAL, Policy
from core.consensus.settle import Inferred, InferredAnswer
from core.consensus.truth.confusion import PLAIN, SMOOTH
from core.consensus.truth.methods import METHODS
from core.consensus.truth.model_voter import Advised, aligned, model_voter
from core.consensus.truth.multi_label import make_answers, multi_label
from core.consensus.truth.ordinal import ordinal
from core.consensus.truth.result import Truth
from core.consensus.truth.votes import Ints, Longs, Reals, Votes, make_votes
from core.labels.schema import Question
from core.services.consensus.fits import (
    Asked,
    Fit,
    QuestionFit,
    fit_path,
    inferred_answer,
    inferred_set,
    load_fit,
)
from core.services.consensus.outlines import read_outlines
from core.services.consensus.vote_columns import (
    NOTHING,
    Codes,
    Column,
    VoteColumns,
    read_gold,
    read_votes,
    read_word,
)
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

SEED = 0
ADDS_UP = frozenset({"weighted-majority", "wawa", "gold-majority"})
"""Algorithms that add up weighted votes; the others weigh them as evidence."""
BESIDE_MAJORITY = "dawid-skene"
"""What tells how right people are in a project that is settled by majority."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit, and what it makes of every item with votes.

    Attributes:
        fit: What was learnt.
        tasks: The items, ascending.
        answers: By question, what the algorithm says of each of these items; None for nothing.
    """

    fit: Fit
    tasks: Longs
    answers: Mapping[str, Sequence[InferredAnswer | None]]

    def of(self, item: int, people: Sequence[int]) -> Inferred | None:
        """Return what is inferred of an item that these people voted on; None without votes."""
        at = int(np.searchsorted(self.tasks, item))
        if at == len(self.tasks) or self.tasks[at] != item:
            return None
        found = {
            key: answer for key, row in self.answers.items() if (answer := row[at]) is not None
        }
        return Inferred(found, self.fit.weights(people), self.fit.outlines(people))


def fit_of(ws: Workspace, connection: Connection, project: ProjectView) -> Fit | None:
    """Return what the last full resolve learnt under the policy and schema in force; None for nothing.

    Args:
        ws: The workspace, in whose cache it lies.
        connection: The caller's transaction; kept for callers that read beside it.
        project: Whose.
    """
    del connection
    return load_fit(fit_path(ws, project))


def fit_project(connection: Connection, project: ProjectView) -> Fitted | None:
    """Return what the policy's algorithm makes of all votes of a project; None without votes.

    A project that is settled by majority is fitted as well, so that people's accuracy can be told.
    """
    votes = read_votes(connection, project)
    if not len(votes):
        return None
    policy = project.policy
    if not policy.fits_project:
        policy = replace(
            policy, algorithm=BESIDE_MAJORITY, max_votes=max(policy.max_votes, policy.overlap)
        )
    return _Run(connection, project, policy, votes).fitted()


class _Run:
    """One fit of a project."""

    def __init__(
        self, connection: Connection, project: ProjectView, policy: Policy, votes: VoteColumns
    ) -> None:
        self.connection, self.project, self.policy, self.votes = connection, project, policy, votes
        self.tasks, self.task = np.unique(votes.item, return_inverse=True)
        self.people, self.worker = np.unique(votes.person, return_inverse=True)
        self.gold = read_gold(connection, project)

    def fitted(self) -> Fitted:
        """Return the fit of every question, and the answers."""
        asked: dict[str, Asked] = {}
        answers: dict[str, Sequence[InferredAnswer | None]] = {}
        for question in self.project.schema.item_questions:
            column = self.votes.said[question.key]
            work = self._several if question.several else self._one
            asked[question.key], answers[question.key] = work(question, column)
        fit = Fit(self.policy.algorithm, self.votes.seq, self.people, asked, self._outline())
        return Fitted(fit, self.tasks, self._without_gold(fit, answers))

    def _method(self, votes: Votes, gold: Ints | None = None) -> Truth:
        return run_algorithm(self.policy, votes, gold)

    def _one(self, question: Question, column: Column) -> tuple[Asked, list[InferredAnswer | None]]:
        spoke = column.code != NOTHING
        given = (self.task[spoke], self.worker[spoke], column.code[spoke])
        votes, _ = make_votes(
            *given, tasks=len(self.tasks), workers=len(self.people), classes=len(question.names)
        )
        gold = self._gold(question)
        if self.policy.model_votes and question is self.project.schema.main:
            shown = aligned(votes, given[0], given[1], self.votes.shown[spoke])
            truth: Truth = self._beside(votes, shown, gold)
        else:
            truth = self._method(votes, gold)
        asked = Asked(question.names, False, (self._learnt(votes, truth),))
        label, sure = truth.label.tolist(), truth.confidence.tolist()
        found = [
            None if c < 0 else inferred_answer(asked, c, p)
            for c, p in zip(label, sure, strict=True)
        ]
        return asked, found

    def _beside(self, votes: Votes, shown: NDArray[np.bool_], gold: Ints) -> Advised:
        word = read_word(self.connection, self.project, self.tasks)
        return run_with_model(self.policy, votes, word, shown, gold)

    def _several(
        self, question: Question, column: Column
    ) -> tuple[Asked, list[InferredAnswer | None]]:
        rows = [i for i, names in enumerate(column.sets) if names is not None]
        sets = [names for names in column.sets if names is not None]
        size = {"tasks": len(self.tasks), "workers": len(self.people)}
        answers, _ = make_answers(
            self.task[rows], self.worker[rows], sets, classes=len(question.names), **size
        )
        truth = multi_label(answers, self._method, gold=self._gold_sets(question))
        none = np.zeros(0, np.int64)
        empty, _ = make_votes(none, none, none, classes=2, **size)
        parts = tuple(self._learnt(empty, part) for part in truth.classes)
        asked = Asked(question.names, True, parts)
        found = [
            inferred_set(asked, member, p) if said else None
            for member, p, said in zip(
                truth.member.tolist(), truth.probability.tolist(), truth.answered.tolist(),
                strict=True,
            )
        ]  # fmt: skip
        return asked, found

    def _learnt(self, votes: Votes, truth: Truth) -> QuestionFit:
        return learnt(self.policy, self.tasks, votes, truth)

    def _gold(self, question: Question) -> Ints:
        codes, out = Codes(question), np.full(len(self.tasks), NOTHING, dtype=np.int32)
        for at, doc in self._known():
            out[at] = codes.of(doc.get("choices", {}).get(question.key))
        return out

    def _gold_sets(self, question: Question) -> NDArray[np.int8]:
        codes = Codes(question)
        out = np.full((len(self.tasks), len(question.names)), NOTHING, dtype=np.int8)
        for at, doc in self._known():
            named = doc.get("multi", {}).get(question.key)
            if named is not None:
                out[at] = 0
                out[at, list(codes.of_all(named))] = 1
        return out

    def _known(self) -> list[tuple[int, dict[str, Any]]]:
        """Return place and known answer of the items with votes and gold."""
        places = np.searchsorted(self.tasks, list(self.gold)).tolist()
        return [
            (at, self.gold[item])
            for at, item in zip(places, self.gold, strict=True)
            if at < len(self.tasks) and self.tasks[at] == item
        ]

    def _outline(self) -> Reals | None:
        """Return how much each person's outlines count, where the policy asks."""
        if not self.policy.weighs_outlines:
            return None
        counts = np.bincount(self.task, minlength=len(self.tasks))
        known = read_outlines(self.connection, self.project, self.tasks[counts >= 2].tolist())
        return np.array([known.get(p, np.nan) for p in self.people.tolist()])

    def _without_gold(
        self, fit: Fit, answers: Mapping[str, Sequence[InferredAnswer | None]]
    ) -> dict[str, Sequence[InferredAnswer | None]]:
        """Return the answers, those of items with gold from their votes: gold is no vote."""
        out = {key: list(row) for key, row in answers.items()}
        starts = np.searchsorted(self.votes.item, self.tasks)
        for at, _ in self._known():
            rows = range(
                int(starts[at]), int(np.searchsorted(self.votes.item, self.tasks[at], "right"))
            )
            said = [(int(self.votes.person[r]), self._said(r)) for r in rows]
            found = fit.infer(int(self.tasks[at]), said).questions
            for key, row in out.items():
                row[at] = found.get(key)
        return dict(out)

    def _said(self, row: int) -> dict[str, Any]:
        """Return what one vote said to each question, by names."""
        found: dict[str, Any] = {}
        for question in self.project.schema.item_questions:
            column = self.votes.said[question.key]
            if question.several:
                told = column.sets[row]
                if told is not None:
                    found[question.key] = tuple(question.names[c] for c in told)
            elif column.code[row] != NOTHING:
                found[question.key] = question.names[int(column.code[row])]
        return found


def run_algorithm(policy: Policy, votes: Votes, gold: Ints | None = None) -> Truth:
    """Return what a policy's algorithm makes of the votes on one question."""
    if policy.algorithm == ORDINAL:
        return ordinal(votes, gold=gold)
    return METHODS[policy.algorithm].run(votes, gold, SEED)


def run_with_model(
    policy: Policy,
    votes: Votes,
    word: NDArray[np.float32],
    shown: NDArray[np.bool_],
    gold: Ints | None,
) -> Advised:
    """Return the same with the model as one more voter.

    Args:
        policy: One that lets the model vote.
        votes: The votes.
        word: What the model says, shape (tasks, classes); nan for nothing.
        shown: Whether the pre-label was shown with each vote.
        gold: Known class of each task, -1 for unknown.
    """
    smoothing = SMOOTH if policy.algorithm == BESIDE_MAJORITY else PLAIN
    return model_voter(votes, word, blind=~shown, gold=gold, smoothing=smoothing, seed=SEED)


def learnt(policy: Policy, tasks: Longs, votes: Votes, truth: Truth) -> QuestionFit:
    """Return what a run learnt of people, to ask it about single items.

    Args:
        policy: Whose algorithm ran.
        tasks: Number of the item behind each task.
        votes: The votes.
        truth: What the run gave.
    """
    people = truth.workers
    adds = policy.algorithm in ADDS_UP and people.weight is not None
    found = QuestionFit(
        votes=people.votes.astype(np.float64),
        accuracy=people.accuracy.astype(np.float64),
        prior=_prior(votes, truth),
        confusion=people.confusion,
        weight=np.asarray(people.weight, dtype=np.float64) if adds else None,
    )
    if not isinstance(truth, Advised) or not truth.model.counted.any():
        return found
    counted = truth.model.counted
    return replace(
        found,
        word_item=tasks[counted],
        word=truth.model.probability[counted].astype(np.float32),
    )


def _prior(votes: Votes, truth: Truth) -> Reals:
    """Return how common each class is: as the algorithm believes, else by its labels' probabilities."""
    if truth.prior is not None:
        return np.asarray(truth.prior, dtype=np.float64)
    if truth.candidates is not None or not len(truth.probability):
        return votes.shares()
    mean = np.asarray(truth.probability, dtype=np.float64)[truth.label >= 0]
    found = mean.mean(axis=0) if len(mean) else np.ones(truth.probability.shape[1])
    found = np.maximum(found, 1e-9)
    return np.asarray(found / found.sum())
