"""Leases and free places: claiming items so that no place is given twice.

A place on an item is free while live votes + live leases < votes wanted. A lease's life is
computed from its expiry when it is read, so nothing has to clean up for an item to come free.
The truth is in `leases` and the votes; `ready` (see `core.queue.hints`) only keeps a claim from
looking at items that others hold. Every function runs inside the caller's transaction, which
must be exclusive where it writes.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from core.queue.hints import refresh, wake
from core.queue.sql import run, run_many
from core.store.tables import decisions, leases


def free(item: str) -> str:
    """Return the exact condition that an item has a place for :person at :now, not held by them.

    The newest revision of one's own answer counts; who ruled on an item has seen its votes; what
    was planted for a person never comes to them as an ordinary item.

    Args:
        item: Alias of `item_state` in the statement.
    """
    return f"""
      {item}.state = 'open'
      AND {item}.votes + (
        SELECT COUNT(*) FROM leases l WHERE l.item_id = {item}.item_id AND l.expires_at > :now
      ) < {item}.wanted
      AND COALESCE((
        SELECT a.kind FROM annotations a
        WHERE a.item_id = {item}.item_id AND a.person_id = :person
        ORDER BY a.revision DESC LIMIT 1
      ), 'withdraw') = 'withdraw'
      AND NOT EXISTS (
        SELECT 1 FROM decisions d WHERE d.item_id = {item}.item_id AND d.person_id = :person
      )
      AND NOT EXISTS (
        SELECT 1 FROM leases l
        WHERE l.item_id = {item}.item_id AND l.person_id = :person AND l.expires_at > :now
      )
      AND NOT EXISTS (
        SELECT 1 FROM probe_votes v WHERE v.item_id = {item}.item_id AND v.person_id = :person
      )
      AND NOT EXISTS (
        SELECT 1 FROM probe_leases v WHERE v.item_id = {item}.item_id AND v.person_id = :person
      )
    """  # noqa: S608 the alias is ours


# Of an item: whether one lease more fills it, and whether leases that ran out still lie on it.
_LOOK = """
SELECT s.item_id,
  s.votes + 1 + (
    SELECT COUNT(*) FROM leases l WHERE l.item_id = s.item_id AND l.expires_at > :now
  ) >= s.wanted AS fills,
  EXISTS (SELECT 1 FROM leases l WHERE l.item_id = s.item_id AND l.expires_at <= :now) AS stale
