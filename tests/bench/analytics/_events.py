"""A real record of any number of annotation events, filled in bulk.

Three people vote on each item, far apart in time; one vote in fifty is given anew, withdrawn or
skipped later. Every item has metadata, a prediction and a label in force; one in a hundred is gold.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, insert, text

from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.projects.project import NewProject, create_project
from core.services.workspace import open_workspace
from core.settings import SETTINGS_FILE
from core.store.tables import people, person_revisions, prediction_sets
from tests.bench.made import SLUG

PEOPLE = 200
CLASSES = tuple(f"c{i}" for i in range(10))
START = 1_767_225_600.0  # 2026-01-01, UTC
AT_ONCE = 50_000  # rows handed over at a time
STRIDE = 7919  # prime to every number of items used: votes on one item lie far apart

# Pseudo-random numbers in [0, 1) that depend on a row's number and on what they are for.
_MACROS = """
CREATE MACRO u(i, what) AS hash(i * 1000 + what) / 18446744073709551616.0;
CREATE MACRO class_of(item) AS (hash(item * 7) % 10)::INTEGER;
CREATE MACRO said(item, i, chance) AS
    'c' || CASE WHEN u(i, 1) < chance THEN class_of(item) ELSE (hash(i * 13 + 5) % 10)::INTEGER END;
CREATE MACRO doc(label) AS '{"choices":{"label":"' || label || '"},"regions":[]}';
"""

_VOTES = """
WITH placed AS (
    SELECT i, i % $items AS idx, i // $items AS round, 1 AS revision
    FROM range($from, $to) r(i) WHERE i < 3 * $items
    UNION ALL  -- one in fifty says something else later
    SELECT i, ((i - 3 * $items) * 31) % $items, 0, 2
    FROM range($from, $to) r(i) WHERE i >= 3 * $items AND i < $events
    UNION ALL  -- and what comes in afterwards: a fourth vote
    SELECT i, ((i - $events) * 7907) % $items, 3, 1 FROM range($from, $to) r(i) WHERE i >= $events
),
said AS (
    SELECT
        *, 1 + (idx * $stride) % $items AS item_id,
        1000 + 4 * CAST(floor(pow(u(idx + round * $items, 2), 2) * 50) AS BIGINT) + round AS person_id,
        CASE WHEN revision = 1 OR u(i, 3) < 0.8 THEN 'vote'
             WHEN u(i, 3) < 0.9 THEN 'withdraw' ELSE 'skip' END AS kind
    FROM placed
),
labelled AS (
    SELECT *, CASE WHEN kind = 'vote' THEN said(item_id, i, 0.88) END AS label FROM said
)
SELECT
    i + 1 AS seq, 'u' || i AS uuid, 1::BIGINT AS project_id, item_id, person_id,
    revision::BIGINT AS revision, kind, label,
    CASE WHEN kind = 'vote' THEN doc(label) END AS answer, '' AS reason,
    1::BIGINT AS schema_version, 1::BIGINT AS guideline_version, item_id AS prediction_seq,
    (u(i, 4) < 0.4) AS prelabel_shown, 0.5 - 2.5 * ln(u(i, 5) + 1e-9) AS active_seconds,
    $start + i * 3.0 - 20 * u(i, 6) AS started_at, 'deck' AS via, '' AS queue,
    $start + i * 3.0 AS "at"
FROM labelled ORDER BY i
"""

_ITEMS = """
SELECT i AS id, 1::BIGINT AS project_id, 'h' || i AS content_hash, i || '.jpg' AS location,
    640::BIGINT AS width, 480::BIGINT AS height, 1::BIGINT AS orientation, 'JPEG' AS format,
    1::BIGINT AS size_bytes, '[]' AS channels,
    CASE WHEN u(i, 7) < 0.8 THEN 'train' WHEN u(i, 7) < 0.9 THEN 'certify' ELSE 'evaluate' END AS use,
    0.8::DOUBLE AS use_probability, $start - 86400 AS "at"
FROM range(1, $items + 1) r(i)
"""

_STATES = """
SELECT i AS item_id, 1::BIGINT AS project_id, 'agreed' AS state, 3::BIGINT AS votes,
    3::BIGINT AS wanted, 0.5::DOUBLE AS priority, $start AS updated_at
