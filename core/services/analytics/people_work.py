"""How people work: pace, agreement with others, the pre-label's pull, what they overlook.

What a person sees of their own ends with the last midnight (UTC), as in `people_quality`: a count
of votes that stood still after an answer would tell that the item had been planted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select

from core.access import Action, Actor, Resource, can
from core.analytics import drill
from core.analytics.asked import Filters
from core.analytics.figures import FEWEST, PersonFigures, person_figures
from core.analytics.people import person_table
from core.analytics.pull import Pull, prelabel_pull
from core.analytics.replica import Replica
from core.labels.state import ItemState
from core.services.accounts.people import all_roles, latest_revisions
from core.services.analytics.replicas import open_figures, replica_of
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate, wilson
from core.stats.proportions import compare_proportions
from core.store.tables import item_state, overlook_probes, people, person_revisions, probe_votes

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class PersonWork:
    """How one person works in a project; an estimate without a value is "not enough data".

    Attributes:
        person_id: Number.
        person: Unique name.
        name: What others read.
        votes, skips, flags: Items whose last word of theirs it is.
        agreement: How often others on the same item say the same; n counts such items.
        seconds: Median active time of a vote.
        with_prelabel: How often they say what the pre-label says, having seen it.
        blind: The same where they had not seen it.
        pull: The first less the second; above 0 the pre-label pulls them.
        noticed: Share of tiles known to be wrong that they noticed in the grid.
        until: Up to when the others count, seconds since the epoch: last midnight for oneself.
    """

    person_id: int
    person: str
    name: str
    votes: int
    skips: int
    flags: int
    agreement: Estimate
    seconds: Estimate
    with_prelabel: Estimate
    blind: Estimate
    pull: Estimate
    noticed: Estimate
    until: float


def my_work(ws: Workspace, actor: Actor, slug: str) -> PersonWork:
    """Return how the actor works in a project, up to the last midnight; who steers sees all of it.

    Raises:
        Forbidden: The actor may not see the project.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_OWN, counted=False)
    until, now = None, ws.clock()
    if not can(actor, Action.SEE_FIGURES, Resource(project.id)):
        until = now - now % DAY_SECONDS
    found = {w.person_id: w for w in _everybody(ws, replica_of(ws), project, until)}
    nothing = _one(
        actor.person_id, actor.name, actor.display_name, None, None, None, UNDEFINED,
        now if until is None else until,
    )  # fmt: skip
    return found.get(actor.person_id, nothing)


def everybodys_work(ws: Workspace, actor: Actor, slug: str) -> tuple[PersonWork, ...]:
    """Return how everybody works who may vote in a project or did, by the name others read.

    Raises:
        Forbidden: The actor may not see figures here.
        NotFound: There is no such project for the actor.
        LimitExceeded: It took too long.
    """
    project, replica = open_figures(ws, actor, slug)
    return _everybody(ws, replica, project, None)


def _everybody(
    ws: Workspace, replica: Replica, project: ProjectView, until: float | None
) -> tuple[PersonWork, ...]:
    counted = ws.clock() if until is None else until
    table = person_table(replica, project.id, until)
    rows = {f.row.person: f for f in person_figures(table)}
    pulls = {p.person_id: p for p in prelabel_pull(replica, project.id, until)}
    timed = drill.durations(replica, project.id, Filters(until=until))
    took = {d.person: d.median_seconds for d in timed}
    with ws.store.read() as connection:
        noticed = _noticed(connection, project)
        known = _people(connection, list(rows), [*noticed, *_voters(connection, project)])
    found = [
        _one(i, person, shown, rows.get(person), pulls.get(i), took.get(person), noticed.get(i, UNDEFINED), counted)
        for i, (person, shown) in known.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda w: (w.name.casefold(), w.person_id)))


def _one(
    person_id: int,
    person: str,
    name: str,
    figures: PersonFigures | None,
    pull: Pull | None,
    seconds: Estimate | None,
    noticed: Estimate,
    until: float,
) -> PersonWork:
    row = figures.row if figures else None
    shown, blind, gap = _pulled(pull)
    return PersonWork(
        person_id=person_id,
        person=person,
        name=name,
        votes=row.votes if row else 0,
        skips=row.skips if row else 0,
        flags=row.flags if row else 0,
        agreement=figures.agreement.estimate if figures else UNDEFINED,
        seconds=seconds or UNDEFINED,
        with_prelabel=shown,
        blind=blind,
        pull=gap,
        noticed=noticed,
        until=until,
    )


def _pulled(pull: Pull | None) -> tuple[Estimate, Estimate, Estimate]:
    if pull is None:
        return UNDEFINED, UNDEFINED, UNDEFINED
    shown, blind = _enough(pull.shown_same, pull.shown), _enough(pull.blind_same, pull.blind)
    if shown.value is None or blind.value is None:
        return shown, blind, replace(UNDEFINED, n=min(pull.shown, pull.blind))
    gap = compare_proportions(pull.shown_same, pull.shown, pull.blind_same, pull.blind).difference
    return shown, blind, gap


def _enough(same: int, n: int) -> Estimate:
    return wilson(same, n) if n >= FEWEST else replace(UNDEFINED, n=n)


def _noticed(connection: Connection, project: ProjectView) -> dict[int, Estimate]:
    """Return what each person noticed of planted tiles; those on open items count once settled.

    Else the figure, which the person sees move, would tell which item has a gold answer while the
    vote on it can still be changed.
    """
    rows = connection.execute(
        select(overlook_probes.c.person_id, overlook_probes.c.noticed, func.count().label("n"))
        .join(item_state, item_state.c.item_id == overlook_probes.c.item_id)
        .where(
            item_state.c.state != ItemState.OPEN.value,
            overlook_probes.c.project_id == project.id,
        )
        .group_by(overlook_probes.c.person_id, overlook_probes.c.noticed)
    )
    counts: dict[int, list[int]] = {}
    for row in rows:
        counts.setdefault(row.person_id, [0, 0])[bool(row.noticed)] += row.n
    return {person: _enough(yes, no + yes) for person, (no, yes) in counts.items()}


def _voters(connection: Connection, project: ProjectView) -> list[int]:
    """Return who may vote, or answered what was planted."""
    roles, here = all_roles(connection), Resource(project.id)
    may = [
        r.person_id
        for r in connection.execute(latest_revisions())
        if can(
            Actor(r.person_id, r.name, r.display_name, roles.get(r.person_id, frozenset()), r.active),
            Action.VOTE,
            here,
        )
    ]  # fmt: skip
    planted = select(probe_votes.c.person_id).where(probe_votes.c.project_id == project.id)
    return [*may, *connection.execute(planted.distinct()).scalars()]


def _people(connection: Connection, names: list[str], ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return number to name and to what others read of everybody named or numbered."""
    rows = connection.execute(
        select(people.c.id, people.c.name, person_revisions.c.display_name)
        .join(person_revisions, person_revisions.c.person_id == people.c.id)
        .where(people.c.name.in_(names) | people.c.id.in_(ids))
        .order_by(person_revisions.c.seq)
    )
    return {r.id: (r.name, r.display_name or r.name) for r in rows}
