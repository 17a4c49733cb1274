"""Confirmation bias: labels that go with what should not matter, more in what is said than in what is true.

A site, a collector or the order of the files may well go with a class because it truly grows there.
So each association in what was said stands beside the one in the truth, and what counts is whether,
among items that truly are the same, one class is said more often here than elsewhere. The words of
Clarify: the difference in proportions of labels (DPL), and conditional demographic disparity (CDD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from core.access import Actor
from core.analytics.asked import PEOPLE
from core.analytics.cells import Floats, Ints
from core.analytics.columns import SliceColumn
from core.analytics.replica import Replica
from core.errors import InputError, one_of
from core.labels.state import ItemState
from core.services.analytics.behind import is_withheld, rows_of
from core.services.analytics.replicas import open_figures
from core.services.bias.anchoring import AnchorRow, anchors_of
from core.services.bias.kept import Kept
from core.services.bias.said_labels import BiasAsk, Said, checked, said_of
from core.services.bias.slice_ask import Condition
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.stats.association import (
    Beyond,
    Cells,
    answers_of,
    association,
    beyond_truth,
    cells_of,
)
from core.stats.intervals import UNDEFINED, Estimate
from core.stats.multiple import benjamini_hochberg

FALSE_DISCOVERY = 0.05
MOST_CELLS, MOST_ITEMS = 200, 60


class Found(StrEnum):
    """What an association turns out to be."""

    BEYOND = "beyond"
    """Said more, or less, often than the truth accounts for."""
    NOT_BEYOND = "not beyond"
    """Nothing is left of it among items that truly are the same."""
    UNTOLD = "untold"
    """There is too little truth to hold it against."""


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column and the labels, all values at once.

    Attributes:
        said: Cramér's V of what is said; n counts items.
        true: The same of the truth, of the items it is known of.
        adjusted_p: Of "the label has nothing to do with the column", for all columns.
        beyond: In how many cells the truth does not account for it.
    """

    column: str
    said: Estimate
    true: Estimate
    adjusted_p: float | None
    beyond: int


@dataclass(frozen=True, slots=True)
class CellRow:
    """One value of a column and one label.

    Attributes:
        items: Items of the value that something was said of.
        ratio: How many times as often members are called so as all others.
        gap: The difference of these shares (DPL).
        residual: Departure from independence, in standard errors.
        adjusted_p: Of "no association", for all cells.
        true_ratio: The ratio in the truth, where there is enough.
        excess: By how much more often they are called so, among items that truly are the same
            (CDD); n counts members whose truth is known.
        excess_p: Adjusted for all cells that could be held against the truth; None where not.
    """

    column: str
    value: str | None
    label: str
    items: int
    ratio: Estimate
    gap: Estimate
    residual: float
    adjusted_p: float
    true_ratio: Estimate
    excess: Estimate
    excess_p: float | None
    found: Found


@dataclass(frozen=True, slots=True)
class ConfirmationView:
    """Which labels go with what should not matter.

    Attributes:
        asked: With the reference as it was settled; "" where no truth is known.
        columns: The strongest first.
        cells: At most `MOST_CELLS`: what the truth does not account for first, then by strength.
        tested, held: Cells compared, and of them those that could be held against the truth.
        items: Items something was said of; `known` those whose truth is known too.
        anchors: Classes of the pre-label, all together first; empty without any shown and blind.
        suppressed: Values left out because fewer items than the smallest group have them.
        notes: What a reader should know of columns that were cut short or left out.
    """

    project: ProjectView
    asked: BiasAsk
    columns: tuple[ColumnRow, ...]
    cells: tuple[CellRow, ...]
    tested: int
    held: int
    items: int
    known: int
    anchors: tuple[AnchorRow, ...]
    suppressed: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellItem:
    """An item behind a cell.

    Attributes:
        share: Part of what was said of it that says the label.
        truth: What it truly is; "" where that is not known.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    share: float
    truth: str


@dataclass(frozen=True, slots=True)
class CellItems:
    """Items behind a cell: those called so although they are not, first.

    Attributes:
        total: Items of the value that are called so by anybody.
        withheld: Items not listed because the actor could still vote on, or decide, them.
    """

    items: tuple[CellItem, ...]
    total: int
    withheld: int


def confirmation_bias(
    ws: Workspace, actor: Actor, slug: str, asked: BiasAsk | None = None
) -> ConfirmationView:
    """Return which labels go with which attributes, and what of it the truth does not account for.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: What is said, or the reference, is unknown; or answers are regions.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    asked = checked(project, asked or BiasAsk())
    question = (ws.root, project.id, replica.edition, project.schema_version, repr(asked))
    made = _views.get(question, lambda: _view(ws, project, replica, asked))
    return replace(made, project=project)


