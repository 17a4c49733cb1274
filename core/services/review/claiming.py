"""Claiming: which items a person gets next, held while they work on them, and why there are none.

Reading what is needed happens before and after the claim, in snapshots that hold nobody up; the
claim itself goes through the one writer of leases this process has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor, Resource, can
from core.errors import InputError, NotFound
from core.queue.choose import choose, has_typicality
from core.queue.claim import claim, held_leases, hold, lease_queue, release, renew, renew_all
from core.queue.filters import QueueFilter
from core.queue.hints import wake
from core.queue.plan import Order
from core.queue.waiting import waiting_counts
from core.queue.writer import lease_writer
from core.services.consensus.resolve import UNSURE
from core.services.items.lists import ItemList, list_in, one_list
from core.services.projects.project import ProjectView, project_for
from core.services.projects.queue_plans import plan_in_force
from core.services.review.done_today import done_today
from core.services.review.nothing_left import why_empty
from core.services.visibility.blind import blind_items, countable
from core.services.visibility.views import ReviewItem, item_views
from core.services.workspace import Workspace
from core.store.tables import item_state, items, projects

CHOSEN = 200
"""Items looked up at once in an order other than the main one; colleagues may take some of them."""

TRIES = 3
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """One claim: who asks for what, where and when."""

    ws: Workspace
    actor: Actor
    project: ProjectView
    order: Order
    part: QueueFilter
    now: float

    @property
    def key(self) -> tuple[int, int, float]:
        """Return project, person and time, as the queue's functions take them."""
        return self.project.id, self.actor.person_id, self.now

    @property
    def plain(self) -> bool:
        """Return whether the main order's own index gives the next items."""
        return self.order is Order.LEAST_CONFIDENT and not self.part


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
        taken = _order(order or plan_in_force(connection, project.id).order)
        asked = _Asked(ws, actor, project, taken, part or QueueFilter(), ws.clock())
        _check_part(connection, asked)
    ids = _lease(asked, max(0, min(count, ws.settings.lease_cap)), frozenset(exclude))
    with ws.store.read() as connection:
        views = item_views(connection, project, actor, ids, asked.now)
        told = countable(connection, project, actor) if asked.part.predicted else None
        empty = "" if views or exclude else why_empty(connection, project, asked.part, told is None)
        return QueueView(
            tuple(views),
            waiting_counts(ws.store).count(connection, *asked.key, asked.part)
            if told is None
            else sum(map(told, _chosen(connection, asked))),
            done_today(ws.store, connection, project.id, actor.person_id, asked.now),
            empty,
            _notice(connection, asked),
            _elsewhere(connection, asked) if empty else (),
            taken.value,
            one_list(connection, project, asked.part.list_id) if asked.part.list_id else None,
        )


def read_part(asked: Mapping[str, str]) -> QueueFilter:
    """Return the part of a queue that the address of a page asks for.

    Raises:
        InputError: A parameter cannot be read.
    """
    return QueueFilter.from_query(asked)


def open_item(ws: Workspace, actor: Actor, slug: str, item_id: int) -> ReviewItem:
    """Return one item by its permalink, leasing it to the actor where a place is free.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project.
    """
    now = ws.clock()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE, counted=False)
        require_item(connection, project, item_id)
    if can(actor, Action.VOTE, Resource(project.id)):
        lease_writer(ws.store).write(lambda c: claim_one(c, ws, project, actor, item_id, now))
    with ws.store.read() as connection:
        return item_views(connection, project, actor, [item_id], now)[0]


def renew_leases(ws: Workspace, actor: Actor, slug: str, item_ids: Sequence[int]) -> int:
    """Prolong the actor's live leases and return how many.

    Raises:
        Forbidden: The actor may not vote here.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.VOTE, counted=False)
    now, seconds = ws.clock(), ws.settings.lease_seconds
    return lease_writer(ws.store).write(lambda c: renew(c, actor.person_id, item_ids, now, seconds))


def release_items(ws: Workspace, actor: Actor, slug: str, item_ids: Sequence[int]) -> None:
    """Give leased items back so that others can have them.

    Raises:
        Forbidden: The actor may not vote here.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.VOTE, counted=False)
    now = ws.clock()
    lease_writer(ws.store).write(lambda c: release(c, actor.person_id, item_ids, now))


def claim_one(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    actor: Actor,
    item_id: int,
    now: float,
) -> None:
    """Lease one item where a place is free and the actor does not hold too many already."""
    if len(held_leases(connection, project.id, actor.person_id, now)) < ws.settings.lease_cap:
        claim(
            connection, project.id, actor.person_id, 1, now, ws.settings.lease_seconds,
            only=[item_id],
        )  # fmt: skip


def require_item(connection: Connection, project: ProjectView, item_id: int) -> Row:
    """Return an item's row.

    Raises:
        NotFound: There is no such item in this project.
    """
    row = connection.execute(
        select(items).where(items.c.id == item_id, items.c.project_id == project.id)
    ).first()
    if row is None:
        raise NotFound(f"There is no item {item_id} in '{project.slug}'.", "Take the next one.")
    return row


