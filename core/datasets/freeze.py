"""Dataset versions: final labels frozen into Parquet with a manifest.

Two hashes, both over content and not over a file's bytes, so that another version of the Parquet
library changes neither. ``hash`` names the version: images, answers, uses and states, and the splits
where some were asked for; the same on every machine. ``rows`` covers every column and finds a
file that was changed on disk. Files of the first edition have ten columns; they are read, and keep both
hashes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import DiskFull, StoreCorrupt

LABELS = "labels.parquet"
MANIFEST = "manifest.json"
EDITION = 2
"""Of the columns; 1 had the first ten."""
ABANDONED_SECONDS = 3600.0
"""A folder begun this long ago belongs to a process that was killed."""


@dataclass(frozen=True, slots=True)
class FrozenLabel:
    """One item's final label as a version keeps it.

    Attributes:
        answer: Canonical JSON.
        use: train, certify or evaluate: what our own training may do with it.
        state: How it was settled.
        final_seq: Number of the final label in the record: its lineage.
        split: Part of an exported set it belongs to; empty where it was left out of all.
        group: What may not be torn apart by splits; empty where it stands alone.
        who: Whose votes or decision it rests on, by name.
        reason: Why it was settled, as `core.consensus.settle` has it.
        evidence: JSON: numbers of votes, decision, imported label and prediction in the record.
        probability: Of the label, where the policy gives one.
        model: What predicted it, where the model alone decided.
        guideline_version: The newest that those who said it had before them.
        settled_at: Seconds since the Unix epoch, UTC.
        names: Every name the image has.
        width, height: Upright, pixels.
        metadata: JSON object.
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
    split: str = ""
    group: str = ""
    who: tuple[str, ...] = ()
    reason: str = ""
    evidence: str = ""
    probability: float | None = None
    model: str = ""
    guideline_version: int | None = None
    settled_at: float = 0.0
    names: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    metadata: str = "{}"

    def placed(self, split: str, group: str) -> FrozenLabel:
        """Return the label in a split; `dataclasses.replace` takes five times as long."""
        return FrozenLabel(*(*_BEFORE(self), split, group, *_AFTER(self)))


_COLUMNS = tuple(f.name for f in fields(FrozenLabel))
_FIRST = _COLUMNS[:10]
"""The columns of the first edition."""
_BEFORE = attrgetter(*_COLUMNS[: _COLUMNS.index("split")])
_AFTER = attrgetter(*_COLUMNS[_COLUMNS.index("group") + 1 :])
_LISTS = ("who", "names")

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
        ("split", pa.string()),
        ("group", pa.string()),
        ("who", pa.list_(pa.string())),
        ("reason", pa.string()),
        ("evidence", pa.string()),
        ("probability", pa.float64()),
        ("model", pa.string()),
        ("guideline_version", pa.int64()),
        ("settled_at", pa.float64()),
        ("names", pa.list_(pa.string())),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("metadata", pa.string()),
    ]
)


def version_hash(rows: Sequence[FrozenLabel], plan: str = "") -> str:
    """Return the SHA-256 of the labels in order of content; the same labels give the same hash.

    Args:
        rows: The labels.
        plan: How splits were asked for, as text; then who is in which split counts too.
    """
    if not plan:
        return _digest(sorted([r.content_hash, r.answer, r.use, r.state] for r in rows))
    told = sorted([r.content_hash, r.answer, r.use, r.state, r.split] for r in rows)
    return _digest([["splits", plan], *told])


def rows_hash(rows: Sequence[FrozenLabel], edition: int = EDITION) -> str:
    """Return the SHA-256 of every column of an edition, in the order given."""
    return _digest(map(attrgetter(*(_FIRST if edition == 1 else _COLUMNS)), rows))


def _digest(lines: Iterable[Sequence[object]]) -> str:
    digest, told = hashlib.sha256(), json.JSONEncoder(ensure_ascii=False).encode
    for line in lines:
        digest.update(told(line).encode() + b"\n")
    return digest.hexdigest()


