"""Replaying policies item by item: shapes, several questions, questions with several answers.

Settling one by one takes about 0.1 ms an item and policy for choices and some milliseconds for shapes,
so beyond `MOST_ITEMS` a fixed random sample of the items with votes is looked at, and said so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.consensus.policy import Policy
from core.consensus.replay import NO_LABEL, Replayed
from core.consensus.replay_figures import UNKNOWN, Course
from core.consensus.replay_rules import CODE
from core.consensus.settle import DecisionKind, Evidence, Inferred, Outcome, settle
from core.labels import Answer, LabelSchema
from core.labels.compare import same_answer
from core.labels.state import ItemState
from core.services.consensus.gathering import Gathered, gather
from core.services.consensus.inference import Fitted, fit_project
from core.services.consensus.replay_record import Items, Told
from core.services.projects.project import ProjectView
from core.store.tables import annotation_log, gold_answers

CHUNK = 200
MOST_ITEMS = {True: 3_000, False: 20_000}
"""Items with votes that are looked at, where regions are drawn and elsewhere."""


@dataclass(slots=True)
class _Answers:
    """Answers as numbers: the same answer, the same number."""

    known: dict[str, int] = field(default_factory=dict)
    all: list[Answer] = field(default_factory=list)

    def code(self, answer: Answer | None) -> int:
        """Return the number of an answer; -1 for none."""
        if answer is None:
            return NO_LABEL
        number = self.known.setdefault(answer.to_json(), len(self.all))
        if number == len(self.all):
            self.all.append(answer)
        return number


@dataclass(frozen=True, eq=False)
class Looked:
    """Policies over a project, item by item.

    Attributes:
        courses: One a policy; labels are numbers of `answers`.
        answers: Every answer that is in force under any of the policies.
        places: Where each item that was looked at stands among the project's items.
        seconds: Active time of each of their votes.
        voted: How many of them have votes.
        gold: How many have gold.
        sampled: Whether they are a sample.
    """

    courses: tuple[Course, ...]
    answers: tuple[Answer, ...]
    places: NDArray[np.intp]
    seconds: NDArray[np.float64]
    voted: int
    gold: int
    sampled: bool


class _Column:
    """One policy's outcomes as they come."""

    def __init__(self, policy: Policy, fitted: Fitted | None) -> None:
        self.policy, self.fitted = policy, fitted
        self.now: list[tuple[int, int, float, int, int]] = []
        self.start: list[tuple[int, int, float, int, int]] = []
        self.right: list[tuple[int, int]] = []
        self.used: list[NDArray[np.bool_]] = []

    def inferred(self, item: int, evidence: Evidence) -> Inferred | None:
        """Return what the fit over all votes makes of an item."""
        if self.fitted is None or not evidence.votes:
            return None
        found = self.fitted.of(item, [int(v.person) for v in evidence.votes])
        if found is None or self.policy.fits_project:
            return found
        return Inferred({}, found.weights, found.outlines)

    def course(self) -> Course:
        """Return all of it as arrays."""
        right = np.array(self.right, dtype=np.int8).reshape(-1, 2).T
        used = np.concatenate(self.used) if self.used else np.zeros(0, dtype=np.bool_)
        return Course(_arrays(self.now), _arrays(self.start), right[0], right[1], used)


def _arrays(rows: Sequence[tuple[int, int, float, int, int]]) -> Replayed:
    state, label, probability, used, wanted = zip(*rows, strict=True) if rows else ((),) * 5
    return Replayed(
        np.array(state, dtype=np.int8),
        np.array(label, dtype=np.int32),
        np.array(probability, dtype=np.float64),
        np.array(used, dtype=np.int32),
        np.array(wanted, dtype=np.int32),
    )


def look_item_by_item(
    connection: Connection,
    project: ProjectView,
    found: Items,
    policies: Sequence[Policy],
    told: Told,
) -> Looked:
    """Settle every item, or a sample, under each policy: with all votes, and vote by vote.

    A fit over the whole project is made once a policy, over all recorded votes, for both.
    """
    chosen, sampled = _chosen(connection, project, found)
    columns = [_Column(p, _fitted(connection, project, p, told)) for p in policies]
    answers, gold = _Answers(), _gold(connection, project)
    seconds: list[float] = []
    voted = 0
    for start in range(0, len(chosen), CHUNK):
        ids = found.ids[chosen[start : start + CHUNK]].tolist()
        gathered = gather(connection, ids, project.schema)
        took = _seconds(connection, gathered)
        for item in ids:
            one = gathered[item]
            voted += bool(one.votes)
            seconds += [took.get(seq, float("nan")) for seq, _ in one.votes]
            for column in columns:
                _settle(column, project.schema, item, one.evidence(), gold.get(item), answers)
        told("settling items", min(start + CHUNK, len(chosen)), len(chosen))
    known = sum(int(found.ids[at]) in gold for at in chosen.tolist())
    return Looked(
        tuple(c.course() for c in columns),
        tuple(answers.all),
        chosen,
        np.array(seconds, dtype=np.float64),
        voted,
        known,
        sampled,
    )


