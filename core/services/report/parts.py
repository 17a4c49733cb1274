"""What a report is made of: sections of figures, each with n and an interval, beside last week's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.services.report.weeks import Week
from core.stats.intervals import Estimate

SHARE, COUNT, COEFFICIENT, POINTS = "%", "", "coefficient", "points"
"""Units: a share of one, a complete count, a number from minus one to one, a difference of two shares."""


Day = tuple[str, float, float]
"""A day of the week: its name, the votes given, the decisions by leads."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        before: The same a week earlier; None where there is nothing to compare with.
        exact: Whether it is a complete count, so that n and interval would say nothing.
    """

    label: str
    now: Estimate
    before: Estimate | None = None
    unit: str = SHARE
    exact: bool = False

    @property
    def moved(self) -> bool:
        """Return whether the two intervals lie apart, so that the change is no accident."""
        a, b = self.now, self.before
        if b is None or a.low is None or a.high is None or b.low is None or b.high is None:
            return False
        return a.low > b.high or a.high < b.low


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report.

    Attributes:
        rows: Its figures.
        notes: What a reader must know to judge them.
        columns: Of the list below the figures, if there is one.
        lines: That list.
        days: Votes and decisions a day of the week; empty for none.
        filtered: Whether the report's filter holds here; else it speaks of all items.
    """

    key: str
    title: str
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    lines: tuple[tuple[str, ...], ...] = ()
    days: tuple[Day, ...] = ()
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One week of a project.

    Attributes:
        slug, title: The project's.
        simulated: Whether its votes were made by a program.
        made_at: Seconds since the epoch.
        votes_up_to, audit_up_to: The last sequence number of the record it rests on.
        over: Whether the week was over when it was made.
        filters: Column to the value items must have, None for items without one.
    """

    slug: str
    title: str
    simulated: bool
    week: Week
    made_at: float
    votes_up_to: int
    audit_up_to: int
    over: bool
    filters: Mapping[str, str | None]
    sections: tuple[Section, ...]

    def section(self, key: str) -> Section:
        """Return the section of a key.

        Raises:
            KeyError: There is none.
        """
        return {s.key: s for s in self.sections}[key]


def count(value: float) -> Estimate:
    """Return a complete count as a figure."""
    return Estimate(float(value), None, None, int(value))


def document(report: Report) -> dict[str, object]:
    """Return the report as one JSON document; what is undefined is None."""
    return {
        "project": report.slug,
        "week": report.week.name,
        "first_day": report.week.first.isoformat(),
        "tz": report.week.tz,
        "week_is_over": report.over,
        "filters": dict(report.filters),
        "made_at": report.made_at,
        "votes_up_to": report.votes_up_to,
        "audit_up_to": report.audit_up_to,
        "sections": [_section(s) for s in report.sections],
    }


def _section(section: Section) -> dict[str, object]:
    return {
        "key": section.key,
        "title": section.title,
        "filtered": section.filtered,
        "figures": [
            {
                "name": r.label,
                "unit": {SHARE: "share", COUNT: "count"}.get(r.unit, r.unit),
                **_estimate(r.now, r.exact),
                "last_week": None if r.before is None else _estimate(r.before, r.exact),
                "moved": r.moved,
            }
            for r in section.rows
        ],
        "list": [dict(zip(section.columns, line, strict=True)) for line in section.lines],
        "notes": list(section.notes),
    }


def _estimate(e: Estimate, exact: bool) -> dict[str, object]:
    if exact:
        return {"value": e.value}
    return {"n": e.n, "value": e.value, "low": e.low, "high": e.high}