FROM range(1, $items + 1) r(i)
"""

_METADATA = """
SELECT i AS seq, 1::BIGINT AS project_id, i AS item_id,
    '{"site":"s' || (hash(i * 3) % 8) || '","device":"d' || (hash(i * 5) % 4) || '","light":"l'
        || (hash(i * 11) % 5) || '"}' AS doc, $start - 86400 AS "at"
FROM range(1, $items + 1) r(i)
"""

_PREDICTIONS = """
SELECT i AS seq, 1::BIGINT AS set_id, 1::BIGINT AS project_id, i AS item_id,
    said(i, i + 77, 0.9) AS label, doc(said(i, i + 77, 0.9)) AS answer, u(i, 8) AS confidence, 0.2::DOUBLE AS margin
FROM range(1, $items + 1) r(i)
"""

_GOLD = """
SELECT row_number() OVER () AS seq, 1::BIGINT AS project_id, i AS item_id, 'c' || class_of(i) AS label,
    doc('c' || class_of(i)) AS answer, $start - 86400 AS "at"
FROM range(1, $items + 1) r(i) WHERE i % 100 = 0
"""

_FINALS = """
WITH placed AS (
    SELECT idx, 1 + (idx * $stride) % $items AS item_id,
           CASE WHEN idx % 12 = 0 THEN 'adjudicated' WHEN idx % 50 = 1 THEN 'auto-accepted' ELSE 'agreed' END AS state
    FROM range(0, $items) r(idx)
)
SELECT
    idx + 1 AS seq, 1::BIGINT AS project_id, item_id, state, said(item_id, idx + 99, 0.97) AS label,
    doc(said(item_id, idx + 99, 0.97)) AS answer, 0.9::DOUBLE AS probability, '' AS reason,
    1::BIGINT AS policy_version, 1::BIGINT AS schema_version,
    '{"decision":' || CASE WHEN state = 'adjudicated' THEN (idx // 12 + 1)::VARCHAR ELSE 'null' END
        || ',"flags":[],"imported":null,"prediction":'
        || CASE WHEN state = 'auto-accepted' THEN item_id::VARCHAR ELSE 'null' END
        || ',"votes":[' || (idx + 1) || ',' || ($items + idx + 1) || ',' || (2 * $items + idx + 1) || ']}' AS evidence,
    $start + (2 * $items + idx) * 3.0 + 1 AS "at"
FROM placed ORDER BY idx
"""

_DECISIONS = """
SELECT k + 1 AS seq, 'd' || k AS uuid, 1::BIGINT AS project_id, 1 + (k * 12 * $stride) % $items AS item_id,
    (1000 + 4 * (k % 5))::BIGINT AS person_id, 'decide' AS kind,
    said(1 + (k * 12 * $stride) % $items, k * 12 + 99, 0.97) AS label, NULL::VARCHAR AS answer, 'r' AS reason,
    3::BIGINT AS votes_seen, 0::BIGINT AS extra_votes, 0::BIGINT AS annotation_seq,
    1::BIGINT AS guideline_version, $start + (2 * $items + k * 12) * 3.0 AS "at"
FROM range(0, ($items + 11) // 12) r(k)
"""

# Answers no class asks for are left NULL where the record allows it; order matters: rows point back.
BULK = (
    ("items", _ITEMS),
    ("item_state", _STATES),
    ("item_metadata", _METADATA),
    ("gold_answers", _GOLD),
    ("predictions", _PREDICTIONS),
    ("annotations", _VOTES),
    ("decisions", _DECISIONS),
    ("final_labels", _FINALS),
)


EVENTS = int(os.environ.get("TIEBREAK_BENCH_EVENTS", "10000000"))
"""How many annotations the benchmarks lay out; fewer for a quick look."""


KEPT = os.environ.get("TIEBREAK_BENCH_KEPT", "")
"""A folder that keeps what was laid out for the next run; empty to remove it at the end of this one."""


@cache
def laid_out(events: int = EVENTS) -> Path:
    """Return a workspace of so many events, made once; whoever takes it may add people, no rows."""
    if KEPT:
        return _kept(Path(KEPT), events)
    folder = tempfile.TemporaryDirectory(prefix="tiebreak-bench-")
    atexit.register(folder.cleanup)
    return lay_out(Path(folder.name), events)


def _kept(folder: Path, events: int) -> Path:
    root = folder / str(events)
    if not root.exists():
        part = folder / f"{events}.part"  # one that was broken off is not taken for a whole one
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        lay_out(part, events)
        part.rename(root)
    return root / "workspace"


def copy_of(root: Path, folder: Path) -> Path:
    """Return a copy of a workspace that nothing has open, to add rows to."""
    made = folder / "copy"
    shutil.copytree(root, made)
    return made


def items_of(events: int) -> int:
    """Return how many items so many events are about: three votes each, and a fiftieth more."""
    return events * 50 // 51 // 3


def lay_out(folder: Path, events: int, database: str = "") -> Path:
    """Fill a new workspace with one project and return its folder; nothing may have it open yet.

    Args:
        folder: Where to put it.
        events: How many annotations.
        database: URL of an empty PostgreSQL database; empty for SQLite.
    """
    root = folder / "workspace"
    if database:
        root.mkdir()
        (root / SETTINGS_FILE).write_text(f'database_url = "{database}"\n')
    ws = open_workspace(root)
    create_project(ws, operator(ws), NewProject(SLUG, Task.CLASSIFICATION, CLASSES, simulated=True))
    with ws.store.write() as connection:
        _write_small(connection)
        indexes = _drop_indexes(connection)
    ws.store.close()  # before another copy of the SQLite library opens the file
    with _driver(root, database) as adbc:
        _pour(adbc, events)
    ws = open_workspace(root)
    with ws.store.write() as connection:
        for made in indexes:
            connection.execute(text(made))
    ws.store.close()
    return root


def add_votes(root: Path, events: int, first: int, last: int, database: str = "") -> None:
    """Give a workspace closed by all the votes numbered from `first` to below `last`."""
    with _driver(root, database) as adbc:
        _append(adbc, "annotations", _VOTES, events, first, last)


def _pour(adbc: Any, events: int) -> None:
    for table, query in BULK:
        _append(adbc, table, query, events, 0, events)


def _append(adbc: Any, table: str, query: str, events: int, first: int, last: int) -> None:
    known = {"items": items_of(events), "events": events, "from": first, "to": last,
             "stride": STRIDE, "start": START}  # fmt: skip
    asked = {k: v for k, v in known.items() if f"${k}" in query}
    rows = _maker().sql(query, params=asked).to_arrow_reader(AT_ONCE)
    with adbc.cursor() as cursor:
        cursor.adbc_ingest(table, _as_there(adbc, table, rows), mode="append")
    adbc.commit()


def _as_there(adbc: Any, table: str, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return rows with whole numbers as wide as the table's, where it has such: PostgreSQL insists."""
    there = adbc.adbc_get_table_schema(table)
    if adbc.adbc_get_info()["vendor_name"] == "SQLite":
        return rows
    kinds = [(f.name, there.field(f.name).type) for f in rows.schema]
    narrow = [(n, k if pa.types.is_integer(k) else rows.schema.field(n).type) for n, k in kinds]
    return rows.cast(pa.schema(narrow))


def _driver(root: Path, database: str) -> Any:
    if database:
        from adbc_driver_postgresql import dbapi

        return dbapi.connect(database)
    from adbc_driver_sqlite import dbapi as lite

    return lite.connect(str(root / "tiebreak.db"))


def _write_small(connection: Connection) -> None:
    who = {"kind": "person", "simulated": False, "at": START}
    connection.execute(
        insert(people), [{"id": 1000 + i, "name": f"p{i:03d}", **who} for i in range(PEOPLE)]
    )
    names = {"password_hash": None, "active": True, "language": "", "by_id": None, "at": START}
    connection.execute(
        insert(person_revisions),
        [{"person_id": 1000 + i, "display_name": f"p{i:03d}", **names} for i in range(PEOPLE)],
    )
    connection.execute(
        insert(prediction_sets), [{"id": 1, "project_id": 1, "name": "m", "at": START}]
    )


def _drop_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of the large tables of SQLite and return what makes them again."""
    if connection.dialect.name != "sqlite":
        return []
    found = connection.execute(
        text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'")
    )
    large = [r for r in found if r.sql and r.tbl_name in dict(BULK)]
    for row in large:
        connection.execute(text(f'DROP INDEX "{row.name}"'))
    return [r.sql for r in large]


def _maker() -> Any:
    made = duckdb.connect(":memory:")
    made.execute("SET threads=1")
    made.execute("SET enable_progress_bar=false")
    for statement in made.extract_statements(_MACROS):
        made.execute(statement)
    return made
