"""Writing a version out in a format, by splits, with the notary's receipt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from core.access import Action, Actor
from core.datasets.freeze import FrozenLabel
from core.datasets.notary import Receipt
from core.errors import DiskFull, InputError
from core.formats import FORMATS, ExportRecord
from core.formats.base import Format
from core.formats.listing import without_suffix
from core.labels import Answer, LabelSchema
from core.services.projects.project import ProjectView, project_for
from core.services.transfer.exports import require_carried
from core.services.versions.receipts import SPLIT_COLUMN, check_files
from core.services.versions.stored import StoredVersion, stored_version
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, people, version_exports

RECEIPT = "receipt.json"
ONE_FILE = (".json", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class VersionExport:
    """A version in a format.

    Attributes:
        files: By relative path, the receipt among them.
        n_items: Images written.
        left_out: Items of the version in no split: not written, for they would leak.
    """

    version: str
    format: str
    files: Mapping[str, bytes]
    n_items: int
    left_out: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class PastExport:
    """A receipt the record keeps."""

    version: str
    format: str
    by: str
    at: float
    receipt: Mapping[str, object]


def export_version(
    ws: Workspace, actor: Actor, slug: str, version: str, format: str
) -> VersionExport:
    """Return a version's files in a format, read back and held against it, with the receipt.

    Raises:
        NotFound: There is no such version.
        InputError: The format is unknown, or cannot carry this task.
        StoreCorrupt: The version was changed on disk.
        Forbidden: The actor may not export here.
    """
    project, stored, name = _asked(ws, actor, slug, version, format)
    files, records, splits = _written(stored, name)
    receipt = check_files(records, splits, files, name, stored.schema, _loss(stored, name))
    return _noted(ws, actor, project, stored, format, files, len(records), receipt)


def write_version(
    ws: Workspace, actor: Actor, slug: str, version: str, format: str, out: Path
) -> VersionExport:
    """Write a version's files, read them back from disk, and put the receipt beside them.

    Args:
        out: A file where the format is one (.json, .csv), else a folder.

    Raises:
        NotFound: There is no such version.
        InputError: The format is unknown, or cannot carry this task.
        StoreCorrupt: The version was changed on disk.
        DiskFull: The files cannot be written.
        Forbidden: The actor may not export here.
    """
    project, stored, name = _asked(ws, actor, slug, version, format)
    single = out.suffix.lower() in ONE_FILE
    files, records, splits = _written(stored, name, single)
    if single and len(files) != 1:
        raise InputError(
            f"{FORMATS[name].title} is several files, '{out.name}' is one.", "Name a folder."
        )
    try:
        places = {p: out if single else out / p for p in files}
        for path, place in places.items():
            _replace(place, files[path])
        back = {path: place.read_bytes() for path, place in places.items()}
        receipt = check_files(
            records, splits, back, name, stored.schema, _loss(stored, name, single)
        )
        made = _noted(ws, actor, project, stored, format, back, len(records), receipt)
        beside = out.with_name(f"{out.name}.{RECEIPT}") if single else out / RECEIPT
        _replace(beside, made.files[RECEIPT])
    except OSError as error:
        raise DiskFull(
            f"The export could not be written to {out}: {error.strerror}.",
            "Choose another place or free some space; the version is untouched.",
        ) from error
    return made


def past_exports(ws: Workspace, actor: Actor, slug: str) -> list[PastExport]:
    """Return the receipts of all exports of versions, newest first.

    Raises:
        Forbidden: The actor may not see them.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        rows = connection.execute(
            select(version_exports, dataset_versions.c.name, people.c.name.label("by"))
            .join(dataset_versions, dataset_versions.c.id == version_exports.c.dataset_version_id)
            .join(people, people.c.id == version_exports.c.by_id)
            .where(version_exports.c.project_id == project.id)
            .order_by(version_exports.c.id.desc())
        ).all()
    return [PastExport(r.name, r.format, r.by, r.at, json.loads(r.receipt)) for r in rows]


