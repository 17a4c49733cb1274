"""Dataset versions: freeze the final labels in force and register the version."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from core.access import Action, Actor
from core.datasets.freeze import (
    FrozenLabel,
    freeze,
    is_sound,
    read_manifest,
    rows_hash,
    version_hash,
)
from core.datasets.splits import BY_USE, SplitPlan
from core.errors import InputError, StoreCorrupt
from core.labels.state import LABELLED
from core.services.models.witnesses import Witness, witnesses
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import metadata_of, names_of
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import (
    dataset_versions,
    final_labels,
    item_state,
    items,
    people,
    version_manifests,
)

CHUNK = 500
TRAINING, PEOPLE = "training-", "v"
"""What versions nobody named are called, before their number."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """A dataset version.

    Attributes:
        by: Who froze it.
        manifest: What it was frozen with; empty for one frozen before manifests were kept.
        was_there: Whether what was to be frozen had been frozen before, under this name.
    """

    id: int
    name: str
    hash: str
    folder: Path
    n_items: int
    at: float
    by: str = ""
    manifest: Mapping[str, object] = field(default_factory=dict)
    was_there: bool = field(default=False, compare=False)

    @property
    def splits(self) -> dict[str, int]:
        """Return how many items each split has."""
        found = self.manifest.get("splits")
        counts = found.get("counts") if isinstance(found, Mapping) else None
        return {str(k): int(v) for k, v in counts.items()} if isinstance(counts, Mapping) else {}


def freeze_labels(ws: Workspace, actor: Actor, slug: str, name: str = "") -> VersionView:
    """Freeze the final labels in force; the same labels give the version they gave before.

    Each item's use is its split: that is what training needs. A version with splits of its own is made
    by `core.services.versions.snapshot`, and serves training as well.

    Raises:
        InputError: Nothing has a final label yet, or the name belongs to other labels.
        Forbidden: The actor may not freeze here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = labels_in_force(connection, project)
        known = _with_labels(connection, project, version_hash(rows)) if rows else []
    same = next((r for r in known if name in ("", r.name)), None)
    if same is not None and is_sound(ws.root / same.folder, same.hash):
        return _view(ws, same)
    plain = [r.placed(BY_USE.get(r.use, r.use), "") for r in rows]
    counts = dict(sorted(Counter(r.split for r in plain).items()))
    return freeze_rows(ws, actor, project, plain, {"splits": {"counts": counts}}, None, name)


def freeze_rows(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    rows: Sequence[FrozenLabel],
    about: Mapping[str, object],
    plan: SplitPlan | None,
    name: str,
    counted: str = TRAINING,
) -> VersionView:
    """Write labels into a folder of their own and register them under a name.

    Without a name it is `counted` and the next number, unless the same labels have a name already: any
    will do for training, one that is not training's for people, whatever name they ask for.

    The gate was asked by the caller, who knows the project.

    Raises:
        InputError: There are none, or the name belongs to other labels.
    """
    require_labels(project, rows)
    told = plan.to_json() if plan else ""
    digest = version_hash(rows, told)
    manifest = {**_about(project, rows), **about}
    folder = ws.versions / project.slug / digest[:16]
    with ws.store.read() as connection:  # before anything is written that nobody would name
        _refuse_taken(connection, project, name, digest)
    freeze(rows, folder, manifest, told, digest)
    with ws.store.write() as connection:
        return _register(connection, ws, actor, project, name, digest, folder, rows, counted)


def require_labels(project: ProjectView, rows: Sequence[FrozenLabel]) -> None:
    """Pass if there is something to freeze.

    Raises:
        InputError: There is not.
    """
    if not rows:
        raise InputError(
            f"'{project.slug}' has no final labels yet, so there is nothing to freeze.",
            "Import labels, or review some items first.",
        )


def _about(project: ProjectView, rows: Sequence[FrozenLabel]) -> dict[str, object]:
    return {
        "project": project.slug,
        "classes": list(project.schema.classes),
        "task": project.task.value,
        "schema_version": project.schema_version,
        "schema": json.loads(project.schema.to_json()),
        "policy_versions": sorted({r.policy_version for r in rows}),
        "guideline_versions": sorted({r.guideline_version for r in rows if r.guideline_version}),
        "models": sorted({r.model for r in rows if r.model}),
        "states": dict(sorted(Counter(r.state for r in rows).items())),
    }


