"""Dataset versions: final labels frozen into Parquet with a manifest.

Two hashes, both over content and not over a file's bytes, so that another version of the Parquet
library changes neither. ``hash`` names the version: images, answers, uses and states, the same
on every machine. ``rows`` covers every column and finds a file that was changed on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import DiskFull, StoreCorrupt

LABELS = "labels.parquet"
MANIFEST = "manifest.json"
ABANDONED_SECONDS = 3600.0
"""A folder begun this long ago belongs to a process that was killed."""


@dataclass(frozen=True, slots=True)
class FrozenLabel:
    """One item's final label as a version keeps it.

    Attributes:
        answer: Canonical JSON.
        use: train, certify or evaluate: the split.
        state: How it was settled.
        final_seq: Number of the final label in the record: its lineage.
    """

    item_id: int
    content_hash: str
    name: str
    label: str | None
    answer: str
    use: str
    state: str
    policy_version: int
    schema_version: int
    final_seq: int


_SCHEMA = pa.schema(
    [
        ("item_id", pa.int64()),
        ("content_hash", pa.string()),
        ("name", pa.string()),
        ("label", pa.string()),
        ("answer", pa.string()),
        ("use", pa.string()),
        ("state", pa.string()),
        ("policy_version", pa.int64()),
        ("schema_version", pa.int64()),
        ("final_seq", pa.int64()),
    ]
)


def version_hash(rows: Sequence[FrozenLabel]) -> str:
    """Return the SHA-256 of the labels in order of content; the same labels give the same hash."""
    return _digest(sorted([r.content_hash, r.answer, r.use, r.state] for r in rows))


def _rows_hash(rows: Sequence[FrozenLabel]) -> str:
    return _digest([list(asdict(r).values()) for r in rows])


def _digest(lines: Sequence[Sequence[object]]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def freeze(rows: Sequence[FrozenLabel], folder: Path, about: Mapping[str, object]) -> str:
    """Write a version into a new folder, whole or not at all, and return its hash.

    A folder that is there already and sound is left as it is; one that was changed on disk is
    set aside under another name, never deleted.

    Raises:
        DiskFull: There was no space; nothing is left behind.
    """
    digest = version_hash(rows)
    if _is_sound(folder, digest):
        return digest
    part = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        _clear_abandoned(folder)
        ordered = sorted(rows, key=lambda r: r.item_id)
        table = pa.Table.from_pylist([asdict(r) for r in ordered], schema=_SCHEMA)
        pq.write_table(table, part / LABELS)
        manifest = {**about, "hash": digest, "rows": _rows_hash(ordered), "n_items": len(rows)}
        (part / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
        _to_disk(part)
        if folder.exists() and not _is_sound(folder, digest):
            folder.rename(folder.with_name(f"{folder.name}.damaged-{uuid.uuid4().hex[:8]}"))
        part.rename(folder)
        _to_disk(folder.parent)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if _is_sound(folder, digest):  # another process froze the same labels first
            return digest
        raise DiskFull(
            f"The dataset version could not be written: {error.strerror}; nothing is left behind.",
            "Free some space, then try again.",
        ) from error
    return digest


def _is_sound(folder: Path, digest: str) -> bool:
    if not folder.exists():
        return False
    try:
        read_version(folder, digest)
    except StoreCorrupt:
        return False
    return True


def _clear_abandoned(folder: Path) -> None:
    for part in folder.parent.glob("*.part"):
        if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(part, ignore_errors=True)


def read_version(folder: Path, expected: str = "") -> list[FrozenLabel]:
    """Return the labels of a version, after checking that they are what was frozen.

    Args:
        expected: The hash the record keeps of it; a version put in its place is refused.

    Raises:
        StoreCorrupt: A file is missing, or was changed on disk.
    """
    try:
        manifest = dict(json.loads((folder / MANIFEST).read_text()))
        rows = [FrozenLabel(**r) for r in pq.read_table(folder / LABELS).to_pylist()]
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise _changed(folder, str(error)) from error
    whole = manifest.get("hash") == version_hash(rows) and manifest.get("rows") == _rows_hash(rows)
    if not whole or expected not in ("", manifest["hash"]):
        raise _changed(folder, "its labels do not have the hash they were frozen with")
    return rows


def _changed(folder: Path, detail: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"Dataset version {folder.name} was changed on disk: {detail.rstrip('.')}.",
        "Freeze the labels anew; the record itself is not touched.",
    )


def _to_disk(folder: Path) -> None:
    """Force a folder's files, and the folder's own list of them, to disk."""
    for path in (*(p for p in folder.iterdir() if p.is_file()), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
