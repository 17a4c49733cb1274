"""What the first page shows: where every project of mine stands, and what waits for me."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, can
from core.errors import InputError
from core.jobs.rows import read_jobs
from core.labels.state import ItemState
from core.queue.filters import QueueFilter
from core.queue.probes import all_held
from core.queue.waiting import waiting
from core.services.projects.project import ProjectView, list_projects
from core.services.projects.queue_plans import plan_in_force
from core.services.review.admission import Admission, admission, stopped_people
from core.services.review.claiming import to_come
from core.services.review.falling_short import judge_everybody
from core.services.visibility.eligible import barred_for
from core.services.workspace import Workspace
from core.store.tables import annotation_log, item_state, probe_votes

RECENT_VOTES = 200
"""Own latest votes the estimate rests on: pace changes as one learns."""


@dataclass(frozen=True, slots=True)
class HomeProject:
    """One project as one person sees it.

    Attributes:
        counts: Item state to number of items; only states that have any.
        my_waiting: Items I hold or could have now; 0 for those who do not vote.
        my_done_today: Items I voted on since midnight.
        my_votes: Items on which a vote of mine stands.
        disputes: Items that wait for a lead.
        running_jobs: Training and the like under way; 0 for those who may not see it.
        eta_hours: What waits for me at my own median pace; None before there is one.
        refusal: Why I may not review here now, in a sentence; empty where I may.
        stopped: People whose reviewing is paused, or who failed the onboarding, and wait for a
            lead; 0 for those who may not see figures of people.
    """

    project: ProjectView
    counts: Mapping[str, int]
    n_items: int
    my_waiting: int
    my_done_today: int
    my_votes: int
    disputes: int
    running_jobs: int
    eta_hours: float | None
    refusal: str = ""
    stopped: int = 0


@dataclass(frozen=True, slots=True)
class HomeView:
    """All projects a person may see, by title."""

    projects: tuple[HomeProject, ...]


def home(ws: Workspace, actor: Actor, tz: str = "UTC") -> HomeView:
    """Return where the actor's projects stand and what waits for the actor in each.

    Args:
        ws: The workspace.
        actor: Who asks; sees only what the roles allow.
        tz: Name of the time zone "today" is counted in.

    Raises:
        InputError: There is no such time zone.
    """
    projects = list_projects(ws, actor)
    now = ws.clock()
    midnight = _midnight(now, tz)
    for project in projects:
        if can(actor, Action.SEE_FIGURES, Resource(project.id)):
            judge_everybody(ws, project)
    with ws.store.read() as connection:
        return HomeView(tuple(_row(ws, connection, actor, p, midnight) for p in projects))


def _row(
    ws: Workspace, connection: Connection, actor: Actor, project: ProjectView, midnight: float
) -> HomeProject:
    here = Resource(project.id)
    counts = _counts(connection, project)
    mine, stands = 0, Admission()
    if can(actor, Action.VOTE, here):
        stands = admission(connection, project, actor)
        mine = 0 if stands.refusal else _waiting(ws, connection, project, actor, stands)
    pace = _pace(connection, project.id, actor.person_id)
    jobs = read_jobs(connection, project.id) if can(actor, Action.TRAIN, here) else []
    return HomeProject(
        project=project,
        counts=counts,
        n_items=project.n_items,
        my_waiting=mine,
        my_done_today=_done_since(connection, project.id, actor.person_id, midnight),
        my_votes=_standing_votes(connection, project.id, actor.person_id),
        disputes=counts.get(ItemState.DISPUTE.value, 0),
        running_jobs=sum(j.status.active for j in jobs),
        eta_hours=None if pace is None else mine * pace / 3600,
        refusal=stands.refusal,
        stopped=len(stopped_people(connection, project.id))
        if can(actor, Action.SEE_FIGURES, here)
        else 0,
    )


def _waiting(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    stands: Admission,
) -> int:
    """Return how many items a person holds or could have, planted ones among them."""
    now, plan = ws.clock(), plan_in_force(connection, project.id)
    mine = QueueFilter(barred=barred_for(connection, project, actor))
    real = waiting(connection, project.id, actor.person_id, now, mine)
    coming = to_come(ws, connection, project, actor, plan, stands, real, mine)
    return coming + len(all_held(connection, project.id, actor.person_id, now))


def _counts(connection: Connection, project: ProjectView) -> dict[str, int]:
    rows = connection.execute(
        select(item_state.c.state, func.count())
        .where(item_state.c.project_id == project.id)
        .group_by(item_state.c.state)
        .order_by(item_state.c.state)
    )
    return dict(rows.tuples().all())


def _done_since(connection: Connection, project_id: int, person_id: int, since: float) -> int:
    """Return how many items a person answered, planted ones among them."""
    found: set[int] = set()
    for table, word in _SAID:
        found.update(
            connection.execute(
                select(table.c.item_id).where(
                    table.c.project_id == project_id,
                    table.c.person_id == person_id,
                    word == "vote",
                    table.c.at >= since,
                )
            ).scalars()
        )
    return len(found)


_SAID = ((annotation_log, annotation_log.c.kind), (probe_votes, probe_votes.c.word))


def _standing_votes(connection: Connection, project_id: int, person_id: int) -> int:
    found: set[int] = set()
    for table, word in _SAID:
        newest = (
            select(func.max(table.c.seq))
            .where(table.c.project_id == project_id, table.c.person_id == person_id)
            .group_by(table.c.item_id)
        )
        rows = select(table.c.item_id).where(table.c.seq.in_(newest), word == "vote")
        found.update(connection.execute(rows).scalars())
    return len(found)


def _pace(connection: Connection, project_id: int, person_id: int) -> float | None:
    """Return the person's own median active seconds a vote; None where none was measured."""
    seconds = connection.execute(
        select(annotation_log.c.active_seconds)
        .where(
            annotation_log.c.project_id == project_id,
            annotation_log.c.person_id == person_id,
            annotation_log.c.kind == "vote",
            annotation_log.c.active_seconds > 0,
        )
        .order_by(annotation_log.c.seq.desc())
        .limit(RECENT_VOTES)
    ).scalars()
    found = [float(s) for s in seconds if s is not None]
    return median(found) if found else None


def _midnight(now: float, tz: str) -> float:
    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"There is no time zone '{tz}'.", "Use a name such as 'Europe/Berlin' or 'UTC'."
        ) from error
    today = dt.datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.timestamp()
