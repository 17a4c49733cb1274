"""All formats by name: recognising, reading and writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.errors import InputError
from core.formats import coco, folder, table, voc, yolo
from core.formats.base import Format, Options, Parsed, Row
from core.formats.listing import Listing, Tree
from core.formats.text import UnreadableFile
from core.labels.region import Shape

_ALL = frozenset(Shape)

# In this order where two cover the same images: what is exact in pixels comes first.
FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("voc", "Pascal VOC XML", voc.find, voc.parse, voc.emit, voc.SHAPES, False),
        Format("coco", "COCO JSON", coco.find, coco.parse, coco.emit, _ALL, True, True),
        Format("yolo", "YOLO text", yolo.find, yolo.parse, yolo.emit, yolo.SHAPES, False),
        Format("table", "CSV table", table.find, table.parse, table.emit, _ALL, True, True),
        Format("folder", "class folders", folder.find, folder.parse, None, frozenset(), True),
    )
}
_BY_SUFFIX = {
    ".xml": "voc", ".json": "coco", ".csv": "table", ".tsv": "table",
    ".txt": "yolo", ".yaml": "yolo", ".yml": "yolo", ".names": "yolo",
}  # fmt: skip


def detect(tree: Tree, main_file: str | None = None) -> str:
    """Return the name of the format that the tree is in, judged by content.

    Where several kinds of annotation stand side by side, the one that covers most images is
    meant. Without any, folders are.

    Raises:
        InputError: A main file is of no known kind, or nothing of what was found can be read.
    """
    listing = Listing(tree, main_file)
    return _best(listing, Options())[0]


def parse(
    tree: Tree,
    format: str = "auto",
    *,
    main_file: str | None = None,
    main_question: str = "label",
    question_keys: Sequence[str] = (),
    label_column: str = "label",
    predictions: bool = False,
    several: Sequence[str] = (),
    shape: Shape | None = None,
    skeleton: Sequence[str] = (),
    attributes: Sequence[str] = (),
    whole: bool = False,
) -> Parsed:
    """Return what a tree of files says of its images.

    With ``auto`` the format is recognised, and tables that hold only metadata are read beside
    it. With a main file only that annotation is read; import only the images its rows name.

    Args:
        tree: The files.
        format: A name of `FORMATS`, or ``auto``.
        main_file: The one annotation file to read.
        main_question: Key under which labels are put into answers.
        question_keys: Columns of tables that are answers to further questions.
        label_column: Column of tables that holds the label.
        predictions: Whether a model made them, so that confidences are read.
        several: Keys of the questions that take several classes.
        shape: The shape of region wanted, where an annotation has more than one; a box if None.
        skeleton: Names of the keypoints wanted, in order.
        attributes: Keys of what is asked of each region.
        whole: Whether classes of whole images are wanted, and not regions.

    Raises:
        InputError: The format is unknown, is not there, or none of its files can be read.
    """
    listing = Listing(tree, main_file)
    options = Options(
        main_question,
        tuple(question_keys),
        label_column,
        predictions,
        tuple(several),
        shape or Shape.BOX,
        tuple(skeleton),
        tuple(attributes),
        whole,
    )
    if format == "auto":
        _, parsed = _best(listing, options)
        return parsed if main_file else _with_metadata(listing, parsed, options)
    return _parsed_as(listing, format, options)


def _parsed_as(listing: Listing, name: str, options: Options) -> Parsed:
    if name not in FORMATS:
        raise InputError(f"Unknown format '{name}'.", f"Use one of: auto, {', '.join(FORMATS)}.")
    chosen = FORMATS[name]
    files = chosen.find(listing)
    if not files and name != "folder":
        raise InputError(
            f"No {chosen.title} was found in {listing.main_file or listing.origin}.",
            "Name the right folder, or leave the format to be recognised.",
        )
    return chosen.parse(listing, files, options)


def _best(listing: Listing, options: Options) -> tuple[str, Parsed]:
    """Return the format that fits best, and what it says."""
    if listing.main_file is not None:
        suffix = f".{listing.main_file.rpartition('.')[2].lower()}"
        if suffix not in _BY_SUFFIX:
            raise InputError(f"'{listing.main_file}' is no annotation file we know.")
        return _BY_SUFFIX[suffix], _parsed_as(listing, _BY_SUFFIX[suffix], options)
    found: list[Parsed] = []
    others: list[str] = []
    error: InputError | None = None
    for chosen in FORMATS.values():
        files = chosen.find(listing)
        if found and _covered(found[-1]) >= max(1, len(listing.images)):
            # Nothing after this can cover more: it need not be read to be named.
            answering = chosen.name != "table" or _tables_with_answers(listing, files, options)
            others += [chosen.name] if files and answering else []
        elif files or chosen.name == "folder":
            try:
                found.append(chosen.parse(listing, files, options))
            except UnreadableFile as fault:
                error = error or fault
    best = max(found, key=_covered, default=Parsed("folder", images=listing.images))
    if error is not None and not _covered(best):
        raise error
    others += [p.format for p in found if p is not best and _covered(p)]
    if others:
        notes = (*best.notes, f"Read as {best.format}; {', '.join(others)} is there too.")
        best = replace(best, notes=notes)
    return best.format, best


def _covered(parsed: Parsed) -> int:
    """Return how many images of the tree get an answer; of a tree without images, any image."""
    named = {row.file for row in parsed.rows if row.answer is not None}
    return len(named & set(parsed.images)) if parsed.images else len(named)


def _with_metadata(listing: Listing, parsed: Parsed, options: Options) -> Parsed:
    """Return the rows with what metadata tables beside them say of the same images."""
    if parsed.format == "table":
        return parsed
    plain = replace(options, label_column="label")
    tables = [p for p in table.find(listing) if _is_metadata_only(listing, p, plain)]
    if not tables:
        return parsed
    read = table.parse(listing, tuple(tables), plain)
    known = {row.file: row for row in read.rows}
    rows = [_merged(row, known) for row in parsed.rows]
    named = {row.file for row in rows}
    rows += [row for row in known.values() if row.file not in named]
    return replace(
        parsed,
        rows=tuple(rows),
        refused=parsed.refused + read.refused,
        annotation_files=parsed.annotation_files + read.annotation_files,
    )


def _tables_with_answers(listing: Listing, files: tuple[str, ...], options: Options) -> bool:
    return not all(_is_metadata_only(listing, path, options) for path in files)


def _is_metadata_only(listing: Listing, path: str, options: Options) -> bool:
    try:
        return table.is_metadata_only(listing, path, options)
    except UnreadableFile:
        return False


def _merged(row: Row, known: dict[str, Row]) -> Row:
    extra = known.get(row.file)
    return replace(row, metadata={**extra.metadata, **row.metadata}) if extra else row
