"""Tables (CSV, TSV): one line per image, per vote or per box.

Columns, in any order and case:

* ``file`` (or filename, image, image_path …): the image. Required.
* ``label``: its class; with box columns, the class of the box.
* ``x1, y1, x2, y2`` (or xmin …, or x, y, w, h): a box in pixels, one per line. A line with
  neither box nor label says that the image shows nothing.
* ``shape`` with ``points`` (JSON, pixels) or ``rle`` (COCO's run lengths of the whole image): a
  polygon, keypoints or a mask in the box's stead; ``attributes``: JSON, answers about the region.
* ``confidence``, ``annotator``, ``seconds``, ``width``, ``height``, ``names``, ``state``.
* any class question's key; where several classes may be named, ``a|b`` (a bar in a name is
  ``\\|``), and ``-`` for none of them; an empty cell is no answer. Every further column is
  metadata. ``meta:`` before a metadata column's name keeps it apart from the columns above.

Text that a spreadsheet would run as a formula is escaped (`core.formats.cells`). Numbers stay
as they are. An empty cell and no cell are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.formats.base import (
    ExportRecord,
    Options,
    Parsed,
    Refusal,
    Row,
    answer_of,
    box_fault,
    used_labels,
)
from core.formats.cells import (
    escaped,
    joined,
    joined_classes,
    joined_names,
    lines,
    split_classes,
    split_names,
    unescaped,
)
from core.formats.columns import (
    ASKED,
    BOX_COLUMNS,
    FILE_COLUMNS,
    META,
    REGION_COLUMNS,
    RESERVED,
    Columns,
    header_of,
)
from core.formats.listing import Listing
from core.formats.names_file import find_names
from core.formats.region_cells import attributes_in, region_cells, shape_in
from core.formats.text import UnreadableFile, class_name, decode_text, exact, number, shown
from core.labels.answer import Answer
from core.labels.region import Region, Shape
from core.labels.schema import Skeleton
from core.labels.state import LABELLED, ItemState

_STATES = frozenset(s.value for s in ItemState)
_LABELLED = frozenset(s.value for s in LABELLED)
_SEVERAL = re.compile(r"\s*[|;]\s*")
_SNIFFED_BYTES = 20_000


def find(listing: Listing) -> tuple[str, ...]:
    """Return the tables whose first line names a file column."""
    paths = listing.with_suffix(".csv", ".tsv")
    if listing.main_file is not None:
        return paths
    return tuple(p for p in paths if _names_files(listing, p))


def _names_files(listing: Listing, path: str) -> bool:
    head = listing.read(path)[:_SNIFFED_BYTES]
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "ignore")
    line = text.removeprefix("\ufeff").partition("\n")[0].lower()
    return bool({c.strip().strip('"') for c in re.split(r"[,;\t|]", line)} & set(FILE_COLUMNS))


def is_metadata_only(listing: Listing, path: str, options: Options) -> bool:
    """Return whether a table gives neither labels nor boxes nor answers.

    Raises:
        UnreadableFile: Its first line cannot be read.
    """
    text = decode_text(listing.read(path), path)
    columns = Columns.of(header_of(text, path), path, options)
    return columns.label is None and columns.box is None and not columns.questions


def parse(listing: Listing, files: tuple[str, ...], options: Options) -> Parsed:
    """Return what every line says; bad lines are left out one by one.

    Raises:
        UnreadableFile: No table can be read: the first one's reason.
    """
    rows: list[Row] = []
    refused: list[Refusal] = []
    read: list[str] = []
    notes: list[str] = []
    first: UnreadableFile | None = None
    for path in files:
        reader = _Reader(listing, path, options, refused)
        try:
            rows += reader.rows()
        except UnreadableFile as error:
            first = first or error
            refused.append(Refusal(path, error.line, error.reason))
            continue
        read.append(path)
        notes += reader.notes
    if first is not None and not read:
        raise first
    used = used_labels(rows, options.main_question)
    names, _ = find_names(listing)
    order = names if set(used) <= set(names) else used
    return Parsed(
        "table", tuple(rows), tuple(refused), order, listing.images, tuple(read), tuple(notes)
    )


@dataclass(slots=True)
class _Box:
    """The lines of a table of boxes that are about one image, as they come in."""

    first: Row
    regions: list[Region] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: int = 0
    labelled: bool = True


@dataclass(slots=True)
class _Reader:
    """Reads one table into rows."""

    listing: Listing
    path: str
    options: Options
    refused: list[Refusal]
    notes: list[str] = field(default_factory=list)
    _images: dict[str, str] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        """Return the rows.

        Raises:
            UnreadableFile: The table as a whole cannot be read.
        """
        text = decode_text(self.listing.read(self.path), self.path)
        columns = Columns.of(header_of(text, self.path), self.path, self.options)
        if columns.shapes and columns.label is not None:
            raise UnreadableFile(
                self.path, 1, "it holds points or polygons; only boxes are read.",
                "Give boxes as x1, y1, x2, y2.",
            )  # fmt: skip
        if _draws(columns) and columns.confidence is not None and not self.options.predictions:
            self.notes.append(f"{self.path}: confidences are read only from predictions.")
        ours = columns.state is not None and _is_our_state(text, self.path, columns)
        body = lines(text, self.path)
        next(body)
        read = self._box_rows if _draws(columns) else self._plain_rows
        return read(body, columns, ours)

    def _plain_rows(
        self, body: Iterator[tuple[int, list[str]]], columns: Columns, ours: bool
    ) -> list[Row]:
        rows = []
        for line, cells in body:
            try:
                _check_count(cells, columns)
                label = self._label(cells, columns)
                rows.append(self._row(line, cells, columns, ours, label))
            except _SeveralLabelsError as error:
                self._refuse(line, str(error))
                rows.append(self._row(line, cells, columns, ours, None))
            except ValueError as error:
                self._refuse(line, str(error))
        return rows

    def _box_rows(
        self, body: Iterator[tuple[int, list[str]]], columns: Columns, ours: bool
    ) -> list[Row]:
        found: dict[tuple[str, str | None], _Box] = {}
        who = columns.annotator
        for line, cells in body:
            try:
                _check_count(cells, columns)
                key = (cells[columns.file], None if who is None else cells[who])
                if (box := found.get(key)) is None:
                    box = found[key] = _Box(self._row(line, cells, columns, ours, None))
            except ValueError as error:
                self._refuse(line, str(error))
                continue
            try:
                self._add_region(box, line, cells, columns)
            except ValueError as error:
                box.refused += 1
                self._refuse(line, str(error))
        return [_boxed(box) for box in found.values()]

    def _add_region(self, box: _Box, line: int, cells: list[str], columns: Columns) -> None:
        edges = [cells[i].strip() for i in columns.box or ()]
        shape = _text(cells, columns.shape)
        label = self._label(cells, columns)
        drawn = any(edges) or shape is not None
        if not drawn and label is None:
            box.labelled = not box.first.state or box.first.state in _LABELLED
            return
        if label is None or not drawn:
            raise ValueError("the box has no label" if drawn else "the label has no box")
        if shape not in (None, Shape.BOX.value):
            told = _text(cells, columns.points), _text(cells, columns.rle)
            size = (box.first.width, box.first.height)
            region = shape_in(label, shape, *told, size)
        else:
            region = _box_in(label, edges, columns.box_is_size)
        confidence = _share(cells, columns.confidence) if self.options.predictions else None
        said = attributes_in(_text(cells, columns.attributes), self.options.attributes)
        box.regions.append(replace(region, confidence=confidence, attributes=said))
        box.lines.append(line)

    def _row(
        self, line: int, cells: list[str], columns: Columns, ours: bool, label: str | None
    ) -> Row:
        given = unescaped(cells[columns.file])
        if not given.strip():
            raise ValueError("no image is named")
        choices = {} if label is None else {self.options.main_question: label}
        multi: dict[str, tuple[str, ...]] = {}
        main = self.options.main_question
        if main in self.options.several and not _draws(columns) and columns.label is not None:
            multi |= _classes_in(cells, main, columns.label)
        for key, i in columns.questions.items():
            if key in self.options.several:
                multi |= _classes_in(cells, key, i)
            elif cells[i].strip():
                choices[key] = class_name(unescaped(cells[i]))
        metadata = {name: unescaped(cells[i]) for name, i in columns.metadata if cells[i]}
        state = cells[columns.state] if columns.state is not None else ""
        if state and not ours:
            metadata["state"] = unescaped(state)
        return Row(
            self._image(given),
            Answer(choices, (), multi) if choices or multi else None,
            self.path,
            line,
            _pixels(cells, columns.width, "width", metadata),
            _pixels(cells, columns.height, "height", metadata),
            metadata=metadata,
            annotator=_text(cells, columns.annotator),
            seconds=_seconds(cells, columns.seconds),
            confidence=None if _draws(columns) else _share(cells, columns.confidence),
            names=split_names(_text(cells, columns.names) or ""),
            state=state if ours else "",
        )

    def _label(self, cells: list[str], columns: Columns) -> str | None:
        several = self.options.main_question in self.options.several
        if columns.label is None or (several and not _draws(columns)):
            return None
        text = unescaped(cells[columns.label].strip())
        if not text:
            return None
        parts = [part for part in _SEVERAL.split(text) if part]
        if columns.several and len(parts) > 1:
            raise _SeveralLabelsError(
                f"{len(parts)} labels in one cell ({shown(text)}), expected one"
            )
        return class_name(text)

    def _image(self, given: str) -> str:
        if given not in self._images:
            name = given.replace("\\", "/")
            if name not in self.listing:
                name = name.strip()  # "x.jpg, daisy": the space is not part of the name
            self._images[given] = self.listing.image_named(name, self.path) or name
        return self._images[given]

    def _refuse(self, line: int, reason: str) -> None:
        self.refused.append(Refusal(self.path, line, f"{reason}."))


class _SeveralLabelsError(ValueError):
    """A cell with several labels: the rest of its line is kept."""


def _check_count(cells: list[str], columns: Columns) -> None:
    if len(cells) != columns.count:
        raise ValueError(f"{len(cells)} columns, the first line has {columns.count}")


def _draws(columns: Columns) -> bool:
    """Return whether a table's lines are regions."""
    return columns.box is not None or columns.shape is not None


