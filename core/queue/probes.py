"""Leases on gold and repeats: they are in a person's hand like any item and take no place of it.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from core.queue.sql import run, run_many

_HELD = """
SELECT l.item_id FROM probe_leases l JOIN item_state s ON s.item_id = l.item_id
WHERE l.person_id = :person AND l.expires_at > :now AND l.project_id = :project
ORDER BY s.boost DESC, s.priority, l.item_id
"""

_ALL_HELD = """
SELECT h.item_id FROM (
  SELECT item_id FROM leases
  WHERE person_id = :person AND expires_at > :now AND project_id = :project
  UNION
  SELECT item_id FROM probe_leases
  WHERE person_id = :person AND expires_at > :now AND project_id = :project
) h JOIN item_state s ON s.item_id = h.item_id
ORDER BY s.boost DESC, s.priority, h.item_id
"""

_HOLD = """
INSERT INTO probe_leases (item_id, person_id, project_id, kind, purpose, since, expires_at)
VALUES (:item, :person, :project, :kind, :purpose, :now, :until)
ON CONFLICT (item_id, person_id) DO UPDATE
SET since = excluded.since, expires_at = excluded.expires_at
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


def held_probes(connection: Connection, project_id: int, person_id: int, now: float) -> list[int]:
    """Return the gold and repeats a person holds, in queue order."""
    asked = {"project": project_id, "person": person_id, "now": now}
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
