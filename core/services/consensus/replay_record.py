"""A project's votes as the arrays a replay walks through: read once, from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, Table, func, select

from core.consensus.replay import ABSENT, NO_LABEL, Record
from core.consensus.replay_rules import CODE
from core.consensus.settle import DecisionKind
from core.labels.state import ItemState
from core.services.projects.project import ProjectView
from core.store.tables import (
    annotation_log,
    decisions,
    gold_answers,
    imported_labels,
    item_state,
    items,
)

FETCH = 500  # below the 700 new objects that wake Python's garbage collector: a third of the time
TOLD = 20_000  # rows between two words about how far it is
_KINDS = {"vote": 0, "flag": 1}
_DECIDED = {
    DecisionKind.DECIDE: CODE[ItemState.ADJUDICATED],
    DecisionKind.DISCARD: CODE[ItemState.DISCARDED],
    DecisionKind.NEUTRAL: CODE[ItemState.NEUTRAL],
}

Told = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much; may raise to stop the work."""


@dataclass(frozen=True, eq=False)
class Items:
    """The items of a project.

    Attributes:
        ids: Their numbers, ascending.
        unsettled: Whether each is open or in dispute, as the record says now.
        evaluate: Whether each was drawn for evaluation.
    """

    ids: NDArray[np.int64]
    unsettled: NDArray[np.bool_]
    evaluate: NDArray[np.bool_]

    def place(self, ids: Sequence[int]) -> NDArray[np.intp]:
        """Return where each of these items stands."""
        return np.searchsorted(self.ids, np.asarray(ids, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Read:
    """A project's record of a question with one answer.

    Attributes:
        items: Its items; a row each in `record`.
        record: Votes, decisions, flags and imported labels.
        classes: Name of each class number: the schema's, then what else was said.
        gold: Class known to be true of each item; -1 for none.
        people: Number of the person behind each worker.
        shown: Whether the pre-label was shown with each vote.
        seqs: Number of each vote in the record.
    """

    items: Items
    record: Record
    classes: tuple[str, ...]
    gold: NDArray[np.int32]
    people: NDArray[np.int64]
    shown: NDArray[np.bool_]
    seqs: NDArray[np.int64]


def in_arrays(project: ProjectView) -> bool:
    """Return whether a project's votes fit arrays: one question about the item, one answer to it."""
    asked = project.schema.item_questions
    return not project.schema.draws and len(asked) == 1 and not asked[0].several


def read_items(connection: Connection, project: ProjectView) -> Items:
    """Return the items of a project."""
    query = (
        select(items.c.id, items.c.use, item_state.c.state)
        .outerjoin(item_state, item_state.c.item_id == items.c.id)
        .where(items.c.project_id == project.id)
        .order_by(items.c.id)
    )
    rows = connection.execute(query).all()
    waiting = (None, ItemState.OPEN.value, ItemState.DISPUTE.value)
    return Items(
        np.array([r.id for r in rows], dtype=np.int64),
        np.array([r.state in waiting for r in rows], dtype=np.bool_),
        np.array([r.use == "evaluate" for r in rows], dtype=np.bool_),
    )


class _Names:
    """Class names as numbers, in today's names."""

    def __init__(self, project: ProjectView) -> None:
        self._question = project.schema.main
        self._code = {name: i for i, name in enumerate(self._question.names)}
        self._seen: dict[str | None, int] = {None: NO_LABEL}

    def code(self, name: str | None) -> int:
        """Return the number of a class under any name it ever had; -1 for none."""
        found = self._seen.get(name)
        if found is None:
            today = self._question.today(str(name))
            found = self._seen[name] = self._code.setdefault(today, len(self._code))
        return found

    @property
    def all(self) -> tuple[str, ...]:
        """Return the names by number."""
        return tuple(self._code)


def read_record(connection: Connection, project: ProjectView, told: Told) -> Read:
    """Return a project's votes and what else bears on its labels.

    Args:
        connection: A snapshot.
        project: One for which `in_arrays` holds.
        told: Hears how far reading is.
    """
    names, found = _Names(project), read_items(connection, project)
    said = _annotations(connection, project, names, told)
    ruled = _Ruled(connection, project, found, names)
    vote, flag = said.kind == _KINDS["vote"], said.kind == _KINDS["flag"]
    flagged = np.zeros(len(found.ids), dtype=np.bool_)
    marked = found.place(said.item[flag].tolist())
    flagged[marked[said.seq[flag] > ruled.seen[marked]]] = True
    imported = _latest_labels(connection, imported_labels, project, found, names, ABSENT)
    gold = _latest_labels(connection, gold_answers, project, found, names, NO_LABEL)
    people, worker = np.unique(said.person[vote], return_inverse=True)
    record = Record(
        task=found.place(said.item[vote].tolist()).astype(np.int32),
        worker=worker.astype(np.int32),
        label=said.label[vote],
        seconds=said.seconds[vote],
        tasks=len(found.ids),
        classes=len(names.all),
        choices=len(project.schema.main.names),
        decided=ruled.state,
        decided_label=ruled.label,
        sent_back=ruled.needs,
        extra=np.zeros(len(found.ids), dtype=np.int32),
        flagged=flagged,
        imported=imported,
    )
    return Read(found, record, names.all, gold, people, said.shown[vote], said.seq[vote])


@dataclass(frozen=True, eq=False)
class _Said:
    """The newest word of each person on each item, oldest first."""

    seq: NDArray[np.int64]
    item: NDArray[np.int64]
    person: NDArray[np.int64]
    kind: NDArray[np.int8]
    label: NDArray[np.int32]
    seconds: NDArray[np.float64]
    shown: NDArray[np.bool_]


def _annotations(connection: Connection, project: ProjectView, names: _Names, told: Told) -> _Said:
    log = annotation_log.c
    here = log.project_id == project.id
    total = int(
        connection.execute(
            select(func.count()).select_from(annotation_log).where(here)
        ).scalar_one()
    )
    said = _Said(
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.int8),
        np.zeros(total, dtype=np.int32),
        np.zeros(total),
        np.zeros(total, dtype=np.bool_),
    )
    columns = (log.seq, log.item_id, log.person_id, log.kind, log.label, log.active_seconds)
    query = select(*columns, log.prelabel_shown).where(here).order_by(log.seq)
    done = 0
    for part in connection.execute(query).partitions(FETCH):
        rows = slice(done, done + len(part))
        seq, item, person, kind, label, seconds, shown = zip(*part, strict=True)
        said.seq[rows], said.item[rows], said.person[rows] = seq, item, person
        said.kind[rows] = [_KINDS.get(k, 2) for k in kind]
        said.label[rows] = [names.code(name) for name in label]
        said.seconds[rows] = [np.nan if s is None else s for s in seconds]
        said.shown[rows] = shown
        done += len(part)
        if done % TOLD == 0 or done == total:
            told("reading votes", done, total)
    return _newest(said)


def _newest(said: _Said) -> _Said:
    """Return the last word of each person on each item, in the order they were said."""
    _, person = np.unique(said.person, return_inverse=True)
    pair = said.item * (int(person.max(initial=0)) + 1) + person
    order = np.argsort(pair, kind="stable")
    last = np.append(pair[order][1:] != pair[order][:-1], True)[: len(order)]
    rows = np.sort(order[last])
    return _Said(*(getattr(said, name)[rows] for name in _Said.__dataclass_fields__))


class _Ruled:
    """What leads decided, by the latest decision on each item."""

    def __init__(
        self, connection: Connection, project: ProjectView, found: Items, names: _Names
    ) -> None:
        size = len(found.ids)
        self.state = np.full(size, -1, dtype=np.int8)
        self.label = np.full(size, NO_LABEL, dtype=np.int32)
        self.needs = np.zeros(size, dtype=np.int32)
        self.seen = np.full(size, -1, dtype=np.int64)
        query = (
            select(decisions).where(decisions.c.project_id == project.id).order_by(decisions.c.seq)
        )
        for row in connection.execute(query):
            at = int(found.place([row.item_id])[0])
            kind = DecisionKind(row.kind)
            back = kind is DecisionKind.SEND_BACK
            self.state[at] = -1 if back else _DECIDED[kind]
            self.label[at] = names.code(row.label) if kind is DecisionKind.DECIDE else NO_LABEL
            self.needs[at] = row.votes_seen + max(1, row.extra_votes) if back else 0
            self.seen[at] = max(self.seen[at], row.annotation_seq)


def _latest_labels(
    connection: Connection,
    table: Table,
    project: ProjectView,
    found: Items,
    names: _Names,
    absent: int,
) -> NDArray[np.int32]:
    """Return the class of the latest row on each item; `absent` where there is none."""
    labels = np.full(len(found.ids), absent, dtype=np.int32)
    query: Select = (
        select(table.c.item_id, table.c.label)
        .where(table.c.project_id == project.id)
        .order_by(table.c.seq)
    )
    rows = connection.execute(query).all()
    if rows:
        labels[found.place([r.item_id for r in rows])] = [names.code(r.label) for r in rows]
    return labels
