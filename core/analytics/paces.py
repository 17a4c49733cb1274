"""How much gets done in an hour at work, by person, team, class, difficulty, pre-label shown or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.analytics.asked import ALL, Filters, filter_values
from core.analytics.figures import FEWEST
from core.analytics.questions import checked_zone
from core.analytics.replica import Replica
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
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in replica.query("paces", {**values, "by": By(by).value}):
        groups[row["key"]].append(row)
    found = [_pace(key, rows, fewest, seed) for key, rows in sorted(groups.items())]
    ranks = rank_where_separate([p.answers for p in found])
    return tuple(replace(p, standing=s) for p, s in zip(found, ranks, strict=True))


def _pace(key: str, rows: Sequence[Mapping[str, Any]], fewest: int, seed: int) -> Pace:
    hours = [r["seconds"] / HOUR for r in rows]

    def rate(name: str) -> Estimate:
        return clustered_rate([r[name] for r in rows], hours, fewest=fewest, seed=seed)

    return Pace(
        key,
        rate("items"),
        rate("answers"),
        _active(rows, fewest, seed),
        sum(hours),
        len({r["person_id"] for r in rows}),
    )


def _active(rows: Sequence[Mapping[str, Any]], fewest: int, seed: int) -> Estimate:
    """Return the share of the time at work; n counts days of persons."""
    timed = [r for r in rows if r["elapsed"] > 0]
    if sum(r["answers"] for r in timed) < fewest:
        return replace(UNDEFINED, n=len(timed))
    parts, wholes = [r["beside"] for r in timed], [r["elapsed"] for r in timed]
    return clustered_ratio(range(len(timed)), parts, wholes, seed=seed)
