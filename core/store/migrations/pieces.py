"""What migrations are made of: the columns, and the triggers that keep rows as they are.

Records made long ago went through this code, so what it makes must never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op


def number() -> sa.types.TypeEngine[int]:
    """Return the type of row numbers; SQLite counts rows only in INTEGER keys."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def key(name: str = "seq") -> sa.Column[Any]:
    """Return the column that numbers the rows."""
    return sa.Column(name, number(), primary_key=True, autoincrement=True, nullable=False)


def ref(name: str, target: str, nullable: bool = False) -> sa.Column[Any]:
    """Return a column that points at a row elsewhere."""
    return sa.Column(name, number(), sa.ForeignKey(target), nullable=nullable)


def words(name: str, nullable: bool = False) -> sa.Column[Any]:
    """Return a column of text."""
    return sa.Column(name, sa.Text(), nullable=nullable)


def moment(name: str = "at") -> sa.Column[Any]:
    """Return a column of times: seconds since the Unix epoch, UTC."""
    return sa.Column(name, sa.Double(), nullable=False)


def forbid_changes(tables: Sequence[str]) -> None:
    """Refuse UPDATE and DELETE on tables from here on, by trigger."""
    if op.get_bind().dialect.name == "sqlite":
        _forbid_on_sqlite(tables)
    else:
        _forbid_on_postgresql(tables)


def _forbid_on_sqlite(tables: Sequence[str]) -> None:
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _forbid_on_postgresql(tables: Sequence[str]) -> None:
    for table in tables:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION tiebreak_append_only()"
        )
