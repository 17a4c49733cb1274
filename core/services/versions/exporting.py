"""Writing a version out in a format, by splits, with the notary's receipt."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy import select

from core.access import Action, Actor
from core.datasets.notary import Receipt
from core.errors import DiskFull, InputError, LimitExceeded, StorageError
from core.formats import FORMATS
from core.services.pictures.images import original_bytes
from core.services.projects.project import ProjectView, project_for
from core.services.transfer.exports import require_carried
from core.services.transfer.places import outside, settle, staged, write_whole
from core.services.versions.files import FOLDER, Written, dropped, lost, written
from core.services.versions.former import RECEIPT, clear, retire
from core.services.versions.pace import Told, paced, silent
from core.services.versions.receipts import check_files, check_folders
from core.services.versions.stored import StoredVersion, stored_version
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, items, people, version_exports

ONE_FILE = (".json", ".csv", ".tsv")
CHUNK = 500
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
MOST_HANDED_OUT = 3_000
"""Images that are handed out at once from memory; more are written from the terminal."""

Digest = tuple[str, int]
"""SHA-256 and length of a file."""
Note = Callable[..., "VersionExport"]
"""`_noted` of a version that is known."""
Deliver = Callable[[bytes], None]
"""Puts the receipt, and what it is of, where they belong."""


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
        DiskFull: There is no room for the files.
        ConflictError: Another export is being written there.
        Forbidden: The actor may not export here.
    """
    project, stored, name = _asked(ws, actor, slug, version, format, told)
    out = outside(ws, out)
    single = out.suffix.lower() in ONE_FILE
    made = written(stored, name, single)
    _require_place(out, single, name, made)
    note = partial(_noted, ws, actor, project, stored, format)
    try:
        if single:
            return _one_file(stored, name, made, out, note, told)
        return _folder(ws, stored, name, made, out, note, told)
    except OSError as error:
        raise _unwritten(out, error) from error


def _require_place(out: Path, single: bool, name: str, made: Written) -> None:
    if single and len(made.files) + len(made.images) != 1:
        raise InputError(
            f"{FORMATS[name].title} is several files, '{out.name}' is one.", "Name a folder."
        )
    if single and out.is_dir():
        raise InputError(
            f"'{out}' is a folder, a file was expected; nothing was written.", "Name another file."
        )
    if not single and out.exists() and not out.is_dir():
        raise InputError(
            f"'{out}' is a file, a folder was expected; nothing was written.",
            f"Name a folder, or a file that ends in {' or '.join(ONE_FILE)} where the format is one.",
        )


def _unwritten(out: Path, error: OSError) -> InputError | StorageError:
    if error.errno in FULL:
        return DiskFull(
            f"The export could not be written to {out}: {error.strerror}; what was there before and "
            "the version are untouched.",
            "Free some space, or choose another place.",
        )
    return InputError(
        f"The export could not be written to {out}: {error.strerror or error}; the version is "
        "untouched.",
        "Choose another place, one that you may write to.",
    )


def _one_file(
    stored: StoredVersion, name: str, made: Written, out: Path, note: Note, told: Told
) -> VersionExport:
    """Write one file, read it back from disk, and put the receipt beside it.

    Raises:
        OSError: It cannot be written.
    """
    beside = out.with_name(f"{out.name}.{RECEIPT}")
    beside.unlink(missing_ok=True)  # what an earlier export promised says nothing of this one
    [(path, data)] = made.files.items()
    told("writing", 0, 0, None)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, data)
    told("reading back", 0, 0, None)
    back = {path: out.read_bytes()}
    receipt = _checked(stored, name, made, back, {}, True)
    try:
        return note(back, _digests(back), made, receipt, lambda data: write_whole(beside, data))
    except Exception:
        beside.unlink(missing_ok=True)  # the record does not know of it
        raise


def _folder(
    ws: Workspace,
    stored: StoredVersion,
    name: str,
    made: Written,
    out: Path,
    note: Note,
    told: Told,
) -> VersionExport:
    """Write, read back and sign beside the folder's place, then put all of it there, the receipt last.

    Raises:
        OSError: It cannot be written.
    """
    with staged(out) as part:
        back = _texts(made, {p: part / p for p in made.files}, told)
        copied = {}
        for path, data in _pictures(ws, made, told):
            _write(part / path, data)
            copied[path] = _digest((part / path).read_bytes())
        told("reading back", 0, 0, None)
        receipt = _checked(stored, name, made, back, copied)
        known = {**_digests(back), **copied}
        there = out.is_dir()
        if there:  # without the receipt, which comes last: one by one they may take a while
            retire(out)
            settle(part, out)
            clear(out, {*known})

        def deliver(signed: bytes) -> None:
            if there:
                write_whole(out / RECEIPT, signed)
                return
            _write(part / RECEIPT, signed)
            settle(part, out)

        try:
            return note(back, known, made, receipt, deliver)
        except (
            Exception
        ):  # the record has no room, say: then nobody is to hold what it does not know
            if there:
                (out / RECEIPT).unlink(missing_ok=True)
            elif not part.exists():
                out.rename(part)
            raise


def _texts(made: Written, places: Mapping[str, Path], told: Told) -> dict[str, bytes]:
    """Write the text files and return what then lies on disk."""
    pace = paced("writing", told)
    for n, (path, place) in enumerate(places.items(), 1):
        _write(place, made.files[path])
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
        found = check_folders(made, files, {p: sha for p, (sha, _) in copied.items()},
                              stored.schema, loss)  # fmt: skip
    else:
        found = check_files(made.records, made.splits, files, name, stored.schema, loss)
    return replace(found, dropped=dropped(stored, name, made.records))


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
    deliver: Deliver = lambda _: None,
) -> VersionExport:
    """Write the receipt into the record, and among the files: neither where the other cannot be.

    Raises:
        OSError: The files cannot be put into their place.
    """
    at, n_items = ws.clock(), len(made.records)
    doc = {
        "project": project.slug, "version": stored.name, "hash": stored.hash, "format": format,
        "by": actor.name, "at": at, "items": n_items, **receipt.as_dict(),
        "files": {p: {"sha256": sha, "bytes": n} for p, (sha, n) in sorted(known.items())},
    }  # fmt: skip
    signed = json.dumps(doc, ensure_ascii=False, indent=1).encode()
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
        deliver(signed)
    all_files = {**files, RECEIPT: signed}
    left_out = len(stored.rows) - n_items
    return VersionExport(stored.name, format, all_files, len(known) + 1, n_items, left_out, receipt)


def _write(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
