"""Taking rows of the record into the copy and into the ledger, batch by batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from core.analytics.arrays import Codes, integers
from core.analytics.ledger import Ledger
from core.analytics.mirrors import EVIDENCE, MIRRORS, PACE_BIN, Mirror, Part
from core.analytics.rollups import Touched, insert
from core.analytics.source import Snapshot
from core.analytics.statements import run, run_file

EVERY_PROJECT = 0  # what new rows are about that name no project
READ_AGAIN = 1_000_000  # rows read from the copy at a time


class Renamed(Exception):
    """A class is called otherwise now: every roll-up that names classes is another one."""


class Taker:
    """Takes the new rows of a snapshot.

    Args:
        cursor: In a transaction.
        ledger: Brought up to date row by row.
        seen: Last sequence number of each table that was copied before.
        touched: Told which items the rows are about; None where all are rolled up anyway.

    Attributes:
        rows: How many rows were taken.
        projects: What they were about.
    """

    def __init__(
        self, cursor: Any, ledger: Ledger, seen: Mapping[str, int], touched: Touched | None
    ) -> None:
        self._cursor, self._ledger, self._seen, self._touched = cursor, ledger, seen, touched
        self._documents: list[tuple[Codes, Codes]] = []  # their numbers, and the items they are of
        self.rows = 0
        self.projects: set[int] = set()

    def take(
        self, source: Snapshot, parts: Sequence[Part], after_each: Callable[[int], None]
    ) -> None:
        """Take the rows of parts; `after_each` batch is told its number of rows.

        Raises:
            Renamed: A class is called otherwise, and there are roll-ups already.
        """
        for mirror, rows in source.read(parts):
            name = mirror.table.name
            self._cursor.register("incoming", rows)
            special = getattr(self, f"_take_{name}", None)
            if special is None:
                self._copy(mirror)
            else:
                special(mirror, rows)
            if "boxes" in mirror.names and rows["boxes"].null_count < rows.num_rows:
                run_file(self._cursor, "regions", {"table": name})
            self._cursor.unregister("incoming")
            self.rows += rows.num_rows
            self._tell_projects(rows)
            after_each(rows.num_rows)
        self._drop_former_values()

    def _tell_projects(self, rows: pa.Table) -> None:
        if "project_id" not in rows.schema.names:
            self.projects.add(EVERY_PROJECT)
        elif self._touched is not None:
            self.projects.update(rows["project_id"].unique().to_pylist())

    def _copy(self, mirror: Mirror) -> None:
        run(self._cursor, mirror.insert)

    def _note(self, rows: pa.Table) -> None:
        if self._touched is not None:
            items = self._ledger.items.numbers.places(integers(rows["item_id"]))
            self._touched.note(self._ledger, items)

    def _take_people(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._ledger.people.add(integers(rows["id"]))

    def _take_projects(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._ledger.projects.add(integers(rows["id"]))

    def _take_schemas(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        before = run(self._cursor, "FROM class_names ORDER BY ALL")
        run_file(self._cursor, "class_names", self._seen)
        if self._touched is not None and before != run(
            self._cursor, "FROM class_names ORDER BY ALL"
        ):
            raise Renamed
        self._ledger.rename(_names(self._cursor))

    def _take_items(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._ledger.add_items(rows)

    def _take_item_metadata(self, mirror: Mirror, rows: pa.Table) -> None:
        """Write what documents say in long form; equal documents are read once."""
        found = rows["doc"].combine_chunks().dictionary_encode()
        self._cursor.register(
            "documents",
            pa.table({"place": np.arange(len(found.dictionary)), "doc": found.dictionary}),
        )
        self._cursor.register("placed", rows.append_column("place", found.indices))
        if self._seen[mirror.table.name]:
            run_file(self._cursor, "former_values", {})
        run_file(self._cursor, "item_values", {})
        for name in ("documents", "placed"):
            self._cursor.unregister(name)
        # Copied: the columns would hold on to the whole batch.
        self._documents.append((integers(rows["seq"]).copy(), integers(rows["item_id"]).copy()))

    def _drop_former_values(self) -> None:
        """Take away what came of documents that a later one of these rows replaced."""
        if not self._documents:
            return
        seq, item = (np.concatenate(parts) for parts in zip(*self._documents, strict=True))
        self._documents = []
        _, first = np.unique(item[::-1], return_index=True)
        if len(first) < len(item):
            former = np.delete(seq[::-1], first)
            self._cursor.register("struck", pa.table({"seq": former}))
            run(self._cursor, "DELETE FROM item_values WHERE seq IN (SELECT seq FROM struck)")
            self._cursor.unregister("struck")

    def _take_gold_answers(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._note(rows)
        self._ledger.add_golds(rows)

    def _take_predictions(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._note(rows)
        self._ledger.add_guesses(rows)

    def _take_annotations(self, mirror: Mirror, rows: pa.Table) -> None:
        bins = self._cursor.sql(PACE_BIN).to_arrow_table()["pace_bin"]
        rows = rows.append_column("pace_bin", bins)
        self._cursor.register("incoming", rows)
        self._copy(mirror)
        self._note(rows)
        self._ledger.add_votes(rows)

    def _take_decisions(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._ledger.add_decisions(rows)

    def _take_final_labels(self, mirror: Mirror, rows: pa.Table) -> None:
        self._copy(mirror)
        self._note(rows)
        evidence = self._cursor.sql(EVIDENCE).to_arrow_table()
        insert(self._cursor, "final", self._ledger.add_finals(rows, evidence))


def parts_beyond(ends: Mapping[str, int], seen: Mapping[str, int]) -> list[Part]:
    """Return what the record holds beyond the sequence numbers seen, each table after those it needs."""
    named = ((m, m.table.name) for m in MIRRORS)
    return [Part(m, seen[name], ends[name]) for m, name in named if ends[name] > seen[name]]


def ledger_of(cursor: Any) -> Ledger:
    """Return a ledger of all rows of the copy."""
    ledger = Ledger()
    for table, numbers in (("people", ledger.people), ("projects", ledger.projects)):
        numbers.add(integers(_all(cursor, f"SELECT id FROM {table} ORDER BY id")["id"]))  # noqa: S608
    ledger.rename(_names(cursor))
    for table, what, take in (
        ("items", 'id, project_id, use, "at"', ledger.add_items),
        ("gold_answers", "seq, item_id, label, newest", ledger.add_golds),
        ("predictions", "seq, item_id, label, newest", ledger.add_guesses),
        ("annotations", "seq, item_id, person_id, revision, kind, label, prelabel_shown, "
            "batch_id, pace_bin", ledger.add_votes),
        ("decisions", "seq, person_id", ledger.add_decisions),
        ("final", "seq, item_id, state, label, rests_on, rests_on_model, since",
            ledger.restore_finals),
    ):  # fmt: skip
        key = what.split(",")[0]
        [(last,)] = run(cursor, f"SELECT max({key}) FROM {table}")  # noqa: S608 names are ours
        for low in range(0, (last or 0) + 1, READ_AGAIN):
            sql = f"SELECT {what} FROM {table} WHERE {key} >= {low} AND {key} < {low + READ_AGAIN}"  # noqa: S608
            rows = _all(cursor, f"{sql} ORDER BY {key}")
            if rows.num_rows:
                take(rows.filter(rows["newest"]) if "newest" in what else rows)
    ledger.forget_changes()
    return ledger


def _all(cursor: Any, sql: str) -> pa.Table:
    return cursor.sql(sql).to_arrow_table()


def _names(cursor: Any) -> list[tuple[int, str, str]]:
    return [(p, a, b) for p, a, b in run(cursor, "SELECT project_id, name, today FROM label_names")]


# --- up to where the record was copied --------------------------------------------------------


def ends_of(source: Snapshot) -> dict[str, int]:
    """Return the last sequence number of each table in the record."""
    return {
        m.table.name: int(source.value(f'SELECT max("{m.key}") FROM "{m.table.name}"') or 0)  # noqa: S608 names come from MIRRORS
        for m in MIRRORS
    }


def last_audit(source: Snapshot) -> int:
    """Return the number of the trail's last entry, 0 where there is none."""
    return int(source.value("SELECT max(seq) FROM audit") or 0)


def audit_hash(source: Snapshot, seq: int) -> str:
    """Return the hash of an entry of the trail, empty where there is none such."""
    return str(source.value(f"SELECT hash FROM audit WHERE seq = {int(seq)}") or "")  # noqa: S608 a whole number


def write_state(cursor: Any, audit: int, trail: str, ends: Mapping[str, int]) -> None:
    """Note up to where the record was copied."""
    run(
        cursor,
        "UPDATE replica_state SET audit_seq = ?, audit_hash = ?, copied = ?",
        [audit, trail, json.dumps(ends)],
    )