def _box_in(label: str, edges: list[str], is_size: bool) -> Region:
    if not edges:
        raise ValueError("the table has no columns for the edges of a box")
    x1, y1, x2, y2 = (number(edge) for edge in edges)
    if is_size:
        x2, y2 = x1 + x2, y1 + y2
    if fault := box_fault(x1, y1, x2, y2):
        raise ValueError(f"{fault} (class {shown(label)})")
    return Region(label, x1, y1, x2, y2)


def _classes_in(cells: list[str], key: str, column: int) -> dict[str, tuple[str, ...]]:
    """Return the classes of a cell under their question; nothing for an empty cell."""
    text = unescaped(cells[column].strip())
    return {key: tuple(map(class_name, split_classes(text)))} if text else {}


def _boxed(box: _Box) -> Row:
    """Return the row of one image with all its regions."""
    said = box.first.answer or Answer()
    drawn = answer_of(box.regions, box.refused) if box.labelled or box.regions else None
    told = bool(said.choices or said.multi)
    answer = replace(said, regions=tuple(box.regions)) if told or drawn else None
    return replace(box.first, answer=answer, lines=tuple(box.lines))


def _is_our_state(text: str, file: str, columns: Columns) -> bool:
    """Return whether the 'state' column is the one we write, not somebody's federal state."""
    body = lines(text, file)
    next(body)
    assert columns.state is not None
    return all(
        not cells[columns.state] or cells[columns.state] in _STATES
        for _, cells in body
        if len(cells) == columns.count
    )


