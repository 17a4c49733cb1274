"""Claiming: which items a person gets next, held while they work on them, and why there are none.

Reading what is needed happens before and after the claim, in snapshots that hold nobody up; the
claim itself goes through the one writer of leases this process has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from core.access import Action, Actor, Resource, can
from core.errors import InputError
from core.queue.choose import has_typicality
from core.queue.filters import QueueFilter
from core.queue.plan import Order, QueuePlan
from core.queue.probes import all_held
from core.queue.waiting import waiting_counts
from core.services.items.lists import ItemList, list_in, one_list
from core.services.projects.project import ProjectView, load_project, project_for
from core.services.projects.queue_plans import plan_in_force
from core.services.review.admission import Admission, admission, judge, judged
from core.services.review.choosing import Asked, chosen_items, lease_next
from core.services.review.done_today import done_today
from core.services.review.nothing_left import why_empty
from core.services.review.planting import (
    Planting,
    answered_so_far,
    onboarding_in_hand,
    planting_for,
)
from core.services.visibility.blind import countable
from core.services.visibility.eligible import barred_for
from core.services.visibility.views import ReviewItem, item_views
from core.services.workspace import Workspace
from core.store.tables import projects

MOST_ELSEWHERE = 20


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another project in which items wait for the same person."""

    slug: str
    title: str
    waiting: int


@dataclass(frozen=True, slots=True)
class QueueView:
    """What a person has in front of them.

    Attributes:
        waiting: Items with a place left for this person, beside those shown; exact while few.
        empty_reason: A sentence that says why, when there is nothing to show.
        notice: A sentence on what could not be done as asked, such as an order without its data.
        elsewhere: The person's other projects with waiting items, when there is nothing to show.
        order: The order that was taken.
        list: The hand-picked list the queue is narrowed to; None where it is not.
    """

    items: tuple[ReviewItem, ...]
    waiting: int
    done_today: int
    empty_reason: str = ""
    notice: str = ""
    elsewhere: tuple[Elsewhere, ...] = ()
    order: str = Order.LEAST_CONFIDENT.value
    list: ItemList | None = None