def freeze(
    rows: Sequence[FrozenLabel],
    folder: Path,
    about: Mapping[str, object],
    plan: str = "",
    digest: str = "",
) -> str:
    """Write a version into a new folder, whole or not at all, and return its hash.

    A folder that is there already and sound is left as it is; one that was changed on disk is
    set aside under another name, never deleted.

    Args:
        rows: The labels.
        folder: Where the version is to lie.
        about: What its manifest says beside its hashes.
        plan: How splits were asked for, as text.
        digest: Its `version_hash`, where the caller has it already.

    Raises:
        DiskFull: There was no space; nothing is left behind.
    """
    digest = digest or version_hash(rows, plan)
    if is_sound(folder, digest):
        return digest
    part = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        _clear_abandoned(folder)
        ordered = sorted(rows, key=lambda r: r.item_id)
        pq.write_table(table_of(ordered), part / LABELS)
        manifest = {
            **about, "edition": EDITION, "plan": plan, "hash": digest,
            "rows": rows_hash(ordered), "n_items": len(rows),
        }  # fmt: skip
        (part / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
        _to_disk(part)
        if folder.exists() and not is_sound(folder, digest):
            folder.rename(folder.with_name(f"{folder.name}.damaged-{uuid.uuid4().hex[:8]}"))
        part.rename(folder)
        _to_disk(folder.parent)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if is_sound(folder, digest):  # another process froze the same labels first
            return digest
        raise DiskFull(
            f"The dataset version could not be written: {_reason(error)}; nothing is left behind.",
            "Free some space, then try again.",
        ) from error
    return digest


def _reason(error: OSError) -> str:
    """Return why, as the system says it: Arrow's own words hold the call that failed as well."""
    return os.strerror(error.errno) if error.errno else str(error).partition("\n")[0]


def table_of(rows: Sequence[FrozenLabel]) -> pa.Table:
    """Return labels as the columns a version's file has, in the order given."""
    columns = [pa.array([getattr(r, column.name) for r in rows], column.type) for column in _SCHEMA]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def is_sound(folder: Path, digest: str) -> bool:
    """Return whether a version's folder holds what was frozen under this hash."""
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


def read_version(folder: Path, expected: str = "", called: str = "") -> list[FrozenLabel]:
    """Return the labels of a version, after checking that they are what was frozen.

    Args:
        expected: The hash the record keeps of it; a version put in its place is refused.
        called: Its name, for whoever reads that it is damaged.

    Raises:
        StoreCorrupt: A file is missing, or was changed on disk.
    """
    try:
        manifest = read_manifest(folder)
        rows = _labels(pq.read_table(folder / LABELS))
        plan, edition = str(manifest.get("plan", "")), int(str(manifest.get("edition", 1)))
        whole = manifest.get("hash") == version_hash(rows, plan)
        whole = whole and manifest.get("rows") == rows_hash(rows, edition)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, pa.ArrowException) as error:
        raise _changed(folder, called, _why(error)) from error
    if not whole or expected not in ("", manifest["hash"]):
        raise _changed(folder, called, "its labels do not have the hash they were frozen with")
    return rows


def read_manifest(folder: Path) -> dict[str, object]:
    """Return what a version's folder says of it.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no JSON object.
    """
    found = json.loads((folder / MANIFEST).read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{MANIFEST} holds no object")
    return found


def _labels(table: pa.Table) -> list[FrozenLabel]:
    """Return the rows of a table, column by column: a row at a time takes five times as long.

    Raises:
        TypeError: It has a column no edition has, or lacks one that all have.
    """
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    for name in _LISTS:
        if name in columns:
            columns[name] = [tuple(v or ()) for v in columns[name]]
    names = tuple(columns)
    if names == _COLUMNS:
        return [FrozenLabel(*row) for row in zip(*columns.values(), strict=True)]
    return [
        FrozenLabel(**dict(zip(names, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]


def _why(error: Exception) -> str:
    """Return what is wrong with a version's files in words that fit into a sentence."""
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        missing = LABELS if LABELS in str(error) else MANIFEST
        return f"its {missing} is missing"
    if isinstance(error, (ValueError, RecursionError)) and not isinstance(error, pa.ArrowException):
        return f"its {MANIFEST} is not the JSON that was written"
    if isinstance(error, pa.ArrowException):
        return f"its {LABELS} cannot be read"
    return "its files cannot be read"


def _changed(folder: Path, called: str, detail: str) -> StoreCorrupt:
    name = f"'{called}' ({folder.name})" if called else folder.name
    return StoreCorrupt(
        f"Dataset version {name} was changed on disk: {detail}.",
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
