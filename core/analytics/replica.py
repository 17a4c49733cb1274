"""The replica: an in-process DuckDB copy of the record's append-only tables.

It holds nothing of its own: it can be thrown away and rebuilt at any time. Each process owns
one; `catch_up` before reading, `query` from as many threads as you like.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.analytics.source import MIRRORS, Mirror, Snapshot, snapshot
from core.errors import LimitExceeded
from core.store.store import Store

Edition = tuple[int, ...]
"""How often the copy was made anew, then the last sequence number of each table."""

FORMAT = 3  # raised whenever the replica's tables change: older files are rebuilt
QUERY_SECONDS = 10.0
MAGIC = b"DUCK"  # bytes 8 to 12 of every DuckDB file

# Run in this order: labels look their evidence up among the annotations and decisions, and what
# those call a class among the names.
REFRESH = ("class_names", "live", "final", "gold", "latest_prediction", "item_values", "regions")

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
    ) -> None:
        self._store = store
        self._path = path
        self._seconds = seconds
        self._options = {"memory_limit": memory_limit, "threads": threads or min(4, _cores())}
        self._lock = threading.Lock()
        self.notice = ""
        self.edition: Edition = (0,)
        self._rebuilt = 0
        self._db = self._open()

    def catch_up(self) -> CaughtUp:
        """Read what the record has gained since the last call, all of it or nothing.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        with self._lock:
            with snapshot(self._store) as source, self._transaction() as cursor:
                ends, seen = _ends(source), _seen(cursor)
                rebuilt = not _is_continued(source, cursor, ends, seen)
                if rebuilt:
                    log.warning("replica.rebuilt reason=record-is-another-one")
                    seen = _emptied(cursor)
                rows = _copy_new_rows(source, cursor, ends, seen)
            self._rebuilt += rebuilt
            self.edition = (self._rebuilt, *ends.values())
        return CaughtUp(rows, rebuilt)

    def rebuild(self) -> CaughtUp:
        """Throw the copy away and read the whole record again; readers see the old one meanwhile.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        with self._lock, snapshot(self._store) as source, self._transaction() as cursor:
            return CaughtUp(_copy_new_rows(source, cursor, _ends(source), _emptied(cursor)), True)

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
        with self._running(seconds) as cursor:
            cursor.execute(*_bound(name, params))
            columns = [c[0] for c in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

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
            self._db.close()

    @contextmanager
    def _running(self, seconds: float | None) -> Iterator[Any]:
        """Give a cursor of its own whose work is interrupted when its time is over."""
        limit = self._seconds if seconds is None else seconds
        cursor = self._db.cursor()
        timer = threading.Timer(limit, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield cursor
        except duckdb.InterruptException as error:
            raise LimitExceeded(
                f"This figure took longer than {limit:g} s and was stopped; nothing was changed.",
                "Choose a narrower filter, or raise the setting 'query_seconds'.",
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise LimitExceeded(
                "This figure needs more memory than analytics may use; nothing was changed.",
                "Choose a narrower filter.",
            ) from error
        finally:
            timer.cancel()
            cursor.close()

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        cursor = self._db.cursor()
        try:
            _run(cursor, "BEGIN")
            yield cursor
            _run(cursor, "COMMIT")
        except duckdb.OutOfMemoryException as error:
            raise LimitExceeded(
                "The record is larger than the memory analytics may use; nothing was changed.",
                "Give analytics more memory, then try again.",
            ) from error
        finally:
            cursor.close()  # rolls an open transaction back

    def _open(self) -> Any:
        if self._path is None:
            return _made(self._options)
        try:
            connection = duckdb.connect(str(self._path))
            _harden(connection, self._options)
            if _is_ours(connection):
                return connection
            connection.close()
            reason = "it was made by another version"
        except duckdb.Error as error:
            if "lock" in str(error).lower():
                self._say("is in use by another process; this one keeps its copy in memory")
                return _made(self._options)
            reason = str(error).splitlines()[0]
        aside = _put_aside(self._path)
        self._say(f"could not be used ({reason}); it lies at '{aside.name}' and was rebuilt")
        return _made(self._options, self._path)

    def _say(self, what: str) -> None:
        self.notice = f"The analytics copy '{self._path.name if self._path else ''}' {what}."
        log.warning("replica.file %s", self.notice)


def _made(options: Mapping[str, object], path: Path | None = None) -> Any:
    connection = duckdb.connect(":memory:" if path is None else str(path))
    _harden(connection, options)
    _make_tables(connection)
    return connection


def _harden(connection: Any, options: Mapping[str, object]) -> None:
    """Close every way out of the process, then lock the settings."""
    for name, value in {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "enable_external_access": False,
        **options,
        "lock_configuration": True,
    }.items():
        _run(connection, f"SET {name} = '{value}'")


def _make_tables(cursor: Any) -> None:
    """Drop everything there is and make the empty tables, views and macros."""
    for kind, name in _run(cursor, _sql("schema/existing")):
        _run(cursor, f'DROP {kind} IF EXISTS "{name}" CASCADE')
    for mirror in MIRRORS:
        _run(cursor, mirror.ddl)
    _run(cursor, _sql("schema/derived"))
    _run(cursor, "INSERT INTO replica_state VALUES (?, 0, '')", [FORMAT])


def _is_ours(connection: Any) -> bool:
    """Return whether a file holds today's tables; a file just made gets them."""
    if not _run(connection, _sql("schema/existing")):
        _make_tables(connection)
        return True
    try:
        found = _run(connection, "SELECT format FROM replica_state")
    except duckdb.CatalogException:
        return False
    return found == [(FORMAT,)]


