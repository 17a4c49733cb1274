"""Counting right statements, in all and by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tally:
    """How many statements of one person were looked at, and how many of them were right."""

    person_id: int
    n: int
    correct: int


def sums_of(rows: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Return all rows' n and correct, summed."""
    pairs = [(int(r["n"]), int(r["correct"])) for r in rows]
    return sum(n for n, _ in pairs), sum(c for _, c in pairs)


def tallies_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Tally, ...]:
    """Return n and correct by person; a model's rows have none."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for r in rows:
        if r["who"] is not None:
            sums[r["who"]][0] += int(r["n"])
            sums[r["who"]][1] += int(r["correct"])
    return tuple(Tally(who, n, correct) for who, (n, correct) in sorted(sums.items()))
