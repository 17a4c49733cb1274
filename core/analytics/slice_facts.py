"""What slices are compared by: one entry a statement, for each figure that can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.analytics.asked import (
    ALL,
    MODEL,
    PEOPLE,
    Basis,
    Filters,
    comparison_values,
    filter_values,
    reference_basis,
)
from core.analytics.boxes import IOU, found_boxes
from core.analytics.cells import Facts, Floats, Ints
from core.analytics.columns import MOST_VALUES, WEEKDAYS, Kind, SliceColumn, listed
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone
from core.errors import InputError, one_of

EVERYBODY = "everybody"
"""Model and people together; the model then counts as one more person."""

MODEL_SAID = "(the model)"
"""What stands for the model among the people."""


class Metric(StrEnum):
    """A figure by which slices are compared."""

    ACCURACY = "accuracy"
    RECALL = "recall"
    """Accuracy on items that truly are of one class."""
    AGREEMENT = "agreement"
    """Share of the others' votes on an item that say the same."""
    TIME = "time"
    """Median active seconds of a vote."""
    REWORK = "rework"
    """Share of first votes that were done again, by choice or because the item was sent back."""
    REJECTED = "rejected"
    """Share of first votes on settled items that a lead ruled otherwise than."""
    CERTIFICATE = "certificate"
    """Share of the model's labels that are wrong, of items drawn at random to certify it by."""


LOWER_IS_BETTER = frozenset({Metric.TIME, Metric.REWORK, Metric.REJECTED, Metric.CERTIFICATE})
COMPARED = frozenset({Metric.ACCURACY, Metric.RECALL, Metric.CERTIFICATE})
"""Figures that need whose word, and against which reference."""

CLASS, PERSON, HOUR, WEEKDAY, WEEK = "class", "person", "hour", "weekday", "week"
MODEL_VERSION, PRELABEL, GUIDELINE = "model version", "pre-label", "guideline"
OF_STATEMENTS = (CLASS, PERSON, HOUR, WEEKDAY, WEEK, MODEL_VERSION, PRELABEL, GUIDELINE)


