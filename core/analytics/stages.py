"""Where unsettled items wait, and for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.figures import FEWEST
from core.analytics.replica import Replica
from core.stats.intervals import UNDEFINED, Estimate


class Stage(StrEnum):
    """What an unsettled item waits for."""

    FIRST = "first"
    """A first vote; since it came in or was opened again."""
    FURTHER = "further"
    """A second vote, or one more; since its latest vote."""
    LEAD = "lead"
    """A lead; since it fell into dispute."""
    ALL = "all"
    """To be settled at all; since it came in: the age of the queue."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The items of one stage.

    Attributes:
        n: How many wait.
        seconds: How long so far: the median, its interval by order statistics; n as above.
        ninth_decile_seconds: Nine of ten have waited less; None without a median.
        longest_seconds: The longest; 0 where nothing waits.
    """

    stage: Stage
    n: int
    seconds: Estimate
    ninth_decile_seconds: float | None
    longest_seconds: float


def waiting(
    replica: Replica, project_id: int, now: float, filters: Filters = ALL, fewest: int = FEWEST
) -> tuple[Waiting, ...]:
    """Return every stage in the order items go through them; of filters only items are looked at.

    Raises:
        LimitExceeded: It took too long.
    """
    rows = {
        r["stage"]: r for r in replica.query("stages", filter_values(replica, project_id, filters))
    }
    return tuple(
        _waiting(stage, rows[stage.value], now, fewest)
        if stage.value in rows
        else Waiting(stage, 0, UNDEFINED, None, 0.0)
        for stage in Stage
    )


def _waiting(stage: Stage, row: Mapping[str, Any], now: float, fewest: int) -> Waiting:
    def waited(name: str) -> float:
        return max(0.0, now - float(row[name]))

    n, longest = int(row["n"]), waited("longest")
    if n < fewest:
        return Waiting(stage, n, replace(UNDEFINED, n=n), None, longest)
    middle = (waited("lower_middle") + waited("upper_middle")) / 2
    place = 0.9 * (n - 1)
    below, above = waited("below_ninth"), waited("above_ninth")
    ninth = below + (above - below) * (place - math.floor(place))
    return Waiting(
        stage, n, Estimate(middle, waited("low"), waited("high"), n), ninth, longest
    )  # fmt: skip


def bottleneck(stages: tuple[Waiting, ...]) -> Stage | None:
    """Return the stage items wait longest in, None where the intervals do not tell.

    Its interval has to lie above that of every other stage that anything waits in.
    """
    timed = [w for w in stages if w.stage is not Stage.ALL and w.n]
    for one in timed:
        others = [w for w in timed if w is not one]
        if others and all(_is_longer(one, other) for other in others):
            return one.stage
    return None


def _is_longer(one: Waiting, other: Waiting) -> bool:
    low, high = one.seconds.low, other.seconds.high
    return low is not None and high is not None and low > high
