"""A person's own latest answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Row, Table, select

from core.access import Action, Actor
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.probes import may_be_probed
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import annotation_log, probe_votes


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
        rows = _newest(connection, annotation_log, annotation_log.c.kind, project, actor, limit)
        if may_be_probed(actor, project.id):
            rows += _newest(connection, probe_votes, probe_votes.c.word, project, actor, limit)
            rows = sorted(rows, key=lambda r: -r.at)[:limit]
        names = names_of(connection, [r.item_id for r in rows])
    return [
        RecentRow(
            r.item_id,
            names[r.item_id][0],
            r.what,
            r.label and project.schema.main.today(r.label),
            r.at,
            r.revision,
        )
        for r in rows
    ]


def _newest(
    connection: Connection,
    table: Table,
    what: Column[str],
    project: ProjectView,
    actor: Actor,
    limit: int,
) -> list[Row]:
    return list(
        connection.execute(
            select(table.c.item_id, what.label("what"), table.c.label, table.c.at, table.c.revision)
            .where(table.c.project_id == project.id, table.c.person_id == actor.person_id)
            .order_by(table.c.seq.desc())
            .limit(limit)
        ).all()
    )