def _text(cells: list[str], column: int | None) -> str | None:
    text = unescaped(cells[column].strip()) if column is not None else ""
    return text or None


def _pixels(cells: list[str], column: int | None, key: str, metadata: dict[str, str]) -> int | None:
    """Return a claimed side; what is no whole number of pixels stays as metadata."""
    text = cells[column].strip() if column is not None else ""
    if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0:
        return int(text)
    if text:
        metadata[key] = unescaped(text)
    return None


def _share(cells: list[str], column: int | None) -> float | None:
    text = cells[column].strip() if column is not None else ""
    if not text:
        return None
    value = number(text)
    if not 0 <= value <= 1:
        raise ValueError(f"confidence {shown(text)} is not between 0 and 1")
    return value


def _seconds(cells: list[str], column: int | None) -> float | None:
    text = cells[column].strip() if column is not None else ""
    if not text:
        return None
    value = number(text)
    if value < 0:
        raise ValueError(f"seconds {shown(text)} is negative")
    return value


def emit(
    records: Sequence[ExportRecord],
    classes: Sequence[str],
    main_question: str = "label",
    skeleton: Skeleton | None = None,
    boxes: bool | None = None,
) -> dict[str, bytes]:
    """Return labels.csv: a line per record, or per region.

    Args:
        records: What to write.
        classes: Not needed here; other formats do.
        main_question: Key of the answer that goes into the column ``label``.
        skeleton: Not needed here either.
        boxes: Whether to write box columns; None decides by the records.
    """
    if boxes is None:
        boxes = any(
            r.answer and (r.answer.regions or r.answer.said(main_question) is None) for r in records
        )
    rich = _region_header(records)
    said = _keys({**r.answer.choices, **r.answer.multi} for r in records if r.answer)
    questions = [q for q in said if q != main_question]
    metadata, extra = _keys(r.metadata for r in records), _keys(r.extra for r in records)
    header = ["file", "label", *(BOX_COLUMNS[0] if boxes else ()), *rich]
    header += ["confidence", "state"]
    asked = [f"{ASKED}{q}" if q.lower() in RESERVED else q for q in questions]
    header += ["annotator", "seconds", *asked, "names", "width", "height"]
    taken = RESERVED.union(name.lower() for name in (*questions, *extra))
    header += [f"{META}{k}" if k.lower() in taken or k.startswith(META) else k for k in metadata]
    found = [joined(map(escaped, (*header, *extra)))]
    for record in records:
        ending = [escaped(record.metadata.get(k, "")) for k in metadata]
        ending += [escaped(record.extra.get(k, "")) for k in extra]
        middle = _middle(record, questions)
        for start in _starts(record, main_question, boxes, rich):
            found.append(joined([escaped(record.file), *start, *middle, *ending]))
    return {"labels.csv": "".join(found).encode()}


