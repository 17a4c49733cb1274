"""What was done by day and by person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.replica import Replica
from core.analytics.rolled import rolled_days
from core.analytics.zones import checked_zone


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