def answers_as_expert(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int, now: float
) -> str:
    """Return the queue a vote counts for: an expert's in that queue, or any of a lead.

    Such a vote clears what others were unsure of, as long as it stands.
    """
    if can(actor, Action.ADJUDICATE, Resource(project.id)):
        return UNSURE
    return lease_queue(connection, item_id, actor.person_id, now)


# --- choosing ---------------------------------------------------------------------------------


def _order(name: str) -> Order:
    if name not in tuple(Order):
        raise InputError(
            f"Unknown order '{name[:40]}'; expected one of {[o.value for o in Order]}."
        )
    return Order(name)


def _check_part(connection: Connection, asked: _Asked) -> None:
    part, project = asked.part, asked.project
    if part.predicted and part.predicted not in project.schema.main.names:
        raise InputError(
            f"This project has no class '{part.predicted[:80]}'.", "Choose one of its classes."
        )
    if part.list_id:
        list_in(connection, project, part.list_id)


def _lease(asked: _Asked, count: int, exclude: frozenset[int]) -> list[int]:
    """Return the items the actor holds now and was to get: own ones first, then new ones."""
    writer = lease_writer(asked.ws.store)
    mine, room = writer.write(lambda c: _first_claim(c, asked, count, exclude))
    if asked.plain or not room:
        return mine
    for _ in range(TRIES):
        with asked.ws.store.read() as connection:
            chosen = _chosen(connection, asked)
        got = writer.write(partial(_claim, asked=asked, room=room, only=chosen)) if chosen else []
        mine, room = [*mine, *got], room - len(got)
        # Everything chosen is mine: there was no more. Nothing is: colleagues took it, look again.
        if not room or len(got) == len(chosen):
            break
    return mine


def _first_claim(
    connection: Connection, asked: _Asked, count: int, exclude: frozenset[int]
) -> tuple[list[int], int]:
    """Renew what the actor holds, take new items where no look-up is needed, and tell the room left."""
    ws = asked.ws
    held = held_leases(connection, *asked.key)
    if held:
        renew_all(connection, *asked.key, ws.settings.lease_seconds)
    mine = [i for i in _of_part(connection, asked, held) if i not in exclude][:count]
    room = max(0, min(count - len(mine), ws.settings.lease_cap - len(held)))
    if not asked.plain:
        wake(connection, asked.project.id, asked.now)
        return mine, room
    return mine + _claim(connection, asked, room, None), 0


def _of_part(connection: Connection, asked: _Asked, held: list[int]) -> list[int]:
    """Return those of one's own items that are of the part asked for, now held in its queue."""
    if not asked.part or not held:
        return held
    query = select(item_state.c.item_id).where(
        item_state.c.item_id.in_(held), *asked.part.conditions(connection.dialect.name)
    )
    of_part = _unless_told(connection, asked, list(connection.execute(query).scalars()))
    kept = [i for i in held if i in of_part]
    if asked.part.queue:
        hold(connection, *asked.key[:2], kept, asked.now, asked.ws.settings.lease_seconds,
             asked.part.queue)  # fmt: skip
    return kept


def _chosen(connection: Connection, asked: _Asked) -> list[int]:
    return _unless_told(
        connection, asked, choose(connection, *asked.key, asked.order, asked.part, CHOSEN)
    )


def _unless_told(connection: Connection, asked: _Asked, found: list[int]) -> list[int]:
    """Leave out what is blind where a class is asked for: the offer alone would tell it."""
    if not asked.part.predicted:
        return found
    hidden = blind_items(connection, asked.project, asked.actor, found, asked.now)
    return [i for i in found if i not in hidden]


def _claim(
    connection: Connection, asked: _Asked, room: int, only: Sequence[int] | None
) -> list[int]:
    got = claim(
        connection, asked.project.id, asked.actor.person_id, room, asked.now,
        asked.ws.settings.lease_seconds, only, asked.part.queue,
    )  # fmt: skip
    waiting_counts(asked.ws.store).took(*asked.key[:2], asked.part, len(got))
    return got


# --- telling ----------------------------------------------------------------------------------


def _notice(connection: Connection, asked: _Asked) -> str:
    typical = asked.order is Order.MOST_REPRESENTATIVE
    if not typical or has_typicality(connection, asked.project.id):
        return ""
    return (
        "No open item of this project has a model's embedding yet, so the items the model is "
        "least sure of come first."
    )


def _elsewhere(connection: Connection, asked: _Asked) -> tuple[Elsewhere, ...]:
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
        count = counts.count(connection, row.id, asked.actor.person_id, asked.now, QueueFilter())
        if count:
            found.append(Elsewhere(row.slug, row.title, count))
    return tuple(sorted(found, key=lambda e: (-e.waiting, e.title))[:MOST_ELSEWHERE])
