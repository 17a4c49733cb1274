"""Leases on items that are known: opening one by its address, renewing, giving back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor, Resource, can
from core.errors import NotFound
from core.queue.barred import barred_items
from core.queue.claim import claim, lease_queue, release, renew
from core.queue.probes import all_held, hold_probes, lapse_probes, renew_probes
from core.queue.writer import lease_writer
from core.services.consensus.resolve import UNSURE
from core.services.projects.project import ProjectView, project_for
from core.services.review.admission import admission
from core.services.visibility.eligible import barred_for
from core.services.visibility.probes import probes_of
from core.services.visibility.views import ReviewItem, item_views
from core.services.workspace import Workspace
from core.store.tables import items


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
        stands = admission(connection, project, actor)
    if can(actor, Action.VOTE, Resource(project.id)) and not stands.refusal:
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

    def prolong(connection: Connection) -> int:
        kept = renew(connection, actor.person_id, item_ids, now, seconds)
        return kept + renew_probes(connection, actor.person_id, item_ids, now, seconds)

    return lease_writer(ws.store).write(prolong)


def release_items(ws: Workspace, actor: Actor, slug: str, item_ids: Sequence[int]) -> None:
    """Give leased items back so that others can have them.

    Raises:
        Forbidden: The actor may not vote here.
    """
    with ws.store.read() as connection:
        project_for(connection, actor, slug, Action.VOTE, counted=False)
    now = ws.clock()

    def give_back(connection: Connection) -> None:
        release(connection, actor.person_id, item_ids, now)
        lapse_probes(connection, actor.person_id, item_ids, now)

    lease_writer(ws.store).write(give_back)


def claim_one(
    connection: Connection,
    ws: Workspace,
    project: ProjectView,
    actor: Actor,
    item_id: int,
    now: float,
) -> None:
    """Lease one item where a place is free and the actor does not hold too many already."""
    held, seconds = (
        all_held(connection, project.id, actor.person_id, now),
        ws.settings.lease_seconds,
    )
    if len(held) >= ws.settings.lease_cap:
        return
    probe = probes_of(connection, project, actor, [item_id]).get(item_id)
    fresh = probe is None or not probe.met
    if fresh and barred_items(connection, barred_for(connection, project, actor), [item_id]):
        return
    if probe is None:
        claim(connection, project.id, actor.person_id, 1, now, seconds, only=[item_id])
    elif probe.said in ("", "withdraw"):
        again = [(item_id, probe.kind, probe.purpose)]
        hold_probes(connection, project.id, actor.person_id, again, now, seconds)


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
