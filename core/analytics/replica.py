"""The replica: an in-process DuckDB copy of the record's append-only tables.

It holds nothing of its own: it can be thrown away and rebuilt at any time. Each process owns
one; `catch_up` before reading, `query` from as many threads as you like.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.analytics import rollups
from core.analytics.answers import Answer, Answers
from core.analytics.copies import (
    MAGIC,
    Copy,
    State,
    first_line,
    in_its_place,
    limited,
    made,
    make_tables,
    memory_told,
    opened,
)
from core.analytics.lean import lean
from core.analytics.ledger import Ledger
from core.analytics.source import Snapshot, snapshot
from core.analytics.statements import parameters, run, sql_of
from core.analytics.taking import (
    EVERY_PROJECT,
    Renamed,
    Taker,
    audit_hash,
    ends_of,
    last_audit,
    ledger_of,
    parts_beyond,
    write_state,
)
from core.errors import LimitExceeded
from core.store.store import Store

__all__ = ["MAGIC", "CaughtUp", "Replica"]

Edition = tuple[int, ...]
"""How often the copy was made anew, then the last sequence number of each table."""

QUERY_SECONDS = 10.0
REMEMBERED = 256  # answers kept until there is a new row: a page asks most of its questions again

SETTLE_ROWS = 1_000_000
"""Rows copied before they are packed: fresh rows take several times the memory of packed ones."""

MOST_ZONES = 4
"""Time zones whose days are kept added up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What one catch-up did.

    Attributes:
        rows: Rows read from the record.
        rebuilt: Whether the replica was emptied first, because the record is not the one it
            was made from (restored from a backup, say).
    """

    rows: int
    rebuilt: bool


class Replica:
    """A DuckDB copy of one record.

    Attributes:
        notice: A plain sentence where a replica file could not be used, else empty.
        edition: What the copy holds: another one after each catch-up that found anything new.
    """

    def __init__(
        self,
        store: Store,
        path: Path | None = None,
        *,
        memory_limit: str = "2GB",
        threads: int | None = None,
        seconds: float = QUERY_SECONDS,
        remembered: int = REMEMBERED,
    ) -> None:
        self._store = store
        self._path = path
        self._seconds = seconds
        self._options = {"memory_limit": memory_limit, "threads": threads or min(4, _cores())}
        self._lock = threading.Lock()
        self._answers = Answers(remembered)
        self.edition: Edition = (0,)
        self._rebuilt = 0
        self._moves: Counter[int] = Counter()  # how often new rows were about a project
        self._ledger: Ledger | None = None  # filled from the copy where rows are to be followed
        self._loose = self._gained = 0
        self._tidying: threading.Thread | None = None
        self._zones: dict[str, Mapping[str, int]] = {}  # up to where their days are added up
        self._broken = ""  # why the file must be made anew before the next reading
        found = opened(path, self._options)
        self._db, self.notice, self._state = found.copy, found.notice, found.state

    def catch_up(self) -> CaughtUp:
        """Read what the record has gained since the last call, all of it or nothing.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        with self._lock, snapshot(self._store) as source:
            if self._broken:
                self._begin_again()
            try:
                return self._caught_up(source)
            except duckdb.Error as error:
                if not self._db.is_damage(error):
                    raise
                self._broken = first_line(error)
                self._begin_again()
                return replace(self._caught_up(source), rebuilt=True)

    def _caught_up(self, source: Snapshot) -> CaughtUp:
        ends, state = ends_of(source), self._state
        continued = _is_continued(source, ends, state)
        if not continued:
            log.warning("replica.rebuilt reason=record-is-another-one")
        if continued and any(state.copied.values()):
            rows = self._follow(source, ends, state)
        else:
            rows = self._make_anew(source, ends)
        self._rebuilt += not continued
        self.edition = (self._rebuilt, *ends.values())
        return CaughtUp(rows, not continued)

    def rebuild(self) -> CaughtUp:
        """Throw the copy away and read the whole record again; readers see the old one meanwhile.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        with self._lock, snapshot(self._store) as source:
            ends = ends_of(source)
            rows = self._make_anew(source, ends)
            self._rebuilt += 1
            self.edition = (self._rebuilt, *ends.values())
            return CaughtUp(rows, True)

    def keep_days(self, tz: str) -> None:
        """Add up the days of a time zone, up to the last row copied; the latest few zones are kept.

        Raises:
            LimitExceeded: There is not enough memory.
        """
        with self._lock:
            if self._zones.get(tz) == self._state.copied:
                return
            with self._db.transaction() as cursor:
                for gone in list(self._zones)[: -MOST_ZONES + 1] if tz not in self._zones else ():
                    run(cursor, "DELETE FROM work_days WHERE tz = ?", [gone])
                    del self._zones[gone]
                nothing = dict.fromkeys(self._state.copied, 0)
                rollups.follow_days(cursor, tz, self._zones.get(tz, nothing))
            self._zones[tz] = self._state.copied

    def _follow(self, source: Snapshot, ends: Mapping[str, int], state: State) -> int:
        """Add the new rows in one transaction, so that readers see all of them or none."""
        parts, audit = parts_beyond(ends, state.copied), last_audit(source)
        if not parts and audit == state.audit_seq:
            return 0
        ledger, self._ledger = self._ledger, None  # one that took but part of the rows is useless
        touched = rollups.Touched()
        try:
            with self._db.transaction() as cursor:
                ledger = ledger or ledger_of(cursor)
                votes = ledger.votes.numbers.size
                taker = Taker(cursor, ledger, state.copied, touched)
                taker.take(source, parts, lambda rows: None)
                gained = rollups.roll_up(cursor, ledger, touched, votes)
                trail = audit_hash(source, audit)
                write_state(cursor, audit, trail, ends)
        except Renamed:
            return self._make_anew(source, ends)
        self._state, self._ledger = State(audit, trail, ends), ledger
        self._moves.update(taker.projects)
        self._loose += taker.rows
        self._gained += gained
        self._tidy_later()
        return taker.rows

    def _make_anew(self, source: Snapshot, ends: Mapping[str, int]) -> int:
        """Read everything: beside the old copy in memory, in its place in a file."""
        self._ledger = None  # the new one takes its room
        rows = (
            self._make_beside(source, ends) if self._db.packed else self._make_there(source, ends)
        )
        self._state, self._zones = self._db.state(), {}
        self._moves[EVERY_PROJECT] += 1
        self._loose = self._gained = 0
        return rows

    def _make_there(self, source: Snapshot, ends: Mapping[str, int]) -> int:
        ledger = Ledger()
        ledger.reserve(ends["items"], ends["annotations"])
        with self._db.transaction() as cursor:
            make_tables(cursor)
            taker = Taker(cursor, ledger, dict.fromkeys(ends, 0), None)
            taker.take(source, parts_beyond(ends, dict.fromkeys(ends, 0)), lambda rows: None)
            _finish(source, cursor, ledger, ends)
        self._ledger = ledger
        return taker.rows

    def _make_beside(self, source: Snapshot, ends: Mapping[str, int]) -> int:
        copy, ledger = made(self._options), Ledger()
        ledger.reserve(ends["items"], ends["annotations"])
        loose = 0

        def settle(rows: int) -> None:
            nonlocal loose
            loose += rows
            if loose >= SETTLE_ROWS:
                run(cursor, "COMMIT")
                copy.pack()
                run(cursor, "BEGIN")
                loose = 0

        with memory_told():
            cursor = copy.cursor()
            run(cursor, "BEGIN")
            taker = Taker(cursor, ledger, dict.fromkeys(ends, 0), None)
            taker.take(source, parts_beyond(ends, dict.fromkeys(ends, 0)), settle)
            settle(SETTLE_ROWS)
            _finish(source, cursor, ledger, ends)
            run(cursor, "COMMIT")
            cursor.close()
            copy.pack()
        self._db, self._ledger = copy, ledger  # questions under way keep the old one until answered
        return taker.rows

    def _tidy_later(self) -> None:
        """Begin to tidy up where there is much to tidy; readers have the new rows already."""
        much = self._loose >= SETTLE_ROWS or self._gained >= rollups.MOST_LOOSE_ROWS
        if much and not (self._tidying and self._tidying.is_alive()):
            self._tidying = threading.Thread(target=self._tidy, args=(self._db,), daemon=True)
            self._tidying.start()

    def _tidy(self, copy: Copy) -> None:
        """Put rows of equal keys together and pack what came in; neither changes any answer."""
        try:
            if self._gained >= rollups.MOST_LOOSE_ROWS:
                self._gained = 0
                with copy.transaction() as cursor:
                    rollups.put_all_together(cursor)
            if self._loose >= SETTLE_ROWS and copy.pack():
                self._loose = 0
        except (duckdb.Error, LimitExceeded) as error:
            log.warning("replica.not_tidied reason=%s", first_line(error))
            if isinstance(error, duckdb.Error) and copy.is_damage(error):
                self._broken = first_line(error)

    def _wait_for_tidying(self) -> None:
        if self._tidying:
            self._tidying.join()

    def edition_of(self, project_id: int) -> Edition:
        """Return what the copy holds of one project: another one after each new row about it.

        A new row about people or the like is one about every project.
        """
        return self._rebuilt, self._moves[EVERY_PROJECT], self._moves[project_id]

    def _edition_asked(self, values: Mapping[str, object]) -> Edition:
        project = values.get("project")
        return self.edition_of(project) if isinstance(project, int) else self.edition

    def query(
        self, name: str, params: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows that answer a question.

        Args:
            name: File name of the question in ``sql/``, without its ending.
            params: Values of the file's ``$parameters``; those it does not name are ignored.
            seconds: How long it may take; None for the replica's own limit.

        Raises:
            LimitExceeded: It took longer, or needed more memory than the replica may have.
        """
        columns, rows = self._asked(name, params, seconds)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def tuples(
        self, name: str, params: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the same as `query` as plain tuples, for answers of very many rows.

        Raises:
            LimitExceeded: It took longer, or needed more memory than the replica may have.
        """
        return list(self._asked(name, params, seconds)[1])

    def _asked(
        self, name: str, params: Mapping[str, object] | None, seconds: float | None
    ) -> Answer:
        """Return the columns and rows of an answer; one given since the last new row stands."""
        sql, values = _bound(name, params)
        edition, key = self._edition_asked(values), (name, repr(values))
        known = self._answers.get(edition, key)
        if known is None:
            with self._running(seconds) as cursor:
                cursor.execute(sql, values)
                known = tuple(c[0] for c in cursor.description), cursor.fetchall()
            if self._edition_asked(values) == edition:  # else it may be of the rows of another one
                self._answers.keep(edition, key, known)
        return known

    def arrow(
        self, name: str, params: Mapping[str, object] | None = None, seconds: float | None = None
    ) -> pa.Table:
        """Return the answer as an Arrow table, for answers of many rows.

        Raises:
            LimitExceeded: It took longer, or needed more memory than the replica may have.
        """
        with self._running(seconds) as cursor:
            sql, values = _bound(name, params)
            return cursor.sql(sql, params=values).to_arrow_table()

    def close(self) -> None:
        """Close the copy; the record stays as it is."""
        with self._lock:
            self._wait_for_tidying()
            self._db.close()

    def _running(self, seconds: float | None) -> AbstractContextManager[Any]:
        """Give a cursor of its own whose work is interrupted when its time is over."""
        return limited(self._db, self._seconds if seconds is None else seconds, self._tell_broken)

    def _tell_broken(self, reason: str) -> None:
        self._broken = reason

    def _begin_again(self) -> None:
        """Put the file aside that turned out to be damaged, and begin another."""
        assert self._path is not None  # a copy in memory is never damaged
        self._wait_for_tidying()
        self._db.close()
        found = in_its_place(self._path, self._broken, self._options)
        self._db, self.notice, self._state = found.copy, found.notice, found.state
        self._ledger, self._broken, self._zones, self._loose, self._gained = None, "", {}, 0, 0
        self._rebuilt += 1


def _finish(source: Snapshot, cursor: Any, ledger: Ledger, ends: Mapping[str, int]) -> None:
    rollups.roll_up_all(cursor, ledger)
    audit = last_audit(source)
    write_state(cursor, audit, audit_hash(source, audit), ends)


def _is_continued(source: Snapshot, ends: Mapping[str, int], state: State) -> bool:
    """Return whether the record still holds all that was copied: it may have been restored."""
    if state.audit_seq and audit_hash(source, state.audit_seq) != state.audit_hash:
        return False
    return all(ends[name] >= last for name, last in state.copied.items())


def _bound(name: str, params: Mapping[str, object] | None) -> tuple[str, dict[str, object]]:
    sql = lean(sql_of(name), params or {})
    return sql, {p: (params or {})[p] for p in parameters(sql)}


def _cores() -> int:
    return os.cpu_count() or 1