@dataclass(frozen=True, slots=True)
class Statements:
    """What was measured, and what the statements themselves can be grouped by.

    Attributes:
        facts: One entry a statement.
        item: Number of the item each is about.
        columns: Class, person, time and so on; one code a statement.
        seconds: How long each took, where that is what is measured.
        basis: What the figures rest on; None where no truth is involved.
        left_out: Statements left out because the truth rests on them.
    """

    facts: Facts
    item: Ints
    columns: tuple[SliceColumn, ...]
    seconds: Floats | None = None
    basis: Basis | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the replica.

    Attributes:
        metric: The figure.
        of_class: The class, for recall.
        whose, against: As `core.analytics.asked` has them; only where a truth is involved.
        filters: Which statements and items to look at.
        tz: Time zone of hours, weekdays and weeks.
        draws: Whether the project's answers are regions.
        iou: From which overlap on a region is found.
    """

    metric: Metric
    of_class: str = ""
    whose: str = MODEL
    against: str = "final"
    filters: Filters = ALL
    tz: str = "UTC"
    draws: bool = False
    iou: float = IOU


def statements_of(replica: Replica, project_id: int, asked: Question) -> Statements:
    """Return every statement a figure rests on.

    Raises:
        NotFound: A name is nobody's.
        InputError: The reference or the time zone is unknown, or the figure is not one of
            regions, or recall was asked for without a class.
        LimitExceeded: It took too long.
    """
    checked_zone(asked.tz)
    if asked.metric is Metric.RECALL and not asked.of_class:
        raise InputError("Recall is that of a class.", "Name the class.")
    if asked.draws and asked.metric not in (Metric.ACCURACY, Metric.RECALL, Metric.TIME):
        raise InputError(
            f"Slices of regions are not compared by {asked.metric}.",
            one_of((Metric.ACCURACY, Metric.RECALL, Metric.TIME)),
        )
    if asked.metric in COMPARED:
        return (
            _boxes(replica, project_id, asked)
            if asked.draws
            else _pairs(replica, project_id, asked)
        )
    return _votes(replica, project_id, asked)


# --- statements beside a truth ----------------------------------------------------------------


def _pairs(replica: Replica, project_id: int, asked: Question) -> Statements:
    filters = asked.filters
    if asked.metric is Metric.CERTIFICATE:
        filters = replace(filters, uses=("certify",))
    table = pa.concat_tables(
        replica.arrow(
            "slice_pairs", comparison_values(replica, project_id, whose, asked.against, filters)
        )
        for whose in ((MODEL, PEOPLE) if asked.whose == EVERYBODY else (asked.whose,))
    )
    own = np.asarray(table["own"].to_numpy(zero_copy_only=False), dtype=np.bool_)
    basis, left_out = reference_basis(own, asked.against)
    if left_out:
        table = table.filter(pa.array(~own))
    if asked.metric is Metric.RECALL:
        table = table.filter(pc.equal(table["truth"], asked.of_class))
    right = np.asarray(table["is_right"].to_numpy(zero_copy_only=False), dtype=np.float64)
    total = 1 - right if asked.metric is Metric.CERTIFICATE else right
    return Statements(
        _facts(table, np.ones(len(total)), total, asked),
        _ints(table["item_id"]),
        _columns(replica, project_id, table, asked),
        None,
        basis,
        left_out,
    )


def _boxes(replica: Replica, project_id: int, asked: Question) -> Statements:
    found = found_boxes(
        replica, project_id, asked.whose, asked.against, asked.filters, asked.iou
    )  # fmt: skip
    chosen = np.ones(len(found.item), dtype=np.bool_)
    if asked.metric is Metric.RECALL:
        chosen = np.array([n == asked.of_class for n in found.names], dtype=np.bool_)[found.label]
    who = found.who[chosen]
    columns = [listed(CLASS, Kind.STATEMENT, found.label[chosen], found.names, False)]
    people = None
    if asked.whose != MODEL:
        people, person = _people(replica, who)
        columns.append(person)
    facts = Facts(
        found.boxes[chosen].astype(np.float64), found.found[chosen].astype(np.float64),
        people, True, False,
    )  # fmt: skip
    return Statements(facts, found.item[chosen], tuple(columns), None, found.basis, found.left_out)


# --- votes by themselves ----------------------------------------------------------------------

_VOTES = {
    Metric.AGREEMENT: "slice_agreement",
    Metric.TIME: "slice_times",
    Metric.REWORK: "slice_returns",
    Metric.REJECTED: "slice_returns",
}


def _votes(replica: Replica, project_id: int, asked: Question) -> Statements:
    values = filter_values(replica, project_id, asked.filters)
    table = replica.arrow(_VOTES[asked.metric], values)
    if asked.metric is Metric.REJECTED:
        table = table.filter(table["settled"])
    weight, total, seconds = np.ones(table.num_rows), np.zeros(table.num_rows), None
    if asked.metric is Metric.AGREEMENT:
        # Two votes make one pair, and each of them counts half of it.
        weight, total = _floats(table["others"]) / 2, _floats(table["same"]) / 2
    elif asked.metric is Metric.TIME:
        seconds = _floats(table["seconds"])
        total = np.log(seconds)
    else:
        total = _floats(table["redone" if asked.metric is Metric.REWORK else "refused"])
    return Statements(
        _facts(table, weight, total, asked),
        _ints(table["item_id"]),
        _columns(replica, project_id, table, asked),
        seconds,
    )


# --- what both share --------------------------------------------------------------------------


def _facts(table: pa.Table, weight: Floats, total: Floats, asked: Question) -> Facts:
    who = None
    if asked.metric not in COMPARED or asked.whose != MODEL:
        who = np.unique(_ints(table["who"]), return_inverse=True)[1].astype(np.int64)
    return Facts(
        weight, total, who, asked.metric is not Metric.TIME, asked.metric in LOWER_IS_BETTER
    )


def _columns(
    replica: Replica, project_id: int, table: pa.Table, asked: Question
) -> tuple[SliceColumn, ...]:
    """Return what the statements of a table can be grouped by."""
    found = list(_times_of_people(table, asked))
    if asked.metric in COMPARED and asked.metric is not Metric.RECALL:
        found.append(_named(CLASS, table["truth"]))
    if asked.metric not in COMPARED:
        found.append(_class_in_force(replica, project_id, _ints(table["item_id"])))
    if asked.metric in COMPARED and asked.whose in (MODEL, EVERYBODY):
        found.append(_named(MODEL_VERSION, table["model"]))
    if asked.metric not in COMPARED or asked.whose != MODEL:
        shown = _shown(table["prelabel_shown"])
        found.append(listed(PRELABEL, Kind.STATEMENT, shown, ("not shown", "shown"), False))
        found.append(_named(GUIDELINE, table["guideline_version"].cast(pa.string())))
        found.append(_people(replica, _ints(table["who"]))[1])
    return tuple(c for c in found if len(c.values) > 1)


def _times_of_people(table: pa.Table, asked: Question) -> Sequence[SliceColumn]:
    """Return hour, weekday and week; a model has no hour of work: its run would be a slice of its own."""
    if asked.metric in COMPARED and asked.whose == MODEL:
        return ()
    of_people = _ints(table["who"]) >= 0
    found = []
    for column in _times(table["at"].filter(pa.array(of_people)), asked.tz):
        codes = np.full(len(of_people), -1, dtype=column.codes.dtype)
        codes[of_people] = column.codes
        found.append(replace(column, codes=codes))
    return found


def _named(name: str, column: pa.ChunkedArray) -> SliceColumn:
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return listed(
        name, Kind.STATEMENT, codes.astype(np.int64), encoded.dictionary.to_pylist(), False
    )


def _shown(column: pa.ChunkedArray) -> Ints:
    """Return 1 where the pre-label was shown, 0 where not, -1 for a model's own statements."""
    return np.asarray(column.cast(pa.int64()).fill_null(-1).to_numpy(), dtype=np.int64)


