"""How many items a person voted on today, without reading a long day's votes at every claim."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, Row, Table, select

from core.access import Actor
from core.services.projects.project import ProjectView
from core.services.visibility.probes import may_be_probed
from core.store.store import Store
from core.store.tables import annotation_log, probe_votes

DAY_SECONDS = 86_400
MOST_KEPT = 2_000


@dataclass(slots=True)
class _Day:
    """What was read so far of one person's day in one project."""

    since: float
    seq: int = 0
    probe_seq: int = 0
    items: set[int] = field(default_factory=set)


_days: weakref.WeakKeyDictionary[Store, dict[tuple[int, int], _Day]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def done_today(
    store: Store, connection: Connection, project: ProjectView, actor: Actor, now: float
) -> int:
    """Return how many items a person answered since midnight UTC, planted ones among them.

    Rows are numbered in the order of their commits, so what was read before is only added to.
    """
    since, key = now - now % DAY_SECONDS, (project.id, actor.person_id)
    with _lock:
        days = _days.setdefault(store, {})
        day = days.get(key)
        if day is None or day.since != since:
            if len(days) >= MOST_KEPT:
                days.clear()
            day = days[key] = _Day(since)
        seen, seen_probe = day.seq, day.probe_seq
    votes = _since(connection, annotation_log, annotation_log.c.kind, key, seen, since)
    probes: Sequence[Row] = ()
    if may_be_probed(actor, project.id):
        probes = _since(connection, probe_votes, probe_votes.c.word, key, seen_probe, since)
    with _lock:
        day.items.update(r.item_id for r in (*votes, *probes) if r.what == "vote")
        day.seq = max(day.seq, votes[-1].seq) if votes else day.seq
        day.probe_seq = max(day.probe_seq, probes[-1].seq) if probes else day.probe_seq
        return len(day.items)


def _since(
    connection: Connection,
    table: Table,
    what: Column[str],
    key: tuple[int, int],
    seq: int,
    since: float,
) -> Sequence[Row]:
    return connection.execute(
        select(table.c.seq, table.c.item_id, what.label("what"))
        .where(
            table.c.project_id == key[0],
            table.c.person_id == key[1],
            table.c.seq > seq,
            table.c.at >= since,
        )
        .order_by(table.c.seq)
    ).all()
