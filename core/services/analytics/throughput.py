"""Who did how much when, and how long an item takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core.access import Actor
from core.analytics import drill, people, work
from core.analytics.asked import ALL, Filters
from core.analytics.figures import PersonFigures, person_figures
from core.analytics.kept import once, told
from core.analytics.people import PersonRow
from core.analytics.replica import Replica
from core.analytics.work import Day
from core.analytics.zones import checked_zone
from core.services.analytics.replicas import display_names, open_figures
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate


@dataclass(frozen=True, slots=True)
class PersonPace:
    """One person's work in the time looked at, with what is known of its quality.

    Attributes:
        person: Unique name.
        name: What others read.
        votes, skips, flags, decisions: Submitted in the time looked at.
        active_seconds: Time at work, pauses left out; decisions are not timed.
        days: Days with any work.
        seconds: Median active time of a vote, with its interval.
        ninth_decile_seconds: Nine votes of ten were faster; None without enough of them.
        figures: Gold accuracy and agreement with others, over all time; None without votes.
    """

    person: str
    name: str
    votes: int
    skips: int
    flags: int
    decisions: int
    active_seconds: float
    days: int
    seconds: Estimate
    ninth_decile_seconds: float | None
    figures: PersonFigures | None


@dataclass(frozen=True, slots=True)
class ThroughputView:
    """Work by person and day.

    Attributes:
        tz: The time zone days are cut in.
        days: One row a day and person, by day.
        people: One row a person, by display name.
        bins: How many votes took how long.
    """

    project: ProjectView
    tz: str
    days: tuple[Day, ...]
    people: tuple[PersonPace, ...]
    bins: tuple[drill.Bin, ...]


def throughput(
    ws: Workspace, actor: Actor, slug: str, filters: Filters | None = None, tz: str = "UTC"
) -> ThroughputView:
    """Return the work done by person and day; imported votes are no work done here.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: A name is nobody's.
        InputError: There is no such time zone.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    chosen = filters or ALL
    days = once(
        replica, project.id, ("days", tz, told(chosen)),
        lambda: work.throughput(replica, project.id, tz, chosen),
    )  # fmt: skip
    names = display_names(ws, sorted({d.person for d in days}))
    parts = once(
        replica, project.id, ("throughput", tz, told(chosen), tuple(names.items())),
        lambda: _parts(replica, project, chosen, days, names),
    )  # fmt: skip
    return ThroughputView(project, checked_zone(tz), *parts)


def _parts(
    replica: Replica,
    project: ProjectView,
    chosen: Filters,
    days: Sequence[Day],
    names: Mapping[str, str],
) -> tuple[tuple[Day, ...], tuple[PersonPace, ...], tuple[drill.Bin, ...]]:
    took = {d.person: d for d in drill.durations(replica, project.id, chosen)}
    quality = _quality(replica, project, names)
    by_person: dict[str, list[Day]] = defaultdict(list)
    for day in days:
        by_person[day.person].append(day)
    pace = tuple(
        _pace(person, name, by_person[person], took.get(person), quality.get(person))
        for person, name in names.items()
    )
    bins = drill.duration_bins(replica, project.id, chosen)
    shown = tuple(replace(d, person=names.get(d.person, d.person)) for d in days)
    return shown, pace, bins


def _quality(
    replica: Replica, project: ProjectView, names: Collection[str]
) -> dict[str, PersonFigures]:
    """Return how right each of some people is, over all time."""

    def of(row: PersonRow) -> PersonFigures:
        return once(replica, project.id, ("person", row.person), lambda: person_figures([row])[0])

    rows = people.person_table(replica, project.id)
    return {row.person: of(row) for row in rows if row.person in names}


def _pace(
    person: str,
    name: str,
    days: Sequence[Day],
    took: drill.Duration | None,
    figures: PersonFigures | None,
) -> PersonPace:
    return PersonPace(
        person=person,
        name=name,
        votes=sum(d.votes for d in days),
        skips=sum(d.skips for d in days),
        flags=sum(d.flags for d in days),
        decisions=sum(d.decisions for d in days),
        active_seconds=sum(d.active_seconds for d in days),
        days=len(days),
        seconds=took.median_seconds if took else UNDEFINED,
        ninth_decile_seconds=took.ninth_decile_seconds if took else None,
        figures=figures,
    )
