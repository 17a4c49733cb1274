"""What a new version of the guideline did: before and after, and as an interrupted time series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from core.access import Actor
from core.analytics.asked import (
    ALL,
    PEOPLE,
    Against,
    Basis,
    Filters,
    comparison_values,
    filter_values,
    independent,
)
from core.analytics.figures import FEWEST
from core.analytics.replica import Replica
from core.analytics.zones import checked_zone
from core.services.analytics.replicas import open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.bootstrap import bootstrap, kinds_of
from core.stats.interrupted import Interrupted, interrupted
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.proportions import compare_proportions
from core.store.tables import guidelines

AGREEMENT = "agreement"
"""The outcome that needs no reference: two votes on an item say the same."""


@dataclass(frozen=True, slots=True)
class Point:
    """One day: the share of votes that were right, or of items voted alike, and how many."""

    day: date
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class GuidelineEffect:
    """One version of the guideline against the one before.

    Attributes:
        outcome: "agreement", or the reference votes were held against.
        version: The later of the two versions; None where there was never a second one.
        changed: Its first day, in the time zone asked for.
        points: The series, by day.
        before, after: Share under the version before, and under this one, by the version each vote was
            given under.
        gap: After minus before; says nothing of a trend there was anyhow.
        series: Step and change of trend at the day it came into force; shares, per day.
        versions: All versions with votes, to choose from.
        basis, left_out: As of `questions.Accuracy`.
    """

    project: ProjectView
    outcome: str
    version: int | None
    changed: date | None
    points: tuple[Point, ...]
    before: Estimate
    after: Estimate
    gap: Estimate
    series: Interrupted | None
    versions: tuple[int, ...]
    basis: Basis
    left_out: int


def guideline_effect(
    ws: Workspace,
    actor: Actor,
    slug: str,
    outcome: str = AGREEMENT,
    version: int | None = None,
    filters: Filters | None = None,
    tz: str = "UTC",
) -> GuidelineEffect:
    """Return what a version of the guideline did to the outcome.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        outcome: "agreement", or a reference to hold votes against.
        version: Which; None for the newest.
        filters: Which votes and items.
        tz: Time zone of the days.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: There is no such reference or time zone.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return effect_of(ws, replica, project, outcome, version, filters or ALL, tz)


def effect_of(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    outcome: str = AGREEMENT,
    version: int | None = None,
    filters: Filters = ALL,
    tz: str = "UTC",
    fewest: int = FEWEST,
) -> GuidelineEffect:
    """Return the same; the caller has asked the gate.

    Raises:
        NotFound: A name is nobody's.
        InputError: There is no such reference or time zone.
        LimitExceeded: It took too long.
    """
    begun = _begun(ws, project, tz)
    rows, basis, left_out = _rows(replica, project, outcome, filters, tz)
    versions = tuple(sorted(begun))
    chosen = version if version in versions[1:] else (versions[-1] if versions[1:] else None)
    points = _points(rows)
    if chosen is None:
        nothing = GuidelineEffect(project, outcome, None, None, points, *(UNDEFINED,) * 3, None,
                                  versions, basis, left_out)  # fmt: skip
        return nothing
    earlier = versions[versions.index(chosen) - 1]
    before, after = (_counts(rows, v) for v in (earlier, chosen))
    return GuidelineEffect(
        project, outcome, chosen, begun[chosen], points,
        _share(*before, fewest), _share(*after, fewest), _gap(rows, earlier, chosen, fewest),
        _series(points, begun, versions, chosen), versions, basis, left_out,
    )  # fmt: skip


def _begun(ws: Workspace, project: ProjectView, tz: str) -> dict[int, date]:
    """Return the first day of each version of the guideline."""
    zone = ZoneInfo(checked_zone(tz))
    with ws.store.read() as connection:
        rows = connection.execute(
            select(guidelines.c.version, guidelines.c.at)
            .where(guidelines.c.project_id == project.id)
            .order_by(guidelines.c.version)
        ).all()
    return {int(r.version): datetime.fromtimestamp(r.at, zone).date() for r in rows}


Row = Mapping[str, Any]


def _rows(
    replica: Replica, project: ProjectView, outcome: str, filters: Filters, tz: str
) -> tuple[list[Row], Basis, int]:
    """Return rows of day, version, n and how many of them (or what share) were right."""
    if project.task.draws:
        return [], Basis.INDEPENDENT, 0
    if outcome == AGREEMENT:
        values = {**filter_values(replica, project.id, filters), "tz": tz}
        rows: list[Row] = [
            {**r, "correct": r["share"] * r["n"]} for r in replica.query("agreeing_days", values)
        ]
        return rows, Basis.INDEPENDENT, 0
    values = {**comparison_values(replica, project.id, PEOPLE, outcome, filters), "tz": tz}
    return independent(replica.query("guideline_days", values), Against(outcome))


def _points(rows: Sequence[Row]) -> tuple[Point, ...]:
    sums: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for r in rows:
        sums[r["day"]][0] += r["n"]
        sums[r["day"]][1] += r["correct"]
    return tuple(Point(d, hit / n, int(n)) for d, (n, hit) in sorted(sums.items()))


def _counts(rows: Sequence[Row], version: int) -> tuple[float, int]:
    mine = [r for r in rows if r["version"] == version]
    return sum(float(r["correct"]) for r in mine), sum(int(r["n"]) for r in mine)


def _share(correct: float, n: int, fewest: int) -> Estimate:
    return wilson(min(correct, n), n) if n >= fewest else replace(UNDEFINED, n=n)


def _gap(rows: Sequence[Row], earlier: int, later: int, fewest: int) -> Estimate:
    """Return later minus earlier; where votes have people, whole persons are drawn again too."""
    before, after = _counts(rows, earlier), _counts(rows, later)
    if min(before[1], after[1]) < fewest:
        return replace(UNDEFINED, n=before[1] + after[1])
    plain = compare_proportions(
        round(after[0]), after[1], round(before[0]), before[1]
    ).difference  # fmt: skip
    people = sorted({r["who"] for r in rows if r.get("who") is not None})
    if len(people) < 2 or plain.low is None or plain.high is None:
        return plain
    each = [[r for r in rows if r["who"] == who] for who in people]
    sums = np.array([[*_counts(mine, later), *_counts(mine, earlier)] for mine in each])
    low, high = bootstrap(*kinds_of(sums.astype(np.float64)), _difference)
    if low is None or high is None:
        return plain
    return replace(plain, low=min(low, plain.low), high=max(high, plain.high))


def _difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3])


def _series(
    points: Sequence[Point], begun: Mapping[int, date], versions: Sequence[int], chosen: int
) -> Interrupted:
    """Return the estimate from the days between the changes on either side of this one."""
    place = versions.index(chosen)
    first = begun[versions[place - 1]]
    # The first version is in force from the beginning, whenever votes were first given.
    first = date.min if place == 1 else first
    last = begun[versions[place + 1]] if place + 1 < len(versions) else date.max
    kept = [p for p in points if first <= p.day < last]
    time = np.array([p.day.toordinal() for p in kept], dtype=np.float64)
    return interrupted(
        time, [p.share for p in kept], [p.n for p in kept], float(begun[chosen].toordinal())
    )
