"""Which items a part of a queue holds, where they are few enough to name them one by one.

A rare class, a hand-picked list or a small slice is then looked at alone, where walking the
whole order to find it would read a million rows. Slices are remembered: metadata is only ever
added to, so what is remembered is brought up to date by the rows that came since.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Select, func, select, text

from core.queue.boosts import in_slice
from core.queue.filters import QueueFilter
from core.store.tables import item_list_rows, item_metadata, item_state

FEW = 5_000
MOST_REMEMBERED = 200
_CHUNK = 500


def few_members(
    connection: Connection, project_id: int, part: QueueFilter, *, ordered_by_class: bool
) -> list[int] | None:
    """Return the items of one side of a filter if they are few; None where they are many.

    Args:
        connection: Any transaction.
        project_id: Where.
        part: What is asked for; the items returned still have to meet the rest of it.
        ordered_by_class: Whether an index gives the items of a class in the order asked for.
    """
    if part.queue:
        return _few(connection, _marked(project_id, part.queue))
    if part.list_id:
        rows = select(item_list_rows.c.item_id).where(item_list_rows.c.list_id == part.list_id)
        return _few(connection, rows)
    if part.predicted and not ordered_by_class:
        return _few(connection, _predicted(project_id, part.predicted))
    if part.slice_key:
        return _slices_of(connection.engine).members(
            connection, project_id, part.slice_key, part.slice_value
        )
    return None


def _marked(project_id: int, queue: str) -> Select:
    # The order leads to the index that holds the marked items alone.
    return (
        select(item_state.c.item_id)
        .where(item_state.c.project_id == project_id, text(f"item_state.{queue} = 1"))
        .order_by(item_state.c.item_id)
    )


def _predicted(project_id: int, predicted: str) -> Select:
    return select(item_state.c.item_id).where(
        item_state.c.project_id == project_id,
        item_state.c.predicted == predicted,
        item_state.c.state == "open",
    )


def _few(connection: Connection, query: Select) -> list[int] | None:
    found = list(connection.execute(query.limit(FEW + 1)).scalars())
    return found if len(found) <= FEW else None


@dataclass(frozen=True, slots=True)
class _Slice:
    """The items of a slice as of one row of metadata; None for too many."""

    seq: int
    items: frozenset[int] | None


class _Slices:
    """What a process remembers of the slices of one record."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, str, str], _Slice] = {}

    def members(
        self, connection: Connection, project_id: int, key: str, value: str
    ) -> list[int] | None:
        """Return a slice's items; None where they are many."""
        name = (project_id, key, value)
        newest = connection.execute(select(func.max(item_metadata.c.seq))).scalar() or 0
        with self._lock:
            kept = self._kept.get(name)
        if kept is None or kept.seq > newest:
            kept = self._read(connection, project_id, key, value, newest)
        elif kept.seq < newest:
            kept = self._brought_up(connection, kept, project_id, key, value, newest)
        with self._lock:
            if len(self._kept) >= MOST_REMEMBERED:
                self._kept.clear()
            self._kept[name] = kept
        return None if kept.items is None else sorted(kept.items)

    def _read(
        self, connection: Connection, project_id: int, key: str, value: str, newest: int
    ) -> _Slice:
        query = select(item_state.c.item_id).where(
            item_state.c.project_id == project_id, in_slice(connection.dialect.name, key, value)
        )
        found = _few(connection, query)
        return _Slice(newest, None if found is None else frozenset(found))

    def _brought_up(
        self,
        connection: Connection,
        kept: _Slice,
        project_id: int,
        key: str,
        value: str,
        newest: int,
    ) -> _Slice:
        touched = connection.execute(
            select(item_metadata.c.item_id)
            .where(item_metadata.c.seq > kept.seq, item_metadata.c.seq <= newest)
            .distinct()
            .limit(FEW + 1)
        )
        changed = list(touched.scalars())
        if kept.items is None or len(changed) > FEW:
            return self._read(connection, project_id, key, value, newest)
        now_in = _in_slice_of(connection, project_id, key, value, changed)
        items = (kept.items - set(changed)) | now_in
        return _Slice(newest, items if len(items) <= FEW else None)


def _in_slice_of(
    connection: Connection, project_id: int, key: str, value: str, ids: Sequence[int]
) -> frozenset[int]:
    found: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.project_id).where(
                item_state.c.item_id.in_(ids[start : start + _CHUNK]),
                in_slice(connection.dialect.name, key, value),
            )
        )
        found.update(r.item_id for r in rows if r.project_id == project_id)
    return frozenset(found)


_kept: weakref.WeakKeyDictionary[Engine, _Slices] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def _slices_of(engine: Engine) -> _Slices:
    with _making:
        found = _kept.get(engine)
        if found is None:
            found = _kept[engine] = _Slices()
        return found
