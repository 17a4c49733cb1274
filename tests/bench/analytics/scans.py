"""Six questions on a flat table of events: packed in memory here, and in a real PostgreSQL.

Then the same from roll-ups: ours beside PostgreSQL's raw answer, and beside PostgreSQL's own table
of the same roll-up.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.analytics.replica import Replica
from core.services.workspace import open_workspace
from tests.bench.analytics._events import EVENTS, laid_out
from tests.bench.analytics._postgres import asking, server, work_of
from tests.bench.analytics._timed import ratio_of, timed

_FLAT = """
CREATE TABLE ev AS
SELECT
    CAST(a.seq AS INTEGER) AS seq, CAST(a.item_id AS INTEGER) AS item_id,
    CAST(a.person_id AS SMALLINT) AS person_id, CAST(substr(a.label, 2) AS SMALLINT) AS label,
    CAST(substr(f.label, 2) AS SMALLINT) AS truth, CAST(substr(s.value, 2) AS SMALLINT) AS site,
    CAST(substr(d.value, 2) AS SMALLINT) AS device, CAST(substr(l.value, 2) AS SMALLINT) AS light,
    CAST(round(1000 * a.active_seconds) AS INTEGER) AS took_ms, CAST(floor(a."at") AS BIGINT) AS "at",
    a.prelabel_shown
FROM live a
JOIN final f ON f.item_id = a.item_id
JOIN item_values s ON s.item_id = a.item_id AND s.key = 'site'
JOIN item_values d ON d.item_id = a.item_id AND d.key = 'device'
JOIN item_values l ON l.item_id = a.item_id AND l.key = 'light'
WHERE a.kind = 'vote'
ORDER BY a.seq
"""
# Eleven columns, small whole numbers for both: classes and conditions are coded, as in the reference.
_RIGHT = "avg(CASE WHEN label = truth THEN 1.0 ELSE 0.0 END)"
_SETS = "(site), (device), (light), (truth), (site, truth), (device, truth), (light, truth), (site, device, light), ()"
RAW = {
    "per_class": f"SELECT truth, count(*) AS n, {_RIGHT} FROM ev GROUP BY truth",
    "confusion": "SELECT truth, label, count(*) AS n FROM ev GROUP BY truth, label",
    "person_by_hour": """SELECT count(*), sum(n), max(d) FROM (
        SELECT person_id, CAST(floor("at" / 3600.0) AS INTEGER) AS hour, count(*) AS n, avg(took_ms) AS d
        FROM ev GROUP BY 1, 2) AS hours""",
    "nine_slices": f"SELECT site, device, light, truth, count(*) AS n, {_RIGHT} FROM ev GROUP BY GROUPING SETS ({_SETS})",
    "unanimity": """SELECT count(*), sum(CASE WHEN most = n THEN 1 ELSE 0 END) FROM (
        SELECT item_id, sum(n) AS n, max(n) AS most FROM (
            SELECT item_id, label, count(*) AS n FROM ev GROUP BY 1, 2) AS labels
        GROUP BY 1) AS items""",
    "p95_by_person": "SELECT person_id, percentile_cont(0.95) WITHIN GROUP (ORDER BY took_ms) FROM ev GROUP BY 1",
}
_BY_DAY = """SELECT count(*), sum(n), max(middle) FROM (
    SELECT person_id, CAST(floor("at" / 86400.0) AS INTEGER) AS day, count(*) AS n,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms) AS middle
    FROM ev GROUP BY 1, 2) AS days"""
_PAIRS = "FROM pair_counts WHERE who IS NOT NULL AND NOT gold"
ROLLED = {
    "per_class": (
        RAW["per_class"],
        f"SELECT truth, sum(n), 1.0 * sum(CASE WHEN said = truth THEN n END) / sum(n) {_PAIRS} GROUP BY truth",
    ),
    "confusion": (RAW["confusion"], f"SELECT truth, said, sum(n) {_PAIRS} GROUP BY truth, said"),
    "person_by_day": (_BY_DAY, "SELECT count(*), sum(votes), max(median_seconds) FROM work_days"),
}
"""What is asked of the flat table in PostgreSQL, and what the roll-up answers instead."""

TABLES = ("ev", "pair_counts", "work_days")


def run(folder: Path) -> dict[str, object]:
    """Return the times of both on the same rows, and how many times longer PostgreSQL takes."""
    ws = open_workspace(laid_out())
    replica = Replica(ws.store, seconds=600)
    replica.catch_up()
    replica.keep_days("UTC")
    cursor = replica._db.cursor()
    cursor.execute(_FLAT).fetchall()
    cursor.execute("CHECKPOINT").fetchall()
    with server() as url, asking(url) as peer:
        for table in TABLES:
            _hand_over(cursor, url, table)
            peer.execute(f"VACUUM ANALYZE {table}")
        raw = {name: _both(cursor, peer, sql, sql) for name, sql in RAW.items()}
        rolled = {name: _both(cursor, peer, sql, sql) for name, (_, sql) in ROLLED.items()}
        answers = {
            name: timed(_asking(peer, sql), 3, clock=work_of(peer))
            for name, (sql, _) in ROLLED.items()
        }
    replica.close()
    ws.store.close()
    times = {n: (rolled[n]["ours"]["p50_ms"], answers[n]["p50_ms"]) for n in ROLLED}
    return {
        "events": EVENTS,
        "raw": raw,
        "raw_times_faster": _faster(raw),
        "raw_times_less_cpu": ratio_of(
            [(f["ours"]["cpu_ms"], f["postgresql"]["cpu_ms"]) for f in raw.values()]
        ),
        "roll_ups": rolled,
        "roll_up_against_raw_times_faster": {n: round(b / a) for n, (a, b) in times.items()},
        "roll_up_against_raw_geometric_mean": ratio_of(list(times.values())),
        "roll_up_against_roll_up_times_faster": _faster(rolled),
    }


def _faster(found: dict[str, Any]) -> float:
    return ratio_of([(f["ours"]["p50_ms"], f["postgresql"]["p50_ms"]) for f in found.values()])


def _both(cursor: Any, peer: Any, ours: str, theirs: str) -> dict[str, Any]:
    mine, other = (_comparable(ask()) for ask in (_asking(cursor, ours), _asking(peer, theirs)))
    if mine != other:
        raise AssertionError(f"Different answers: {mine[:3]} and {other[:3]}")
    return {
        "ours": timed(_asking(cursor, ours), 5),
        "postgresql": timed(_asking(peer, theirs), 3, clock=work_of(peer)),
    }


def _comparable(rows: list[Any]) -> list[Any]:
    """Return rows in order, numbers of any kind as floats to six digits."""
    found = (
        [v if isinstance(v, str | None) else float(f"{float(v):.6g}") for v in row] for row in rows
    )
    return sorted(found, key=repr)


def _asking(where: Any, sql: str) -> Callable[[], list[Any]]:
    return lambda: where.execute(sql).fetchall()


def _hand_over(cursor: Any, url: str, table: str) -> None:
    """Write a table of ours into PostgreSQL, in PostgreSQL's own types."""
    from adbc_driver_postgresql import dbapi

    reader = cursor.sql(f"FROM {table}").to_arrow_reader(100_000)
    with dbapi.connect(url) as connection, connection.cursor() as target:
        target.adbc_ingest(table, reader, mode="create")
        connection.commit()
