"""What a job works on: a project's name, and its images on this machine."""

from __future__ import annotations

from sqlalchemy import select

from core.learning import ImageRef
from core.services.pictures.readable import readable_refs
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import items, projects


def image_refs(ws: Workspace, project: ProjectView) -> dict[int, ImageRef]:
    """Return where each image of a project can be read, fetching what lies elsewhere."""
    with ws.store.read() as connection:
        rows = connection.execute(
            select(items.c.id, items.c.content_hash, items.c.location, items.c.channels)
            .where(items.c.project_id == project.id)
            .order_by(items.c.id)
        ).all()
    return readable_refs(ws, rows)


def slug_of(ws: Workspace, project_id: int) -> str:
    """Return a project's name."""
    with ws.store.read() as connection:
        return str(
            connection.execute(
                select(projects.c.slug).where(projects.c.id == project_id)
            ).scalar_one()
        )
