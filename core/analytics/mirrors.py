"""Which columns of which tables of the record are copied, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Double, Integer, Table

from core.store import tables

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
        dropped: Columns that are read but not kept; where none is kept there is no table.
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
    def insert(self) -> str:
        """Return the statement that copies the rows of ``incoming``."""
        columns = [f'"{n}"' for n in self.kept]
        columns += [f'{what} AS "{name}"' for name, _, what in self.made]
        return f'INSERT INTO "{self.table.name}" SELECT {", ".join(columns)} FROM incoming'  # noqa: S608 names are ours

    @property
    def arrow(self) -> pa.Schema:
        """Return the Arrow schema of the copy."""
        return pa.schema([(n, self._kind(n)[1]) for n in self.names])

    def select(self, part: Part, dialect: str) -> str:
        """Return the statement that reads the rows of a part, in the order of their numbers.

        SQLite walks a table by its numbers without being asked to.
        """
        columns = ", ".join(BOXES[dialect] if n == "boxes" else f'"{n}"' for n in self.names)
        order = f' ORDER BY "{self.key}"' if dialect == "postgresql" else ""
        return (
            f'SELECT {columns} FROM "{self.table.name}" '  # noqa: S608 names come from tables.py
            f'WHERE "{self.key}" > {int(part.after)} AND "{self.key}" <= {int(part.last)}{order}'
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


PACE_BIN = """SELECT CASE
    WHEN active_seconds > 0 THEN CAST(floor(64 * log2(least(active_seconds, 1e300))) AS INTEGER)
    WHEN active_seconds IS NOT NULL THEN -99999 END AS pace_bin
FROM incoming"""
"""The 64th parts of a doubling that each vote's time falls into: -99,999 for none at all."""

EVIDENCE = """SELECT
    rests.decision AS decision, rests.prediction IS NOT NULL AS modelled, rests.votes AS votes
FROM (
    SELECT json_transform(
        CASE WHEN json_valid(evidence) THEN evidence END,
        '{"decision":"BIGINT","prediction":"BIGINT","votes":["BIGINT"]}'
    ) AS rests
    FROM incoming
)"""
"""What each label in force rests on."""

_NEWEST = (("newest", "BOOLEAN", "true"),)

MIRRORS = (
    _mirror(tables.people, "id name kind"),
    _mirror(tables.projects, "id slug task"),
    _mirror(tables.team_moves, "seq person_id team"),
    _mirror(tables.schemas, "seq project_id version doc"),
    _mirror(tables.items, "id project_id use at"),
    _mirror(tables.item_metadata, "seq project_id item_id doc", (), "seq project_id item_id doc"),
    _mirror(tables.gold_answers, "seq project_id item_id label boxes", _NEWEST, "boxes"),
    _mirror(tables.prediction_sets, "id project_id model_id name at"),
    _mirror(
        tables.predictions, "seq set_id project_id item_id label boxes confidence", _NEWEST, "boxes"
    ),
    _mirror(
        tables.annotation_log,
        "seq project_id item_id person_id revision kind label boxes prediction_seq "
        "prelabel_shown guideline_version active_seconds started_at batch_id at",
        (("superseded", "BOOLEAN", "false"), ("pace_bin", "INTEGER", "pace_bin")),
        "boxes",
    ),
    _mirror(tables.decisions, "seq project_id item_id person_id kind label at"),
    _mirror(
        tables.final_labels,
        "seq project_id item_id state label boxes evidence at",
        (),
        "label boxes evidence",
    ),
)
"""The tables that are copied, each after those its rows point to."""
