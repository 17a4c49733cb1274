"""The questions the dashboard asks, one function each, typed at the boundary.

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
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.analytics.asked import (
    ALL,
    Basis,
    Filters,
    comparison_values,
    filter_values,
    independent,
)
from core.analytics.replica import Replica
from core.analytics.rolled import rolled_days, rolled_pairs
from core.analytics.tally import Tally, sums_of, tallies_of
from core.errors import InputError


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
    values = comparison_values(replica, project_id, whose, against, filters)
    name = "accuracy_rolled" if rolled_pairs(filters) else "accuracy"
    rows, basis, left_out = independent(replica.query(name, values), against)
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
    values = comparison_values(replica, project_id, whose, against, filters)
    name = "confusion_rolled" if rolled_pairs(filters) else "confusion"
    rows, basis, left_out = independent(replica.query(name, values), against)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for r in rows:
        counts[r["truth"], r["said"]] += r["n"]
    cells = tuple(Cell(t, s, n) for (t, s), n in sorted(counts.items()))
    return Confusion(basis, left_out, cells)


@dataclass(frozen=True, slots=True)
class VoteTable:
    """Every live vote, as arrays of one length, ordered by item and person.

    Attributes:
        item_id: Of each vote.
        person_id: Of each vote.
        label: Position of the class in `names`.
        names: Classes that were voted for, sorted.
        shown: Whether the vote was given with the pre-label shown.
    """

    item_id: NDArray[np.int64]
    person_id: NDArray[np.int64]
    label: NDArray[np.int64]
    names: tuple[str, ...]
    shown: NDArray[np.bool_]

    def blind(self) -> VoteTable:
        """Return the votes given without seeing the pre-label."""
        kept = ~self.shown
        return VoteTable(
            self.item_id[kept], self.person_id[kept], self.label[kept], self.names, self.shown[kept]
        )


def vote_table(replica: Replica, project_id: int, filters: Filters = ALL) -> VoteTable:
    """Return the live votes of a classification project; `prediction_set` is not looked at.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    table = replica.arrow("vote_table", filter_values(replica, project_id, filters))
    encoded = table["label"].combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.chunked_array(encoded.chunks).combine_chunks()
    found = encoded.dictionary.to_pylist()
    names = sorted(found)
    code = {name: i for i, name in enumerate(names)}
    recode = np.array([code[name] for name in found], dtype=np.int64)
    places = pc.cast(encoded.indices, pa.int64()).to_numpy(zero_copy_only=False)
    return VoteTable(
        table["item_id"].to_numpy(),
        table["person_id"].to_numpy(),
        recode[places],
        tuple(names),
        np.asarray(table["prelabel_shown"], dtype=np.bool_),
    )


@dataclass(frozen=True, slots=True)
class Day:
    """One person's work of one day.

    Attributes:
        day: In the time zone asked for.
        person: Name.
        decisions: Disputes decided.
        votes: Votes submitted, each revision counted.
        skips: Items passed on.
        flags: Items flagged for a lead.
        active_seconds: Time at work on what was submitted, pauses left out.
        median_seconds: Median active time of a vote; None where none was measured.
        elapsed_seconds: From seeing to submitting, pauses included, summed.
    """

    day: date
    person: str
    decisions: int
    votes: int
    skips: int
    flags: int
    active_seconds: float
    median_seconds: float | None
    elapsed_seconds: float


