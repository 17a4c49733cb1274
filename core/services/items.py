"""Looking items up: by a part of their name, or one by its number, without claiming it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from core.access import Action, Actor
from core.errors import NotFound
from core.labels.state import ItemState
from core.services.projects import project_for
from core.services.views import ReviewItem, item_views
from core.services.workspace import Workspace
from core.store.tables import item_names, item_state

MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item that matches what was looked for."""

    item_id: int
    name: str
    state: ItemState


def find_items(ws: Workspace, actor: Actor, slug: str, part: str = "") -> list[FoundItem]:
    """Return up to 50 items whose name holds the text (case aside), by name.

    Raises:
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        query = (
            select(item_names.c.item_id, item_names.c.name, item_state.c.state)
            .join(item_state, item_state.c.item_id == item_names.c.item_id)
            .where(item_names.c.project_id == project.id)
            .order_by(item_names.c.name)
            .limit(MOST_FOUND)
        )
        if part.strip():
            query = query.where(item_names.c.name.icontains(part.strip(), autoescape=True))
        rows = connection.execute(query).all()
    return [FoundItem(r.item_id, r.name, ItemState(r.state)) for r in rows]


def look_at(ws: Workspace, actor: Actor, slug: str, item_id: int) -> ReviewItem:
    """Return one item as this person may see it; nothing is leased.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        views = item_views(connection, project, actor, [item_id], ws.clock())
    if not views:
        raise NotFound(f"There is no item {item_id} in '{slug}'.", "Look it up by its name.")
    return views[0]
