"""A version's rows as files of a format, by splits: what is written, and what the format loses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.datasets.freeze import FrozenLabel
from core.errors import InputError
from core.formats import FORMATS, ExportRecord, folder
from core.formats.listing import without_suffix
from core.labels import Answer, LabelSchema
from core.labels.schema import Question, Task
from core.services.transfer.exports import formats_for
from core.services.versions.stored import StoredVersion

SPLIT_COLUMN = "split"
FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be written.

    Attributes:
        files: Text files by relative path.
        rows, records: Each image that is in a split, as the version and as the format has it.
        splits: First name of an image to its split.
        images: Where image files go: path to the row; of class folders alone.
    """

    files: Mapping[str, bytes]
    rows: Sequence[FrozenLabel]
    records: Sequence[ExportRecord]
    splits: Mapping[str, str]
    images: Mapping[str, FrozenLabel] = field(default_factory=dict)


def version_formats(task: Task) -> tuple[str, ...]:
    """Return the formats that can carry a version of a task's labels."""
    return (*formats_for(task, "labels"), *(() if task.draws else (FOLDER,)))


def written(stored: StoredVersion, name: str, single: bool = False) -> Written:
    """Return a version as files.

    Args:
        name: Of the format.
        single: Whether all has to be one file.

    Raises:
        InputError: The format has no place for what is labelled.
    """
    rows = [r for r in stored.rows if r.split]
    records = [_record(r, name) for r in rows]
    splits = {rec.file: row.split for rec, row in zip(records, rows, strict=True)}
    if name == FOLDER:
        return _in_folders(stored.schema, rows, records, splits)
    if name == "coco" and not single:
        return Written(_coco(records, splits, stored.schema), rows, records, splits)
    files = _emitted(name, records, stored.schema)
    if name == "coco":
        return Written(files, rows, records, {})
    files |= _lists(name, records, splits)
    if name == "yolo":
        files["data.yaml"] = _yaml(files["data.yaml"], sorted(set(splits.values())))
    return Written(files, rows, records, splits)


def lost(stored: StoredVersion, name: str, single: bool = False) -> tuple[str, ...]:
    """Return what the format has no place for, one sentence each."""
    writer, schema = FORMATS[name], stored.schema
    found = [] if name == FOLDER else ["Images are not copied; the files name them."]
    if asked := _unasked(schema, name):
        titles = ", ".join(f"'{q.title}'" for q in asked)
        found.append(f"{writer.title}: no place for the answers to {titles}.")
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
    if name == FOLDER:
        found.append("An image is in its folder once, under its first name.")
    if single and name == "coco":
        found.append("One COCO file has no splits; name a folder to have a file for each.")
    out = sum(not r.split for r in stored.rows)
    if out:
        found.append(f"{out:,} items are in no split and not written: they would leak.")
    return tuple(found)


def dropped(stored: StoredVersion, name: str, records: Sequence[ExportRecord]) -> tuple[str, ...]:
    """Return which answers of these images the format leaves out: how many, and to which question."""
    asked = _unasked(stored.schema, name)
    of_regions = {q.key for q in stored.schema.region_questions}
    counts = dict.fromkeys((q.key for q in asked), 0)
    for record in records:
        answer = record.answer or Answer()
        for key in counts:
            if key in of_regions:
                counts[key] += sum(key in dict(r.attributes) for r in answer.regions)
            else:
                counts[key] += answer.said(key) is not None
    return tuple(f"{counts[q.key]:,} answers to '{q.title}'" for q in asked if counts[q.key])


def _unasked(schema: LabelSchema, name: str) -> list[Question]:
    """Return the questions a format does not carry."""
    writer = FORMATS[name]
    asked = [*schema.region_questions] if not writer.attributes else []
    if name == FOLDER:
        return [q for q in schema.item_questions if q.key != schema.main.key]
    if schema.draws and not writer.choices and not writer.attributes:
        asked += schema.item_questions
    return asked


def _in_folders(
    schema: LabelSchema,
    rows: Sequence[FrozenLabel],
    records: Sequence[ExportRecord],
    splits: Mapping[str, str],
) -> Written:
    """Lay images out as split/class/name, with the classes in order beside them."""
    if schema.main.several:
        raise InputError(
            f"Class folders hold one class an image; '{schema.main.title}' takes several.",
            "Export a table or COCO.",
        )
    by_name = {rec.file: row for rec, row in zip(records, rows, strict=True)}
    images = {}
    for part in sorted(set(splits.values())):
        mine = [r for r in records if splits[r.file] == part]
        for path, file in folder.place(mine, schema.classes, schema.main.key).items():
            images[f"{part}/{path}"] = by_name[file]
    names = "".join(f"{c}\n" for c in schema.classes).encode()
    return Written({"classes.txt": names}, rows, records, splits, images)


def _coco(
    records: Sequence[ExportRecord], splits: Mapping[str, str], schema: LabelSchema
) -> dict[str, bytes]:
    found = {}
    for part in sorted(set(splits.values())):
        mine = [r for r in records if splits[r.file] == part]
        found[f"instances_{part}.json"] = next(iter(_emitted("coco", mine, schema).values()))
    return found


def _lists(
    name: str, records: Sequence[ExportRecord], splits: Mapping[str, str]
) -> dict[str, bytes]:
    """Return a list of images for each split, where the format keeps such lists."""
    if name not in ("yolo", "voc"):
        return {}
    place = "splits" if name == "yolo" else "ImageSets/Main"
    lines: dict[str, list[str]] = {}
    for r in records:
        told = (f"./{n}" if name == "yolo" else without_suffix(n) for n in r.all_names)
        lines.setdefault(splits[r.file], []).extend(told)
    return {
        f"{place}/{part}.txt": "".join(f"{line}\n" for line in found).encode()
        for part, found in sorted(lines.items())
    }


def _emitted(name: str, records: Sequence[ExportRecord], schema: LabelSchema) -> dict[str, bytes]:
    emit = FORMATS[name].emit
    assert emit is not None  # only formats that are written get here
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
