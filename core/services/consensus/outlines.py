"""How closely each person of a project draws, read from what two or more drew of the same items."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection

from core.consensus.regions import outline_weights
from core.services.consensus.gathering import gather
from core.services.projects.project import ProjectView

MOST_ITEMS = 2_000
"""Items that are read; beyond, a fixed random sample of so many, which tells people apart as well."""
CHUNK = 200


def read_outlines(
    connection: Connection, project: ProjectView, shared: Sequence[int]
) -> dict[int, float]:
    """Return how much each person's outlines count, by number; who is not in it is unknown.

    Args:
        connection: A snapshot.
        project: Whose people.
        shared: Items with two votes or more.
    """
    chosen = sorted(sorted(shared, key=_draw)[:MOST_ITEMS])
    drawn = []
    for start in range(0, len(chosen), CHUNK):
        some = chosen[start : start + CHUNK]
        found = gather(connection, some, project.schema)
        drawn += [[(int(v.person), v.answer.regions) for _, v in found[i].votes] for i in some]
    return outline_weights(drawn, project.policy.iou_at_least)


def _draw(item_id: int) -> bytes:
    return hashlib.sha256(f"outlines:{item_id}".encode()).digest()
