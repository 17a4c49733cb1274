"""Pascal VOC: one XML file per image, boxes in pixels.

Convention: ``xmin, ymin, xmax, ymax`` are taken as continuous edges as they stand, as LabelImg
writes them, neither 0- nor 1-based: a box over the whole of a 640 px wide image has xmin 0 and
xmax 640. So import, export and import again is exact, to the last digit. A set in the strict
1-based inclusive convention of 2007 comes in half a pixel to the right and one pixel narrow.

What VOC has no place for (confidence, metadata, answers about the whole image) is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from core.formats.base import (
    ExportRecord,
    Options,
    Parsed,
    Refusal,
    Row,
    answer_of,
    box_fault,
    classes_to_write,
    refuse_other_shapes,
    used_labels,
)
from core.formats.listing import Listing, without_suffix
from core.formats.names_file import find_names
from core.formats.text import UnreadableFile, class_name, exact, number, shown
from core.labels.region import Region, Shape
from core.labels.schema import Skeleton

SHAPES = frozenset({Shape.BOX})
MAX_FILE_BYTES = 20_000_000
MAX_DEPTH = 30
MAX_OBJECTS = 100_000
_SNIFFED_FILES = 20
_EDGES = ("xmin", "ymin", "xmax", "ymax")


def find(listing: Listing) -> tuple[str, ...]:
    """Return the XML files, if annotations are among them."""
    paths = listing.with_suffix(".xml")
    if listing.main_file is not None:
        return paths
    for path in paths[:_SNIFFED_FILES]:
        head = listing.read(path)[:4096].replace(b"\x00", b"")
        if b"<annotation" in head:
            return paths
    return ()


def parse(listing: Listing, files: tuple[str, ...], options: Options) -> Parsed:
    """Return the boxes of every file; a bad box is left out alone, a bad file alone.

    Raises:
        UnreadableFile: No file at all can be read: the first one's reason.
    """
    rows: list[Row] = []
    refused: list[Refusal] = []
    first: UnreadableFile | None = None
    for path in files:
        try:
            document = read_document(listing.read(path, MAX_FILE_BYTES), path)
        except UnreadableFile as error:
            first = first or error
            refused.append(Refusal(path, error.line, error.reason))
            continue
        if document.root == "annotation":
            rows.append(_row(document, path, listing, refused))
    if first is not None and not rows:
        raise first
    used = used_labels(rows, options.main_question)
    return Parsed(
        "voc",
        tuple(rows),
        tuple(refused),
        _class_order(listing, used),
        listing.images,
        tuple(row.origin for row in rows),
    )


def _class_order(listing: Listing, used: tuple[str, ...]) -> tuple[str, ...]:
    names, _ = find_names(listing)
    return names if set(used) <= set(names) else used


@dataclass(slots=True)
class Node:
    """One <object>: its line, and the text of each tag by path, every time it occurs."""

    line: int
    texts: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Document:
    """What matters of one file."""

    root: str = ""
    head: Node = field(default_factory=lambda: Node(1))
    objects: list[Node] = field(default_factory=list)


class _Target:
    """Collects texts by path while the parser runs, so that depth costs no recursion."""

    def __init__(self, file: str) -> None:
        self.document = Document()
        self.line: Callable[[], int] = lambda: 0
        self._file = file
        self._path: list[str] = []
        self._text: list[str] = []
        self._object: Node | None = None

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if not self._path:
            self.document.root = tag
        self._path.append(tag)
        self._text = []
        if len(self._path) > MAX_DEPTH:
            raise UnreadableFile(self._file, self.line(), f"it is nested over {MAX_DEPTH} deep.")
        if len(self._path) == 2 and tag == "object":
            if len(self.document.objects) >= MAX_OBJECTS:
                raise UnreadableFile(self._file, self.line(), f"over {MAX_OBJECTS:,} objects.")
            self._object = Node(self.line())
            self.document.objects.append(self._object)

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, _tag: str) -> None:
        text = "".join(self._text).strip()
        node = self._object or self.document.head
        inner = self._path[2:] if self._object else self._path[1:]
        if inner:
            node.texts.setdefault("/".join(inner), []).append(text)
        elif self._object:
            self._object = None
        self._path.pop()
        self._text = []

    def close(self) -> Document:
        return self.document


def read_document(data: bytes, file: str) -> Document:
    """Return the texts of one XML file.

    Raises:
        UnreadableFile: It is not well formed, has a DOCTYPE, or is nested too deeply.
    """
    target = _Target(file)
    parser: Any = DefusedXMLParser(target=target, forbid_dtd=True)
    target.line = lambda: int(parser.parser.CurrentLineNumber)
    try:
        parser.feed(data)
        document = parser.close()
    except ParseError as error:
        raise UnreadableFile(file, error.position[0], f"it is not XML: {error}.") from error
    except DefusedXmlException as error:
        raise UnreadableFile(
            file, target.line(), "it has a DOCTYPE; entities are not read.", "Remove that line."
        ) from error
    except (LookupError, ValueError) as error:
        raise UnreadableFile(
            file, 1, f"its encoding cannot be read: {error}.", "Save it as UTF-8."
        ) from error
    assert isinstance(document, Document)
    return document


def _row(document: Document, path: str, listing: Listing, refused: list[Refusal]) -> Row:
    regions: list[Region] = []
    lines: list[int] = []
    before = len(refused)
    for node in document.objects:
        try:
            regions.append(_region(node))
            lines.append(node.line)
        except ValueError as error:
            refused.append(Refusal(path, node.line, f"{error}."))
    width, height = _claimed_size(document.head)
    return Row(
        _image(document.head, path, listing),
        answer_of(regions, len(refused) - before),
        path,
        0,
        width,
        height,
        lines=tuple(lines),
    )


def _region(node: Node) -> Region:
    """Return the box of one object.

    Raises:
        ValueError: A tag is missing, given twice or not a number, or the box has no area.
    """
    faults = [f"<{t}> is missing" for t in _EDGES if f"bndbox/{t}" not in node.texts]
    faults += [f"<{t}> is given twice" for t in _EDGES if len(_all(node, f"bndbox/{t}")) > 1]
    if "bndbox" not in node.texts:
        faults = ["<bndbox> is missing"]
    if len(_all(node, "name")) != 1:
        faults.append("<name> is missing" if "name" not in node.texts else "<name> is given twice")
    if faults:
        raise ValueError("the object cannot be read: " + ", ".join(faults))
    label = class_name(node.texts["name"][0])
    x1, y1, x2, y2 = (_edge(node, tag) for tag in _EDGES)
    if fault := box_fault(x1, y1, x2, y2):
        raise ValueError(f"{fault} (class {shown(label)})")
    return Region(label, x1, y1, x2, y2)


def _edge(node: Node, tag: str) -> float:
    try:
        return number(node.texts[f"bndbox/{tag}"][0])
    except ValueError as error:
        raise ValueError(f"<{tag}> {error}") from error


def _all(node: Node, path: str) -> list[str]:
    return node.texts.get(path, [])


def _claimed_size(head: Node) -> tuple[int | None, int | None]:
    """Return the claimed size; (None, None) where it is absent, zero or no number."""
    try:
        width = int(number(_all(head, "size/width")[0]))
        height = int(number(_all(head, "size/height")[0]))
    except (IndexError, ValueError):
        return None, None
    return (width, height) if width > 0 and height > 0 else (None, None)


def _image(head: Node, path: str, listing: Listing) -> str:
    """Return the image meant: by <filename>, else by the XML's own name, else as given.

    A <filename> that is a path (B46) counts by its last part; <path> is used only if it is
    relative, for most tools write there where a stranger's disk had the image.
    """
    given = (_all(head, "filename") or [""])[0].replace("\\", "/")
    base = given.rpartition("/")[2]
    full = (_all(head, "path") or [""])[0]
    relative = full if full.endswith(f"/{base}") and _is_relative(full) else given
    for name in (relative, base):
        if name and (found := listing.image_named(name, path)):
            return found
    return listing.image_beside(path) or relative or without_suffix(path)


def _is_relative(path: str) -> bool:
    return not path.startswith("/") and ":" not in path and ".." not in path.split("/")


def emit(
    records: Sequence[ExportRecord],
    classes: Sequence[str],
    main_question: str = "label",
    skeleton: Skeleton | None = None,
) -> dict[str, bytes]:
    """Return one XML file per name of each record that has an answer, and classes.txt.

    Raises:
        InputError: A record has a label for the whole image, or a region that is no box.
    """
    refuse_other_shapes(records, "Pascal VOC", SHAPES)
    classes = classes_to_write(records, classes, "Pascal VOC", main_question)
    files = {"classes.txt": "".join(f"{c}\n" for c in classes).encode()}
    for record in records:
        if record.answer is None:
            continue
        for name in record.all_names:
            target = f"voc_xml/{without_suffix(name)}.xml"
            if target in files:  # a.jpg and a.png side by side
                target = f"voc_xml/{name}.xml"
            files[target] = _document(record, name).encode()
    return files


def _document(record: ExportRecord, name: str) -> str:
    folder, _, base = name.rpartition("/")
    regions = record.answer.regions if record.answer else ()
    return "".join(
        (
            "<annotation>\n",
            f"  <folder>{escape(folder)}</folder>\n",
            f"  <filename>{escape(base)}</filename>\n",
            f"  <path>{escape(name)}</path>\n",
            f"  <size><width>{record.width}</width><height>{record.height}</height>"
            "<depth>3</depth></size>\n",
            "  <segmented>0</segmented>\n",
            *(_object(r) for r in regions),
            "</annotation>\n",
        )
    )


def _object(region: Region) -> str:
    edges = "".join(
        f"<{tag}>{exact(value)}</{tag}>" for tag, value in zip(_EDGES, region.box, strict=True)
    )
    return (
        f"  <object>\n    <name>{escape(region.label)}</name>\n"
        "    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>\n"
        f"    <bndbox>{edges}</bndbox>\n  </object>\n"
    )