def throughput(
    replica: Replica, project_id: int, tz: str, filters: Filters = ALL
) -> tuple[Day, ...]:
    """Return the work done by day and person; imported votes are no work done here.

    Args:
        replica: Caught up.
        project_id: The project.
        tz: Name of the time zone days are cut in, "Asia/Seoul" for example.
        filters: Which work to look at; `prediction_set` and `blind_only` are not looked at.

    Raises:
        InputError: There is no such time zone.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    values = {**filter_values(replica, project_id, filters), "tz": checked_zone(tz)}
    days = rolled_days(filters, ZoneInfo(tz))
    if days is None:
        return tuple(Day(*row) for row in replica.tuples("throughput", values))
    replica.keep_days(values["tz"])
    asked = {**values, "first": days[0], "last": days[1]}
    return tuple(Day(*row) for row in replica.tuples("throughput_rolled", asked))


def checked_zone(tz: str) -> str:
    """Return the name of a time zone.

    Raises:
        InputError: There is no such time zone.
    """
    try:
        if tz.startswith(("localtime", "posix", "right/")):  # files of a machine, not names
            raise ValueError(tz)
        return ZoneInfo(tz).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = " ".join(tz.split())[:60]
        raise InputError(
            f"There is no time zone '{shown}'.", "Use a name such as 'Europe/Berlin' or 'UTC'."
        ) from error


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """One metadata column: items that have it, different values, and how many are numbers."""

    name: str
    items: int
    values: int
    numbers: int


def metadata_columns(replica: Replica, project_id: int) -> tuple[MetadataColumn, ...]:
    """Return the metadata columns of a project by name.

    Raises:
        LimitExceeded: It took too long.
    """
    rows = replica.query("metadata_columns", {"project": project_id})
    return tuple(MetadataColumn(r["key"], r["items"], r["values"], r["numbers"]) for r in rows)


def metadata_values(replica: Replica, project_id: int, most: int) -> Mapping[str, tuple[str, ...]]:
    """Return the values of each metadata column that has from two to `most` of them, by name.

    Raises:
        LimitExceeded: It took too long.
    """
    found: dict[str, tuple[str, ...]] = {}
    for r in replica.query("metadata_values", {"project": project_id, "most": most}):
        found[r["key"]] = (*found.get(r["key"], ()), r["value"])
    return found


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the items of a project stand.

    Attributes:
        items: All of them.
        states: State to number of items, now; only states that have any.
        history: Day, then the same at its end; only days on which something changed.
    """

    items: int
    states: Mapping[str, int]
    history: tuple[tuple[date, Mapping[str, int]], ...]


def progress(replica: Replica, project_id: int, tz: str = "UTC") -> Progress:
    """Return how many items stand in each state, now and at the end of each day.

    Raises:
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    values = {"project": project_id, "tz": checked_zone(tz)}
    states = {r["state"]: r["items"] for r in replica.query("states", values)}
    running: dict[str, int] = defaultdict(int)
    history: dict[date, Mapping[str, int]] = {}
    for r in replica.query("progress", values):
        running[r["state"]] += r["change"]
        history[r["day"]] = {s: int(n) for s, n in running.items() if n}
    return Progress(sum(states.values()), states, tuple(history.items()))


@dataclass(frozen=True, slots=True)
class Shares:
    """On so many items, so many of the others' votes said the same."""

    others: int
    same: int
    items: int


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person's live statements in a project.

    Attributes:
        person: Name.
        kind: person, operator or annotator.
        votes: Live votes.
        blind_votes: Of them, given without seeing the pre-label.
        skips, flags: Items whose last word of this person is a skip or a flag.
        median_seconds: Median active time of a vote; None where none was measured.
        gold_n, gold_correct: Votes on gold items, and how many were right.
        agreement: How often others who voted on the same item said the same.
    """

    person: str
    kind: str
    votes: int
    blind_votes: int
    skips: int
    flags: int
    median_seconds: float | None
    gold_n: int
    gold_correct: int
    agreement: tuple[Shares, ...]


def people_seen(replica: Replica, project_id: int) -> tuple[str, ...]:
    """Return the names of everybody in `person_table`, who said something in a project, in order.

    Raises:
        LimitExceeded: It took too long.
    """
    return tuple(r["name"] for r in replica.query("people_seen", {"project": project_id}))


def person_table(
    replica: Replica, project_id: int, until: float | None = None
) -> tuple[PersonRow, ...]:
    """Return everybody who said something in a project, by name; of words before `until`.

    Raises:
        LimitExceeded: It took too long.
    """
    values = {"project": project_id, "until": until}
    rolled = "_rolled" if until is None else ""
    shares: dict[int, list[Shares]] = defaultdict(list)
    for r in replica.query(f"person_agreement{rolled}", values):
        shares[r["person_id"]].append(Shares(int(r["others"]), r["same"], r["items"]))
    return tuple(
        PersonRow(**{k: v for k, v in r.items() if k != "person_id"}, agreement=tuple(shares[r["person_id"]]))
        for r in replica.query(f"person_table{rolled}", values)
    )  # fmt: skip


def _grouped(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, list[Mapping[str, Any]]]:
    parts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for r in rows:
        parts[r[column]].append(r)
    return dict(sorted(parts.items()))
