"""Leases on gold and repeats: they are in a person's hand like any item and take no place of it.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from core.queue.sql import run, run_many

_HELD = """
SELECT l.item_id FROM probe_leases l JOIN item_state s ON s.item_id = l.item_id
WHERE l.person_id = :person AND l.expires_at > :now AND l.project_id = :project
  AND (:queue = '' OR l.queue = :queue)
ORDER BY COALESCE(l.boost, s.boost) DESC, COALESCE(l.priority, s.priority), l.item_id
"""

# A planted item keeps the place it was lent: its own would move it at the next reload.
_ALL_HELD = """
SELECT h.item_id FROM (
  SELECT l.item_id, s.boost, s.priority
  FROM leases l JOIN item_state s ON s.item_id = l.item_id
  WHERE l.person_id = :person AND l.expires_at > :now AND l.project_id = :project
  UNION ALL
  SELECT p.item_id, COALESCE(p.boost, s.boost) AS boost, COALESCE(p.priority, s.priority) AS priority
  FROM probe_leases p JOIN item_state s ON s.item_id = p.item_id
  WHERE p.person_id = :person AND p.expires_at > :now AND p.project_id = :project
    AND NOT EXISTS (
      SELECT 1 FROM leases l
      WHERE l.item_id = p.item_id AND l.person_id = :person AND l.expires_at > :now
    )
) h
ORDER BY h.boost DESC, h.priority, h.item_id
"""

_HOLD = """
INSERT INTO probe_leases (item_id, person_id, project_id, kind, purpose, since, expires_at)
VALUES (:item, :person, :project, :kind, :purpose, :now, :until)
ON CONFLICT (item_id, person_id) DO UPDATE
SET since = excluded.since, expires_at = excluded.expires_at
"""

_LEND = """
UPDATE probe_leases
SET boost = :boost, priority = :priority, guise = :guise, queue = :queue
WHERE item_id = :item AND person_id = :person
"""

_LENT = """
SELECT item_id, boost, priority, guise FROM probe_leases
WHERE person_id = :person AND expires_at > :now AND project_id = :project
  AND priority IS NOT NULL
ORDER BY boost DESC, priority, item_id
"""

_RENEW = """
UPDATE probe_leases SET expires_at = CASE WHEN expires_at > :until THEN expires_at ELSE :until END
WHERE person_id = :person AND expires_at > :now AND item_id IN (:ids)
"""

_RENEW_ALL = """
UPDATE probe_leases SET expires_at = CASE WHEN expires_at > :until THEN expires_at ELSE :until END
WHERE person_id = :person AND expires_at > :now AND project_id = :project
"""

_RELEASE = "DELETE FROM probe_leases WHERE person_id = :person AND item_id IN (:ids)"


_LAPSE = """
UPDATE probe_leases SET expires_at = :now
WHERE person_id = :person AND expires_at > :now AND item_id IN (:ids)
"""


def held_probes(
    connection: Connection, project_id: int, person_id: int, now: float, queue: str = ""
) -> list[int]:
    """Return the gold and repeats a person holds, in queue order; of one queue where it is named."""
    asked = {"project": project_id, "person": person_id, "now": now, "queue": queue}
    return list(run(connection, _HELD, asked).scalars())


def all_held(connection: Connection, project_id: int, person_id: int, now: float) -> list[int]:
    """Return everything a person holds, planted or not, in queue order."""
    asked = {"project": project_id, "person": person_id, "now": now}
    return list(run(connection, _ALL_HELD, asked).scalars())


def hold_probes(
    connection: Connection,
    project_id: int,
    person_id: int,
    found: Sequence[tuple[int, str, str]],
    now: float,
    seconds: float,
) -> None:
    """Put items, each with its kind and purpose, in a person's hand; held before, they stay so."""
    rows = [
        {
            "item": item, "person": person_id, "project": project_id, "kind": kind,
            "purpose": purpose, "now": now, "until": now + seconds,
        }
        for item, kind, purpose in found
    ]  # fmt: skip
    if rows:
        run_many(connection, _HOLD, rows)


@dataclass(frozen=True, slots=True)
class Lent:
    """What a planted item in hand is lent, so that it fits the row it stands in.

    Attributes:
        boost, priority: Its place in the row.
        guise: JSON, the numbers shown of its pre-label; None for its own.
    """

    item_id: int
    boost: int
    priority: float
    guise: str | None


def lent_to(connection: Connection, project_id: int, person_id: int, now: float) -> list[Lent]:
    """Return what the planted items in a person's hand are lent; those lent nothing are left out."""
    asked = {"project": project_id, "person": person_id, "now": now}
    rows = run(connection, _LENT, asked).all()
    return [Lent(r.item_id, r.boost, r.priority, r.guise) for r in rows]


def lend(connection: Connection, person_id: int, lent: Sequence[Lent], queue: str = "") -> None:
    """Lend planted items in a person's hand a place and numbers, in a queue."""
    rows = [
        {
            "item": one.item_id, "person": person_id, "boost": one.boost,
            "priority": one.priority, "guise": one.guise, "queue": queue,
        }
        for one in lent
    ]  # fmt: skip
    if rows:
        run_many(connection, _LEND, rows)


def renew_probes(
    connection: Connection, person_id: int, item_ids: Sequence[int], now: float, seconds: float
) -> int:
    """Prolong those of the items that are live and planted, and return how many."""
    if not item_ids:
        return 0
    asked = {"person": person_id, "now": now, "until": now + seconds}
    return int(run(connection, _RENEW, asked, item_ids).rowcount)


def renew_all_probes(
    connection: Connection, project_id: int, person_id: int, now: float, seconds: float
) -> None:
    """Prolong every planted item a person holds in a project."""
    asked = {"person": person_id, "project": project_id, "now": now, "until": now + seconds}
    run(connection, _RENEW_ALL, asked)


def lapse_probes(
    connection: Connection, person_id: int, item_ids: Sequence[int], now: float
) -> None:
    """Let planted items go that a person gave back; that they were planted for them stays known.

    Otherwise who gives everything back and opens it again would see which items are settled.
    """
    if item_ids:
        run(connection, _LAPSE, {"person": person_id, "now": now}, item_ids)


def release_probes(connection: Connection, person_id: int, item_ids: Sequence[int]) -> None:
    """Take planted items out of a person's hand."""
    if item_ids:
        run(connection, _RELEASE, {"person": person_id}, item_ids)