def cell_items(
    ws: Workspace, actor: Actor, slug: str, asked: BiasAsk, where: Condition, label: str
) -> CellItems:
    """Return the items of one value that are called one label.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor, or a name is nobody's.
        InputError: There is no such column or value, or something of the question is unknown.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    data = said_of(ws, project, replica, checked(project, asked))
    column = next((c for c in data.columns if c.name == where[0]), None)
    names = [] if column is None else [v.name for v in column.values]
    if column is None or where[1] not in names or label not in data.labels:
        known = [n or "not known" for n in names] or [c.name for c in data.columns]
        raise InputError(
            f"There is no such group: '{where[0][:60]}' and '{label[:60]}'; what was measured or said "
            "since may have moved it.",
            one_of(known if label in data.labels else data.labels),
        )
    wanted = data.labels.index(label)
    said = data.said
    chosen = (said.label == wanted) & (column.codes[said.item] == names.index(where[1]))
    place, share = said.item[chosen], said.share[chosen]
    wrong = (data.truth[place] >= 0) & (data.truth[place] != wanted)
    order = np.lexsort((place, -share, ~wrong))
    ids = data.items[place[order]]
    rows = rows_of(ws, ids[: 4 * MOST_ITEMS].tolist())
    free = [i for i in range(len(rows)) if not is_withheld(actor, project, rows[int(ids[i])].state)]
    shown = free[:MOST_ITEMS]
    with ws.store.read() as connection:
        called = names_of(connection, [int(ids[i]) for i in shown])
    found = tuple(
        CellItem(
            row.id, called[row.id][0], image_path(row.id, row.content_hash), ItemState(row.state),
            float(share[order[i]]), data.name_of(int(data.truth[place[order[i]]])),
        )
        for i in shown
        if (row := rows[int(ids[i])])
    )  # fmt: skip
    return CellItems(found, len(ids), len(rows) - len(free))


_views: Kept[ConfirmationView] = Kept(8)


# --- figures ----------------------------------------------------------------------------------


def _view(
    ws: Workspace, project: ProjectView, replica: Replica, asked: BiasAsk
) -> ConfirmationView:
    data = said_of(ws, project, replica, asked)
    fewest = max(ws.settings.smallest_group, 2)
    rows, columns, hidden = _cell_rows(data, fewest)
    cells = sorted(rows, key=lambda r: (r.found is not Found.BEYOND, -abs(r.residual)))
    known = (data.truth >= 0) & data.said.said()
    return ConfirmationView(
        project,
        replace(asked, against=data.against),
        tuple(sorted(columns, key=lambda c: (-c.beyond, -(c.said.value or 0.0)))),
        tuple(cells[:MOST_CELLS]),
        len(rows),
        sum(r.excess_p is not None for r in rows),
        int(data.said.said().sum()),
        int(known.sum()),
        anchors_of(replica, project.id, asked.filters) if asked.said == PEOPLE else (),
        hidden,
        data.notes,
    )


def _cell_rows(data: Said, fewest: int) -> tuple[list[CellRow], list[ColumnRow], int]:
    true = answers_of(
        known := np.flatnonzero((data.truth >= 0) & data.said.said()), data.truth[known],
        np.ones(len(known)), len(data.items), len(data.labels),
    )  # fmt: skip
    rows: list[CellRow] = []
    columns: list[ColumnRow] = []
    ps: list[float | None] = []
    hidden = 0
    for column in data.columns:
        codes, size = _large_enough(column, data.said.said(), fewest)
        hidden += int(
            (np.bincount(column.codes[column.codes >= 0], minlength=len(column.values)) > 0).sum()
            - len(np.unique(codes[codes >= 0]))
        )
        found = association(codes, size, data.said)
        truly = association(codes, size, true)
        ps.append(found.p)
        columns.append(ColumnRow(column.name, found.strength, truly.strength, None, 0))
        rows += _rows(column, data, cells_of(codes, size, data.said, fewest),
                      cells_of(codes, size, true, fewest),
                      beyond_truth(codes, size, data.said, data.truth, fewest))  # fmt: skip
    rows = _adjusted(rows)
    beyond = [sum(r.found is Found.BEYOND for r in rows if r.column == c.column) for c in columns]
    columns = [
        replace(c, adjusted_p=p, beyond=b)
        for c, p, b in zip(columns, benjamini_hochberg(ps), beyond, strict=True)
    ]
    return rows, columns, hidden


def _large_enough(column: SliceColumn, said: Any, fewest: int) -> tuple[Ints, int]:
    """Return the column without values that too few items have."""
    codes, size = column.codes.astype(np.int64), len(column.values)
    n = np.bincount(codes[(codes >= 0) & said], minlength=size)
    return np.where((codes >= 0) & (n >= fewest)[np.maximum(codes, 0)], codes, -1), size


def _rows(
    column: SliceColumn, data: Said, said: Cells, true: Cells, beyond: Beyond
) -> list[CellRow]:
    """Return the cells of a column that hold enough; p not adjusted yet."""
    found = []
    for v, label in np.argwhere(said.is_enough).tolist():
        at, n = (v, label), round(float(said.n[v]))
        known = round(float(beyond.n[v]))
        excess: Estimate = replace(UNDEFINED, n=known)
        truly: Estimate = replace(UNDEFINED, n=round(float(true.n[v])))
        if beyond.is_enough[at]:
            excess = _estimate(beyond.gap, beyond.low, beyond.high, at, known, (-1.0, 1.0))
        if true.is_enough[at]:
            truly = _estimate(true.ratio, true.ratio_low, true.ratio_high, at, truly.n)
        found.append(
            CellRow(
                column.name, column.values[v].name, data.labels[label], n,
                _estimate(said.ratio, said.ratio_low, said.ratio_high, at, n),
                _estimate(said.gap, said.gap_low, said.gap_high, at, n, (-1.0, 1.0)),
                float(said.residual[at]), float(said.p[at]), truly, excess,
                float(beyond.p[at]) if beyond.is_enough[at] else None, Found.UNTOLD,
            )
        )  # fmt: skip
    return found


def _estimate(
    value: Floats,
    low: Floats,
    high: Floats,
    at: tuple[int, int],
    n: int,
    ends: tuple[float, float] = (0.0, np.inf),
) -> Estimate:
    return Estimate(
        float(value[at]), max(ends[0], float(low[at])), min(ends[1], float(high[at])), n
    )


def _adjusted(rows: Sequence[CellRow]) -> list[CellRow]:
    ps = benjamini_hochberg([r.adjusted_p for r in rows])
    beyond = benjamini_hochberg([r.excess_p for r in rows])
    return [
        replace(r, adjusted_p=p or 0.0, excess_p=q, found=_verdict(q))
        for r, p, q in zip(rows, ps, beyond, strict=True)
    ]


def _verdict(p: float | None) -> Found:
    if p is None:
        return Found.UNTOLD
    return Found.BEYOND if p < FALSE_DISCOVERY else Found.NOT_BEYOND
