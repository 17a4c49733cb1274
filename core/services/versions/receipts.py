"""Reading the files of an export back, as anybody would, and having the notary look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.datasets.notary import SHOWN, Check, Entry, Raw, Receipt, notarise
from core.errors import InputError
from core.formats import FORMATS, ExportRecord
from core.formats.base import Parsed, Row
from core.formats.placing import resolve_regions
from core.formats.registry import parse
from core.formats.yolo import label_path
from core.labels import Answer, LabelSchema
from core.labels.region import Shape
from core.services.versions.files import FOLDER, SPLIT_COLUMN, Written

_PRECISION = {"coco": 0.002, "yolo": 0.001, "voc": 1e-6, "table": 1e-6}
"""Pixels a coordinate may be off for being rounded; YOLO's millionths of a side come on top."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """The files of an export beside their images, whose bytes nobody reads."""

    held: Mapping[str, bytes]
    images: Sequence[str] = ()

    @property
    def origin(self) -> str:
        """Return what people call it."""
        return "the export"

    def files(self) -> list[_File]:
        """Return every file, sorted by path."""
        every = {**dict.fromkeys(self.images, b""), **self.held}
        return [_File(p, len(data)) for p, data in sorted(every.items())]

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return self.held.get(path, b"")


@dataclass(frozen=True, slots=True)
class _Upright:
    width: int
    height: int
    orientation: int = 1


def check_files(
    records: Sequence[ExportRecord],
    splits: Mapping[str, str],
    files: Mapping[str, bytes],
    format: str,
    schema: LabelSchema,
    loss: Sequence[str] = (),
) -> Receipt:
    """Return what the notary says of files that should hold these records.

    Whoever wrote them: our own export, or a script.

    Args:
        records: What the files should hold.
        splits: First name of an image to its split.
        files: Path to bytes.
        format: A name of `FORMATS`.
        schema: The classes, in order.
        loss: What the format has no place for.
    """
    meant = [
        Entry(r.file, r.width, r.height, _plain(r.answer or Answer(), format, schema),
              splits.get(r.file, ""))
        for r in records
    ]  # fmt: skip
    parts = _parts(files, format)
    rows: list[tuple[Row, str]] = []
    refused: list[str] = []
    classes: tuple[str, ...] | None = None
    for split, held in parts:
        try:
            parsed = _parsed(held, records, format, schema)
        except InputError as error:
            refused.append(error.message)
            continue
        rows += [(row, split) for row in parsed.rows]
        refused += [f"{r.file}, line {r.line}: {r.reason}" for r in parsed.refused]
        if classes is None or parsed.classes != tuple(meant_classes(records, schema)):
            classes = parsed.classes
    lists = _listed(files)
    read, more = _entries(rows, records, lists, format)
    expected = meant_classes(records, schema)
    return notarise(
        meant,
        read,
        ((), ()) if format == "table" else (expected, classes or ()),
        lambda e: _PRECISION[format] + (2e-6 * max(e.width, e.height) if format == "yolo" else 0),
        raw=_raw(records, files, expected) if _boxes(format, schema) else (),
        refused=[*refused, *more],
        loss=loss,
    )


def check_folders(
    made: Written,
    files: Mapping[str, bytes],
    copied: Mapping[str, str],
    schema: LabelSchema,
    loss: Sequence[str] = (),
) -> Receipt:
    """Return what the notary says of images in class folders, each to be the one that was labelled.

    Args:
        made: What was to be written.
        files: The text files beside the folders, path to bytes.
        copied: Path of each image to the SHA-256 of its bytes as they lie there.
        schema: The classes, in order.
        loss: What folders have no place for.
    """
    main = schema.main.key
    meant = [
        Entry(r.file, 1, 1, _main_alone(r.answer, main), made.splits[r.file]) for r in made.records
    ]
    parsed = parse(MemoryTree(files, list(copied)), FOLDER, main_question=main)
    read = []
    for row in parsed.rows:
        frozen = made.images.get(row.file)
        name = frozen.name if frozen else row.file
        read.append(Entry(name, 1, 1, row.answer or Answer(), row.file.partition("/")[0]))
    receipt = notarise(
        meant, read, (tuple(schema.classes), parsed.classes), lambda _: 0.0,
        refused=[f"{r.file}: {r.reason}" for r in parsed.refused], loss=loss,
    )  # fmt: skip
    return replace(receipt, checks=(*receipt.checks, _copies(made, copied)))


