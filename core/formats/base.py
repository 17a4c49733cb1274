"""What all annotation formats share: the values they give and take, and the tree they read.

Pure: bytes in, values out. Whether a named image exists is for the caller to settle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import InputError
from core.formats.listing import Listing
from core.labels.answer import Answer
from core.labels.region import Region, Shape
from core.labels.schema import Skeleton


@dataclass(frozen=True, slots=True)
class Row:
    """What one annotation file says of one image.

    Attributes:
        file: Image path as the annotation gives or implies it; the path in the tree where
            exactly one image of the tree is meant.
        answer: None where the row brings only metadata.
        origin: The annotation file.
        line: Line in it, from 1; 0 for the whole file.
        width, height: Of the image as the annotation claims.
        normalised: Whether regions are shares of the upright image (YOLO), still to be scaled.
        metadata: Everything else said of the image.
        annotator, seconds, confidence: Of the answer as a whole, where given.
        names: Every name the image has, where the annotation lists several.
        state: State of the final label, where the annotation (our own export) gives it.
        lines: Line of each region of the answer, in the same order; empty where unknown.
    """

    file: str
    answer: Answer | None
    origin: str
    line: int
    width: int | None = None
    height: int | None = None
    normalised: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    annotator: str | None = None
    seconds: float | None = None
    confidence: float | None = None
    names: tuple[str, ...] = ()
    state: str = ""
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was left out: which file, which line (0: all of it), and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a tree of files says.

    Attributes:
        format: Name of the format it was read as.
        rows: One per image and annotation file, or per line of a table of votes.
        refused: Boxes, lines and files left out; the rest of their images is kept.
        classes: Of the main question: in the order of the names file, else alphabetical.
        images: Every image file of the tree by extension, annotated or not, sorted.
        annotation_files: The files the rows came from.
        notes: What was passed over on purpose, one sentence each.
    """

    format: str
    rows: tuple[Row, ...] = ()
    refused: tuple[Refusal, ...] = ()
    classes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    annotation_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How annotations are to be understood.

    Attributes:
        main_question: Key under which an image's label is put into `Answer.choices`.
        question_keys: Further columns of a table that are answers, not metadata.
        label_column: Column of a table that holds the label.
        predictions: Whether a model made them: only then are confidences of regions read.
        several: Keys of the questions that take several classes.
        shape: Which of an annotation's shapes is meant, where it has more than one.
        skeleton: Names of the keypoints wanted, in order.
        attributes: Keys of what is asked of each region; other attributes are passed over.
        whole: Whether classes of whole images are wanted, and not regions.
    """

    main_question: str = "label"
    question_keys: tuple[str, ...] = ()
    label_column: str = "label"
    predictions: bool = False
    several: tuple[str, ...] = ()
    shape: Shape = Shape.BOX
    skeleton: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One item to write out.

    Attributes:
        file: Its first name.
        names: Every name it has; `file` alone where it has no other.
        width, height: Upright size in pixels.
        answer: Its label, or None where it has none.
        state: State of the label, `core.labels.state.ItemState` or empty.
        confidence: Of the answer as a whole.
        annotator, seconds: Who said it and how long it took, for votes.
        metadata: What is known of the item.
        extra: Further columns for a table, not metadata of the item.
    """

    file: str
    names: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    answer: Answer | None = None
    state: str = ""
    confidence: float | None = None
    annotator: str | None = None
    seconds: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Return every name once, `file` first."""
        return tuple(dict.fromkeys((self.file, *self.names)))


class Reads(Protocol):
    """Parses the files of one format."""

    def __call__(self, listing: Listing, files: tuple[str, ...], options: Options, /) -> Parsed:
        """Return what the files say of the images of the listing."""


class Writes(Protocol):
    """Writes records in one format."""

    def __call__(
        self,
        records: Sequence[ExportRecord],
        classes: Sequence[str],
        /,
        main_question: str = ...,
        skeleton: Skeleton | None = ...,
    ) -> dict[str, bytes]:
        """Return the files of the export, by relative path."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how its files are found, read and written.

    Attributes:
        name: What the command line calls it.
        title: What people call it.
        find: Returns the annotation files of a listing, judged by content.
        parse: Reads them.
        emit: Writes them; None where the format is not written as text.
        shapes: The shapes of region it can carry.
        choices: Whether it can carry answers about the whole image.
        attributes: Whether it can carry what is said of a region beyond its class.
    """

    name: str
    title: str
    find: Callable[[Listing], tuple[str, ...]]
    parse: Reads
    emit: Writes | None
    shapes: frozenset[Shape]
    choices: bool
    attributes: bool = False


def box_fault(x1: float, y1: float, x2: float, y2: float) -> str | None:
    """Return why the edges make no box, whatever the image, or None if they do."""
    if x2 < x1 or y2 < y1:
        return f"the box is inside out: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    if x2 == x1 or y2 == y1:
        return f"the box has no area: x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    return None


def used_labels(rows: Sequence[Row], main_question: str) -> tuple[str, ...]:
    """Return the class names of the main question that rows use, alphabetically."""
    found: set[str] = set()
    for row in rows:
        if row.answer is not None:
            found.update(r.label for r in row.answer.regions)
            said = row.answer.said(main_question)
            found.update((said,) if isinstance(said, str) else said or ())
    return tuple(sorted(found))


def classes_to_write(
    records: Sequence[ExportRecord], classes: Sequence[str], title: str, main_question: str
) -> tuple[str, ...]:
    """Return the classes of an export of regions: those given, then any other that regions have.

    Raises:
        InputError: The records hold labels of whole images, which such formats cannot carry.
    """
    for record in records:
        if record.answer is not None and record.answer.said(main_question) is not None:
            raise InputError(
                f"{title} holds regions, and {record.file} has a label for the whole image.",
                "Export a table, COCO or class folders instead.",
            )
    return (*classes, *sorted(used_regions(records).difference(classes)))


def used_regions(records: Sequence[ExportRecord]) -> set[str]:
    """Return the classes that the records' regions have."""
    return {r.label for record in records if record.answer for r in record.answer.regions}


def answer_of(regions: Sequence[Region], refused_boxes: int) -> Answer | None:
    """Return the boxes as an answer; None where every box was refused.

    No boxes at all is an answer ("nothing here"); boxes that could not be read are none.
    """
    if not regions and refused_boxes:
        return None
    return Answer(regions=tuple(regions))


def refuse_other_shapes(
    records: Sequence[ExportRecord], title: str, shapes: frozenset[Shape]
) -> None:
    """Refuse to write regions that the format cannot carry.

    Raises:
        InputError: There is such a region.
    """
    for record in records:
        for region in record.answer.regions if record.answer else ():
            if region.shape not in shapes:
                raise InputError(
                    f"{title} cannot carry a region of shape '{region.shape.value}', and "
                    f"{record.file} has one.",
                    "Export COCO or a table (CSV) instead.",
                )
