"""Keeping what is derived from the copied rows: labels in force, and the roll-ups.

A roll-up is a narrow table of changes. New rows touch some items; what those items had added is
taken out again and what they add now is put in, so nothing but these items is looked at. Made anew,
everything is rolled up stretch by stretch of items, by the same statements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from core.analytics.agreeing import agreement_changes

SEEN = ("annotations", "final_labels", "gold_answers", "predictions", "decisions", "items")
STRETCH = 600_000  # items rolled up at a time
ALL_ITEMS = {"low": 0, "high": 2**62}
SUMMED = {
    "pair_counts": "n", "live_counts": "n", "agreement_counts": "items", "done_paces": "n",
    "state_moves": "change",
}  # fmt: skip
"""The roll-ups and what is summed up over rows of equal keys."""

MOST_LOOSE_ROWS = 100_000
"""Rows a roll-up may gain before rows of equal keys are put together."""

Seen = Mapping[str, int]

Look = Callable[[Any, int], bool]
"""Writes all that was ever said of so many touched items into ``spoken``; says whether it did."""

FEW = 20_000
"""Touched items up to which all their votes are kept at hand, not only those that changed."""

_VOTES = """SELECT project_id, item_id, person_id, label, was, stands
FROM votes WHERE kind = 'vote' AND label IS NOT NULL"""


def make_anew(cursor: Any, settle: Callable[[], None]) -> None:
    """Derive everything from the copied rows; nothing may be derived yet.

    Args:
        cursor: In a transaction.
        settle: Called between steps; may commit and begin another transaction.
    """
    nothing = dict.fromkeys((*SEEN, "schemas", "item_metadata"), 0)
    steps = ("class_names", "superseded", "gold", "latest_prediction", "item_values", "regions")
    for name in steps:
        run_file(cursor, name, nothing)
        settle()
    roll_up_anew(cursor, settle)


def roll_up_anew(cursor: Any, settle: Callable[[], None]) -> None:
    """Make labels in force and the roll-ups again, stretch by stretch; everything else stands."""
    for table in ("final", *SUMMED):
        run(cursor, f'DELETE FROM "{table}"')  # noqa: S608 names are ours
    nothing = dict.fromkeys(SEEN, 0)
    last = run(cursor, "SELECT max(id) FROM items")[0][0] or 0
    for low in range(1, last + 1, STRETCH):
        stretch = {**nothing, "low": low, "high": low + STRETCH - 1}
        for name in ("touched_range", "begin", "state_moves", "final", "votes_in_range"):
            run_file(cursor, name, stretch)
        _add_up(cursor, stretch, {"final_labels", "gold_answers", "predictions"}, made=True)
        settle()
    run_file(cursor, "done_paces", nothing)
    _drop_temporary(cursor)
    for table, summed in SUMMED.items():
        put_together(cursor, table, summed)
    settle()


def follow(cursor: Any, seen: Seen, fresh: set[str], drawn: bool, look: Look) -> None:
    """Bring everything derived up to date with the rows beyond `seen`.

    Args:
        cursor: In a transaction, the new rows copied.
        seen: Last sequence number of each table that was followed before.
        fresh: Tables with new rows.
        drawn: Whether any new answer has regions.
        look: Asked for what was said of the touched items; where it declines, the copy is searched.
    """
    if drawn:
        _refresh(cursor, "regions", seen, fresh)
    if "schemas" in fresh and _renamed(cursor, seen):
        for name in ("superseded", "gold", "latest_prediction", "item_values"):
            _refresh(cursor, name, seen, fresh)
        roll_up_anew(cursor, lambda: None)
        return
    values: dict[str, Any] = {**seen, **ALL_ITEMS}
    rolled = not fresh.isdisjoint(("annotations", "final_labels", "gold_answers", "predictions"))
    if rolled:
        for name in ("touched", "begin"):
            run_file(cursor, name, values)
        values["changed"] = _find_votes(cursor, values, fresh, look)
        _remember(cursor, fresh, {"was": True, "stands": False})
    if not fresh.isdisjoint(("items", "final_labels")):
        run_file(cursor, "state_moves", values)
        if "final_labels" in fresh:
            run_file(cursor, "final", values)
    for name in ("gold", "latest_prediction", "item_values"):
        _refresh(cursor, name, seen, fresh)
    if rolled:
        _add_up(cursor, values, fresh)
    if "annotations" in fresh:
        if run(cursor, "SELECT count(*) FROM votes WHERE NOT stands")[0][0]:
            run(cursor, "UPDATE annotations SET superseded = true "
                "WHERE seq IN (SELECT seq FROM votes WHERE NOT stands)")  # fmt: skip
        run_file(cursor, "done_paces", values)


def follow_days(cursor: Any, tz: str, seen: Seen) -> None:
    """Add up the days of one time zone that rows beyond `seen` fall on."""
    run_file(cursor, "redone", {**seen, "tz": tz})
    [(first, last)] = run(
        cursor, "SELECT epoch(min(day)) - 86400, epoch(max(day)) + 172800 FROM redone"
    )
    if first is not None:
        run_file(cursor, "work_days", {"tz": tz, "first": first, "last": last})


def put_together(cursor: Any, table: str, summed: str) -> None:
    """Sum up the rows of a roll-up that have equal keys."""
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE together AS "  # noqa: S608 names are ours
        f"SELECT * EXCLUDE ({summed}), sum({summed})::BIGINT AS {summed} "
        f"FROM {table} GROUP BY ALL HAVING {summed} <> 0",
    )
    run(cursor, f"DELETE FROM {table}")  # noqa: S608
    run(cursor, f"INSERT INTO {table} BY NAME FROM together")
    run(cursor, "DROP TABLE together")


def _add_up(cursor: Any, values: Mapping[str, Any], fresh: set[str], made: bool = False) -> None:
    """Write the changes of the roll-ups that the touched items make."""
    now = {"was": False, "stands": True}
    if "final_labels" in fresh or "gold_answers" in fresh:
        run_file(cursor, "references_there", now)
    if "predictions" in fresh:
        run_file(cursor, "guesses_there", now)
    run_file(cursor, "pair_counts", values)
    if not fresh.isdisjoint(("predictions", "final_labels", "gold_answers")):
        run_file(cursor, "guess_counts", values)
    if made or "annotations" in fresh:
        run_file(cursor, "live_counts", values)
        _add_agreement(cursor, values)


def _find_votes(cursor: Any, values: Mapping[str, Any], fresh: set[str], look: Look) -> bool:
    """Fill ``votes`` and return whether only those that changed are there."""
    [(count,)] = run(cursor, "SELECT count(*) FROM touched")
    if look(cursor, count):
        run_file(cursor, "votes_spoken", values)
        return False
    changed = count >= FEW and fresh.isdisjoint(("final_labels", "gold_answers", "predictions"))
    run_file(cursor, "votes", {**values, "changed": changed})
    return changed


def _add_agreement(cursor: Any, values: Mapping[str, Any]) -> None:
    sql = sql_of("refresh/agreeing_votes") if values.get("changed") else _VOTES
    asked = {p: values[p] for p in parameters(sql)}
    changes = agreement_changes(cursor.sql(sql, params=asked).to_arrow_table())
    cursor.register("changes", changes)
    run(cursor, "INSERT INTO agreement_counts BY NAME FROM changes")
    cursor.unregister("changes")


def _remember(cursor: Any, fresh: set[str], was: Mapping[str, bool]) -> None:
    """Keep what is true and guessed of the touched items; what no new row can change, stands."""
    still = {"was": True, "stands": True}
    true = "final_labels" in fresh or "gold_answers" in fresh
    run_file(cursor, "references_there", was if true else still)
    if true or "predictions" in fresh:
        run_file(cursor, "guesses_there", was if "predictions" in fresh else still)


def _renamed(cursor: Any, seen: Seen) -> bool:
    """Bring the names of classes up to date and return whether any means something else now."""
    before = run(cursor, "FROM class_names ORDER BY ALL")
    run_file(cursor, "class_names", seen)
    return before != run(cursor, "FROM class_names ORDER BY ALL")


def _drop_temporary(cursor: Any) -> None:
    for table in ("votes", "spoken", "touched", "references_there", "guesses_there", "stays"):
        run(cursor, f"DROP TABLE IF EXISTS temp.{table}")


def _refresh(cursor: Any, name: str, seen: Seen, fresh: set[str]) -> None:
    """Run a file whose parameters name the tables it hangs on, if any of them has new rows."""
    if not fresh.isdisjoint(parameters(sql_of(f"refresh/{name}"))):
        run_file(cursor, name, seen)


# --- running SQL ------------------------------------------------------------------------------


def run(cursor: Any, sql: str, params: object = None) -> list[tuple[Any, ...]]:
    """Run one statement to its end: DuckDB 2 streams, and an open result blocks its connection."""
    rows: list[tuple[Any, ...]] = cursor.execute(sql, params).fetchall()
    return rows


def run_file(cursor: Any, name: str, values: Mapping[str, Any]) -> None:
    """Run the statements of a file in ``sql/refresh``, each with the parameters it names."""
    for statement in _statements(sql_of(f"refresh/{name}")):
        run(cursor, statement, {p: values[p] for p in parameters(statement)} or None)


@cache
def sql_of(name: str) -> str:
    """Return the text of a file in ``sql``, named without its ending."""
    return (files("core.analytics") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def parameters(sql: str) -> tuple[str, ...]:
    """Return the names of the parameters of a statement, in order."""
    code = re.sub(r"--[^\n]*|'[^']*'", "", sql)
    return tuple(dict.fromkeys(re.findall(r"\$([a-z_]+)", code)))


@cache
def _statements(sql: str) -> tuple[str, ...]:
    """Return the statements of a file; each ends with a semicolon at the end of a line."""
    parts = re.split(r";[ \t]*(?:\n|$)", sql)
    return tuple(p for p in parts if re.sub(r"--[^\n]*", "", p).strip())
