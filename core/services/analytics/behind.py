"""The items behind a figure, without telling anybody an answer they must not see yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Row, func, select

from core.access import Action, Actor, Resource, can
from core.labels.state import ItemState
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import item_state, items, people, person_revisions

UNSETTLED = (ItemState.OPEN.value, ItemState.DISPUTE.value)


def rows_of(ws: Workspace, ids: Sequence[int]) -> dict[int, Row]:
    """Return content hash and state of each of these items; one that was never resolved is open."""
    state = func.coalesce(item_state.c.state, ItemState.OPEN.value).label("state")
    with ws.store.read() as connection:
        query = (
            select(items.c.id, items.c.content_hash, state)
            .outerjoin(item_state, item_state.c.item_id == items.c.id)
            .where(items.c.id.in_(ids))
        )
        return {r.id: r for r in connection.execute(query)}


def is_withheld(actor: Actor, project: ProjectView, state: str) -> bool:
    """Return whether the actor could still vote on, or decide, an item in this state."""
    here = Resource(project.id)
    judges = can(actor, Action.VOTE, here) or can(actor, Action.ADJUDICATE, here)
    return judges and state in UNSETTLED


def names_by_number(ws: Workspace, ids: Sequence[int]) -> Mapping[int, tuple[str, str]]:
    """Return the name and what others read for it of each of these people."""
    with ws.store.read() as connection:
        revisions = connection.execute(
            select(people.c.id, people.c.name, person_revisions.c.display_name)
            .join(person_revisions, person_revisions.c.person_id == people.c.id)
            .where(people.c.id.in_(ids))
            .order_by(person_revisions.c.seq)
        )
        # Later revisions overwrite.
        return {r.id: (r.name, r.display_name or r.name) for r in revisions}
