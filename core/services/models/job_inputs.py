"""What a job works on: a project's name, and its images on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from core.learning import ImageRef
from core.services.pictures.images import composite_path, local_path, original_bytes
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


def readable_refs(ws: Workspace, rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, ImageRef]:
    """Return where the images of some rows of items can be read, fetching what lies elsewhere."""
    return {r.id: ImageRef(r.id, r.content_hash, _readable(ws, r)) for r in rows}


def _readable(ws: Workspace, row: Row[*tuple[Any, ...]]) -> Path:
    if row.channels != "[]" and (shown := composite_path(ws, row)) is not None:
        return shown
    return _local(ws, row.location, row.content_hash)


def _local(ws: Workspace, location: str, content_hash: str) -> Path:
    if "://" not in location:
        return local_path(ws, location)
    kept = ws.cache / "originals" / content_hash[:2] / content_hash
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        part.write_bytes(original_bytes(ws, location))
        part.replace(kept)
    return kept


def slug_of(ws: Workspace, project_id: int) -> str:
    """Return a project's name."""
    with ws.store.read() as connection:
        return str(
            connection.execute(
                select(projects.c.slug).where(projects.c.id == project_id)
            ).scalar_one()
        )
