"""Whether people get slower or less right within a sitting, or at some hours of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from core.analytics.asked import ALL, PEOPLE, Filters, comparison_values
from core.analytics.columnar import Columns, parted
from core.analytics.figures import FEWEST
from core.analytics.kept import once, told
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone
from core.stats.bootstrap import clustered_ratio
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.rates import clustered_rate

PAUSE_SECONDS = 1800.0
"""A pause so long ends a sitting."""
MOST_HOURS = 7
"""Hours from here on are one: few sit longer."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a sitting, or of the day.

    Attributes:
        hour: 0 is the first hour of a sitting, or the one after midnight.
        pace: Answers per hour at work; n counts them.
        accuracy: Share of votes that are right; n counts votes with a truth of others.
        people: How many worked in it.
    """

    hour: int
    pace: Estimate
    accuracy: Estimate
    people: int


@dataclass(frozen=True, slots=True)
class Change:
    """An hour that surely differs from the one it is compared with.

    Attributes:
        hour: The later hour.
        base: The hour compared with: the first of a sitting.
        is_pace: Whether it is the pace, else the accuracy.
        now, then: Both figures; their intervals do not touch.
    """

    hour: int
    base: int
    is_pace: bool
    now: Estimate
    then: Estimate


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Pace and accuracy by hour since the start of a sitting, and by hour of the day.

    Attributes:
        sitting: By hours since the start; the last one holds all after it.
        day: By hour of the day, in the time zone asked for.
        changes: Hours of a sitting surely unlike its first; empty says nothing can be said.
    """

    sitting: tuple[Hour, ...]
    day: tuple[Hour, ...]
    changes: tuple[Change, ...]


def fatigue(
    replica: Replica,
    project_id: int,
    against: str,
    tz: str = "UTC",
    filters: Filters = ALL,
    fewest: int = FEWEST,
    seed: int = 0,
) -> Fatigue:
    """Return both; intervals of accuracy draw people again, those of pace days of persons.

    Args:
        replica: Caught up.
        project_id: The project.
        against: The truth: "final", "gold", "adjudicated" or "evaluate".
        tz: Name of the time zone of hours and days.
        filters: Which answers to look at; a sitting begins where it begins without them.
        fewest: Answers below which there is no figure.
        seed: Same seed, same intervals.

    Raises:
        InputError: There is no such time zone, or no such truth.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    values = comparison_values(replica, project_id, PEOPLE, against, filters)
    asked = {"tz": checked_zone(tz), "pause": PAUSE_SECONDS, "most": MOST_HOURS}
    return once(
        replica, project_id, ("fatigue", against, tz, told(filters), fewest, seed),
        lambda: _fatigue(replica.arrow("fatigue", {**values, **asked}), fewest, seed),
    )  # fmt: skip


def _fatigue(rows: pa.Table, fewest: int, seed: int) -> Fatigue:
    hours: dict[str, list[Hour]] = {"sitting": [], "day": []}
    for (what, hour), part in parted(rows, "what", "hour"):
        hours[what].append(_hour(int(hour), part, fewest, seed))
    sitting = tuple(hours["sitting"])
    return Fatigue(sitting, tuple(hours["day"]), changes(sitting))


def changes(sitting: Sequence[Hour]) -> tuple[Change, ...]:
    """Return the hours whose interval does not touch that of the first hour."""
    if not sitting or sitting[0].hour != 0:
        return ()
    first, found = sitting[0], []
    for hour in sitting[1:]:
        pairs = ((True, hour.pace, first.pace), (False, hour.accuracy, first.accuracy))
        found += [Change(hour.hour, 0, p, now, then) for p, now, then in pairs if apart(now, then)]
    return tuple(found)


def apart(one: Estimate, other: Estimate) -> bool:
    """Return whether both have intervals and these do not touch."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low > other.high or one.high < other.low


def _hour(hour: int, rows: Columns, fewest: int, seed: int) -> Hour:
    pace = clustered_rate(rows["answers"], rows["seconds"] / 3600, fewest=fewest, seed=seed)
    return Hour(hour, pace, _accuracy(rows, fewest, seed), len(np.unique(rows["person_id"])))


def _accuracy(rows: Columns, fewest: int, seed: int) -> Estimate:
    n, correct = int(rows["judged"].sum()), int(rows["correct"].sum())
    if n < fewest:
        return replace(UNDEFINED, n=n)
    plain = wilson(correct, n)
    drawn = clustered_ratio(rows["person_id"], rows["correct"], rows["judged"], seed=seed)
    if drawn.low is None or drawn.high is None or plain.low is None or plain.high is None:
        return plain
    return replace(plain, low=min(plain.low, drawn.low), high=max(plain.high, drawn.high))