def _main_alone(answer: Answer | None, main: str) -> Answer:
    said = answer.choices.get(main) if answer else None
    return Answer({main: said}) if said is not None else Answer()


def _copies(made: Written, copied: Mapping[str, str]) -> Check:
    faults = [
        f"{path} is not the image that was labelled"
        for path, row in made.images.items()
        if copied.get(path) != row.content_hash
    ]
    good = f"All {len(made.images):,} images are byte for byte those that were labelled."
    bad = f"{len(faults):,} images are not those that were labelled."
    said = bad if faults else good
    return Check("images", len(made.images), len(faults), said, tuple(faults[:SHOWN]))


def meant_classes(records: Sequence[ExportRecord], schema: LabelSchema) -> tuple[str, ...]:
    """Return the classes by number as our emitters write them."""
    used = {r.label for record in records if record.answer for r in record.answer.regions}
    return (*schema.classes, *sorted(used.difference(schema.classes)))


def _plain(answer: Answer, format: str, schema: LabelSchema) -> Answer:
    """Return what of an answer the format can carry."""
    writer = FORMATS[format]
    if writer.choices or writer.attributes:
        return answer
    return Answer(regions=answer.regions)


def _parts(files: Mapping[str, bytes], format: str) -> list[tuple[str, dict[str, bytes]]]:
    """Return the files to read together, with the split their names give."""
    named = {p: d for p, d in files.items() if format == "coco" and p.startswith("instances_")}
    if named:
        return [
            (p.removeprefix("instances_").removesuffix(".json"), {p: d}) for p, d in named.items()
        ]
    return [("", {p: d for p, d in files.items() if p not in _lists(files)})]


def _lists(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the files that list a split's images, to the split's name."""
    return {
        p: p.rpartition("/")[2].removesuffix(".txt")
        for p in files
        if p.startswith(("splits/", "ImageSets/Main/")) and p.endswith(".txt")
    }


def _listed(files: Mapping[str, bytes]) -> dict[str, str]:
    return {
        line.removeprefix("./"): split
        for path, split in _lists(files).items()
        for line in files[path].decode().splitlines()
    }


def _parsed(
    held: Mapping[str, bytes],
    records: Sequence[ExportRecord],
    format: str,
    schema: LabelSchema,
) -> Parsed:
    tree = MemoryTree(held, [n for r in records for n in r.all_names])
    asked = schema.item_questions
    return parse(
        tree,
        format,
        main_question=schema.main.key,
        question_keys=[q.key for q in asked if q.key != schema.main.key],
        several=[q.key for q in asked if q.several],
        shape=schema.task.shape,
        skeleton=schema.skeleton.points,
        attributes=[q.key for q in schema.region_questions],
        whole=not schema.draws,
    )


def _entries(
    rows: Sequence[tuple[Row, str]],
    records: Sequence[ExportRecord],
    lists: Mapping[str, str],
    format: str,
) -> tuple[list[Entry], list[str]]:
    """Return what was read of each image, upright pixels; other names of an image are passed over."""
    known = {r.file: r for r in records}
    others = {n for r in records for n in r.all_names if n != r.file}
    found: list[Entry] = []
    refused: list[str] = []
    for row, split in rows:
        if row.file in others and row.file not in known:
            continue
        record = known.get(row.file)
        size = _Upright(record.width, record.height) if record else _Upright(1, 1)
        answer, bad = resolve_regions(row, size)
        refused += [f"{row.file}: {r.reason}" for r in bad]
        told = split or row.metadata.get(SPLIT_COLUMN, "") or lists.get(row.file, "")
        if not told and format == "voc":
            told = lists.get(row.file.rpartition(".")[0], "")
        found.append(Entry(row.file, size.width, size.height, answer or Answer(), told))
    return found, refused


def _boxes(format: str, schema: LabelSchema) -> bool:
    return format == "yolo" and schema.task.shape is Shape.BOX


def _raw(
    records: Sequence[ExportRecord], files: Mapping[str, bytes], classes: Sequence[str]
) -> list[Raw]:
    """Return the numbers of every line that has a class and four of them, whatever they are."""
    found = []
    for record in records:
        text = files.get(label_path(record.file), b"").decode("utf-8", "replace")
        for line, words in enumerate((t.split() for t in text.splitlines()), start=1):
            try:
                at = int(words[0])
                x, y, w, h = (float(v) for v in words[1:5])
            except (ValueError, IndexError):
                continue
            if 0 <= at < len(classes):
                found.append(Raw(record.file, line, classes[at], (x, y, w, h)))
    return found
