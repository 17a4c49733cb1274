"""Running the files of SQL this package keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


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
