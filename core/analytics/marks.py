"""Behind a mark of a chart: the statements, or items, that one dot, bar or area counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.analytics.asked import ALL, MODEL, Filters, comparison_values, filter_values
from core.analytics.fatigue import MOST_HOURS, PAUSE_SECONDS
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone

MOST_MARKED = 200
WORDS = ("vote", "skip", "flag")


@dataclass(frozen=True, slots=True)
class Marked:
    """One statement, or item, behind a mark.

    Attributes:
        person_id: Who made it; None for a model, or where the item alone is meant.
        said: The class; classes with " / " between them where votes differ.
        truth: The class it is held against, or that it became.
        seconds: Active time, where that is what the mark counts.
        confidence: The model's.
    """

    item_id: int
    person_id: int | None
    said: str
    truth: str
    seconds: float | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class MarkedRows:
    """The first `MOST_MARKED` behind a mark, and how many there are."""

    rows: tuple[Marked, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Work:
    """Work behind a mark; what is left open is not looked at.

    Attributes:
        said: Class of the answer.
        shown: Whether the pre-label was.
        fastest, slowest: Active seconds, `slowest` itself excluded.
        hour: Of the day, by the clocks of the zone asked for.
        sitting: Hour of a sitting, from 0.
        agreement: same, split or alone.
        confidence: low, middle or high: the model's.
        kinds: Of vote, skip, flag, decision.
        timed: Only work whose time was measured.
    """

    said: str = ""
    shown: bool | None = None
    fastest: float | None = None
    slowest: float | None = None
    hour: int | None = None
    sitting: int | None = None
    agreement: str = ""
    confidence: str = ""
    kinds: Sequence[str] = WORDS
    timed: bool = False


def marked_work(
    replica: Replica, project_id: int, work: Work, filters: Filters = ALL, tz: str = "UTC"
) -> MarkedRows:
    """Return the work behind a mark, slowest first; imported votes are no work done here.

    Raises:
        NotFound: A name is nobody's.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    values = {
        **filter_values(replica, project_id, filters),
        "said": work.said, "shown": work.shown, "fastest": work.fastest, "slowest": work.slowest,
        "hour": work.hour, "sitting": work.sitting, "agreement": work.agreement,
        "confidence": work.confidence, "kinds": list(work.kinds), "timed": work.timed,
        "tz": checked_zone(tz), "pause": PAUSE_SECONDS, "most_hours": MOST_HOURS,
    }  # fmt: skip
    return _asked(replica, "marked_work", values)


@dataclass(frozen=True, slots=True)
class Statement:
    """Statements beside a reference behind a mark.

    Attributes:
        whose: "model", "people" or a person's name.
        against: The reference.
        truth, said, either: Classes; empty for any.
        sure: Least and greatest confidence of the model.
        wrong_only: Leave out the right ones.
    """

    whose: str = MODEL
    against: str = "final"
    truth: str = ""
    said: str = ""
    either: str = ""
    sure: tuple[float, float] | None = None
    wrong_only: bool = False


def marked_statements(
    replica: Replica, project_id: int, asked: Statement, filters: Filters = ALL
) -> MarkedRows:
    """Return the statements behind a mark, wrong ones first.

    Statements the truth itself rests on are left out wherever any other is left, as everywhere.

    Raises:
        NotFound: A name is nobody's.
        InputError: The reference is unknown.
        LimitExceeded: It took too long.
    """
    low, high = asked.sure or (None, None)
    values = {
        **comparison_values(replica, project_id, asked.whose, asked.against, filters),
        "truth": asked.truth, "said": asked.said, "either": asked.either,
        "least_sure": low, "surest": high, "wrong_only": asked.wrong_only,
    }  # fmt: skip
    return _asked(replica, "marked_statements", values)


def marked_differing(
    replica: Replica,
    project_id: int,
    filters: Filters = ALL,
    one: int | None = None,
    draws: bool = False,
) -> MarkedRows:
    """Return items whose votes differ; the filter's times are those of an item's newest vote.

    Args:
        replica: Caught up.
        project_id: The project.
        filters: Which votes; `called` that somebody says, or draws, this class.
        one: Number of somebody who must have voted; None for anybody.
        draws: Whether regions are drawn: then people differ who draw different numbers of them.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    values = {**filter_values(replica, project_id, filters), "one": one}
    return _asked(replica, "marked_counts" if draws else "marked_differing", values)


def marked_waiting(
    replica: Replica, project_id: int, moment: float, states: Sequence[str]
) -> MarkedRows:
    """Return items that stood in one of some states at a moment, the oldest first.

    Raises:
        LimitExceeded: It took too long.
    """
    values = {"project": project_id, "moment": moment, "states": list(states)}
    return _asked(replica, "marked_waiting", values)


class Firsts(StrEnum):
    """Which first words."""

    KEPT = "kept"
    """Of pre-labels shown, those that were changed."""
    REWORKED = "reworked"
    """Of first votes, those done again or overturned."""


def marked_firsts(
    replica: Replica, project_id: int, what: Firsts, filters: Filters = ALL
) -> MarkedRows:
    """Return first words that were not left as they are; `filters.called` is the class.

    Raises:
        NotFound: A name is nobody's.
        LimitExceeded: It took too long.
    """
    values = {**filter_values(replica, project_id, filters), "what": what.value}
    return _asked(replica, "marked_firsts", values)


def _asked(replica: Replica, name: str, values: Mapping[str, Any]) -> MarkedRows:
    return _read(replica.query(name, {**values, "most": MOST_MARKED}))


def _read(rows: Sequence[Mapping[str, Any]]) -> MarkedRows:
    found = tuple(
        Marked(
            int(r["item_id"]), r["who"], r["said"] or "", r["truth"] or "", r["seconds"], r["confidence"]
        )
        for r in rows
    )  # fmt: skip
    return MarkedRows(found, int(rows[0]["total"]) if rows else 0)
