"""How right the model or people are by class, and what they take for what.

Whose word a truth is (a label whose own evidence includes the statement is no reference for it):

- an adjudicated label is the lead's who decided it, whatever votes were on the table: it is
  left out only for that lead's own votes;
- an imported label, and a gold answer, is nobody's here;
- every other label is the word of all people whose votes are in its evidence, as soon as one
  vote of a person is in it, even an older revision;
- for a model, a label is its own where a model alone decided or was in the evidence, or where
  a vote in the evidence that says what the label says was given with the pre-label shown.

Where nothing else is left, such labels are used after all and the figure says so (`Basis`).
A model may have been trained on labels in force: only `evaluate` items are safe from that too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.analytics.asked import ALL, Basis, Filters
from core.analytics.replica import Replica
from core.analytics.rolled import compared_rows
from core.analytics.tally import Tally, sums_of, tallies_of


@dataclass(frozen=True, slots=True)
class ClassFigure:
    """How often items (or boxes) of one true class were said right.

    Attributes:
        name: The class.
        n: Statements looked at.
        correct: How many of them were right.
        by_person: The same by person, where people are looked at; empty for a model.
    """

    name: str
    n: int
    correct: int
    by_person: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy by true class, and what it rests on.

    Attributes:
        basis: What the figures rest on.
        left_out: Pairs left out because the truth rests on the statement.
        classes: One figure a class that has any, by name.
        by_person: The same by person over all classes; empty for a model.
    """

    basis: Basis
    left_out: int
    classes: tuple[ClassFigure, ...]
    by_person: tuple[Tally, ...] = ()

    @property
    def n(self) -> int:
        """Return how many statements all classes rest on."""
        return sum(c.n for c in self.classes)

    @property
    def correct(self) -> int:
        """Return how many statements were right."""
        return sum(c.correct for c in self.classes)


def per_class_accuracy(
    replica: Replica, project_id: int, whose: str, against: str, filters: Filters = ALL
) -> Accuracy:
    """Return how often each true class is said right.

    Args:
        replica: Caught up.
        project_id: The project.
        whose: "model", "people", or the name of a person.
        against: "final", "gold", "adjudicated" or "evaluate".
        filters: Which statements and items to look at.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    rows, basis, left_out = compared_rows(replica, project_id, "accuracy", whose, against, filters)
    by_class = _grouped(rows, "truth")
    return Accuracy(
        basis,
        left_out,
        tuple(
            ClassFigure(name, *sums_of(part), tallies_of(part)) for name, part in by_class.items()
        ),
        tallies_of(rows),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """How many items of a true class were said to be of a class.

    Attributes:
        truth: The true class; None for a box that is in no truth.
        said: The class said; None for a true box nobody drew.
        n: How many.
    """

    truth: str | None
    said: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was said of each true class, and what it rests on; only cells that have any."""

    basis: Basis
    left_out: int
    cells: tuple[Cell, ...]


def confusion(
    replica: Replica, project_id: int, whose: str, against: str, filters: Filters = ALL
) -> Confusion:
    """Return what was said of items of each true class; see `per_class_accuracy`.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    rows, basis, left_out = compared_rows(replica, project_id, "confusion", whose, against, filters)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for r in rows:
        counts[r["truth"], r["said"]] += r["n"]
    cells = tuple(Cell(t, s, n) for (t, s), n in sorted(counts.items()))
    return Confusion(basis, left_out, cells)


def _grouped(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, list[Mapping[str, Any]]]:
    parts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        parts[r[column]].append(r)
    return dict(sorted(parts.items()))
