"""The derived columns a claim reads: which items are ready, and when a full one comes free.

`ready` may be 1 for an item that has no place (the claim looks again) but is never 0 while one
is free, unless `frees_at` has passed; `wake` then looks again. Both are written in the
transaction that changes leases, votes or the votes wanted. Nothing here needs a clock that only
moves forward: a clock set back lets leases live longer and wakes nothing early.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from core.queue.sql import run

WAKE_SECONDS = 0.05

_PRIME = 2_147_483_647

_looked: weakref.WeakKeyDictionary[Engine, dict[int, float]] = weakref.WeakKeyDictionary()

# Placed after a WHERE on items; the lease counts are exact at :now.
REFRESH = """
UPDATE item_state SET
  ready = CASE WHEN state = 'open' AND votes + (
      SELECT COUNT(*) FROM leases l WHERE l.item_id = item_state.item_id AND l.expires_at > :now
    ) < wanted THEN 1 ELSE 0 END,
  frees_at = CASE WHEN state = 'open' AND votes < wanted AND votes + (
      SELECT COUNT(*) FROM leases l WHERE l.item_id = item_state.item_id AND l.expires_at > :now
    ) >= wanted THEN (
      SELECT MIN(l.expires_at) FROM leases l
      WHERE l.item_id = item_state.item_id AND l.expires_at > :now
    ) END
WHERE """

_OF_ITEMS = REFRESH + "item_id IN (:ids)"
_EXPIRED = REFRESH + "project_id = :project AND frees_at IS NOT NULL AND frees_at <= :now"


def refresh(connection: Connection, item_ids: Sequence[int], now: float) -> None:
    """Bring the hints of these items up to date within the caller's transaction."""
    if item_ids:
        run(connection, _OF_ITEMS, {"now": now}, item_ids)


def wake(connection: Connection, project_id: int, now: float) -> None:
    """Look again at items that were full until about now, because a lease on them has run out.

    Claims that follow one another within a twentieth of a second look once.
    """
    looked = _looked.setdefault(connection.engine, {})
    if not 0 <= now - looked.get(project_id, -1.0) < WAKE_SECONDS:
        run(connection, _EXPIRED, {"project": project_id, "now": now})
        looked[project_id] = now


def scramble(item_id: int) -> int:
    """Return the item's place in the random order: fixed, and the same for everybody.

    Squares of multiples modulo a prime have no visible pattern, and SQL can compute them, which
    the migration that fills the column needs.
    """
    first = item_id % _PRIME * 48271 % _PRIME
    return first * first % _PRIME
