"""How much gets done in an hour at work, by person, team, class, difficulty, pre-label shown or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pyarrow as pa

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.columnar import Columns, parted
from core.analytics.figures import FEWEST
from core.analytics.kept import once, told
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone
from core.stats.bootstrap import clustered_ratio
from core.stats.intervals import UNDEFINED, Estimate
from core.stats.multiple import Standing, rank_where_separate
from core.stats.rates import clustered_rate

HOUR = 3600.0


class By(StrEnum):
    """What the pace is told apart by."""

    PERSON = "person"
    TEAM = "team"
    CLASS = "class"
    """The class that was said; other answers have none."""
    AGREEMENT = "agreement"
    """same, split, or alone: whether the live votes on the item are of one class."""
    CONFIDENCE = "confidence"
    """low, middle, high: the model's, below 60 %, below 90 %, or above."""
    PRELABEL = "prelabel"
    """shown or hidden."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The work of one group.

    Attributes:
        key: The group; for people the unique name.
        items: Items a person began, per hour at work; n counts them.
        answers: Votes, changes of votes, skips and flags, per hour at work; n counts them.
        active: Share of the time between seeing an item and answering that was at work.
        hours: At work.
        people: How many.
        standing: Best and worst rank by answers an hour that the data leaves possible; None
            where there is no figure.
    """

    key: str
    items: Estimate
    answers: Estimate
    active: Estimate
    hours: float
    people: int
    standing: Standing | None = None


def paces(
    replica: Replica,
    project_id: int,
    by: By,
    tz: str = "UTC",
    filters: Filters = ALL,
    fewest: int = FEWEST,
    seed: int = 0,
) -> tuple[Pace, ...]:
    """Return the pace of every group by name; only answers given here and timed.

    Intervals draw whole days of persons again and are never narrower than the exact Poisson one
    (`core.stats.rates`). Rulings of leads are not timed and not counted.

    Raises:
        InputError: There is no such time zone.
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    values = {**filter_values(replica, project_id, filters), "tz": checked_zone(tz)}
    what = By(by).value
    return once(
        replica, project_id, ("paces", what, tz, told(filters), fewest, seed),
        lambda: _paces(replica.arrow("paces", {**values, "by": what}), fewest, seed),
    )  # fmt: skip


def _paces(rows: pa.Table, fewest: int, seed: int) -> tuple[Pace, ...]:
    found = [_pace(str(key), part, fewest, seed) for key, part in parted(rows, "key")]
    ranks = rank_where_separate([p.answers for p in found])
    return tuple(replace(p, standing=s) for p, s in zip(found, ranks, strict=True))


def _pace(key: str, rows: Columns, fewest: int, seed: int) -> Pace:
    hours = rows["seconds"] / HOUR

    def rate(name: str) -> Estimate:
        return clustered_rate(rows[name], hours, fewest=fewest, seed=seed)

    return Pace(
        key,
        rate("items"),
        rate("answers"),
        _active(rows, fewest, seed),
        float(hours.sum()),
        len(np.unique(rows["person_id"])),
    )


def _active(rows: Columns, fewest: int, seed: int) -> Estimate:
    """Return the share of the time at work; n counts days of persons."""
    timed = rows["elapsed"] > 0
    n = int(np.count_nonzero(timed))
    if rows["answers"][timed].sum() < fewest:
        return replace(UNDEFINED, n=n)
    return clustered_ratio(range(n), rows["beside"][timed], rows["elapsed"][timed], seed=seed)
