"""Accuracy inside and outside every slice: by a metadata column, by true class or by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.analytics.asked import ALL, Basis, Filters, comparison_values, independent
from core.analytics.replica import Replica
from core.analytics.tally import Tally, sums_of, tallies_of

MOST_SLICES = 200
FEWEST_NUMBERS_TO_BIN = 13  # a column with up to a dozen numbers is a list of values

Name = tuple[str | None, float | None, float | None]
"""Value, and the ends where it is a bin."""


class Grouping(StrEnum):
    """Slices that are no metadata column."""

    CLASS = "class"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Split:
    """One person's statements, inside a slice and outside it; person None is a model."""

    n: int
    correct: int
    rest_n: int
    rest_correct: int


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Members of a slice against all others.

    Attributes:
        value: What members share; None for items that have no value. For a bin, its range.
        low, high: Ends of a bin (low excluded but for the first), else None.
        n, correct: Statements on members, and how many were right.
        rest_n, rest_correct: The same of all others.
        by_person: The same by person, where people are looked at; empty for a model.
    """

    value: str | None
    low: float | None
    high: float | None
    n: int
    correct: int
    rest_n: int
    rest_correct: int
    by_person: tuple[Split, ...] = ()


@dataclass(frozen=True, slots=True)
class Slices:
    """All slices of one column, largest first, and what they rest on.

    Attributes:
        column: The metadata column, or a `Grouping`.
        basis: What the figures rest on.
        left_out: Pairs left out because the truth rests on the statement.
        rows: Slices.
        omitted: Values too rare to be listed; their items are part of every rest.
    """

    column: str
    basis: Basis
    left_out: int
    rows: tuple[SliceRow, ...]
    omitted: int = 0


def slices(
    replica: Replica,
    project_id: int,
    column: str,
    whose: str,
    against: str,
    filters: Filters = ALL,
) -> Slices:
    """Return accuracy inside and outside every slice of a column; see `per_class_accuracy`.

    Args:
        replica: Caught up.
        project_id: The project.
        column: A metadata column; or `Grouping.CLASS` (the true class), `Grouping.PERSON`.
        whose: "model", "people", or the name of a person.
        against: "final", "gold", "adjudicated" or "evaluate".
        filters: Which statements and items to look at.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    values = comparison_values(replica, project_id, whose, against, filters)
    if isinstance(column, Grouping):
        return _grouping_slices(replica, column, values, against)
    edges = _bin_edges(replica, project_id, column)
    values |= {"column": column, "edges": edges[1:-1], "most": MOST_SLICES}
    rows, basis, left_out = independent(replica.query("slices", values), against)
    parts: dict[Name, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        if not r["pooled"]:
            parts[_slice_name(r["bin"], r["value"], edges)].append(r)
    omitted = rows[0]["omitted"] if rows else 0
    return Slices(column, basis, left_out, _slice_rows(parts, rows), omitted)


def _grouping_slices(
    replica: Replica, column: Grouping, values: dict[str, Any], against: str
) -> Slices:
    rows, basis, left_out = independent(replica.query("accuracy", values), against)
    parts: dict[Name, list[Mapping[str, Any]]] = defaultdict(list)
    names = _people(replica) if column is Grouping.PERSON else {}
    for r in rows:
        value = r["truth"] if column is Grouping.CLASS else names.get(r["who"])
        parts[value, None, None].append(r)
    return Slices(column, basis, left_out, _slice_rows(parts, rows))


def _bin_edges(replica: Replica, project_id: int, column: str) -> list[float]:
    """Return the ends of the bins of a numeric column, none where its values are listed."""
    found = replica.query("bin_edges", {"project": project_id, "column": column})[0]
    if found["numbers"] < FEWEST_NUMBERS_TO_BIN:
        return []
    return sorted(set(found["edges"]))


def _slice_name(place: int | None, value: str | None, edges: list[float]) -> Name:
    if place is None:
        return value, None, None
    low, high = edges[place - 1], edges[place]
    return f"{low:g} to {high:g}", low, high


def _slice_rows(
    parts: Mapping[Name, list[Mapping[str, Any]]], rows: list[Mapping[str, Any]]
) -> tuple[SliceRow, ...]:
    n, correct = sums_of(rows)
    everyone = {t.person_id: t for t in tallies_of(rows)}
    found = []
    for name, part in parts.items():
        inside_n, inside_correct = sums_of(part)
        inside = {t.person_id: t for t in tallies_of(part)}
        split = tuple(_split(inside.get(p), t) for p, t in everyone.items())
        found.append(
            SliceRow(*name, inside_n, inside_correct, n - inside_n, correct - inside_correct, split)
        )
    return tuple(sorted(found, key=lambda r: (-r.n, r.value is None, r.value or "")))


def _split(inside: Tally | None, everything: Tally) -> Split:
    n, correct = (inside.n, inside.correct) if inside else (0, 0)
    return Split(n, correct, everything.n - n, everything.correct - correct)


def _people(replica: Replica) -> dict[int, str]:
    return {r["id"]: r["name"] for r in replica.query("people")}
