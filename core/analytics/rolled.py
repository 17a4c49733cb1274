"""Which questions the roll-ups answer; all others are answered from the copied rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from core.analytics.asked import Basis, Filters, comparison_values, independent
from core.analytics.replica import Replica


def rolled_pairs(filters: Filters) -> bool:
    """Return whether statements beside references are counted as asked for.

    The roll-up knows project, person, use and whether the pre-label was shown.
    """
    return rolled_times(filters) and not filters.metadata and filters.prediction_set is None


def compared_rows(
    replica: Replica, project_id: int, question: str, whose: str, against: str, filters: Filters
) -> tuple[list[Mapping[str, Any]], Basis, int]:
    """Return the counted pairs a question finds, from its roll-up where that knows the filters.

    Args:
        replica: Caught up.
        project_id: The project.
        question: Name of the file of SQL; its roll-up's is the same with ``_rolled``.
        whose, against, filters: As for `core.analytics.rightness.per_class_accuracy`.

    Returns:
        Rows to use, what they rest on, and how many pairs were left out; see `independent`.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    values = comparison_values(replica, project_id, whose, against, filters)
    name = f"{question}_rolled" if rolled_pairs(filters) else question
    return independent(replica.query(name, values), against)


def rolled_times(filters: Filters) -> bool:
    """Return whether a filter looks at all time; times of votes are rolled up by person only."""
    return filters.since is None and filters.until is None


def rolled_days(filters: Filters, zone: ZoneInfo) -> tuple[date | None, date | None] | None:
    """Return the first day and the day after the last, None where the filter is not one of whole days.

    The days of a zone are added up by person, over all items.
    """
    if filters.uses or filters.metadata:
        return None
    ends = [_midnight(at, zone) for at in (filters.since, filters.until)]
    if any(at is not None and day is None for at, day in zip(_times(filters), ends, strict=True)):
        return None
    return ends[0], ends[1]


def _times(filters: Filters) -> tuple[float | None, float | None]:
    return filters.since, filters.until


def _midnight(at: float | None, zone: ZoneInfo) -> date | None:
    """Return the day that begins at a time; None where none does, or no time is given."""
    if at is None:
        return None
    there = datetime.fromtimestamp(at, zone)
    return there.date() if there.time() == time.min and there.fold == 0 else None