def _put_aside(path: Path) -> Path:
    """Move a file nobody can use out of the way; nothing is deleted, it may not be ours."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    log_file = path.with_name(f"{path.name}.wal")
    if log_file.exists():
        log_file.rename(aside.with_name(f"{aside.name}.wal"))
    return aside


def _is_continued(
    source: Snapshot, cursor: Any, ends: Mapping[str, int], seen: Mapping[str, int]
) -> bool:
    """Return whether the record still holds all that was copied: it may have been restored."""
    [(audit_seq, audit_hash)] = _run(cursor, "SELECT audit_seq, audit_hash FROM replica_state")
    if audit_seq and source.value(_audit_hash(audit_seq)) != audit_hash:
        return False
    return all(ends[name] >= last for name, last in seen.items())


def _copy_new_rows(
    source: Snapshot, cursor: Any, ends: Mapping[str, int], seen: Mapping[str, int]
) -> int:
    fresh = {name for name, last in seen.items() if ends[name] > last}
    count = sum(
        _copy(source, cursor, m, seen[m.table.name]) for m in MIRRORS if m.table.name in fresh
    )
    for name in REFRESH:
        _refresh(cursor, name, seen, fresh)
    audit_seq = source.value("SELECT max(seq) FROM audit")
    if audit_seq:
        _run(
            cursor,
            "UPDATE replica_state SET audit_seq = ?, audit_hash = ?",
            [audit_seq, source.value(_audit_hash(audit_seq))],
        )
    return count


def _copy(source: Snapshot, cursor: Any, mirror: Mirror, after: int) -> int:
    count = 0
    for chunk in source.chunks(mirror, after):
        cursor.register("incoming", chunk)
        _run(cursor, f'INSERT INTO "{mirror.table.name}" FROM incoming')
        cursor.unregister("incoming")
        count += chunk.num_rows
    return count


def _refresh(cursor: Any, name: str, seen: Mapping[str, int], fresh: set[str]) -> None:
    """Bring a derived table up to date; its parameters name the tables it hangs on."""
    if fresh.isdisjoint(_parameters(_sql(f"refresh/{name}"))):
        return
    for statement in cursor.extract_statements(_sql(f"refresh/{name}")):
        values = {p: seen[p] for p in _parameters(statement.query)}
        _run(cursor, statement.query, values)


def _run(cursor: Any, sql: str, params: object = None) -> list[tuple[Any, ...]]:
    """Run one statement to its end: DuckDB 2 streams, and an open result blocks its connection."""
    rows: list[tuple[Any, ...]] = cursor.execute(sql, params).fetchall()
    return rows


def _ends(source: Snapshot) -> dict[str, int]:
    """Return the last sequence number of each table in the record."""
    return {
        m.table.name: int(source.value(f'SELECT max("{m.key}") FROM "{m.table.name}"') or 0)  # noqa: S608 names come from MIRRORS
        for m in MIRRORS
    }


def _seen(cursor: Any) -> dict[str, int]:
    """Return the last sequence number of each table that was copied."""
    return {
        m.table.name: int(_run(cursor, f'SELECT max("{m.key}") FROM "{m.table.name}"')[0][0] or 0)  # noqa: S608
        for m in MIRRORS
    }


def _emptied(cursor: Any) -> dict[str, int]:
    _make_tables(cursor)
    return dict.fromkeys((m.table.name for m in MIRRORS), 0)


def _audit_hash(seq: int) -> str:
    return f"SELECT hash FROM audit WHERE seq = {int(seq)}"  # noqa: S608 a whole number


@cache
def _sql(name: str) -> str:
    return (files("core.analytics") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _parameters(sql: str) -> tuple[str, ...]:
    code = re.sub(r"--[^\n]*|'[^']*'", "", sql)
    return tuple(dict.fromkeys(re.findall(r"\$([a-z_]+)", code)))


def _bound(name: str, params: Mapping[str, object] | None) -> tuple[str, dict[str, object]]:
    sql = _sql(name)
    return sql, {p: (params or {})[p] for p in _parameters(sql)}


def _cores() -> int:
    return os.cpu_count() or 1