def claim_items(
    ws: Workspace,
    actor: Actor,
    slug: str,
    count: int = 10,
    order: str = "",
    exclude: Sequence[int] = (),
    part: QueueFilter | None = None,
) -> QueueView:
    """Lease up to `count` items to the actor and return them; own live leases come back first.

    Args:
        ws: The workspace.
        actor: For whom.
        slug: The project.
        count: At most so many, and no more than one person may hold.
        order: What comes first; empty takes the order of the project's plan.
        exclude: Items the client holds already; they are renewed, not sent again.
        part: Only items of this part of the queue.

    Raises:
        Forbidden: The actor may not vote here.
        InputError: The order, a class or a list is unknown.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.VOTE, counted=False)
        plan = plan_in_force(connection, project.id)
        taken = _order(order or plan.order)
        barred = barred_for(connection, project, actor)
        mine = replace(part or QueueFilter(), barred=barred) if barred else part or QueueFilter()
        asked = Asked(ws, actor, project, taken, mine, ws.clock())
        _check_part(connection, asked)
        stands, due = judged(ws, connection, project, actor, plan)
        if not due:
            asked = _planted(connection, asked, plan, stands)
    if due:
        stands = judge(ws, project, actor, plan)
        with ws.store.read() as connection:
            asked = _planted(connection, asked, plan, stands)
    if stands.refusal:
        return _refused(asked, stands.refusal)
    ids = lease_next(asked, max(0, min(count, ws.settings.lease_cap)), frozenset(exclude))
    with ws.store.read() as connection:
        views = item_views(connection, project, actor, ids, asked.now)
        told = countable(connection, project, actor) if asked.part.predicted else None
        empty = "" if views or exclude else why_empty(connection, project, asked.part, told is None)
        real = (
            waiting_counts(ws.store).count(connection, *asked.key, asked.part)
            if told is None
            else sum(map(told, chosen_items(connection, asked)))
        )
        return QueueView(
            tuple(views),
            _coming(ws, connection, project, actor, asked.planting, real, ids),
            done_today(ws.store, connection, project, actor, asked.now),
            empty,
            _notice(connection, asked),
            _elsewhere(connection, asked) if empty else (),
            taken.value,
            one_list(connection, project, asked.part.list_id) if asked.part.list_id else None,
        )


def _refused(asked: Asked, sentence: str) -> QueueView:
    """Return the queue of who may not review now: nothing, and why."""
    with asked.ws.store.read() as connection:
        done = done_today(asked.ws.store, connection, asked.project, asked.actor, asked.now)
        elsewhere = _elsewhere(connection, asked)
    return QueueView((), 0, done, sentence, "", elsewhere, asked.order.value)


def _planted(connection: Connection, asked: Asked, plan: QueuePlan, stands: Admission) -> Asked:
    """Return the claim with what may be planted; without gold there is no onboarding to wait for."""
    found = planting_for(
        asked.ws, connection, asked.project, asked.actor, plan, stands.onboarding, asked.part
    )
    if found is not None and found.onboarding and not found.golds:
        in_hand = onboarding_in_hand(connection, *asked.key)
        found = None if not in_hand else found
    return replace(asked, planting=found)


def to_come(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    plan: QueuePlan,
    stands: Admission,
    real: int,
    part: QueueFilter | None = None,
) -> int:
    """Return how many items a person is still handed, planted ones among them, beside those in hand.

    Args:
        ws, connection, project, actor: Where and for whom.
        plan: The plan in force.
        stands: Whether the person may review.
        real: How many ordinary items wait for them.
        part: The part of the queue that was asked for.
    """
    found = planting_for(ws, connection, project, actor, plan, stands.onboarding, part)
    return _coming(ws, connection, project, actor, found, real, ())


def _coming(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    planting: Planting | None,
    real: int,
    handed: Sequence[int],
) -> int:
    """Return how many still come, of what could be planted before these items were handed out."""
    if planting is None:
        return real
    found = planting.without(frozenset(handed))
    now, person = ws.clock(), actor.person_id
    if found.onboarding:
        in_hand = onboarding_in_hand(connection, project.id, person, now)
        first = min(max(0, found.onboarding - in_hand), len(found.golds))
        return first + real - len(found.votable.intersection(found.golds[:first]))
    place = answered_so_far(ws.store, connection, project.id, person)
    place += len(all_held(connection, project.id, person, now))
    return found.to_come(place, real)


def read_part(asked: Mapping[str, str]) -> QueueFilter:
    """Return the part of a queue that the address of a page asks for.

    Raises:
        InputError: A parameter cannot be read.
    """
    return QueueFilter.from_query(asked)


def _order(name: str) -> Order:
    if name not in tuple(Order):
        raise InputError(
            f"Unknown order '{name[:40]}'; expected one of {[o.value for o in Order]}."
        )
    return Order(name)


def _check_part(connection: Connection, asked: Asked) -> None:
    part, project = asked.part, asked.project
    if part.predicted and part.predicted not in project.schema.main.names:
        raise InputError(
            f"This project has no class '{part.predicted[:80]}'.", "Choose one of its classes."
        )
    if part.list_id:
        list_in(connection, project, part.list_id)


def _notice(connection: Connection, asked: Asked) -> str:
    typical = asked.order is Order.MOST_REPRESENTATIVE
    if not typical or has_typicality(connection, asked.project.id):
        return ""
    return (
        "No open item of this project has a model's embedding yet, so the items the model is "
        "least sure of come first."
    )


def _elsewhere(connection: Connection, asked: Asked) -> tuple[Elsewhere, ...]:
    rows = connection.execute(
        select(projects.c.id, projects.c.slug, projects.c.title).order_by(projects.c.title)
    ).all()
    others = [
        r
        for r in rows
        if r.id != asked.project.id and can(asked.actor, Action.VOTE, Resource(r.id))
    ]
    counts = waiting_counts(asked.ws.store)
    found = []
    for row in others:
        # Its policy may keep items from this person.
        theirs = load_project(connection, row.slug, counted=False)
        barred = barred_for(connection, theirs, asked.actor)
        mine = QueueFilter(barred=barred)
        count = counts.count(connection, row.id, asked.actor.person_id, asked.now, mine)
        if count:
            count = _in_all(connection, asked, theirs, mine, count)
        if count:
            found.append(Elsewhere(row.slug, row.title, count))
    return tuple(sorted(found, key=lambda e: (-e.waiting, e.title))[:MOST_ELSEWHERE])


def _in_all(
    connection: Connection, asked: Asked, project: ProjectView, part: QueueFilter, real: int
) -> int:
    """Return what waits in another project as its own queue tells it, planted items among it."""
    plan = plan_in_force(connection, project.id)
    stands = admission(connection, project, asked.actor, plan)
    if stands.refusal:
        return 0
    return to_come(asked.ws, connection, project, asked.actor, plan, stands, real, part)