def _class_in_force(replica: Replica, project_id: int, item: Ints) -> SliceColumn:
    """Return the class in force of each statement's item; those without one are in no slice."""
    table = replica.arrow("slice_classes", {"project": project_id})
    column = _named(CLASS, table["label"])
    known = _ints(table["item_id"])
    place = np.searchsorted(known, item)
    hit = place < len(known)
    hit[hit] = known[place[hit]] == item[hit]
    codes = np.full(len(item), -1, dtype=np.int32)
    codes[hit] = column.codes[place[hit]]
    return replace(column, codes=codes)


def _people(replica: Replica, who: Ints) -> tuple[Ints, SliceColumn]:
    """Return everybody's number from 0, and the column of their names."""
    ids, codes = np.unique(who, return_inverse=True)
    known = {r["id"]: r["name"] for r in replica.query("people")} | {-1: MODEL_SAID}
    names = [known.get(i, str(i)) for i in ids.tolist()]
    return codes.astype(np.int64), listed(PERSON, Kind.STATEMENT, codes, names, False)


def _times(at: pa.ChunkedArray, tz: str) -> Sequence[SliceColumn]:
    """Return hour of the day, weekday and week of moments, as the clocks of a time zone had them."""
    seconds = _floats(at)
    if not len(seconds):
        return ()
    hours, place = np.unique(np.floor(seconds / 900).astype(np.int64), return_inverse=True)
    zone = ZoneInfo(tz)
    local = [datetime.fromtimestamp(h * 900, UTC).astimezone(zone) for h in hours.tolist()]
    weeks = [d.strftime("%G-W%V") for d in local]
    names = sorted(set(weeks))[-MOST_VALUES:]
    number = {w: i for i, w in enumerate(names)}
    hour, day, week = (
        np.array(found, dtype=np.int64)[place]
        for found in (
            [d.hour for d in local],
            [d.weekday() for d in local],
            [number.get(w, -1) for w in weeks],
        )
    )
    clock = [f"{h:02d}:00 to {h + 1:02d}:00" for h in range(24)]
    return (
        _in_use(HOUR, hour, clock),
        _in_use(WEEKDAY, day, WEEKDAYS),
        _in_use(WEEK, week, names),
    )


def _in_use(name: str, codes: Ints, names: Sequence[str]) -> SliceColumn:
    """Return a column of the values that occur."""
    used = np.unique(codes[codes >= 0])
    renumbered = np.full(len(names) + 1, -1, dtype=np.int64)
    renumbered[used] = np.arange(len(used))
    return listed(name, Kind.STATEMENT, renumbered[codes], [names[i] for i in used.tolist()], False)


def _ints(column: Any) -> Ints:
    return np.asarray(column.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _floats(column: Any) -> Floats:
    return np.asarray(column.cast(pa.float64()).fill_null(0).to_numpy(), dtype=np.float64)
