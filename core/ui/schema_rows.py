"""Between the table people edit classes in and the operations that do it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from core.labels.operations import (
    AddClass,
    Merge,
    Operation,
    Recolour,
    Rekey,
    Rename,
    Restore,
    Retire,
)
from core.labels.schema import LabelClass, Question

Row = Mapping[str, Any]
"""Of one class: number (None for a new one), name, key, colour, retired, merge (a class's name)."""


def rows_of(question: Question) -> list[dict[str, Any]]:
    """Return a question's classes as rows; those merged into others are gone from it."""
    return [
        {
            "number": c.id,
            "swatch": swatch(c.colour),
            "name": c.name,
            "key": c.key or None,
            "colour": c.colour,
            "retired": c.retired,
            "merge": None,
        }
        for c in question.classes
        if c.merged_into is None
    ]


def swatch(colour: str) -> str:
    """Return the address of a picture of one colour."""
    return (
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' width='32' height='18'>"
        f"<rect width='32' height='18' rx='5' fill='%23{colour.removeprefix('#')}'/></svg>"
    )


def operations_of(
    question: Question, rows: Sequence[Row], colours: Mapping[int, str] | None = None
) -> list[Operation]:
    """Return what has to be done so that the question is as the rows say.

    Args:
        question: As it is.
        rows: As they were edited, new ones without a number at the end.
        colours: Chosen beside the table, by class number; what the table says counts more.
    """
    before = {c.id: c for c in question.classes}
    ids = {c.name: c.id for c in question.classes}
    known = [r for r in rows if _number(r) in before]
    fresh = [r for r in rows if _number(r) not in before and any(map(_text, _said(r)))]
    merged = [r for r in known if _text(r.get("merge"))]
    left = [r for r in known if not _text(r.get("merge"))]
    found: list[Operation] = []
    for row in known:
        if before[_number(row)].retired and not row.get("retired"):
            found.append(Restore(question.key, _number(row)))
    for row in fresh:
        found.append(AddClass(question.key, _text(row.get("name")), _text(row.get("colour"))))
    for row in merged:
        into = ids.get(_text(row["merge"]), -1)
        found.append(Merge(question.key, _number(row), into))
    for row in left:
        found += _changes(question.key, before[_number(row)], row, colours or {})
    return found + _keys(question, left, fresh)


def _changes(key: str, was: LabelClass, row: Row, colours: Mapping[int, str]) -> list[Operation]:
    found: list[Operation] = []
    if _text(row.get("name")) != was.name:
        found.append(Rename(key, was.id, _text(row.get("name"))))
    typed = _text(row.get("colour"))
    colour = typed if typed != was.colour else colours.get(was.id, was.colour)
    if colour != was.colour:
        found.append(Recolour(key, was.id, colour))
    if row.get("retired") and not was.retired:
        found.append(Retire(key, was.id))
    return found


def _keys(question: Question, left: Sequence[Row], fresh: Sequence[Row]) -> list[Operation]:
    """Return one operation for all keys, so that they may change places."""
    before = {c.id: c for c in question.classes}
    next_id = max(before) + 1
    wanted = [(_number(r), _text(r.get("key"))) for r in left if not r.get("retired")]
    wanted += [(next_id + n, _text(r.get("key"))) for n, r in enumerate(fresh)]
    changed = tuple((i, k) for i, k in wanted if k != (before[i].key if i in before else ""))
    return [Rekey(question.key, changed)] if changed else []


def _said(row: Row) -> tuple[object, ...]:
    return (row.get("name"), row.get("colour"), row.get("key"))


def _number(row: Row) -> int:
    value = row.get("number")
    return -1 if value is None or isnan(value) else int(value)


def _text(value: object) -> str:
    # A table gives an empty cell of text as None, and of numbers as "not a number".
    empty = value is None or (isinstance(value, float) and isnan(value))
    return "" if empty else str(value).strip()
