"""Dataset versions: final labels frozen into Parquet with a manifest and one hash over both.

The hash is over the content, not the file's bytes, so another version of the Parquet library
does not change it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import DiskFull, StoreCorrupt

LABELS = "labels.parquet"
MANIFEST = "manifest.json"


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
    """Return the SHA-256 of the labels in order of item; the same labels give the same hash."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda r: r.item_id):
        line = json.dumps([row.content_hash, row.answer, row.use, row.state], ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def freeze(rows: Sequence[FrozenLabel], folder: Path, about: Mapping[str, object]) -> str:
    """Write a version into a new folder, whole or not at all, and return its hash.

    Raises:
        DiskFull: There was no space; nothing is left behind.
    """
    digest = version_hash(rows)
    if folder.exists():
        return digest
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        ordered = sorted(rows, key=lambda r: r.item_id)
        table = pa.Table.from_pylist([asdict(r) for r in ordered], schema=_SCHEMA)
        pq.write_table(table, part / LABELS)
        manifest = {"hash": digest, "n_items": len(rows), **about}
        (part / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
        _to_disk(part)
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if folder.exists():  # another process froze the same labels first
            return digest
        raise DiskFull(
            f"The dataset version could not be written: {error.strerror}; nothing is left behind.",
            "Free some space, then try again.",
        ) from error
    return digest


def read_version(folder: Path) -> list[FrozenLabel]:
    """Return the labels of a version, after checking that they are what was frozen.

    Raises:
        StoreCorrupt: A file is missing, or was changed on disk.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        rows = [FrozenLabel(**r) for r in pq.read_table(folder / LABELS).to_pylist()]
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise _changed(folder, str(error)) from error
    if version_hash(rows) != manifest.get("hash"):
        raise _changed(folder, "its labels do not have the hash they were frozen with")
    return rows


def _changed(folder: Path, detail: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"Dataset version {folder.name} was changed on disk: {detail}.",
        "Freeze the labels anew; the record itself is not touched.",
    )


def _to_disk(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
