"""The record: one engine, three ways in.

``read()`` sees one consistent snapshot. ``write()`` is a record transaction: one at a time, durable
before it returns, so the order of sequence numbers is the order of commits and a reader that
has seen number n will never find a smaller one appear later. ``ephemeral()`` is for leases,
drafts, jobs and sessions: as exclusive, but not forced to disk (SQLite only).

No Streamlit call may happen inside any of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import DiskFull, InputError, StorageError, StoreCorrupt, StoreUnavailable
from core.store.lock import become_the_writer
from core.store.migrate import migrate
from core.store.wal import damage_in_wal

BUSY_SECONDS = 30
LEASE_LOG_PAGES = 4_000


class Store:
    """A connection to the record of one workspace.

    Attributes:
        engine: Durable connections.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.engine = self._engine(durable=True)
        self._quick = self._engine(durable=False) if self.dialect == "sqlite" else self.engine

    def _engine(self, *, durable: bool) -> Engine:
        if self.dialect == "sqlite":
            engine = create_engine(
                self.url, pool_size=8, max_overflow=64, connect_args={"timeout": BUSY_SECONDS}
            )
            _prepare_sqlite(engine, durable=durable)
            return engine
        return create_engine(self.url, pool_size=8, max_overflow=24, pool_pre_ping=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that reads one snapshot.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        level = {} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with _translated(), self._quick.connect() as plain:
            snapshot = plain.execution_options(**level)
            with snapshot.begin():
                yield snapshot

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a record transaction; leaving the block commits it durably.

        Raises:
            StoreUnavailable: The record cannot be reached, or was busy for too long.
            DiskFull: There was no space; nothing was written.
        """
        with _translated(), self.engine.connect() as connection:
            yield from self._exclusive(connection)

    @contextmanager
    def ephemeral(self) -> Iterator[Connection]:
        """Give a connection to change leases, drafts, jobs and sessions.

        Raises:
            StoreUnavailable: The record cannot be reached, or was busy for too long.
        """
        with _translated(), self._quick.connect() as connection:
            yield from self._exclusive(connection)

    def _exclusive(self, connection: Connection) -> Iterator[Connection]:
        if self.dialect == "sqlite":
            connection = connection.execution_options(begin="IMMEDIATE")
        with connection.begin():
            become_the_writer(connection)
            yield connection

    def ping(self) -> None:
        """Ask the record for an answer.

        Raises:
            StoreUnavailable: There is none.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        self._quick.dispose()


def open_store(url: str) -> Store:
    """Open the record at a URL, bring it to today's schema and check that it is whole.

    Raises:
        StoreUnavailable: It cannot be reached or was written by a newer version.
        StoreCorrupt: It is damaged.
    """
    try:
        store = Store(url)
    except ArgumentError as error:
        raise StoreUnavailable(
            "The record's address is no database URL.", "Correct TIEBREAK_DATABASE_URL."
        ) from error
    if store.dialect == "sqlite":
        _check_whole(Path(store.url.database or ""))
    try:
        with _translated():
            migrate(store.engine)
    except StorageError:
        store.close()
        raise
    return store


def sqlite_url(folder: Path) -> str:
    """Return the URL of the SQLite record in a workspace folder."""
    return f"sqlite:///{folder / 'tiebreak.db'}"


def _prepare_sqlite(engine: Engine, *, durable: bool) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: Any, _record: object) -> None:
        # Transactions are begun by us, below: sqlite3's own implicit BEGIN is deferred, and a
        # deferred transaction that turns into a writer can fail with "locked" at any statement.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        if not durable:
            # Leases rewrite the same pages again and again; the log is folded in less often.
            cursor.execute(f"PRAGMA wal_autocheckpoint={LEASE_LOG_PAGES}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's storage faults into ours; constraint violations pass through."""
    try:
        yield
    except OperationalError as error:
        raise _storage_error(error) from error
    except PoolTimeout as error:
        raise StoreUnavailable("Too many ask the record at once.", "Try again.") from error
    except (DataError, OverflowError, UnicodeEncodeError) as error:
        raise InputError(
            "A number or a text that was given is none the record can hold; nothing was saved.",
            "Check what was entered and try again.",
        ) from error
    except DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise _storage_error(error) from error
        raise


def _storage_error(error: DBAPIError) -> StorageError:
    words = str(error.orig).lower()
    if "is full" in words or "no space" in words:
        return DiskFull(
            "The disk is full: this was not saved, what was saved before is safe.",
            "Free some space, then try again.",
        )
    if "malformed" in words or "not a database" in words:
        return _corrupt(words)
    if "locked" in words or "busy" in words:
        return StoreUnavailable(
            f"The record was busy for {BUSY_SECONDS} s: this was not saved.", "Try again."
        )
    if "disk i/o" in words:
        return StoreUnavailable(
            "The disk refused a write: this was not saved, what was saved before is safe.",
            "Check the disk and its free space, then try again.",
        )
    return StoreUnavailable(f"The record cannot be reached: {error.orig}.", "Try again.")


def _corrupt(detail: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"The record is damaged ({detail}); nothing was changed or deleted.",
        "Keep the files, and put back your last copy of tiebreak.db.",
    )


def _check_whole(path: Path) -> None:
    """Refuse a damaged SQLite file before anything else touches it."""
    if not path.exists() or path.stat().st_size == 0:
        return
    lost = damage_in_wal(path.with_name(f"{path.name}-wal"))
    if lost:
        raise _corrupt(lost)
    # Read-only: closing a writing connection would fold the log into a file we may refuse.
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS
        )
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(
            f"The record {path} cannot be read: {error}; nothing was changed.",
            "Free some space, or mend its owner or its place.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise _corrupt(str(error)) from error
    finally:
        if connection is not None:
            connection.close()
    if found != "ok":
        raise _corrupt(found)
