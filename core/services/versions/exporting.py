"""Writing a version out in a format, by splits, with the notary's receipt."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from core.access import Action, Actor
from core.datasets.notary import Receipt
from core.errors import DiskFull, InputError, LimitExceeded
from core.formats import FORMATS
from core.services.pictures.images import original_bytes
from core.services.projects.project import ProjectView, project_for
from core.services.transfer.exports import require_carried
from core.services.versions.files import FOLDER, Written, lost, written
from core.services.versions.pace import Told, paced, silent
from core.services.versions.receipts import check_files, check_folders
from core.services.versions.stored import StoredVersion, stored_version
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, items, people, version_exports

RECEIPT = "receipt.json"
ONE_FILE = (".json", ".csv", ".tsv")
CHUNK = 500
MOST_HANDED_OUT = 3_000
"""Images that are handed out at once from memory; more are written from the terminal."""

Digest = tuple[str, int]
"""SHA-256 and length of a file."""


@dataclass(frozen=True, slots=True)
class VersionExport:
    """A version in a format.

    Attributes:
        files: By relative path, the receipt among them; copied images only where they are handed out.
        n_files: How many were written in all.
        n_items: Images the files tell of.
        left_out: Items of the version in no split: not written, for they would leak.
    """

    version: str
    format: str
    files: Mapping[str, bytes]
    n_files: int
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
    ws: Workspace, actor: Actor, slug: str, version: str, format: str, told: Told = silent
) -> VersionExport:
    """Return a version's files in a format, read back and held against it, with the receipt.

    Args:
        told: Hears how far it is: (phase, done, total, seconds left).

    Raises:
        NotFound: There is no such version.
        InputError: The format is unknown, or cannot carry this task.
        LimitExceeded: Class folders would hold too many images to be handed out at once.
        BadImage: An image that was to be copied cannot be read.
        StoreCorrupt: The version was changed on disk.
        Forbidden: The actor may not export here.
    """
    project, stored, name = _asked(ws, actor, slug, version, format, told)
    told("writing", 0, 0, None)
    made = written(stored, name)
    if len(made.images) > MOST_HANDED_OUT:
        raise LimitExceeded(
            f"{len(made.images):,} images are more than the {MOST_HANDED_OUT:,} handed out at once.",
            f"Write them on the server: tiebreak export {slug} FOLDER --version {version} "
            "--format folder.",
        )
    copied = dict(_pictures(ws, made, told))
    files = {**made.files, **copied}
    told("reading back", 0, 0, None)
    receipt = _checked(stored, name, made, made.files, _digests(copied))
    return _noted(ws, actor, project, stored, format, files, _digests(files), made, receipt)


def write_version(
    ws: Workspace,
    actor: Actor,
    slug: str,
    version: str,
    format: str,
    out: Path,
    told: Told = silent,
) -> VersionExport:
    """Write a version's files, read them back from disk, and put the receipt beside them.

    Args:
        out: A file where the format is one (.json, .csv), else a folder.
        told: Hears how far it is: (phase, done, total, seconds left).

    Raises:
        NotFound: There is no such version.
        InputError: The format is unknown, or cannot carry this task.
        BadImage: An image that was to be copied cannot be read.
        StoreCorrupt: The version was changed on disk.
        DiskFull: The files cannot be written.
        Forbidden: The actor may not export here.
    """
    project, stored, name = _asked(ws, actor, slug, version, format, told)
    single = out.suffix.lower() in ONE_FILE
    made = written(stored, name, single)
    if single and len(made.files) + len(made.images) != 1:
        raise InputError(
            f"{FORMATS[name].title} is several files, '{out.name}' is one.", "Name a folder."
        )
    try:
        done = _on_disk(ws, actor, project, stored, (name, format), made, out, single, told)
    except OSError as error:
        raise DiskFull(
            f"The export could not be written to {out}: {error.strerror}.",
            "Choose another place or free some space; the version is untouched.",
        ) from error
    return done


def _on_disk(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    stored: StoredVersion,
    formats: tuple[str, str],
    made: Written,
    out: Path,
    single: bool,
    told: Told,
) -> VersionExport:
    """Write, read back and sign; whole or not at all where the folder is new, else the receipt comes last.

    Raises:
        OSError: It cannot be written.
    """
    beside = out.with_name(f"{out.name}.{RECEIPT}") if single else out / RECEIPT
    whole = not single and not _holds_files(out)
    root = out.with_name(f"{out.name}.part") if whole else out
    beside.unlink(missing_ok=True)  # what an earlier export promised says nothing of this one
    if whole:
        shutil.rmtree(root, ignore_errors=True)
    back = _texts(made, {p: out if single else root / p for p in made.files}, told)
    copied = {}
    for path, data in _pictures(ws, made, told):
        _replace(root / path, data)
        copied[path] = _digest((root / path).read_bytes())
    told("reading back", 0, 0, None)
    receipt = _checked(stored, formats[0], made, back, copied, single)
    known = {**_digests(back), **copied}
    done = _noted(ws, actor, project, stored, formats[1], back, known, made, receipt)
    _replace(root / RECEIPT if whole else beside, done.files[RECEIPT])
    if whole:
        _put(root, out)
    return done


def _texts(made: Written, places: Mapping[str, Path], told: Told) -> dict[str, bytes]:
    """Write the text files and return what then lies on disk."""
    pace = paced("writing", told)
    for n, (path, place) in enumerate(places.items(), 1):
        _replace(place, made.files[path])
        pace(n, len(places))
    return {path: place.read_bytes() for path, place in places.items()}


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
    ws: Workspace, actor: Actor, slug: str, version: str, format: str, told: Told
) -> tuple[ProjectView, StoredVersion, str]:
    name = "table" if format in ("csv", "tsv") else format
    writers = {k: f for k, f in FORMATS.items() if f.emit is not None or k == FOLDER}
    if name not in writers:
        known = ["csv" if k == "table" else k for k in writers]
        raise InputError(f"Unknown format '{format[:40]}'; expected one of {known}.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.EXCHANGE)
        require_carried(project, writers[name])
        told("reading the version", 0, 0, None)
        return project, stored_version(ws, connection, project, version), name


def _pictures(ws: Workspace, made: Written, told: Told) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of every image that is copied, one at a time."""
    if not made.images:
        return  # most formats name the images: nothing is copied, and nobody is told so
    lie = _locations(ws, [r.item_id for r in made.images.values()])
    pace = paced("copying images", told)
    for done, (path, row) in enumerate(made.images.items(), 1):
        yield path, original_bytes(ws, lie[row.item_id])
        pace(done, len(made.images))


