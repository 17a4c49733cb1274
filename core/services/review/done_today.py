"""How many items a person voted on today, without reading a long day's votes at every claim."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from core.store.store import Store
from core.store.tables import annotation_log

DAY_SECONDS = 86_400
MOST_KEPT = 2_000


@dataclass(slots=True)
class _Day:
    """What was read so far of one person's day in one project."""

    since: float
    seq: int = 0
    items: set[int] = field(default_factory=set)


_days: weakref.WeakKeyDictionary[Store, dict[tuple[int, int], _Day]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def done_today(
    store: Store, connection: Connection, project_id: int, person_id: int, now: float
) -> int:
    """Return how many items a person voted on since midnight UTC.

    Rows are numbered in the order of their commits, so what was read before is only added to.
    """
    since, key = now - now % DAY_SECONDS, (project_id, person_id)
    with _lock:
        days = _days.setdefault(store, {})
        day = days.get(key)
        if day is None or day.since != since:
            if len(days) >= MOST_KEPT:
                days.clear()
            day = days[key] = _Day(since)
        seen = day.seq
    rows = connection.execute(
        select(annotation_log.c.seq, annotation_log.c.item_id, annotation_log.c.kind)
        .where(
            annotation_log.c.project_id == project_id,
            annotation_log.c.person_id == person_id,
            annotation_log.c.seq > seen,
            annotation_log.c.at >= since,
        )
        .order_by(annotation_log.c.seq)
    ).all()
    with _lock:
        day.items.update(r.item_id for r in rows if r.kind == "vote")
        day.seq = max(day.seq, rows[-1].seq) if rows else day.seq
        return len(day.items)