def list_versions(ws: Workspace, actor: Actor, slug: str) -> list[VersionView]:
    """Return a project's dataset versions, newest first.

    Raises:
        Forbidden: The actor may not see them.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = connection.execute(
            _all_versions(project).order_by(dataset_versions.c.id.desc())
        ).all()
    return [_view(ws, r) for r in rows]


def labels_in_force(
    connection: Connection,
    project: ProjectView,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[FrozenLabel]:
    """Return every final label in force, by item, with whose word it rests on; no split yet.

    Args:
        told: Hears how many of how many are gathered.
    """
    query = (
        select(
            items.c.id, items.c.content_hash, items.c.use, items.c.width, items.c.height,
            final_labels,
        )
        .join(item_state, item_state.c.item_id == items.c.id)
        .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in LABELLED]),
        )
        .order_by(items.c.id)
    )  # fmt: skip
    rows = connection.execute(query).all()
    known = witnesses(connection, project, rows)
    found: list[FrozenLabel] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        ids = [r.id for r in chunk]
        names, metadata = names_of(connection, ids), metadata_of(connection, ids)
        found += [_frozen(r, known[r.seq], names[r.id], metadata.get(r.id, {})) for r in chunk]
        told(len(found), len(rows))
    return found


def _frozen(
    row: Row, seen: Witness, names: Sequence[str], metadata: Mapping[str, str]
) -> FrozenLabel:
    return FrozenLabel(
        item_id=row.id,
        content_hash=row.content_hash,
        name=names[0],
        label=row.label,
        answer=row.answer,
        use=row.use,
        state=row.state,
        policy_version=row.policy_version,
        schema_version=row.schema_version,
        final_seq=row.seq,
        who=seen.who,
        reason=row.reason,
        evidence=row.evidence,
        probability=row.probability,
        model=seen.model,
        guideline_version=seen.guideline_version,
        settled_at=row.at,
        names=tuple(names),
        width=row.width,
        height=row.height,
        metadata=json.dumps(dict(sorted(metadata.items())), ensure_ascii=False),
    )


def _all_versions(project: ProjectView) -> Select[Any]:
    return (
        select(
            dataset_versions,
            people.c.name.label("by"),
            version_manifests.c.doc,
            version_manifests.c.labels_hash,
        )
        .join(people, people.c.id == dataset_versions.c.by_id)
        .outerjoin(
            version_manifests, version_manifests.c.dataset_version_id == dataset_versions.c.id
        )
        .where(dataset_versions.c.project_id == project.id)
    )


def _with_labels(connection: Connection, project: ProjectView, labels: str) -> list[Row]:
    """Return the versions of exactly these labels, newest first, whatever their splits."""
    rows = connection.execute(_all_versions(project).order_by(dataset_versions.c.id.desc())).all()
    return [r for r in rows if labels in (r.hash, r.labels_hash)]


def _refuse_taken(connection: Connection, project: ProjectView, name: str, digest: str) -> None:
    """Pass if the name is free, or names this very version.

    Raises:
        InputError: It names another one.
    """
    taken = connection.execute(
        select(dataset_versions.c.hash).where(
            dataset_versions.c.project_id == project.id, dataset_versions.c.name == name
        )
    ).scalar()
    if name and taken not in (None, digest):
        raise InputError(
            f"'{name}' already names other labels or splits of '{project.slug}'; it was left as it "
            "is.",
            "Choose another name.",
        )


def _register(
    connection: Connection,
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    name: str,
    digest: str,
    folder: Path,
    rows: Sequence[FrozenLabel],
    counted: str,
) -> VersionView:
    mine = _all_versions(project)
    every = connection.execute(mine).all()
    will_do = [
        r
        for r in every
        if (counted == TRAINING and name in ("", r.name))
        or (counted != TRAINING and (r.name == name or not r.name.startswith(TRAINING)))
    ]
    same = next((r for r in will_do if r.hash == digest), None)
    if same is not None:
        return replace(_view(ws, same), was_there=True)
    _refuse_taken(connection, project, name, digest)
    known = {r.name for r in every}
    number = 1
    while not name and f"{counted}{number}" in known:
        number += 1
    row = {
        "project_id": project.id,
        "name": name or f"{counted}{number}",
        "hash": digest,
        "folder": str(folder.relative_to(ws.root)),
        "n_items": len(rows),
        "by_id": actor.person_id,
        "at": ws.clock(),
    }
    made = connection.execute(
        dataset_versions.insert().returning(dataset_versions.c.id), row
    ).scalar_one()
    _keep_manifest(connection, project, int(made), folder, rows, ws.clock())
    append_audit(
        connection, ws.clock(), actor.name, "version frozen", str(row["name"]), project.id,
        {"hash": digest, "n_items": len(rows)},
    )  # fmt: skip
    return _view(ws, connection.execute(mine.where(dataset_versions.c.id == made)).one())


def _keep_manifest(
    connection: Connection,
    project: ProjectView,
    version_id: int,
    folder: Path,
    rows: Sequence[FrozenLabel],
    at: float,
) -> None:
    """Keep what the folder says in the record too, where nobody can change it."""
    try:
        manifest = read_manifest(folder)
    except (OSError, ValueError) as error:
        raise StoreCorrupt(
            f"Dataset version {folder.name} was changed on disk while it was frozen.",
            "Freeze the labels anew.",
        ) from error
    row = {
        "project_id": project.id,
        "dataset_version_id": version_id,
        "labels_hash": version_hash(rows),
        "rows_hash": str(manifest["rows"] if "rows" in manifest else rows_hash(rows)),
        "doc": json.dumps(manifest, ensure_ascii=False, sort_keys=True),
        "at": at,
    }
    connection.execute(version_manifests.insert(), row)


def _view(ws: Workspace, row: Row) -> VersionView:
    manifest = json.loads(row.doc) if row.doc else {}
    return VersionView(
        row.id, row.name, row.hash, ws.root / row.folder, row.n_items, row.at, row.by, manifest
    )