def _locations(ws: Workspace, ids: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    with ws.store.read() as connection:
        for start in range(0, len(ids), CHUNK):
            query = select(items.c.id, items.c.location)
            rows = connection.execute(query.where(items.c.id.in_(ids[start : start + CHUNK])))
            found |= {r.id: r.location for r in rows}
    return found


def _checked(
    stored: StoredVersion,
    name: str,
    made: Written,
    files: Mapping[str, bytes],
    copied: Mapping[str, Digest],
    single: bool = False,
) -> Receipt:
    loss = lost(stored, name, single)
    if name == FOLDER:
        return check_folders(made, files, {p: sha for p, (sha, _) in copied.items()},
                             stored.schema, loss)  # fmt: skip
    return check_files(made.records, made.splits, files, name, stored.schema, loss)


def _digest(data: bytes) -> Digest:
    return hashlib.sha256(data).hexdigest(), len(data)


def _digests(files: Mapping[str, bytes]) -> dict[str, Digest]:
    return {path: _digest(data) for path, data in files.items()}


def _noted(
    ws: Workspace,
    actor: Actor,
    project: ProjectView,
    stored: StoredVersion,
    format: str,
    files: Mapping[str, bytes],
    known: Mapping[str, Digest],
    made: Written,
    receipt: Receipt,
) -> VersionExport:
    """Write the receipt into the record, and among the files."""
    at, n_items = ws.clock(), len(made.records)
    doc = {
        "project": project.slug, "version": stored.name, "hash": stored.hash, "format": format,
        "by": actor.name, "at": at, "items": n_items, **receipt.as_dict(),
        "files": {p: {"sha256": sha, "bytes": n} for p, (sha, n) in sorted(known.items())},
    }  # fmt: skip
    kept = {**doc, "files": len(known)}  # a set of a million images has as many label files
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
    all_files = {**files, RECEIPT: json.dumps(doc, ensure_ascii=False, indent=1).encode()}
    left_out = len(stored.rows) - n_items
    return VersionExport(stored.name, format, all_files, len(known) + 1, n_items, left_out, receipt)


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _put(folder: Path, out: Path) -> None:
    if out.is_dir():
        out.rmdir()  # it was there, and empty
    folder.rename(out)


def _replace(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(data)
    part.replace(target)
