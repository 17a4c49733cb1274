"""Where the items of a project stand, now and day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.analytics.replica import Replica
from core.analytics.zones import checked_zone


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the items of a project stand.

    Attributes:
        items: All of them.
        states: State to number of items, now; only states that have any.
        history: Day, then the same at its end; only days on which something changed.
    """

    items: int
    states: Mapping[str, int]
    history: tuple[tuple[date, Mapping[str, int]], ...]


def progress(replica: Replica, project_id: int, tz: str = "UTC") -> Progress:
    """Return how many items stand in each state, now and at the end of each day.

    Raises:
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    values = {"project": project_id, "tz": checked_zone(tz)}
    states = {r["state"]: r["items"] for r in replica.query("states", values)}
    running: dict[str, int] = defaultdict(int)
    history: dict[date, Mapping[str, int]] = {}
    for r in replica.query("progress", values):
        running[r["state"]] += r["change"]
        history[r["day"]] = {s: int(n) for s, n in running.items() if n}
    return Progress(sum(states.values()), states, tuple(history.items()))
