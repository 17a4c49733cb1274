"""Statements of the claim as text, prepared once: building them anew would cost more than they do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult


def run(
    connection: Connection,
    sql: str,
    values: Mapping[str, Any],
    ids: Sequence[int] | None = None,
) -> CursorResult[Any]:
    """Execute a statement with `:name` parameters; `:ids` stands for a list of numbers."""
    given = dict(values)
    if ids is not None:
        given |= {f"i{n}": i for n, i in enumerate(ids)}
    plain = _prepared(sql, connection.dialect.name, 0 if ids is None else len(ids))
    return connection.exec_driver_sql(plain, given)


def run_many(connection: Connection, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement once for each row."""
    connection.exec_driver_sql(_prepared(sql, connection.dialect.name, 0), [dict(r) for r in rows])


@lru_cache(maxsize=512)
def _prepared(sql: str, dialect: str, ids: int) -> str:
    names = ", ".join(f":i{n}" for n in range(ids))
    text = sql.replace("(:ids)", f"({names})")
    if dialect != "postgresql":
        return text
    return re.sub(r"(?<!:):([a-z_]+[0-9]*)", r"%(\1)s", text.replace("%", "%%"))