FROM item_state s
"""

_NEXT = f"""
{_LOOK}
WHERE s.project_id = :project AND s.ready = 1 AND {free("s")}
ORDER BY s.boost DESC, s.priority, s.item_id LIMIT :count
"""

_NEXT_BUT = f"""
{_LOOK}
WHERE s.project_id = :project AND s.ready = 1 AND s.item_id NOT IN (:ids) AND {free("s")}
ORDER BY s.boost DESC, s.priority, s.item_id LIMIT :count
"""

# The plus keeps SQLite from reading the whole project by an index that begins with it.
_THESE = f"""
{_LOOK}
WHERE s.item_id IN (:ids) AND +s.project_id = :project AND {free("s")}
"""

_HELD = """
SELECT l.item_id FROM leases l JOIN item_state s ON s.item_id = l.item_id
WHERE l.person_id = :person AND l.expires_at > :now AND l.project_id = :project
ORDER BY s.boost DESC, s.priority, l.item_id
"""

_HOLD = """
INSERT INTO leases (item_id, person_id, project_id, since, expires_at, queue)
VALUES (:item, :person, :project, :now, :until, :queue)
ON CONFLICT (item_id, person_id) DO UPDATE
SET since = excluded.since, expires_at = excluded.expires_at, queue = excluded.queue
"""

# Never sooner than before, though the clock was set back: hints count on the old end.
_RENEW_ALL = """
UPDATE leases SET expires_at = CASE WHEN expires_at > :until THEN expires_at ELSE :until END
WHERE person_id = :person AND expires_at > :now AND project_id = :project
"""

_RENEW = """
UPDATE leases SET expires_at = CASE WHEN expires_at > :until THEN expires_at ELSE :until END
WHERE item_id IN (:ids) AND person_id = :person AND expires_at > :now
"""

# Leases that ran out go too: with the clock set back they would live again on places given away.
_RELEASE = """
DELETE FROM leases WHERE item_id IN (:ids) AND (person_id = :person OR expires_at <= :now)
"""

_BURY = "DELETE FROM leases WHERE item_id IN (:ids) AND expires_at <= :now"

_TRIM = """
DELETE FROM leases WHERE (item_id, person_id) IN (
  SELECT t.item_id, t.person_id FROM (
    SELECT l.item_id, l.person_id, s.wanted - s.votes AS places,
      ROW_NUMBER() OVER (PARTITION BY l.item_id ORDER BY l.since, l.person_id) AS place
    FROM leases l JOIN item_state s ON s.item_id = l.item_id
    WHERE l.item_id IN (:ids) AND l.expires_at > :now AND s.state = 'open'
  ) t WHERE t.place > t.places
)
"""

_VOTABLE = """
SELECT s.item_id FROM item_state s
WHERE s.item_id IN (:ids) AND (
  EXISTS (
    SELECT 1 FROM leases l
    WHERE l.item_id = s.item_id AND l.person_id = :person AND l.expires_at > :now
  )
  OR s.state = 'open' AND s.votes + (
    SELECT COUNT(*) FROM leases l WHERE l.item_id = s.item_id AND l.expires_at > :now
  ) < s.wanted
)
"""


def held_leases(connection: Connection, project_id: int, person_id: int, now: float) -> list[int]:
    """Return the items a person holds, in queue order."""
    asked = {"project": project_id, "person": person_id, "now": now}
    return list(run(connection, _HELD, asked).scalars())


def claim(
    connection: Connection,
    project_id: int,
    person_id: int,
    count: int,
    now: float,
    lease_seconds: float,
    only: Sequence[int] | None = None,
    queue: str = "",
    but: Sequence[int] = (),
) -> list[int]:
    """Lease up to `count` items with a free place to a person and return them in queue order.

    Args:
        connection: In an exclusive transaction.
        project_id: Where.
        person_id: For whom.
        count: At most so many.
        now: Seconds since the epoch.
        lease_seconds: How long they are held.
        only: Claim out of these items alone (at most a few hundred), in this order.
        queue: The queue beside the main one they are claimed in, kept on the lease.
        but: None of these (at most a few thousand).
    """
    if count <= 0:
        return []
    asked = {"project": project_id, "person": person_id, "now": now}
    if only is None:
        wake(connection, project_id, now)
        sql, left_out = (_NEXT_BUT, list(but)) if but else (_NEXT, None)
        found = run(connection, sql, {**asked, "count": count}, left_out).all()
    else:
        only = [i for i in only if i not in but] if but else only
        rows = run(connection, _THESE, asked, only).all() if only else []
        by_item = {row.item_id: row for row in rows}
        found = [by_item[i] for i in dict.fromkeys(only) if i in by_item][:count]
    taken = [int(row.item_id) for row in found]
    _bury(connection, [row.item_id for row in found if row.stale], now)
    _write(connection, project_id, person_id, taken, now, lease_seconds, queue)
    refresh(connection, [row.item_id for row in found if row.fills], now)
    return taken


def hold(
    connection: Connection,
    project_id: int,
    person_id: int,
    item_ids: Sequence[int],
    now: float,
    lease_seconds: float,
    queue: str = "",
) -> None:
    """Write leases; the caller has checked that the places are free."""
    _bury(connection, item_ids, now)
    _write(connection, project_id, person_id, item_ids, now, lease_seconds, queue)
    refresh(connection, item_ids, now)


def _bury(connection: Connection, item_ids: Sequence[int], now: float) -> None:
    """Remove leases that ran out: with the clock set back they would live again."""
    if item_ids:
        run(connection, _BURY, {"now": now}, item_ids)


def _write(
    connection: Connection,
    project_id: int,
    person_id: int,
    item_ids: Sequence[int],
    now: float,
    lease_seconds: float,
    queue: str,
) -> None:
    if not item_ids:
        return
    shared = {
        "person": person_id,
        "project": project_id,
        "now": now,
        "until": now + lease_seconds,
        "queue": queue,
    }
    run_many(connection, _HOLD, [{"item": i, **shared} for i in item_ids])


def renew(
    connection: Connection,
    person_id: int,
    item_ids: Sequence[int],
    now: float,
    lease_seconds: float,
) -> int:
    """Prolong leases that are still live and return how many; an expired one must be claimed anew.

    The items' hints stay: they are looked at again when the old end comes, and found full.
    """
    if not item_ids:
        return 0
    asked = {"person": person_id, "now": now, "until": now + lease_seconds}
    return int(run(connection, _RENEW, asked, item_ids).rowcount)


def renew_all(
    connection: Connection, project_id: int, person_id: int, now: float, lease_seconds: float
) -> None:
    """Prolong every live lease of a person in a project."""
    asked = {"person": person_id, "project": project_id, "now": now, "until": now + lease_seconds}
    run(connection, _RENEW_ALL, asked)


def release(connection: Connection, person_id: int, item_ids: Sequence[int], now: float) -> None:
    """Give items back."""
    if item_ids:
        run(connection, _RELEASE, {"person": person_id, "now": now}, item_ids)
        refresh(connection, item_ids, now)


def trim(connection: Connection, item_ids: Sequence[int], now: float) -> None:
    """Take back the newest leases of open items that have fewer places than they had."""
    if item_ids:
        run(connection, _TRIM, {"now": now}, item_ids)


def votable(
    connection: Connection, item_ids: Sequence[int], person_id: int, now: float
) -> set[int]:
    """Return those of the items this person may vote on: own live lease, or a place nobody holds."""
    if not item_ids:
        return set()
    return set(run(connection, _VOTABLE, {"person": person_id, "now": now}, item_ids).scalars())


def has_free_place(connection: Connection, item_id: int, person_id: int, now: float) -> bool:
    """Return whether this person may vote on the item: own live lease, or a place nobody holds."""
    return item_id in votable(connection, [item_id], person_id, now)


def has_ruled(connection: Connection, item_id: int, person_id: int) -> bool:
    """Return whether this person ruled on the item as a lead, and so has seen its votes."""
    return (
        connection.execute(
            select(decisions.c.seq)
            .where(decisions.c.item_id == item_id, decisions.c.person_id == person_id)
            .limit(1)
        ).first()
        is not None
    )


def lease_queue(connection: Connection, item_id: int, person_id: int, now: float) -> str:
    """Return the queue in which a person holds an item; empty for the main one and for no lease."""
    found = connection.execute(
        select(func.coalesce(leases.c.queue, "")).where(
            leases.c.item_id == item_id, leases.c.person_id == person_id, leases.c.expires_at > now
        )
    ).scalar()
    return str(found or "")
