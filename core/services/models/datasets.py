"""Dataset versions: freeze the final labels in force and register the version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.datasets.freeze import FrozenLabel, freeze, version_hash
from core.errors import InputError
from core.labels.state import LABELLED
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, final_labels, item_names, item_state, items


@dataclass(frozen=True, slots=True)
class VersionView:
    """A dataset version."""

    id: int
    name: str
    hash: str
    folder: Path
    n_items: int
    at: float


def freeze_labels(ws: Workspace, actor: Actor, slug: str, name: str = "") -> VersionView:
    """Freeze the final labels in force; the same labels give the version they gave before.

    Raises:
        InputError: Nothing has a final label yet, or the name belongs to other labels.
        Forbidden: The actor may not freeze here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = labels_in_force(connection, project)
    if not rows:
        raise InputError(
            f"'{slug}' has no final labels yet, so there is nothing to freeze.",
            "Import labels, or review some items first.",
        )
    about = {"project": slug, "classes": list(project.schema.classes), "task": project.task.value}
    folder = ws.versions / slug / version_hash(rows)[:16]
    digest = freeze(rows, folder, about)
    with ws.store.write() as connection:
        return _register(connection, ws, actor, project, name, digest, folder, len(rows))


def list_versions(ws: Workspace, actor: Actor, slug: str) -> list[VersionView]:
    """Return a project's dataset versions, newest first.

    Raises:
        Forbidden: The actor may not see them.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = connection.execute(
            select(dataset_versions)
            .where(dataset_versions.c.project_id == project.id)
            .order_by(dataset_versions.c.id.desc())
        ).all()
    return [_view(ws, r) for r in rows]


def labels_in_force(connection: Connection, project: ProjectView) -> list[FrozenLabel]:
    """Return every final label in force, by item."""
    names: dict[int, str] = {}
    for row in connection.execute(
        select(item_names.c.item_id, item_names.c.name)
        .where(item_names.c.project_id == project.id)
        .order_by(item_names.c.seq.desc())
    ):
        names[row.item_id] = row.name  # the first name given wins, being read last
    query = (
        select(items.c.id, items.c.content_hash, items.c.use, final_labels)
        .join(item_state, item_state.c.item_id == items.c.id)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in LABELLED]),
        )
        .order_by(items.c.id)
    )
    return [
        FrozenLabel(
            item_id=r.id,
            content_hash=r.content_hash,
            name=names.get(r.id, ""),
            label=r.label,
            answer=r.answer,
            use=r.use,
            state=r.state,
            policy_version=r.policy_version,
            schema_version=r.schema_version,
            final_seq=r.seq,
        )
        for r in connection.execute(query)
    ]


def _register(
    connection: Connection,
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    name: str,
    digest: str,
    folder: Path,
    count: int,
) -> VersionView:
    mine = select(dataset_versions).where(dataset_versions.c.project_id == project.id)
    same = connection.execute(mine.where(dataset_versions.c.hash == digest)).first()
    if same is not None and name in ("", same.name):
        return _view(ws, same)
    known = {r.name for r in connection.execute(mine)}
    if name in known:
        raise InputError(
            f"'{name}' already names other labels of '{project.slug}'.", "Choose another name."
        )
    number = len(known) + 1
    while not name and f"v{number}" in known:
        number += 1
    row = {
        "project_id": project.id,
        "name": name or f"v{number}",
        "hash": digest,
        "folder": str(folder.relative_to(ws.root)),
        "n_items": count,
        "by_id": actor.person_id,
        "at": ws.clock(),
    }
    connection.execute(dataset_versions.insert(), row)
    append_audit(
        connection, ws.clock(), actor.name, "version frozen", str(row["name"]), project.id,
        {"hash": digest, "n_items": count},
    )  # fmt: skip
    return _view(ws, connection.execute(mine.where(dataset_versions.c.name == row["name"])).one())


def _view(ws: Workspace, row: Row) -> VersionView:
    return VersionView(row.id, row.name, row.hash, ws.root / row.folder, row.n_items, row.at)
