"""Columns of a table: which of them says what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.formats.base import Options
from core.formats.cells import lines, unescaped
from core.formats.text import UnreadableFile, shown

FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_path", "image_file", "path")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category")
BOX_COLUMNS = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("x", "y", "w", "h"))
ANNOTATOR_COLUMNS = ("annotator", "person", "worker")
META = "meta:"
ASKED = "answer:"
"""Before a question's key, where a column of that name means something else already."""
REGION_COLUMNS = ("shape", "points", "rle", "attributes")
"""What a line says of a region that is no plain box; `points` and `attributes` are JSON."""
_SHAPE_COLUMNS = frozenset({"geometry", "polygon", "segmentation", "keypoints"})
_SINGLE_COLUMNS = ("confidence", "score", "names", "state", "width", "height", "seconds")
RESERVED = _SHAPE_COLUMNS.union(
    REGION_COLUMNS, FILE_COLUMNS, LABEL_COLUMNS, ANNOTATOR_COLUMNS, _SINGLE_COLUMNS, *BOX_COLUMNS
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a line each thing stands; None for what the table does not have."""

    count: int
    file: int
    label: int | None
    several: bool
    box: tuple[int, int, int, int] | None
    box_is_size: bool
    questions: Mapping[str, int]
    annotator: int | None
    seconds: int | None
    confidence: int | None
    width: int | None
    height: int | None
    names: int | None
    state: int | None
    shape: int | None
    points: int | None
    rle: int | None
    attributes: int | None
    metadata: tuple[tuple[str, int], ...]
    shapes: bool

    @staticmethod
    def of(header: list[str], file: str, options: Options) -> Columns:
        """Return the columns of a header line.

        Raises:
            UnreadableFile: A column is unnamed or named twice, or none names the image.
        """
        at = _positions(header, file)
        where = _image_column(at, header, file)
        label = _label_column(at, header, file, options.label_column)
        questions = _questions(at, options.question_keys)
        free = {name: i for name, i in at.items() if i not in questions.values()}
        box = next((b for b in BOX_COLUMNS if all(c in at for c in b)), None)
        taken = {
            **_optional(free, options.predictions),
            **_region_columns(at, box is not None and bool(options.attributes)),
        }
        edges = tuple(at[c] for c in box) if box else ()
        used = {where, label, *edges, *questions.values(), *taken.values()}
        metadata = tuple(
            (h[len(META) :] if h.startswith(META) else h, i)
            for i, h in enumerate(header)
            if i not in used
        )
        return Columns(
            count=len(header),
            file=where,
            label=label,
            several=label is not None and header[label].lower() == "labels",
            box=edges if edges else None,  # type: ignore[arg-type]  # four by BOX_COLUMNS
            box_is_size=box == BOX_COLUMNS[2],
            questions=questions,
            metadata=metadata,
            shapes=box is None
            and taken["shape"] is None
            and (bool(_SHAPE_COLUMNS & set(at)) or {"x", "y"} <= set(at)),
            **taken,
        )


def _questions(at: Mapping[str, int], keys: Sequence[str]) -> dict[str, int]:
    """Return where each question's answers stand: under its own name, or under a name told apart."""
    asked = {k: _first(at, f"{ASKED}{k}", k) for k in keys}
    return {k: i for k, i in asked.items() if i is not None}


def _first(at: Mapping[str, int], *names: str) -> int | None:
    return next((at[n.lower()] for n in names if n.lower() in at), None)


def _image_column(at: Mapping[str, int], header: list[str], file: str) -> int:
    found = _first(at, *FILE_COLUMNS)
    if found is None:
        raise UnreadableFile(
            file, 1, f"no column names the image; found {shown(', '.join(header))}.",
            "Name that column 'file'.",
        )  # fmt: skip
    return found


def _label_column(at: Mapping[str, int], header: list[str], file: str, asked: str) -> int | None:
    found = _first(at, *(LABEL_COLUMNS if asked == "label" else (asked,)))
    if found is None and asked != "label":
        raise UnreadableFile(
            file, 1, f"no column is called {shown(asked)}; found {shown(', '.join(header))}."
        )
    return found


def _optional(at: Mapping[str, int], predictions: bool) -> dict[str, int | None]:
    """Return where that stands which a table may also tell."""
    return {
        "annotator": _first(at, *ANNOTATOR_COLUMNS),
        "confidence": _first(at, "confidence", *(("score",) if predictions else ())),
        **{n: _first(at, n) for n in ("seconds", "width", "height", "names", "state")},
    }


def _region_columns(at: Mapping[str, int], attributes: bool) -> dict[str, int | None]:
    """Return where regions of any shape stand; such words alone may be anybody's metadata."""
    if "shape" in at and ("points" in at or "rle" in at):
        return {name: at.get(name) for name in REGION_COLUMNS}
    found: dict[str, int | None] = dict.fromkeys(REGION_COLUMNS)
    return found | {"attributes": at.get("attributes")} if attributes else found


def header_of(text: str, file: str) -> list[str]:
    """Return the column names of a table's first line.

    Raises:
        UnreadableFile: The table is empty.
    """
    for cells in lines(text, file):
        return [unescaped(c.strip()) for c in cells[1]]
    raise UnreadableFile(file, 0, "it is empty.")


def _positions(header: list[str], file: str) -> dict[str, int]:
    """Return lower-case column name to position.

    Raises:
        UnreadableFile: A column has no name, or two have the same.
    """
    at: dict[str, int] = {}
    for i, name in enumerate(header):
        if not name:
            raise UnreadableFile(file, 1, f"column {i + 1} has no name.")
        lower = name.lower()
        if name in header[:i] or (lower in at and lower in RESERVED):
            raise UnreadableFile(file, 1, f"column {shown(name)} is named twice.")
        at.setdefault(lower, i)
    return at