def _region_header(records: Sequence[ExportRecord]) -> tuple[str, ...]:
    """Return the columns that regions need beyond a box's: none where all are plain boxes."""
    regions = [r for record in records if record.answer for r in record.answer.regions]
    if any(r.shape is not Shape.BOX for r in regions):
        return REGION_COLUMNS
    return ("attributes",) if any(r.attributes for r in regions) else ()


def _starts(
    record: ExportRecord, main_question: str, boxes: bool, rich: Sequence[str]
) -> Iterator[list[str]]:
    """Yield label, box, what else a region has, and confidence: once, or for each region."""
    answer = record.answer
    if not boxes:
        yield [_said(answer, main_question), _figure(record.confidence)]
    elif answer and answer.regions:
        for r in answer.regions:
            told = region_cells(r)
            more = (escaped(told[name]) for name in rich)
            edges = (exact(v) for v in r.box)
            yield [escaped(r.label), *edges, *more, _figure(r.confidence)]
    else:
        yield [""] * (6 + len(rich))


def _said(answer: Answer | None, question: str) -> str:
    """Return a cell for what is answered to a question."""
    said = answer.said(question) if answer else None
    return escaped(joined_classes(said) if isinstance(said, tuple) else said or "")


def _middle(record: ExportRecord, questions: Sequence[str]) -> list[str]:
    answer = record.answer
    return [
        # without a state, a line with no boxes would read as "nothing here"
        record.state or ("" if answer else ItemState.OPEN.value),
        escaped(record.annotator or ""),
        _figure(record.seconds),
        *(_said(answer, q) for q in questions),
        escaped(joined_names(record.all_names)),
        str(record.width or ""),
        str(record.height or ""),
    ]


def _keys(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def _figure(value: float | None) -> str:
    return "" if value is None else exact(value)
