"""Reading the record's new rows as Arrow tables, all tables of one call from one snapshot.

PostgreSQL is read by ADBC. SQLite is read through the store's own connections, and where there is
much to read, by `bulk` in processes of their own: the ADBC driver brings a second copy of the SQLite
library into the process, and when a second copy closes a file, the operating system drops the locks
the first one holds. Measured: another process then took the write lock in the middle of our
transaction, and its committed row was lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from core.analytics import bulk
from core.analytics.mirrors import Mirror, Part
from core.errors import StorageError, StoreCorrupt, StoreUnavailable
from core.store.store import Store

# Rows fetched at a time: below the 700 new objects that wake Python's garbage collector, which
# doubles the time of larger fetches.
FETCH_ROWS = 500
CHUNK_BATCHES = 100  # batches handed over at a time: 50,000 rows

BULK_ROWS = 60_000  # from here on the processes of `bulk` are worth their start
BULK_SHARE = 122_880  # rows one of them reads at a time: what DuckDB packs together


class Snapshot(Protocol):
    """The record at one moment."""

    def value(self, sql: str) -> Any:
        """Return the first column of the first row, None where there is none."""

    def read(self, parts: Sequence[Part]) -> Iterator[tuple[Mirror, pa.Table]]:
        """Yield the rows of the parts, table after table, in order."""


@contextmanager
def snapshot(store: Store) -> Iterator[Snapshot]:
    """Give a view of the record that stands still.

    Raises:
        StoreUnavailable: The record cannot be reached.
        StoreCorrupt: The record is damaged.
    """
    if store.dialect == "postgresql":
        with _adbc_cursor(store) as cursor:
            yield _PostgresSnapshot(cursor)
        return
    with store.read() as connection:
        cursor = connection.connection.cursor()
        try:
            yield _SqliteSnapshot(cursor, Path(store.url.database or ""))
        except sqlite3.DatabaseError as error:
            raise _sqlite_error(error) from error
        finally:
            cursor.close()


def _sqlite_error(error: sqlite3.DatabaseError) -> StorageError:
    if "malformed" in str(error) or "not a database" in str(error):
        return StoreCorrupt(
            f"The record is damaged ({error}); nothing was changed or deleted.",
            "Keep the files, and put back your last copy of tiebreak.db.",
        )
    return StoreUnavailable(f"The record cannot be reached: {error}.", "Try again.")


class _SqliteSnapshot:
    def __init__(self, cursor: Any, path: Path) -> None:
        self._cursor = cursor
        self._path = path

    def value(self, sql: str) -> Any:
        row = self._cursor.execute(sql).fetchone()
        return None if row is None else row[0]

    def read(self, parts: Sequence[Part]) -> Iterator[tuple[Mirror, pa.Table]]:
        if sum(p.last - p.after for p in parts) >= BULK_ROWS and bulk.is_possible():
            return self._read_in_bulk([p for whole in parts for p in whole.cut(BULK_SHARE)])
        return ((p.mirror, table) for p in parts for table in self._rows(p))

    def _read_in_bulk(self, parts: Sequence[Part]) -> Iterator[tuple[Mirror, pa.Table]]:
        statements = [f"{p.mirror.example} UNION ALL {p.mirror.select(p, 'sqlite')}" for p in parts]
        with bulk.batches_of(self._path, statements) as found:
            pa.array([0])  # loads pandas, which the first few new rows would else wait for
            for part, batches in zip(parts, found, strict=True):
                schema = part.mirror.arrow
                columns = [b.rename_columns(schema.names) for b in batches]
                # In one piece: row by row into the copy costs twice as much from many small ones.
                yield part.mirror, pa.Table.from_batches(columns).combine_chunks().cast(schema)

    def _rows(self, part: Part) -> Iterator[pa.Table]:
        self._cursor.execute(part.mirror.select(part, "sqlite"))
        schema = part.mirror.arrow
        batches = []
        while rows := self._cursor.fetchmany(FETCH_ROWS):
            columns = zip(*rows, strict=True)
            batches.append(
                pa.record_batch(
                    [_array(v, f.type) for v, f in zip(columns, schema, strict=True)], schema=schema
                )
            )
            if len(batches) == CHUNK_BATCHES:
                yield pa.Table.from_batches(batches)
                batches = []
        if batches:
            yield pa.Table.from_batches(batches)


def _array(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):  # SQLite keeps 0 and 1
        return pa.array(values, pa.int8()).cast(kind)
    return pa.array(values, kind)


class _PostgresSnapshot:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def value(self, sql: str) -> Any:
        self._cursor.execute(sql)
        row = self._cursor.fetchone()
        return None if row is None else row[0]

    def read(self, parts: Sequence[Part]) -> Iterator[tuple[Mirror, pa.Table]]:
        for part in parts:
            self._cursor.execute(part.mirror.select(part, "postgresql"))
            schema = part.mirror.arrow
            for batch in self._cursor.fetch_record_batch():
                yield part.mirror, pa.table(batch.columns, names=schema.names).cast(schema)


@contextmanager
def _adbc_cursor(store: Store) -> Iterator[Any]:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise StoreUnavailable(
            "Analytics of a record on PostgreSQL need the package 'adbc-driver-postgresql'.",
            "Install 'tiebreak[postgres]'.",
        ) from error
    url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield cursor
    except dbapi.OperationalError as error:
        raise StoreUnavailable(f"The record cannot be reached: {error}.", "Try again.") from error
