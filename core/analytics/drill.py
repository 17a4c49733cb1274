"""Behind a figure: the items of one cell of the confusion, and how long votes took."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.analytics.asked import ALL, Filters, comparison_values, filter_values
from core.analytics.figures import FEWEST
from core.analytics.replica import Replica
from core.analytics.rolled import rolled_times
from core.stats.intervals import UNDEFINED, Estimate

MOST_CASES = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One statement on one item.

    Attributes:
        person_id: Who said it; None for a model.
        confidence: The model's; None for people.
    """

    item_id: int
    person_id: int | None
    confidence: float | None


def cases(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    truth: str,
    said: str,
    filters: Filters = ALL,
    most: int = MOST_CASES,
) -> tuple[Case, ...]:
    """Return the statements of one cell of the confusion, surest first.

    Statements the truth itself rests on are left out wherever any other is left, as in
    `rightness.confusion`.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    values = comparison_values(replica, project_id, whose, against, filters)
    rows = replica.query("cases", {**values, "truth": truth, "said": said, "most": most})
    kept = [r for r in rows if not r["own"]] or rows
    return tuple(Case(r["item_id"], r["who"], r["confidence"]) for r in kept)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long one person's votes took.

    Attributes:
        median_seconds: Active time, with the interval of its median and n votes; no value
            below a handful of votes.
        ninth_decile_seconds: Nine votes of ten were faster; None without a median.
    """

    person: str
    median_seconds: Estimate
    ninth_decile_seconds: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """So many votes took from `low` to less than `high` seconds."""

    low: float
    high: float
    n: int


def durations(
    replica: Replica, project_id: int, filters: Filters = ALL, fewest: int = FEWEST
) -> tuple[Duration, ...]:
    """Return how long votes took, by person; only votes given here and timed.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    name = "durations_rolled" if rolled_times(filters) else "durations"
    rows = replica.query(name, filter_values(replica, project_id, filters))
    found = []
    for r in rows:
        n = int(r["n"])
        enough = n >= fewest
        estimate = (
            Estimate(r["middle"], r["low"], r["high"], n) if enough else replace(UNDEFINED, n=n)
        )
        found.append(Duration(r["person"], estimate, r["ninth"] if enough else None))
    return tuple(found)


def duration_bins(replica: Replica, project_id: int, filters: Filters = ALL) -> tuple[Bin, ...]:
    """Return how many votes took how long, in bins a quarter doubling wide, shortest first.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    name = "duration_bins_rolled" if rolled_times(filters) else "duration_bins"
    rows = replica.query(name, filter_values(replica, project_id, filters))
    return tuple(Bin(2 ** (r["bin"] / 4), 2 ** ((r["bin"] + 1) / 4), int(r["n"])) for r in rows)
