"""What is said of each item, what it truly is, and what it can be grouped by: for labels and attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.analytics.asked import ALL, MODEL, PEOPLE, Against, Filters, filter_values
from core.analytics.cells import Ints
from core.analytics.columns import Kind, SliceColumn, Value
from core.analytics.replica import Replica
from core.errors import InputError
from core.services.bias.slice_columns import items_of
from core.services.bias.slice_prepare import columns_of_items
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.association import Answers, answers_of

LABELS = "labels"
"""The labels in force, as what is said."""

FILE_ORDER = "file order"
FIFTHS = ("first fifth", "second fifth", "third fifth", "fourth fifth", "last fifth")


@dataclass(frozen=True, slots=True)
class BiasAsk:
    """What is asked.

    Attributes:
        said: "people", "model" or "labels" in force.
        against: "gold" or "adjudicated"; "" for the one that is known of more items.
        filters: Which statements and items to look at.
    """

    said: str = PEOPLE
    against: str = ""
    filters: Filters = ALL


def checked(project: ProjectView, asked: BiasAsk) -> BiasAsk:
    """Return what is asked where it makes sense.

    Raises:
        InputError: What is said, or the reference, is unknown; or answers are regions.
    """
    if project.task.draws or not project.schema.item_questions:
        raise InputError(
            "Labels of regions are not held against attributes of the image.",
            "Compare them by slices instead.",
        )
    if asked.said not in (PEOPLE, MODEL, LABELS):
        raise InputError(f"Nobody is '{asked.said[:40]}' here.", "Choose people, model or labels.")
    if asked.against not in ("", Against.GOLD.value, Against.ADJUDICATED.value):
        raise InputError(
            f"What is said cannot be held against '{asked.against[:40]}'.",
            "Choose gold or adjudicated: other labels rest on what was said.",
        )
    return asked


@dataclass(frozen=True, slots=True)
class Said:
    """What is said, what is true, and the columns.

    Attributes:
        items: Numbers of the project's items, ascending.
        labels: Names; `said` and `truth` count in them.
        truth: True label of each item, -1 where it is not known.
        against: The reference; "" where nothing is known.
    """

    items: Ints
    labels: tuple[str, ...]
    said: Answers
    truth: Ints
    against: str
    columns: tuple[SliceColumn, ...]
    notes: tuple[str, ...]

    def name_of(self, label: int) -> str:
        """Return what a label is called; "" for none."""
        return self.labels[label] if label >= 0 else ""


def said_of(ws: Workspace, project: ProjectView, replica: Replica, asked: BiasAsk) -> Said:
    """Return what is said under a question; the caller has asked the gate.

    Raises:
        NotFound: A name in the filter is nobody's.
        LimitExceeded: It took too long.
    """
    items = items_of(replica, project.id)
    values = filter_values(replica, project.id, asked.filters)
    said = replica.arrow("said_counts", {**values, "whose": asked.said})
    references = (asked.against,) if asked.against else (Against.GOLD, Against.ADJUDICATED)
    if asked.said == LABELS:
        references = (Against.GOLD.value,)  # a label in force is what a lead decided
    here = {"project": project.id, "whose": asked.said}
    known = {str(a): replica.arrow("true_labels", {**here, "against": str(a)}) for a in references}
    against = max(known, key=lambda a: known[a].num_rows)
    labels = tuple(sorted({*said["label"].to_pylist(), *known[against]["label"].to_pylist()}))
    truth = np.full(len(items), -1, dtype=np.int64)
    truth[_places(items, known[against])] = _numbers(known[against], labels)
    answers = answers_of(
        _places(items, said), _numbers(said, labels),
        np.asarray(said["n"].to_numpy(), dtype=np.float64), len(items), len(labels),
    )  # fmt: skip
    fewest = max(ws.settings.smallest_group, 2)
    made = columns_of_items(ws, project, replica, items, fewest)
    columns = [c for c in made.columns if c.kind is not Kind.LOOKS]
    columns.append(_file_order(len(items)))
    return Said(
        items, labels, answers, truth, against if (truth >= 0).any() else "", tuple(columns),
        made.notes,
    )  # fmt: skip


def _places(items: Ints, table: pa.Table) -> Ints:
    return np.asarray(np.searchsorted(items, table["item_id"].to_numpy()), dtype=np.int64)


def _numbers(table: pa.Table, labels: Sequence[str]) -> Ints:
    number = {name: i for i, name in enumerate(labels)}
    return np.array([number[name] for name in table["label"].to_pylist()], dtype=np.int64)


def _file_order(n: int) -> SliceColumn:
    """Return which fifth of the project each item is of, in the order items came in."""
    codes = (np.arange(n) * len(FIFTHS) // max(n, 1)).astype(np.int32)
    values = tuple(Value(name) for name in FIFTHS)
    return SliceColumn(FILE_ORDER, Kind.MEASURED, codes, values, True, FILE_ORDER)
