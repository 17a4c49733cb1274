"""A project's live votes as columns, a set for each question about the item: read once, from one snapshot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.consensus.truth.votes import Ints, Longs
from core.labels.schema import Question
from core.services.projects.project import ProjectView
from core.store.tables import annotation_log, gold_answers, items, predictions

FETCH = 500  # below the 700 new objects that wake Python's garbage collector: a third of the time
NOTHING = -1
_LEAST = 1e-9

Sets = list[tuple[int, ...] | None]


@dataclass(frozen=True, eq=False)
class Column:
    """What was said to one question.

    Attributes:
        code: Class of each vote, -1 where it says nothing; none for a question with several answers.
        sets: Classes of each vote, None where it says nothing; none for a question with one answer.
    """

    code: Ints
    sets: Sets


@dataclass(frozen=True, eq=False)
class VoteColumns:
    """The live votes of a project, ordered by item and person.

    Attributes:
        item, person: Of each vote.
        shown: Whether the pre-label was shown.
        said: Key of each question about the item, and what was said to it.
        seq: The newest annotation seen, live or not; 0 for none.
    """

    item: Longs
    person: Longs
    shown: NDArray[np.bool_]
    said: dict[str, Column]
    seq: int

    def __len__(self) -> int:
        """Return the number of votes."""
        return len(self.item)


class Codes:
    """Names of a question's classes, under any name they ever had, to numbers."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._known: dict[str | None, int] = {name: i for i, name in enumerate(question.names)}
        self._known[None] = NOTHING

    def of(self, name: str | None) -> int:
        """Return the number of a class; -1 for none and for one the question does not have."""
        found = self._known.get(name)
        if found is None:
            today = self._known.get(self._question.today(str(name)), NOTHING)
            found = self._known[name] = today
        return found

    def of_all(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of several classes, ascending."""
        return tuple(sorted({self.of(n) for n in names} - {NOTHING}))


def read_votes(connection: Connection, project: ProjectView) -> VoteColumns:
    """Return the live votes of a project, in today's names."""
    log, plain = annotation_log.c, _plain(project)
    columns = (log.seq, log.item_id, log.person_id, log.kind, log.prelabel_shown)
    query = select(*columns, log.label if plain else log.answer).where(log.project_id == project.id)
    codes = Codes(project.schema.main)
    numbers, told = [np.zeros((0, 5), dtype=np.int64)], [np.zeros(0, dtype=object)]
    for part in connection.execute(query.order_by(log.seq)).partitions(FETCH):
        rows = [(r[0], r[1], r[2], r[3] == "vote", bool(r[4])) for r in part]
        numbers.append(np.array(rows, dtype=np.int64))
        told.append(np.array([codes.of(r[5]) if plain else r[5] for r in part], dtype=object))
    found = np.concatenate(numbers)
    live = _live(found)
    _, item, person, _, shown = found[live].T
    said = _said(project, np.concatenate(told)[live])
    newest = int(found[:, 0].max(initial=0))
    return VoteColumns(item, person, shown.astype(np.bool_), said, newest)


def _plain(project: ProjectView) -> bool:
    """Return whether the label alone tells all that was answered."""
    asked = project.schema.item_questions
    return len(asked) == 1 and asked[0] is project.schema.main and not asked[0].several


def _live(found: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the rows of live votes by item and person: each person's last word, if it is a vote."""
    order = np.lexsort((found[:, 2], found[:, 1]))  # stable, so the last of a pair is the newest
    pairs = found[order, 1:3]
    last = np.append((pairs[1:] != pairs[:-1]).any(axis=1), True)[: len(order)]
    rows = order[last]
    return np.asarray(rows[found[rows, 3] == 1])


def _said(project: ProjectView, told: NDArray[np.object_]) -> dict[str, Column]:
    if _plain(project):
        return {project.schema.main.key: Column(told.astype(np.int32), [])}
    docs = [json.loads(text) for text in told]
    return {q.key: _column(q, docs) for q in project.schema.item_questions}


def _column(question: Question, docs: Sequence[dict[str, Any]]) -> Column:
    codes = Codes(question)
    if question.several:
        named = [d.get("multi", {}).get(question.key) for d in docs]
        return Column(
            np.zeros(0, np.int32), [None if n is None else codes.of_all(n) for n in named]
        )
    told = [codes.of(d.get("choices", {}).get(question.key)) for d in docs]
    return Column(np.array(told, dtype=np.int32), [])


def read_gold(connection: Connection, project: ProjectView) -> dict[int, dict[str, Any]]:
    """Return the known answers by item, newest last; those of evaluate items stay unread.

    What is learnt of people must not come from the items that later judge the model.
    """
    query = (
        select(gold_answers.c.item_id, gold_answers.c.answer)
        .join(items, items.c.id == gold_answers.c.item_id)
        .where(gold_answers.c.project_id == project.id, items.c.use != "evaluate")
        .order_by(gold_answers.c.seq)
    )
    return {r.item_id: json.loads(r.answer) for r in connection.execute(query)}


def read_word(connection: Connection, project: ProjectView, tasks: Longs) -> NDArray[np.float32]:
    """Return what the model in force says of the first question: shape (tasks, classes), nan for nothing.

    Probability it gave to no class it named is spread over the others.

    Args:
        connection: A snapshot.
        project: Where.
        tasks: Numbers of items, ascending.
    """
    codes, k = Codes(project.schema.main), len(project.schema.main.names)
    out = np.full((len(tasks), k), np.nan, dtype=np.float32)
    said = predictions.c
    query = (
        select(said.item_id, said.label, said.confidence, said.top)
        .where(said.project_id == project.id)
        .order_by(said.seq)
    )
    for part in connection.execute(query).partitions(FETCH):
        places = np.searchsorted(tasks, [r.item_id for r in part])
        for place, row in zip(places.tolist(), part, strict=True):
            if place < len(tasks) and tasks[place] == row.item_id:
                out[place] = _word(row, codes, k)
    return out


def _word(row: Any, codes: Codes, k: int) -> NDArray[np.float32]:
    top = json.loads(row.top) if row.top else []
    if not top and row.label is not None and row.confidence is not None:
        top = [(row.label, row.confidence)]
    found = np.zeros(k, dtype=np.float32)
    named = [(codes.of(name), float(p)) for name, p in top]
    for code, p in named:
        if code >= 0 and np.isfinite(p):
            found[code] += max(p, 0.0)
    if found.sum() <= 0:
        return np.full(k, np.nan, dtype=np.float32)
    silent = found == 0
    if silent.any():
        found[silent] = max(1.0 - float(found.sum()), _LEAST) / int(silent.sum())
    return np.asarray(found / found.sum(), dtype=np.float32)
