"""How many items wait for a person: exact while they are few, remembered for a while when many.

Counting a million places for each claim would cost more than the claim.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, TextClause, func, select, text

from core.queue.barred import Barred
from core.queue.choose import of_part
from core.queue.claim import free
from core.queue.filters import QueueFilter
from core.queue.plan import Order
from core.store.store import Store
from core.store.tables import item_state

EXACT_BELOW = 500
REMEMBER_SECONDS = 5.0
MOST_COUNTED = 5_000
"""With a filter no more are counted than this; what a policy keeps from a person is no filter."""
TIMES_AS_LONG = 20
"""What takes long to count is remembered so many times as long."""

MOST_REMEMBERED = 10_000

# Ready items that are not for this person: answered, ruled on or held by them.
_NOT_MINE = f"""
item_state.ready > 0 AND +item_state.project_id = :project AND item_state.item_id IN (
  SELECT a.item_id FROM annotations a WHERE a.person_id = :person AND a.project_id = :project
  UNION SELECT d.item_id FROM decisions d WHERE d.person_id = :person AND d.project_id = :project
  UNION SELECT l.item_id FROM leases l WHERE l.person_id = :person AND l.expires_at > :now
  UNION SELECT v.item_id FROM probe_votes v
    WHERE v.person_id = :person AND v.project_id = :project
  UNION SELECT v.item_id FROM probe_leases v WHERE v.person_id = :person
) AND NOT ({free("item_state")})
"""  # noqa: S608


class WaitingCounts:
    """What a process remembers of the counts of one store."""

    def __init__(self) -> None:
        self._lock, self._counting = threading.Lock(), threading.Lock()
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

        Exact below 500; above, at most a few seconds old, and of a class, a slice, a list or a queue
        of its own at most 5,000.
        """
        key = (project_id, person_id, part)
        kept = self._recall(key)
        if kept is not None:
            return kept
        if not (self._was_many(key) or (not part and self._was_many(project_id))):
            few = waiting(connection, project_id, person_id, now, part, EXACT_BELOW)
            if few < EXACT_BELOW:
                return few
        if part != QueueFilter(barred=part.barred):
            found = waiting(connection, project_id, person_id, now, part, MOST_COUNTED)
        else:
            allowed = part.barred.conditions(connection.dialect.name)
            total = self._total(connection, project_id, part.barred, allowed)
            mine = text(_NOT_MINE).bindparams(project=project_id, person=person_id, now=now)
            found = max(total - _counted(connection, mine, *allowed), 0)
        self._keep(key, found)
        return found

    def took(self, project_id: int, person_id: int, part: QueueFilter, count: int) -> None:
        """Take off what was just claimed from the count that is remembered."""
        key = (project_id, person_id, part)
        with self._lock:
            if key in self._kept:
                value, until = self._kept[key]
                self._kept[key] = (max(value - count, 0), until)

    def _total(
        self,
        connection: Connection,
        project_id: int,
        barred: Barred,
        allowed: Sequence[ColumnElement[bool]],
    ) -> int:
        """Return how many items are ready for everybody from whom the same is kept."""
        key = (project_id, barred) if barred else project_id
        # One thread counts; the others wait for it and do not count again.
        with self._counting:
            kept = self._recall(key)
            if kept is None:
                started = time.monotonic()
                ready = (item_state.c.project_id == project_id, text("item_state.ready = 1"))
                kept = _counted(connection, *ready, *allowed)
                took = time.monotonic() - started
                self._keep(key, kept, max(REMEMBER_SECONDS, TIMES_AS_LONG * took))
        return kept

    def _recall(self, key: object) -> int | None:
        with self._lock:
            value, until = self._kept.get(key, (0, 0.0))
        # Fewer than are counted exactly: the truth is cheap again.
        return value if time.monotonic() < until and value >= EXACT_BELOW else None

    def _was_many(self, key: object) -> bool:
        with self._lock:
            return self._kept.get(key, (0, 0.0))[0] >= 2 * EXACT_BELOW

    def _keep(self, key: object, value: int, seconds: float = REMEMBER_SECONDS) -> None:
        with self._lock:
            if len(self._kept) >= MOST_REMEMBERED:
                self._kept.clear()
            self._kept[key] = (value, time.monotonic() + seconds)


def _counted(connection: Connection, *where: ColumnElement[bool] | TextClause) -> int:
    query = select(func.count()).select_from(item_state).where(*where)
    return int(connection.execute(query).scalar_one())


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
    within = of_part(connection, project_id, part or QueueFilter(), Order.LEAST_CONFIDENT)
    state, found = item_state.c, 0
    # Two readings, each with an index of its own that the order leads to: the ready items, and
    # the full ones whose end has come.
    ended = text("item_state.ready = 0 AND item_state.frees_at <= :now").bindparams(now=now)
    for where, order in (
        (text("item_state.ready = 1"), (state.boost.desc(), state.priority, state.item_id)),
        (ended, (state.frees_at,)),
    ):
        query = select(state.item_id).where(*within, where, exact)
        if most is not None:
            query = query.order_by(*order).limit(most - found)
        counted = select(text("COUNT(*)")).select_from(query.subquery())
        found += int(connection.execute(counted).scalar_one())
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