def _asked(
    ws: Workspace, actor: Actor, slug: str, version: str, format: str
) -> tuple[ProjectView, StoredVersion, str]:
    name = "table" if format in ("csv", "tsv") else format
    writers = {k: f for k, f in FORMATS.items() if f.emit is not None}
    if name not in writers:
        known = ["csv" if k == "table" else k for k in writers]
        raise InputError(f"Unknown format '{format[:40]}'; expected one of {known}.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        require_carried(project, writers[name])
        return project, stored_version(ws, connection, project, version), name


def _noted(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    stored: StoredVersion,
    format: str,
    files: Mapping[str, bytes],
    n_items: int,
    receipt: Receipt,
) -> VersionExport:
    """Write the receipt into the record, and among the files."""
    at = ws.clock()
    doc = {
        "project": project.slug, "version": stored.name, "hash": stored.hash, "format": format,
        "by": actor.name, "at": at, "items": n_items, **receipt.as_dict(),
        "files": {
            p: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)}
            for p, d in sorted(files.items())
        },
    }  # fmt: skip
    kept = {**doc, "files": len(files)}  # a set of a million images has as many label files
    with ws.store.write() as connection:
        row = {
            "project_id": project.id, "dataset_version_id": stored.id, "format": format,
            "receipt": json.dumps(kept, ensure_ascii=False), "by_id": actor.person_id, "at": at,
        }  # fmt: skip
        connection.execute(version_exports.insert(), row)
        append_audit(
            connection, at, actor.name, "exported", f"version {stored.name} as {format}",
            project.id, {"rows": n_items, "passed": receipt.passed},
        )  # fmt: skip
    told = {**files, RECEIPT: json.dumps(doc, ensure_ascii=False, indent=1).encode()}
    left_out = len(stored.rows) - n_items
    return VersionExport(stored.name, format, told, n_items, left_out, receipt)


def _written(
    stored: StoredVersion, name: str, single: bool = False
) -> tuple[dict[str, bytes], list[ExportRecord], dict[str, str]]:
    rows = [r for r in stored.rows if r.split]
    records = [_record(r, name) for r in rows]
    splits = {rec.file: row.split for rec, row in zip(records, rows, strict=True)}
    schema, parts = stored.schema, sorted(set(splits.values()))
    if name == "coco" and not single:
        files = {
            f"instances_{part}.json": next(
                iter(
                    _emitted(name, [r for r in records if splits[r.file] == part], schema).values()
                )
            )
            for part in parts
        }
        return files, records, splits
    files = _emitted(name, records, schema)
    if name == "coco":
        return files, records, {}
    if name in ("yolo", "voc"):
        folder = "splits" if name == "yolo" else "ImageSets/Main"
        for part in parts:
            mine = [n for r in records if splits[r.file] == part for n in r.all_names]
            lines = (f"./{n}" if name == "yolo" else without_suffix(n) for n in mine)
            files[f"{folder}/{part}.txt"] = "".join(f"{line}\n" for line in lines).encode()
    if name == "yolo":
        files["data.yaml"] = _yaml(files["data.yaml"], parts)
    return files, records, splits


def _emitted(name: str, records: Sequence[ExportRecord], schema: LabelSchema) -> dict[str, bytes]:
    emit = FORMATS[name].emit
    assert emit is not None  # `_asked` lets only formats through that are written
    return emit(records, schema.classes, schema.main.key, schema.skeleton)


def _yaml(data: bytes, parts: Sequence[str]) -> bytes:
    """Point a trainer at the lists of each split."""
    kept = [t for t in data.decode().splitlines() if not t.startswith(("train:", "val:"))]
    lists = [f"{part}: splits/{part}.txt" for part in parts]
    return "\n".join([kept[0], *lists, *kept[1:], ""]).encode()


def _record(row: FrozenLabel, name: str) -> ExportRecord:
    extra = {
        SPLIT_COLUMN: row.split, "use": row.use, "labelled_by": ", ".join(row.who),
        "policy_version": str(row.policy_version), "model": row.model,
        "guideline_version": str(row.guideline_version or ""), "content_hash": row.content_hash,
    }  # fmt: skip
    return ExportRecord(
        row.name,
        row.names or (row.name,),
        row.width,
        row.height,
        Answer.from_json(row.answer),
        row.state,
        metadata=json.loads(row.metadata),
        extra=extra if name == "table" else {},
    )


def _loss(stored: StoredVersion, name: str, single: bool = False) -> tuple[str, ...]:
    """Return what the format has no place for, one sentence each."""
    writer: Format = FORMATS[name]
    schema, found = stored.schema, ["Images are not copied; the files name them."]
    asked = [q.title for q in schema.region_questions] if not writer.attributes else []
    if schema.draws and not writer.choices and not writer.attributes:
        asked += [q.title for q in schema.item_questions]
    if asked:
        found.append(f"{writer.title} has no place for {', '.join(asked)}.")
    if name != "table":
        found.append(
            f"{writer.title} has no place for who labelled, how, policy, model and guideline: the "
            "version's own Parquet file has them, and so has a table (CSV)."
        )
        columns = sorted({k for r in stored.rows for k in json.loads(r.metadata)})
        if columns:
            found.append(f"{writer.title} has no place for metadata: {', '.join(columns[:20])}.")
    else:
        found.append("A table has no numbers of classes, only names.")
    if name == "yolo":
        found.append("Coordinates are rounded to a millionth of the image's side.")
    if single and name == "coco":
        found.append("One COCO file has no splits; name a folder to have a file for each.")
    out = sum(not r.split for r in stored.rows)
    if out:
        found.append(f"{out:,} items are in no split and not written: they would leak.")
    return tuple(found)


def _replace(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(data)
    part.replace(target)
