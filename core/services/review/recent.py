"""A person's own latest answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from core.access import Action, Actor
from core.services.projects.project import project_for
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log


@dataclass(frozen=True, slots=True)
class RecentRow:
    """One of a person's own latest answers."""

    item_id: int
    name: str
    kind: str
    label: str | None
    at: float
    revision: int


def my_recent(ws: Workspace, actor: Actor, slug: str, limit: int = 20) -> list[RecentRow]:
    """Return the actor's latest answers in a project, newest first.

    Raises:
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_OWN)
        rows = connection.execute(
            select(annotation_log)
            .where(
                annotation_log.c.project_id == project.id,
                annotation_log.c.person_id == actor.person_id,
            )
            .order_by(annotation_log.c.seq.desc())
            .limit(limit)
        ).all()
        names = names_of(connection, [r.item_id for r in rows])
    return [
        RecentRow(
            r.item_id,
            names[r.item_id][0],
            r.kind,
            r.label and project.schema.main.today(r.label),
            r.at,
            r.revision,
        )
        for r in rows
    ]
