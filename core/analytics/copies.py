"""The DuckDB database of a replica: made, hardened, opened again, put aside where it is damaged."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from core.analytics.mirrors import MIRRORS
from core.analytics.statements import run, sql_of
from core.errors import LimitExceeded, StoreUnavailable

FORMAT = 8  # raised whenever the replica's tables change: older files are rebuilt
PACKED = "replica"  # what the copy is called where it is in memory: it is packed only by name
MAGIC = b"DUCK"  # bytes 8 to 12 of every DuckDB file

_DAMAGE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)

_PACKED_LATER = {"checkpoint_threshold": "1TB", "auto_checkpoint_skip_wal_threshold": 2**62}
"""What keeps a commit in memory from packing: that is done when nobody waits for it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copy:
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

    def state(self) -> State:
        """Return up to where the record was copied."""
        cursor = self.cursor()
        try:
            [row] = run(cursor, "SELECT audit_seq, audit_hash, copied FROM replica_state")
        finally:
            cursor.close()
        return State(row[0], row[1], json.loads(row[2]))

    def pack(self) -> bool:
        """Pack the rows that came in; they stay as they are where somebody is just reading."""
        cursor = self.cursor()
        try:
            run(cursor, "CHECKPOINT")
        except duckdb.TransactionException:
            log.info("replica.not_packed reason=in-use")
            return False
        finally:
            cursor.close()
        return True

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Give a cursor in a transaction; it is committed where nothing is raised.

        Raises:
            LimitExceeded: There is not enough memory.
        """
        cursor = self.cursor()
        try:
            with memory_told():
                run(cursor, "BEGIN")
                yield cursor
                run(cursor, "COMMIT")
        finally:
            cursor.close()  # rolls an open transaction back

    def is_damage(self, error: duckdb.Error) -> bool:
        """Return whether an error says that the file is damaged; one in memory never is."""
        return not self.packed and (
            isinstance(error, _DAMAGE) or "Corrupt database file" in str(error)
        )


@dataclass(frozen=True, slots=True)
class State:
    """Up to where the record was copied: the trail's last entry, and the last row of each table."""

    audit_seq: int
    audit_hash: str
    copied: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Opened:
    """A copy, up to where it goes, and a sentence where the file could not be used, else empty."""

    copy: Copy
    state: State
    notice: str = ""


def opened(path: Path | None, options: Mapping[str, object]) -> Opened:
    """Return the copy in a file, or an empty one in memory where there is to be no file."""
    if path is None:
        return _empty(options)
    connection: Any = None
    try:
        connection = duckdb.connect(str(path))
        _harden(connection, options)
        if _is_ours(connection):
            run(connection, "DELETE FROM work_days")  # up to where they went is not kept
            copy = Copy(connection, False)
            return Opened(copy, copy.state())
        reason = "it was made by another version"
    except duckdb.Error as error:
        if "set lock on file" in str(error):
            said = _said(path, "is in use by another process; this one keeps its copy in memory")
            return _empty(options, said)
        reason = first_line(error)
    if connection is not None:
        connection.close()
    return in_its_place(path, reason, options)


def in_its_place(path: Path, reason: str, options: Mapping[str, object]) -> Opened:
    """Return an empty copy in the place of a file nobody can use; in memory where it has none."""
    try:
        aside = _put_aside(path)
        copy = made(options, path)
    except (OSError, duckdb.Error):
        what = f"could not be used ({reason}); this process keeps its copy in memory"
        return _empty(options, _said(path, what))
    what = f"could not be used ({reason}); it lies at '{aside.name}' and was rebuilt"
    return Opened(copy, copy.state(), _said(path, what))


def _empty(options: Mapping[str, object], notice: str = "") -> Opened:
    copy = made(options)
    return Opened(copy, copy.state(), notice)


def _said(path: Path, what: str) -> str:
    notice = f"The analytics copy '{path.name}' {what}."
    log.warning("replica.file %s", notice)
    return notice


def made(options: Mapping[str, object], path: Path | None = None) -> Copy:
    """Return an empty copy, in memory or in a file."""
    connection = duckdb.connect(":memory:" if path is None else str(path))
    if path is None:
        run(connection, f"ATTACH ':memory:' AS {PACKED} (COMPRESS)")
        run(connection, f"USE {PACKED}")
        options = {**options, **_PACKED_LATER}
    _harden(connection, options)
    make_tables(connection)
    return Copy(connection, path is None)


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


def make_tables(cursor: Any) -> None:
    """Drop everything there is and make the empty tables, views and macros."""
    for kind, name in run(cursor, sql_of("schema/existing")):
        run(cursor, f'DROP {kind} IF EXISTS "{name}" CASCADE')
    for mirror in MIRRORS:
        if mirror.kept:
            run(cursor, mirror.ddl)
    run(cursor, sql_of("schema/derived"))
    run(cursor, sql_of("schema/rollups"))
    copied = json.dumps({m.table.name: 0 for m in MIRRORS})
    run(cursor, "INSERT INTO replica_state VALUES (?, 0, '', ?)", [FORMAT, copied])


def _is_ours(connection: Any) -> bool:
    """Return whether a file holds today's tables; a file just made gets them."""
    if not run(connection, sql_of("schema/existing")):
        make_tables(connection)
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


@contextmanager
def limited(copy: Copy, seconds: float, damaged: Callable[[str], None]) -> Iterator[Any]:
    """Give a cursor of its own whose work is interrupted when its time is over.

    Args:
        copy: What is asked.
        seconds: How long that may take.
        damaged: Told the reason where the file turns out to be damaged.

    Raises:
        LimitExceeded: It took longer, or needed more memory than the copy may have.
        StoreUnavailable: The file is damaged.
    """
    cursor = copy.cursor()
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield cursor
    except duckdb.InterruptException as error:
        raise LimitExceeded(
            f"This figure took longer than {seconds:g} s and was stopped; nothing was changed.",
            "Choose a narrower filter, or raise the setting 'query_seconds'.",
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise LimitExceeded(
            "This figure needs more memory than analytics may use; nothing was changed.",
            "Choose a narrower filter.",
        ) from error
    except duckdb.Error as error:
        if not copy.is_damage(error):
            raise
        damaged(first_line(error))
        raise StoreUnavailable(
            "The analytics copy is damaged; the record itself is untouched.",
            "Ask again: the copy is made anew from the record.",
        ) from error
    finally:
        timer.cancel()
        cursor.close()


@contextmanager
def memory_told() -> Iterator[None]:
    """Say in plain words where the record is larger than the memory there is.

    Raises:
        LimitExceeded: There is not enough memory.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise LimitExceeded(
            "The record is larger than the memory analytics may use; nothing was changed.",
            "Give analytics more memory, then try again.",
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    return str(error).splitlines()[0]
