"""How many items wait for a person: exact while they are few, remembered for a while when many.

Counting a million places for each claim would cost more than the claim.
"""

from __future__ import annotations

import threading
import time
import weakref

from sqlalchemy import Connection, select, text

from core.queue.claim import free
from core.queue.filters import QueueFilter
from core.queue.sql import run
from core.store.store import Store
from core.store.tables import item_state

EXACT_BELOW = 500
REMEMBER_SECONDS = 5.0
MOST_COUNTED = 5_000
"""With a filter no more are counted than this."""

MOST_REMEMBERED = 10_000

_READY = """
SELECT COUNT(*) FROM item_state s WHERE s.project_id = :project AND s.ready = 1
"""

# Ready items that are not for this person: answered, ruled on or held by them.
_NOT_MINE = f"""
SELECT COUNT(*) FROM item_state s
WHERE s.ready > 0 AND s.project_id = :project AND s.item_id IN (
  SELECT a.item_id FROM annotations a WHERE a.person_id = :person AND a.project_id = :project
  UNION SELECT d.item_id FROM decisions d WHERE d.person_id = :person AND d.project_id = :project
  UNION SELECT l.item_id FROM leases l WHERE l.person_id = :person AND l.expires_at > :now
) AND NOT ({free("s")})
"""  # noqa: S608


class WaitingCounts:
    """What a process remembers of the counts of one store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[object, tuple[int, float]] = {}

    def count(
        self,
        connection: Connection,
        project_id: int,
        person_id: int,
        now: float,
        part: QueueFilter,
    ) -> int:
        """Return how many items of a part of the queue have a free place for a person.

        Exact below 500; above, at most a few seconds old, and with a filter at most 5,000.
        """
        key = (project_id, person_id, part)
        kept = self._recall(key)
        if kept is not None:
            return kept
        few = waiting(connection, project_id, person_id, now, part, EXACT_BELOW)
        if few < EXACT_BELOW:
            return few
        if part:
            found = waiting(connection, project_id, person_id, now, part, MOST_COUNTED)
        else:
            asked = {"project": project_id, "person": person_id, "now": now}
            total = self._total(connection, project_id)
            found = total - int(run(connection, _NOT_MINE, asked).scalar_one())
        found = max(found, EXACT_BELOW)
        self._keep(key, found)
        return found

    def took(self, project_id: int, person_id: int, part: QueueFilter, count: int) -> None:
        """Take off what was just claimed from the count that is remembered."""
        key = (project_id, person_id, part)
        with self._lock:
            if key in self._kept:
                value, until = self._kept[key]
                self._kept[key] = (max(value - count, 0), until)

    def _total(self, connection: Connection, project_id: int) -> int:
        kept = self._recall(project_id)
        if kept is None:
            kept = int(run(connection, _READY, {"project": project_id}).scalar_one())
            self._keep(project_id, kept)
        return kept

    def _recall(self, key: object) -> int | None:
        with self._lock:
            value, until = self._kept.get(key, (0, 0.0))
        # Fewer than are counted exactly: the truth is cheap again.
        return value if time.monotonic() < until and value >= EXACT_BELOW else None

    def _keep(self, key: object, value: int) -> None:
        with self._lock:
            if len(self._kept) >= MOST_REMEMBERED:
                self._kept.clear()
            self._kept[key] = (value, time.monotonic() + REMEMBER_SECONDS)


def waiting(
    connection: Connection,
    project_id: int,
    person_id: int,
    now: float,
    part: QueueFilter | None = None,
    most: int | None = None,
) -> int:
    """Return how many items have a free place for this person, counting no further than `most`."""
    exact = text(free("item_state")).bindparams(person=person_id, now=now)
    conditions = (part or QueueFilter()).conditions(connection.dialect.name)
    found = 0
    # Two readings, each with an index of its own: the ready, and the full whose end has come.
    for hint in ("item_state.ready = 1", "item_state.ready = 0 AND item_state.frees_at <= :now"):
        where = text(hint).bindparams(now=now) if ":now" in hint else text(hint)
        query = select(item_state.c.item_id).where(
            item_state.c.project_id == project_id, where, *conditions, exact
        )
        if most is not None:
            query = query.limit(most - found)
        found += connection.execute(
            select(text("COUNT(*)")).select_from(query.subquery())
        ).scalar_one()
        if most is not None and found >= most:
            break
    return found


_counts: weakref.WeakKeyDictionary[Store, WaitingCounts] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def waiting_counts(store: Store) -> WaitingCounts:
    """Return what this process remembers of a store's counts."""
    with _making:
        found = _counts.get(store)
        if found is None:
            found = _counts[store] = WaitingCounts()
        return found
