"""What a person may know of one item beside their vote: its history, labelled neighbours, threads.

Blind like the rest: before one has voted, the history holds what one said oneself and, unless the
item is answered without it, what models said.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from core.access import Action, Actor
from core.errors import NotFound
from core.services.items.neighbours import Neighbour, nearest, neighbourhood
from core.services.items.past import HistoryRow, history_of
from core.services.projects.project import project_for
from core.services.talk.threads import PersonName, ThreadView, names_in, threads_on
from core.services.workspace import Workspace
from core.store.tables import items


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an item.

    Attributes:
        history: Oldest first.
        neighbours: Most similar first.
        embedded: Whether the item has an embedding at all: it has after the first training or
            pre-labelling.
        people: Who can be mentioned.
    """

    history: tuple[HistoryRow, ...]
    neighbours: tuple[Neighbour, ...]
    embedded: bool
    threads: tuple[ThreadView, ...]
    people: tuple[PersonName, ...]


def about_item(ws: Workspace, actor: Actor, slug: str, item_id: int) -> About:
    """Return what this person may know of an item.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project's items.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        item = connection.execute(
            select(items).where(items.c.id == item_id, items.c.project_id == project.id)
        ).first()
        if item is None:
            raise NotFound(f"There is no item {item_id} in '{slug}'.", "Take the next one.")
        history = history_of(connection, project, actor, item, ws.clock())
        hood = neighbourhood(connection, ws, project)
        found = None if hood is None else nearest(connection, project, hood, item_id)
        return About(
            history,
            found or (),
            found is not None,
            threads_on(connection, project, actor, item_id),
            names_in(connection, project),
        )
