"""Finding single items in dataset versions without reading them whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.datasets.freeze import LABELS


@dataclass(frozen=True, slots=True)
class FrozenPlace:
    """How a version keeps one item: its label, its use, and the final label it stands on."""

    item_id: int
    label: str | None
    use: str
    final_seq: int


def find_items(folder: Path, item_ids: Collection[int]) -> list[FrozenPlace] | None:
    """Return how a version keeps some items; None where its file cannot be read."""
    try:
        table = pq.read_table(
            folder / LABELS,
            columns=["item_id", "label", "use", "final_seq"],
            filters=[("item_id", "in", sorted(item_ids))],
        )
    except (OSError, ValueError, KeyError, pa.ArrowInvalid):
        return None
    return [FrozenPlace(**row) for row in table.to_pylist()]
