"""Figures that are computed once from the same rows, whoever asks, and kept until there are others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.analytics.asked import Filters
from core.analytics.replica import Edition, Replica

T = TypeVar("T")

MOST_KEPT = 1024
"""Figures; of one that was asked again since there are new rows only the latest is kept."""

_UNKNOWN = object()


@dataclass(slots=True)
class _Slot:
    """One figure; whoever comes while it is computed waits for it."""

    edition: Edition
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Any = _UNKNOWN


_slots: OrderedDict[tuple[Hashable, ...], _Slot] = OrderedDict()
_lock = threading.Lock()


def once(replica: Replica, project_id: int, asked: Hashable, ask: Callable[[], T]) -> T:
    """Return what was computed from the project's rows as they are, or compute it.

    Args:
        replica: Caught up.
        project_id: The project the figure is about.
        asked: What tells the figure from all others; holds everything `ask` hangs on but the rows.
        ask: Computes it; whoever is given the answer changes nothing in it.
    """
    key, edition = (replica, project_id, asked), replica.edition_of(project_id)
    with _lock:
        slot = _slots.get(key)
        if slot is None or slot.edition != edition:
            slot = _slots[key] = _Slot(edition)
        _slots.move_to_end(key)
        while len(_slots) > MOST_KEPT:
            _slots.popitem(last=False)
    with slot.lock:
        if slot.found is _UNKNOWN:
            slot.found = ask()
        found: T = slot.found
        return found


def told(filters: Filters) -> tuple[Hashable, ...]:
    """Return filters as a key: equal for equal filters."""
    return (
        filters.since, filters.until, tuple(filters.people), tuple(filters.teams),
        tuple(filters.uses), _pairs(filters.metadata), filters.prediction_set, filters.blind_only,
        filters.guideline, filters.called,
    )  # fmt: skip


def _pairs(metadata: Mapping[str, str | None]) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted(metadata.items(), key=str))
