"""The replica: an in-process DuckDB copy of the record's append-only tables.

It holds nothing of its own: it can be thrown away and rebuilt at any time. Each process owns
one; `catch_up` before reading, `query` from as many threads as you like.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.analytics import rollups
from core.analytics.answers import Answer, Answers
from core.analytics.lean import lean
from core.analytics.rollups import parameters, run, sql_of
from core.analytics.source import MIRRORS, VOTES, Part, Snapshot, snapshot
from core.errors import LimitExceeded, StoreUnavailable
from core.store.store import Store

EVERY_PROJECT = 0

Edition = tuple[int, ...]
"""How often the copy was made anew, then the last sequence number of each table."""

FORMAT = 7  # raised whenever the replica's tables change: older files are rebuilt
QUERY_SECONDS = 10.0
REMEMBERED = 256  # answers kept until there is a new row: a page asks most of its questions again
PACKED = "replica"  # what the copy is called where it is in memory: it is packed only by name
MAGIC = b"DUCK"  # bytes 8 to 12 of every DuckDB file

SETTLE_ROWS = 1_000_000
"""Rows copied before they are packed: fresh rows take several times the memory of packed ones."""

LOOK_ROWS = 20_000
"""Rows that are searched in the time in which what was said of one item is looked up in the record."""

MOST_ZONES = 4
"""Time zones whose days are kept added up."""

_DAMAGE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)

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
        self.notice = ""
        self.edition: Edition = (0,)
        self._rebuilt = 0
        self._moves: Counter[int] = Counter()  # how often new rows were about a project
        self._loose = self._gained = 0
        self._zones: dict[str, Mapping[str, int]] = {}  # up to where their days are added up
        self._broken = ""  # why the file must be made anew before the next reading
        self._db, self._state = self._open()

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
                if self._db.packed or not _is_damage(error):
                    raise
                self._broken = _first_line(error)
                self._begin_again()
                return replace(self._caught_up(source), rebuilt=True)

    def _caught_up(self, source: Snapshot) -> CaughtUp:
        ends, state = _ends(source), self._state
        continued = _is_continued(source, ends, state)
        if not continued:
            log.warning("replica.rebuilt reason=record-is-another-one")
        if continued and any(state.copied.values()):
            rows = self._follow(source, ends, state)
        else:
            rows = self._make_anew(source, ends)
            self._moves[EVERY_PROJECT] += 1
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
            ends = _ends(source)
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
            with self._transaction() as cursor:
                for gone in list(self._zones)[: -MOST_ZONES + 1] if tz not in self._zones else ():
                    run(cursor, "DELETE FROM work_days WHERE tz = ?", [gone])
                    del self._zones[gone]
                nothing = dict.fromkeys(rollups.SEEN, 0)
                rollups.follow_days(cursor, tz, self._zones.get(tz, nothing))
            self._zones[tz] = self._state.copied

    def _follow(self, source: Snapshot, ends: Mapping[str, int], state: _State) -> int:
        """Add the new rows in one transaction, so that readers see all of them or none."""
        fresh = {name for name, last in state.copied.items() if ends[name] > last}
        if not fresh and source.value("SELECT max(seq) FROM audit") == (state.audit_seq or None):
            return 0
        with self._transaction() as cursor:
            rows, drawn = _copy(source, cursor, _parts(ends, state.copied, fresh))
            look = partial(_look_up, source, ends[VOTES.table.name])
            rollups.follow(cursor, state.copied, fresh, drawn, look)
            self._put_together(cursor, rows)
            now = _write_state(source, cursor, ends)
            moved = _projects_of_new(cursor, state.copied, fresh)
        self._state = now
        self._moves.update(moved)
        self._loose += rows
        if self._loose >= SETTLE_ROWS:
            self._pack(self._db)
        return rows

    def _make_anew(self, source: Snapshot, ends: Mapping[str, int]) -> int:
        """Read everything: beside the old copy in memory, in its place in a file."""
        if self._db.packed:
            rows = self._make_beside(source, ends)
        else:
            with self._transaction() as cursor:
                _make_tables(cursor)
                rows = _fill(source, cursor, ends, lambda: None)
        self._state, self._zones = self._read_state(), {}
        self._loose = self._gained = 0
        return rows

    def _make_beside(self, source: Snapshot, ends: Mapping[str, int]) -> int:
        made = _made(self._options)
        with _translated():
            cursor = made.cursor()
            run(cursor, "BEGIN")

            def settle() -> None:
                run(cursor, "COMMIT")
                self._pack(made)
                run(cursor, "BEGIN")

            rows = _fill(source, cursor, ends, settle)
            run(cursor, "COMMIT")
            cursor.close()
            self._pack(made)
        self._db = made  # questions under way keep the old one until they are answered
        return rows

    def _put_together(self, cursor: Any, rows: int) -> None:
        self._gained += rows
        if self._gained >= rollups.MOST_LOOSE_ROWS:
            for table, summed in rollups.SUMMED.items():
                rollups.put_together(cursor, table, summed)
            self._gained = 0

    def _pack(self, copy: _Copy) -> None:
        """Pack the rows that came in; they stay as they are where somebody is just reading."""
        cursor = copy.cursor()
        try:
            run(cursor, "CHECKPOINT")
            self._loose = 0
        except duckdb.TransactionException:
            log.info("replica.not_packed reason=in-use")
        finally:
            cursor.close()

    def _read_state(self, copy: _Copy | None = None) -> _State:
        cursor = (copy or self._db).cursor()
        try:
            [row] = run(cursor, "SELECT audit_seq, audit_hash, copied FROM replica_state")
        finally:
            cursor.close()
        return _State(row[0], row[1], json.loads(row[2]))

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
        except duckdb.Error as error:
            if self._db.packed or not _is_damage(error):
                raise
            self._broken = _first_line(error)
            raise StoreUnavailable(
                "The analytics copy is damaged; the record itself is untouched.",
                "Ask again: the copy is made anew from the record.",
            ) from error
        finally:
            timer.cancel()
            cursor.close()

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        cursor = self._db.cursor()
        try:
            with _translated():
                run(cursor, "BEGIN")
                yield cursor
                run(cursor, "COMMIT")
        finally:
            cursor.close()  # rolls an open transaction back

    def _open(self) -> tuple[_Copy, _State]:
        if self._path is None:
            return self._stated(_made(self._options))
        connection: Any = None
        try:
            connection = duckdb.connect(str(self._path))
            _harden(connection, self._options)
            if _is_ours(connection):
                run(connection, "DELETE FROM work_days")  # up to where they went is not kept
                return self._stated(_Copy(connection, False))
            reason = "it was made by another version"
        except duckdb.Error as error:
            if "set lock on file" in str(error):
                self._say("is in use by another process; this one keeps its copy in memory")
                return self._stated(_made(self._options))
            reason = _first_line(error)
        if connection is not None:
            connection.close()
        return self._stated(self._in_its_place(self._path, reason))

    def _in_its_place(self, path: Path, reason: str) -> _Copy:
        """Return an empty copy in the place of a file nobody can use; in memory where it has none."""
        try:
            aside = _put_aside(path)
            made = _made(self._options, path)
        except (OSError, duckdb.Error):
            self._say(f"could not be used ({reason}); this process keeps its copy in memory")
            return _made(self._options)
        self._say(f"could not be used ({reason}); it lies at '{aside.name}' and was rebuilt")
        return made

    def _begin_again(self) -> None:
        """Put the file aside that turned out to be damaged, and begin another."""
        assert self._path is not None  # a copy in memory is never damaged
        self._db.close()
        self._db, self._state = self._stated(self._in_its_place(self._path, self._broken))
        self._broken, self._zones, self._loose, self._gained = "", {}, 0, 0
        self._rebuilt += 1

    def _stated(self, copy: _Copy) -> tuple[_Copy, _State]:
        return copy, self._read_state(copy)

    def _say(self, what: str) -> None:
        self.notice = f"The analytics copy '{self._path.name if self._path else ''}' {what}."
        log.warning("replica.file %s", self.notice)


@dataclass(frozen=True, slots=True)
class _State:
    """Up to where the record was copied: the trail's last entry, and the last row of each table."""

    audit_seq: int
    audit_hash: str
    copied: Mapping[str, int]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise LimitExceeded(
            "The record is larger than the memory analytics may use; nothing was changed.",
            "Give analytics more memory, then try again.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Copy:
    """A DuckDB database: packed in memory under a name of its own, or in a file."""

    connection: Any
    packed: bool

    def cursor(self) -> Any:
        """Return a cursor that looks where the tables are."""
        made = self.connection.cursor()
        if self.packed:
            run(made, f"USE {PACKED}")
        return made

    def close(self) -> None:
        """Close it, whoever still reads."""
        self.connection.close()


def _made(options: Mapping[str, object], path: Path | None = None) -> _Copy:
    connection = duckdb.connect(":memory:" if path is None else str(path))
    if path is None:
        run(connection, f"ATTACH ':memory:' AS {PACKED} (COMPRESS)")
        run(connection, f"USE {PACKED}")
    _harden(connection, options)
    _make_tables(connection)
    return _Copy(connection, path is None)


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
        run(connection, f"SET {name} = '{value}'")


def _make_tables(cursor: Any) -> None:
    """Drop everything there is and make the empty tables, views and macros."""
    for kind, name in run(cursor, sql_of("schema/existing")):
        run(cursor, f'DROP {kind} IF EXISTS "{name}" CASCADE')
    for mirror in MIRRORS:
        run(cursor, mirror.ddl)
    run(cursor, sql_of("schema/derived"))
    run(cursor, sql_of("schema/rollups"))
    copied = json.dumps({m.table.name: 0 for m in MIRRORS})
    run(cursor, "INSERT INTO replica_state VALUES (?, 0, '', ?)", [FORMAT, copied])


def _is_ours(connection: Any) -> bool:
    """Return whether a file holds today's tables; a file just made gets them."""
    if not run(connection, sql_of("schema/existing")):
        _make_tables(connection)
        return True
    try:
        found = run(connection, "SELECT format FROM replica_state")
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


def _is_continued(source: Snapshot, ends: Mapping[str, int], state: _State) -> bool:
    """Return whether the record still holds all that was copied: it may have been restored."""
    if state.audit_seq and source.value(_audit_hash(state.audit_seq)) != state.audit_hash:
        return False
    return all(ends[name] >= last for name, last in state.copied.items())


def _look_up(source: Snapshot, last: int, cursor: Any, count: int) -> bool:
    """Fetch all that was ever said of the touched items by the record's index, where that is quicker."""
    if count * LOOK_ROWS > last:
        return False
    items = [item for (item,) in run(cursor, "SELECT item_id FROM touched")]
    cursor.register("incoming", source.look_up(Part(VOTES, 0, last), items))
    run(cursor, f"CREATE OR REPLACE TEMP TABLE spoken AS {VOTES.rows}")
    cursor.unregister("incoming")
    return True


def _fill(
    source: Snapshot, cursor: Any, ends: Mapping[str, int], settle: Callable[[], None]
) -> int:
    rows, _ = _copy(source, cursor, _parts(ends, dict.fromkeys(ends, 0), set(ends)), settle)
    rollups.make_anew(cursor, settle)
    _write_state(source, cursor, ends)
    return rows


def _parts(ends: Mapping[str, int], copied: Mapping[str, int], fresh: set[str]) -> list[Part]:
    named = ((m, m.table.name) for m in MIRRORS)
    return [Part(m, copied[name], ends[name]) for m, name in named if name in fresh and ends[name]]


def _copy(
    source: Snapshot, cursor: Any, parts: list[Part], settle: Callable[[], None] = lambda: None
) -> tuple[int, bool]:
    """Copy the rows of parts; return how many there were, and whether any answer has regions."""
    count, loose, drawn = 0, 0, False
    for mirror, rows in source.read(parts):
        cursor.register("incoming", rows)
        run(cursor, mirror.insert)
        cursor.unregister("incoming")
        count += rows.num_rows
        loose += rows.num_rows
        drawn = drawn or ("boxes" in mirror.names and rows["boxes"].null_count < rows.num_rows)
        if loose >= SETTLE_ROWS:
            settle()
            loose = 0
    return count, drawn


def _write_state(source: Snapshot, cursor: Any, ends: Mapping[str, int]) -> _State:
    last = source.value("SELECT max(seq) FROM audit") or 0
    trail = source.value(_audit_hash(last)) if last else ""
    run(
        cursor,
        "UPDATE replica_state SET audit_seq = ?, audit_hash = ?, copied = ?",
        [last, trail, json.dumps(ends)],
    )
    return _State(last, trail, ends)


def _projects_of_new(cursor: Any, seen: Mapping[str, int], fresh: set[str]) -> set[int]:
    """Return the projects that rows beyond `seen` are about; all of them where a table has none."""
    found = set()
    for mirror in (m for m in MIRRORS if m.table.name in fresh):
        if "project_id" not in mirror.names:
            return {EVERY_PROJECT}
        rows = run(
            cursor,
            f'SELECT DISTINCT project_id FROM "{mirror.table.name}" '  # noqa: S608 names come from MIRRORS
            f'WHERE "{mirror.key}" > ?',
            [seen[mirror.table.name]],
        )
        found |= {int(project) for (project,) in rows}
    return found


def _ends(source: Snapshot) -> dict[str, int]:
    """Return the last sequence number of each table in the record."""
    return {
        m.table.name: int(source.value(f'SELECT max("{m.key}") FROM "{m.table.name}"') or 0)  # noqa: S608 names come from MIRRORS
        for m in MIRRORS
    }


def _audit_hash(seq: int) -> str:
    return f"SELECT hash FROM audit WHERE seq = {int(seq)}"  # noqa: S608 a whole number


def _bound(name: str, params: Mapping[str, object] | None) -> tuple[str, dict[str, object]]:
    sql = lean(sql_of(name), params or {})
    return sql, {p: (params or {})[p] for p in parameters(sql)}


def _is_damage(error: duckdb.Error) -> bool:
    return isinstance(error, _DAMAGE) or "Corrupt database file" in str(error)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _cores() -> int:
    return os.cpu_count() or 1