def _settle(
    column: _Column,
    schema: LabelSchema,
    item: int,
    evidence: Evidence,
    gold: Answer | None,
    answers: _Answers,
) -> None:
    policy, inferred = column.policy, column.inferred(item, evidence)
    now = settle(evidence, schema, policy, inferred)
    used = _used(evidence, schema, policy, inferred)
    cut = replace(evidence, votes=evidence.votes[:used])
    start = now if used == len(evidence.votes) else settle(cut, schema, policy, inferred)
    column.now.append(_row(now, len(evidence.votes), answers))
    column.start.append(_row(start, used, answers))
    column.right.append((_right(now, gold, policy), _right(start, gold, policy)))
    column.used.append(np.arange(len(evidence.votes)) < used)


def _used(
    evidence: Evidence, schema: LabelSchema, policy: Policy, inferred: Inferred | None
) -> int:
    """Return after how many votes the votes alone need no further one."""
    decision = evidence.decision
    back = decision if decision and decision.kind == DecisionKind.SEND_BACK else None
    for used in range(min(policy.overlap, len(evidence.votes)), len(evidence.votes)):
        alone = Evidence(evidence.votes[:used], back, extra_votes=evidence.extra_votes)
        if used and settle(alone, schema, policy, inferred).state is not ItemState.OPEN:
            return used
    return len(evidence.votes)


def _row(outcome: Outcome, used: int, answers: _Answers) -> tuple[int, int, float, int, int]:
    sure = float("nan") if outcome.probability is None else outcome.probability
    return CODE[outcome.state], answers.code(outcome.answer), sure, used, outcome.votes_wanted


def _right(outcome: Outcome, gold: Answer | None, policy: Policy) -> int:
    if gold is None or outcome.answer is None:
        return UNKNOWN
    return int(same_answer(outcome.answer, gold, policy.iou_at_least))


def _fitted(
    connection: Connection, project: ProjectView, policy: Policy, told: Told
) -> Fitted | None:
    if not (policy.fits_project or policy.weighs_outlines):
        return None
    told("weighing votes", 0, 1)
    return fit_project(connection, replace(project, policy=policy))


def _chosen(
    connection: Connection, project: ProjectView, found: Items
) -> tuple[NDArray[np.intp], bool]:
    """Return the places of the items to look at: all, or a fixed sample of those with votes."""
    most = MOST_ITEMS[project.schema.draws]
    if len(found.ids) <= most:
        return np.arange(len(found.ids)), False
    said = annotation_log.c
    query = (
        select(said.item_id).where(said.project_id == project.id, said.kind == "vote").distinct()
    )
    voted = list(connection.execute(query).scalars())
    drawn = sorted(sorted(voted, key=_draw)[:most])
    return found.place(drawn), True


def _draw(item: int) -> bytes:
    return hashlib.sha256(f"replay:{item}".encode()).digest()


def _gold(connection: Connection, project: ProjectView) -> dict[int, Answer]:
    query = (
        select(gold_answers.c.item_id, gold_answers.c.answer)
        .where(gold_answers.c.project_id == project.id)
        .order_by(gold_answers.c.seq)
    )
    return {
        r.item_id: project.schema.translate(Answer.from_json(r.answer))
        for r in connection.execute(query)
    }


def _seconds(connection: Connection, gathered: Mapping[int, Gathered]) -> dict[int, float]:
    seqs = [seq for one in gathered.values() for seq, _ in one.votes]
    found: dict[int, float] = {}
    for start in range(0, len(seqs), 1000):
        query = select(annotation_log.c.seq, annotation_log.c.active_seconds).where(
            annotation_log.c.seq.in_(seqs[start : start + 1000])
        )
        found |= {
            r.seq: r.active_seconds
            for r in connection.execute(query)
            if r.active_seconds is not None
        }
    return found


def balance_of(
    answers: Sequence[Answer], label: NDArray[np.int32], schema: LabelSchema
) -> Counter[str]:
    """Return how many labels, or regions, there are of each class."""
    counts: Counter[str] = Counter()
    for code, n in Counter(label[label != NO_LABEL].tolist()).items():
        for name in main_classes(answers[code], schema):
            counts[name] += n
    return counts


def main_classes(answer: Answer, schema: LabelSchema) -> tuple[str, ...]:
    """Return the classes an answer gives: of its regions, or to the first question."""
    if schema.draws:
        return tuple(r.label for r in answer.regions)
    said = answer.said(schema.main.key)
    return said if isinstance(said, tuple) else () if said is None else (said,)
