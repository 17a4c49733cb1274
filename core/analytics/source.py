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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Double, Integer, Table

from core.analytics import bulk
from core.errors import StorageError, StoreCorrupt, StoreUnavailable
from core.store import tables
from core.store.store import Store

# Rows fetched at a time: below the 700 new objects that wake Python's garbage collector, which
# doubles the time of larger fetches.
FETCH_ROWS = 500
CHUNK_BATCHES = 100  # batches handed over at a time: 50,000 rows

BULK_ROWS = 60_000  # from here on the processes of `bulk` are worth their start
BULK_SHARE = 250_000  # rows one of them reads at a time

# Answers without boxes say nothing beyond the label; leaving them out halves what is read.
NO_BOXES = '"regions":[]'
BOXES = {
    "sqlite": f"CASE WHEN instr(answer, '{NO_BOXES}') > 0 THEN NULL ELSE answer END",
    "postgresql": f"CASE WHEN strpos(answer, '{NO_BOXES}') > 0 THEN NULL ELSE answer END",
}


@dataclass(frozen=True, slots=True)
class Mirror:
    """One table of the record as the replica holds it.

    Attributes:
        table: The table of the record.
        names: Columns that are read; the first is the sequence number.
        made: Further columns of the copy, made from those read: name, type and what it is.
        dropped: Columns that are read but not kept.
    """

    table: Table
    names: tuple[str, ...]
    made: tuple[tuple[str, str, str], ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the name of the sequence number."""
        return self.names[0]

    @property
    def ddl(self) -> str:
        """Return the statement that makes the copy's table."""
        columns = [f'"{n}" {self._kind(n)[0]}' for n in self.kept]
        columns += [f'"{name}" {kind}' for name, kind, _ in self.made]
        return f'CREATE TABLE "{self.table.name}" ({", ".join(columns)})'

    @property
    def kept(self) -> tuple[str, ...]:
        """Return the columns that are copied as they are."""
        return tuple(n for n in self.names if n not in self.dropped)

    @property
    def rows(self) -> str:
        """Return the query for the rows of ``incoming`` as they are copied."""
        columns = [f'"{n}"' for n in self.kept]
        columns += [f'{what} AS "{name}"' for name, _, what in self.made]
        return f"SELECT {', '.join(columns)} FROM incoming"  # noqa: S608 names are ours

    @property
    def insert(self) -> str:
        """Return the statement that copies the rows of ``incoming``."""
        return f'INSERT INTO "{self.table.name}" {self.rows}'

    @property
    def arrow(self) -> pa.Schema:
        """Return the Arrow schema of the copy."""
        return pa.schema([(n, self._kind(n)[1]) for n in self.names])

    def select(self, part: Part, dialect: str) -> str:
        """Return the statement that reads the rows of a part, in the order of their numbers."""
        columns = ", ".join(BOXES[dialect] if n == "boxes" else f'"{n}"' for n in self.names)
        return (
            f'SELECT {columns} FROM "{self.table.name}" '  # noqa: S608 names come from tables.py
            f'WHERE "{self.key}" > {int(part.after)} AND "{self.key}" <= {int(part.last)}'
        )

    @property
    def example(self) -> str:
        """Return a statement for one row that tells the types of all columns."""
        return "SELECT " + ", ".join(
            {"DOUBLE": "0.0", "VARCHAR": "''"}.get(self._kind(n)[0], "0") for n in self.names
        )

    def _kind(self, name: str) -> tuple[str, pa.DataType]:
        kind = self.table.c["answer" if name == "boxes" else name].type
        if isinstance(kind, Boolean):
            return "BOOLEAN", pa.bool_()
        if isinstance(kind, Integer | BigInteger):
            return "BIGINT", pa.int64()
        return ("DOUBLE", pa.float64()) if isinstance(kind, Double) else ("VARCHAR", pa.string())


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a table beyond one sequence number, up to and with another."""

    mirror: Mirror
    after: int
    last: int

    def cut(self, rows: int) -> list[Part]:
        """Return the same as parts of at most so many numbers each."""
        starts = range(self.after, self.last, rows)
        return [Part(self.mirror, a, min(a + rows, self.last)) for a in starts]


def _mirror(
    table: Table, names: str, made: Sequence[tuple[str, str, str]] = (), dropped: str = ""
) -> Mirror:
    return Mirror(table, tuple(names.split()), tuple(made), tuple(dropped.split()))


# The 64th parts of a doubling that a vote's time falls into: -99,999 for none at all.
_BIN = """CASE
    WHEN active_seconds > 0 THEN CAST(floor(64 * log2(least(active_seconds, 1e300))) AS INTEGER)
    WHEN active_seconds IS NOT NULL THEN -99999 END"""
_EVIDENCE = """json_transform(
    CASE WHEN json_valid(evidence) THEN evidence END,
    '{"decision":"BIGINT","prediction":"BIGINT","votes":["BIGINT"]}')"""


MIRRORS = (
    _mirror(tables.people, "id name kind"),
    _mirror(tables.projects, "id slug task"),
    _mirror(tables.team_moves, "seq person_id team"),
    _mirror(tables.schemas, "seq project_id version doc"),
    _mirror(tables.items, "id project_id use use_probability at"),
    _mirror(tables.item_metadata, "seq project_id item_id doc"),
    _mirror(tables.gold_answers, "seq project_id item_id label boxes"),
    _mirror(tables.prediction_sets, "id project_id model_id name at"),
    _mirror(tables.predictions, "seq set_id project_id item_id label boxes confidence"),
    _mirror(
        tables.annotation_log,
        "seq project_id item_id person_id revision kind label boxes prediction_seq "
        "prelabel_shown guideline_version active_seconds started_at batch_id at",
        (("superseded", "BOOLEAN", "false"), ("pace_bin", "INTEGER", _BIN)),
    ),
    _mirror(tables.decisions, "seq project_id item_id person_id kind label at"),
    _mirror(
        tables.final_labels,
        "seq project_id item_id state label boxes evidence at",
        [("rests", "STRUCT(decision BIGINT, prediction BIGINT, votes BIGINT[])", _EVIDENCE)],
        "evidence",
    ),
)


VOTES = next(m for m in MIRRORS if m.table is tables.annotation_log)


class Snapshot(Protocol):
    """The record at one moment."""

    def value(self, sql: str) -> Any:
        """Return the first column of the first row, None where there is none."""

    def read(self, parts: Sequence[Part]) -> Iterator[tuple[Mirror, pa.Table]]:
        """Yield the rows of the parts, table after table, in order."""

    def look_up(self, part: Part, items: Sequence[int]) -> pa.Table:
        """Return the rows of a part that are about some items; the table has an index of items."""


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

    def look_up(self, part: Part, items: Sequence[int]) -> pa.Table:
        about = f"AND item_id IN ({', '.join(str(int(i)) for i in items)})"
        found = list(self._rows(part, about))
        return pa.concat_tables(found) if found else part.mirror.arrow.empty_table()

    def _rows(self, part: Part, about: str = "") -> Iterator[pa.Table]:
        self._cursor.execute(f"{part.mirror.select(part, 'sqlite')} {about}")
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

    def look_up(self, part: Part, items: Sequence[int]) -> pa.Table:
        about = f"AND item_id IN ({', '.join(str(int(i)) for i in items)})"
        self._cursor.execute(f"{part.mirror.select(part, 'postgresql')} {about}")
        found = self._cursor.fetch_arrow_table()
        return found.rename_columns(part.mirror.arrow.names).cast(part.mirror.arrow)


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
