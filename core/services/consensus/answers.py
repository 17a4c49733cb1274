"""What people answered, read from the record for a selection of votes the replica names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from core.analytics.asked import Filters
from core.analytics.replica import Replica
from core.analytics.selected import VoteRows, vote_rows
from core.labels import Answer, Region
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import annotation_log

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of people on items with two votes or more, ordered by item and person.

    Attributes:
        item_id: Of each answer.
        person_id: Of each answer.
        said: The answers, in today's names.
        votes: Votes selected, also those alone on their item.
        people: Who gave them.
        sampled: Whether only a fixed random sample of the items was read.
    """

    item_id: NDArray[np.int64]
    person_id: NDArray[np.int64]
    said: tuple[Answer, ...]
    votes: int
    people: int
    sampled: bool

    def by_item(self) -> list[list[Answer]]:
        """Return the answers of each item."""
        starts = np.flatnonzero(np.diff(self.item_id, prepend=-1))
        return [list(self.said[a:b]) for a, b in pairwise([*starts, len(self.said)])]

    def drawn(self) -> list[list[tuple[int, tuple[Region, ...]]]]:
        """Return of each item who drew what."""
        starts = np.flatnonzero(np.diff(self.item_id, prepend=-1))
        people = self.person_id.tolist()
        return [
            [(people[i], self.said[i].regions) for i in range(a, b)]
            for a, b in pairwise([*starts.tolist(), len(self.said)])
        ]


def read_answers(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    filters: Filters,
    most_items: int,
    by_newest: bool = False,
) -> Answers:
    """Return the answers under a filter; of more items than so many, a fixed random sample.

    Args:
        ws: The workspace.
        replica: Caught up.
        project: The project.
        filters: Which votes.
        most_items: Items that are read at most.
        by_newest: Whether the filter's times are those of an item's newest vote, all of whose votes count.

    Raises:
        NotFound: A name in the filter is nobody's.
        LimitExceeded: It took too long.
    """
    rows = vote_rows(replica, project.id, filters)
    if by_newest:
        always = replace(filters, since=None, until=None)
        rows = _of_items(vote_rows(replica, project.id, always), rows.seq)
    found, counts = np.unique(rows.item_id, return_counts=True)
    shared = found[counts >= 2]
    chosen = shared
    if len(shared) > most_items:
        chosen = np.array(sorted(shared.tolist(), key=_draw)[:most_items], dtype=np.int64)
    kept = np.isin(rows.item_id, chosen)
    texts = _texts(ws, rows.seq[kept])
    said = tuple(
        project.schema.translate(Answer.from_json(texts[seq])) for seq in rows.seq[kept].tolist()
    )
    return Answers(
        rows.item_id[kept],
        rows.person_id[kept],
        said,
        len(rows.seq),
        len(np.unique(rows.person_id)),
        len(chosen) < len(shared),
    )


def _of_items(rows: VoteRows, newest: NDArray[np.int64]) -> VoteRows:
    """Return all votes on the items whose newest vote is one of some."""
    items, first = np.unique(rows.item_id, return_index=True)
    last = np.maximum.reduceat(rows.seq, first) if len(items) else rows.seq
    kept = np.isin(rows.item_id, items[np.isin(last, newest)])
    return VoteRows(rows.item_id[kept], rows.person_id[kept], rows.seq[kept])


def _texts(ws: Workspace, seqs: NDArray[np.int64]) -> dict[int, str]:
    found: dict[int, str] = {}
    wanted = seqs.tolist()
    with ws.store.read() as connection:
        for start in range(0, len(wanted), CHUNK):
            query = select(annotation_log.c.seq, annotation_log.c.answer).where(
                annotation_log.c.seq.in_(wanted[start : start + CHUNK])
            )
            found.update((row.seq, row.answer) for row in connection.execute(query))
    return found


def _draw(item_id: int) -> bytes:
    return hashlib.sha256(f"agreement:{item_id}".encode()).digest()
