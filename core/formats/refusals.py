"""Rows of a large table that were left out: counted by reason, and the first of them told by line.

A million broken rows cost a few arrays: only of the rows that are told is a sentence made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_TOLD = 1_000
"""Rows told one by one; all are counted."""

Lines = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was left out: the line it begins in, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """The rows of a table that were left out.

    Attributes:
        rows: How many.
        reasons: How many for each reason, the commonest first.
        told: The first of them, by line.
    """

    rows: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    told: tuple[RefusedRow, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """Lines with one kind of fault.

    Attributes:
        kind: What is wrong with all of them, as one clause without a full stop.
        lines: Their numbers, from 1.
        say: From a place in `lines` to what is wrong with that line alone.
    """

    kind: str
    lines: Lines
    say: Callable[[int], str]


def alike(kind: str, lines: Lines) -> Fault:
    """Return a fault that reads the same on each of its lines."""
    return Fault(kind, lines, lambda _: kind)


def gathered(faults: Sequence[Fault]) -> tuple[Refusals, Lines]:
    """Return what was refused, and all the lines, ascending; of a line's faults the first counts."""
    every = np.concatenate([np.zeros(0, np.int64), *(f.lines for f in faults)])
    lines, first = np.unique(every, return_index=True)
    ends = np.cumsum([len(f.lines) for f in faults])
    of = np.searchsorted(ends, first, side="right")
    counts = np.bincount(of, minlength=len(faults)).tolist()
    reasons: dict[str, int] = {}
    for fault, count in zip(faults, counts, strict=True):
        if count:
            reasons[fault.kind] = reasons.get(fault.kind, 0) + count
    told = tuple(
        RefusedRow(line, f"{faults[k].say(place - int(ends[k]) + len(faults[k].lines))}.")
        for line, k, place in zip(
            lines[:MOST_TOLD].tolist(), of[:MOST_TOLD].tolist(), first[:MOST_TOLD].tolist(),
            strict=True,
        )
    )  # fmt: skip
    ordered = dict(sorted(reasons.items(), key=lambda r: (-r[1], r[0])))
    return Refusals(len(lines), ordered, told), lines
