"""Everything a project's items can be grouped by: metadata, what was measured, what looks alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from sqlalchemy import select

from core.analytics.cells import Codes, Ints
from core.analytics.columns import Kind, SliceColumn, listed, measured_columns, read_metadata
from core.analytics.replica import Replica
from core.analytics.slice_facts import OF_STATEMENTS
from core.intake.measures import NAMES
from core.learning.clusters import grouped
from core.learning.neighbours import Neighbourhood
from core.services.bias.measured import read_measures
from core.services.items.neighbours import neighbourhood
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import items as item_table

LOOKS = "looks like"
MOST_GROUPS, ITEMS_A_GROUP = 24, 60
"""Groups of images that look alike, and how many images there are to be for each."""

RESERVED = (*OF_STATEMENTS, *NAMES, LOOKS)


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """Columns with one code an item, and what a reader should know of them.

    Attributes:
        unmeasured: Items whose image was not measured yet.
    """

    columns: tuple[SliceColumn, ...]
    notes: tuple[str, ...]
    unmeasured: int


def items_of(replica: Replica, project_id: int) -> Ints:
    """Return the numbers of a project's items, ascending."""
    table = replica.arrow("slice_items", {"project": project_id})
    return np.asarray(table["id"].to_numpy(), dtype=np.int64)


def item_columns(
    ws: Workspace, project: ProjectView, replica: Replica, items: Ints, fewest: int
) -> ItemColumns:
    """Return everything the items can be grouped by."""
    table = replica.arrow("slice_columns", {"project": project.id})
    read = read_metadata(table, items, fewest, RESERVED)
    rows = read_measures(ws, _hashes(ws, project, items))
    unmeasured = int(np.isnan(rows[:, 0]).sum()) if len(rows) else 0
    columns = [*read.columns, *measured_columns(NAMES, rows)]
    if (looks := _looks(ws, project, items)) is not None:
        columns.append(looks)
    return ItemColumns(tuple(columns), read.notes, unmeasured)


def _hashes(ws: Workspace, project: ProjectView, items: Ints) -> list[str]:
    with ws.store.read() as connection:
        found = connection.execute(
            select(item_table.c.id, item_table.c.content_hash).where(
                item_table.c.project_id == project.id
            )
        )
        by_id = dict(found.tuples().all())
    return [by_id.get(i, "") for i in items.tolist()]


def _looks(ws: Workspace, project: ProjectView, items: Ints) -> SliceColumn | None:
    """Return the column of images that look alike; None where nothing is embedded."""
    if project.task.draws or not project.schema.item_questions:
        return None
    with ws.store.read() as connection:
        hood = neighbourhood(connection, ws, project)
    if hood is None or len(hood) < 2 * ITEMS_A_GROUP:
        return None
    groups = min(MOST_GROUPS, len(hood) // ITEMS_A_GROUP)
    group = _groups(_place(hood), groups, hood)
    codes = np.full(len(items), -1, dtype=np.int32)
    place = np.searchsorted(items, hood.ids)
    hit = place < len(items)
    hit[hit] = items[place[hit]] == hood.ids[hit]
    codes[place[hit]] = group[hit]
    return listed(LOOKS, Kind.LOOKS, codes, [f"group {i + 1}" for i in range(groups)], True)


def _place(hood: Neighbourhood) -> Path | None:
    name = getattr(hood.vectors, "filename", None)
    return Path(name) if name else None


def _groups(place: Path | None, groups: int, hood: Neighbourhood) -> Codes:
    """Return each embedded item's group, made once for each file of vectors."""
    if place is None:
        return grouped(hood.vectors, groups, 0).astype(np.int32)
    return _of_file(place, groups, math.ceil(len(hood)))


@lru_cache(maxsize=4)
def _of_file(place: Path, groups: int, _count: int) -> Codes:
    vectors = np.load(place, mmap_mode="r", allow_pickle=False)
    return grouped(vectors, groups, 0).astype(np.int32)
