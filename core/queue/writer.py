"""One writer of leases in a process: threads that wait have their claims written together.

Fifty threads that each open an exclusive transaction spend their time waiting for its lock, and
SQLite's waiting is unfair. Here the first to come writes for all who wait, in one transaction,
and hands on to the next. Nobody hears of a lease before that transaction is committed, so
a crash in the middle loses leases at most.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from core.store.store import Store

T = TypeVar("T")

MOST_TOGETHER = 32
"""Claims in one transaction: more would hold back the votes that wait for the same lock."""


# Leases need not reach the disk before they are told, as on SQLite; and a plan made while few
# leases were there must not go on reading all of them when there are many.
_QUICK = "SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off"


class _Turn:
    """One thread's work, and what came of it."""

    __slots__ = ("error", "leads", "result", "wake", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.wake = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None
        self.leads = False


class LeaseWriter:
    """Writes leases of one store, several threads' at a time."""

    def __init__(self, store: Store) -> None:
        self._store = weakref.ref(store)
        self._lock = threading.Lock()
        self._waiting: list[_Turn] = []
        self._busy = False

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in an exclusive transaction shared with others and return what it returns.

        Work must be safe to run twice: where one of a group fails, the transaction is rolled back
        and each is run on its own.

        Raises:
            Exception: Whatever `work` raised, or the store.
        """
        turn = _Turn(work)
        with self._lock:
            self._waiting.append(turn)
            turn.leads = not self._busy
            self._busy = True
        if not turn.leads:
            turn.wake.wait()
        if turn.leads:
            self._lead()
        if turn.error is not None:
            raise turn.error
        found: T = turn.result
        return found

    def _lead(self) -> None:
        """Write for those who wait, then make the next of those who came meanwhile the leader."""
        with self._lock:
            group = self._waiting[:MOST_TOGETHER]
            self._waiting = self._waiting[MOST_TOGETHER:]
        try:
            self._write_group(group)
        finally:
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                self._busy = heir is not None
                if heir is not None:
                    heir.leads = True
            for turn in group:
                turn.wake.set()
            if heir is not None:
                heir.wake.set()

    def _write_group(self, group: list[_Turn]) -> None:
        try:
            self._write_together(group)
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
                return
            for turn in group:
                self._write_group([turn])
        except BaseException as error:
            for turn in group:
                turn.error = error
            raise

    def _write_together(self, group: list[_Turn]) -> None:
        store = self._store()
        if store is None:  # only while the process ends
            raise RuntimeError("the record was closed")
        with store.ephemeral() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_QUICK)
            results = [turn.work(connection) for turn in group]
        for turn, result in zip(group, results, strict=True):
            turn.result = result


_writers: weakref.WeakKeyDictionary[Store, LeaseWriter] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def lease_writer(store: Store) -> LeaseWriter:
    """Return the one writer of leases this process has for a store."""
    with _making:
        found = _writers.get(store)
        if found is None:
            found = _writers[store] = LeaseWriter(store)
        return found
