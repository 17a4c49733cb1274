"""The metadata columns of a project, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.analytics.replica import Replica


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
