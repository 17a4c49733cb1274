"""A version's rows as the folder keeps them, held against the record, with the evidence of the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Row, select

from core.datasets.freeze import FrozenLabel, read_manifest, read_version
from core.datasets.splits import BY_USE
from core.errors import NotFound, StoreCorrupt
from core.labels import LabelSchema
from core.services.models.witnesses import witnesses
from core.services.projects.project import ProjectView
from core.services.visibility.views import metadata_of, names_of
from core.services.workspace import Workspace
from core.store.tables import dataset_versions, final_labels, items, version_manifests

CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version with all its rows.

    Attributes:
        schema: The classes as they were when it was frozen; today's for one that did not keep them.
    """

    id: int
    name: str
    hash: str
    folder: Path
    at: float
    rows: tuple[FrozenLabel, ...]
    schema: LabelSchema
    manifest: dict[str, object]


def stored_version(
    ws: Workspace, connection: Connection, project: ProjectView, name: str
) -> StoredVersion:
    """Return a version by its name; what an older one did not keep is taken from the record.

    Raises:
        NotFound: There is no such version.
        StoreCorrupt: It was changed on disk.
    """
    mine = dataset_versions.c.project_id == project.id
    row = connection.execute(
        select(dataset_versions, version_manifests.c.rows_hash, version_manifests.c.doc)
        .outerjoin(
            version_manifests, version_manifests.c.dataset_version_id == dataset_versions.c.id
        )
        .where(mine, dataset_versions.c.name == name)
    ).first()
    if row is None:
        query = select(dataset_versions.c.name).where(mine).order_by(dataset_versions.c.id.desc())
        known = list(connection.execute(query.limit(10)).scalars())
        raise NotFound(
            f"'{project.slug}' has no dataset version '{name[:80]}'.",
            f"It has {', '.join(known)}." if known else "Freeze the labels first.",
        )
    folder = ws.root / row.folder
    rows = read_version(folder, row.hash, row.name)
    manifest = read_manifest(folder)
    told = manifest.get("rows")
    if row.rows_hash not in (None, told):  # that the rows have this hash was looked at above
        raise StoreCorrupt(
            f"Dataset version '{name}' was changed on disk: it is not what the record says was "
            "frozen.",
            "Freeze the labels anew; the record itself is not touched.",
        )
    if row.doc:  # what the folder says of classes and splits has no hash: the record's word counts
        manifest = json.loads(row.doc)
    schema = _schema(manifest, project, row.name)
    whole = _completed(connection, project, rows)
    return StoredVersion(row.id, row.name, row.hash, folder, row.at, tuple(whole), schema, manifest)


def _schema(manifest: dict[str, object], project: ProjectView, name: str) -> LabelSchema:
    """Return the classes a version was frozen with.

    Raises:
        StoreCorrupt: They cannot be read.
    """
    if "schema" not in manifest:
        return project.schema
    try:
        return LabelSchema.from_json(json.dumps(manifest["schema"]))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise StoreCorrupt(
            f"Dataset version '{name}' was changed on disk: its classes cannot be read.",
            "Freeze the labels anew; the record itself is not touched.",
        ) from error


def _completed(
    connection: Connection, project: ProjectView, rows: Sequence[FrozenLabel]
) -> list[FrozenLabel]:
    """Fill in what the first edition did not keep: evidence, sizes, names, metadata, splits."""
    if all(r.evidence for r in rows):
        return list(rows)
    found: list[FrozenLabel] = []
    for start in range(0, len(rows), CHUNK):
        found += _filled(connection, project, rows[start : start + CHUNK])
    return found


def _filled(
    connection: Connection, project: ProjectView, rows: Sequence[FrozenLabel]
) -> list[FrozenLabel]:
    ids = [r.item_id for r in rows]
    seqs = [r.final_seq for r in rows]
    finals = connection.execute(select(final_labels).where(final_labels.c.seq.in_(seqs))).all()
    known, by_seq = witnesses(connection, project, finals), {f.seq: f for f in finals}
    sizes: dict[int, Row] = {
        r.id: r
        for r in connection.execute(
            select(items.c.id, items.c.width, items.c.height).where(items.c.id.in_(ids))
        )
    }
    names, metadata = names_of(connection, ids), metadata_of(connection, ids)
    found = []
    for row in rows:
        final, size, seen = (
            by_seq.get(row.final_seq),
            sizes.get(row.item_id),
            known.get(row.final_seq),
        )
        found.append(
            replace(
                row,
                split=row.split or BY_USE.get(row.use, row.use),
                who=seen.who if seen else (),
                model=seen.model if seen else "",
                guideline_version=seen.guideline_version if seen else None,
                reason=final.reason if final else "",
                evidence=final.evidence if final else "{}",
                probability=final.probability if final else None,
                settled_at=final.at if final else 0.0,
                names=tuple(names[row.item_id]),
                width=size.width if size else 0,
                height=size.height if size else 0,
                metadata=json.dumps(metadata.get(row.item_id, {}), ensure_ascii=False),
            )
        )
    return found
