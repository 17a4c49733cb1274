"""What a demo project is: items with their true answers, the planted errors, the truth file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.formats.columns import BOX_COLUMNS, REGION_COLUMNS
from core.formats.region_cells import region_cells
from core.labels import Answer, LabelSchema
from core.labels.schema import Task

Progress = Callable[[int, int], None]
"""Called with (images done, images in all)."""

PLANTED_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class DemoItem:
    """One drawn image and what is really in it.

    Attributes:
        file: POSIX path relative to the project's folder.
        data_path: Where the image lies.
        answer: The true answer.
        planted: The wrong answer its final label must end with, else None.
        metadata: As a metadata table would give it: text by column.
        difficulty: From 0 (anybody sees it) to 1 (a coin toss between look-alikes).
        size: Upright width and height in pixels; boxes need it.
    """

    file: str
    data_path: Path
    answer: Answer
    planted: Answer | None
    metadata: Mapping[str, str]
    difficulty: float
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class DemoExample:
    """An image that would make a good or bad example of something in the guideline."""

    file: str
    good: bool
    note: str


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A drawn project, ready to be loaded into the record.

    Attributes:
        slug: Short name, safe in paths.
        guideline: Markdown for the people who label.
        predictions: File to what a simulated earlier model said; None where the product's own
            model is to predict.
        duplicates: File to the file whose bytes it repeats; nobody works on these.
        root: Folder of real images the project is made of; None for drawn ones.
        alike: Class to the class it is most easily taken for.
        examples: For the guideline; of those with one note the first that may be shown is.
        known: Files with a known answer that are sure to be among those worked on.
    """

    slug: str
    title: str
    schema: LabelSchema
    guideline: str
    items: tuple[DemoItem, ...]
    predictions: Mapping[str, Answer] | None = None
    duplicates: Mapping[str, str] = field(default_factory=dict)
    alike: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None
    examples: tuple[DemoExample, ...] = ()
    known: frozenset[str] = frozenset()


def ignore_progress(done: int, total: int) -> None:
    """Accept a progress report and do nothing with it."""


def write_truth(project: DemoProject, path: Path) -> None:
    """Write the truth file: the TRUE labels, and which final labels are planted errors.

    Columns are file,label,planted_error; for regions file,label,x1,y1,x2,y2,planted_error with
    one row per true region (an image without any has no row), and for shapes that are no boxes
    also shape,points,rle,attributes as the import reads them. `planted_error` is 0 or 1 and is
    the item's.
    """
    boxes = project.schema.draws
    rich = REGION_COLUMNS if boxes and project.schema.task is not Task.BOXES else ()
    edges = [*BOX_COLUMNS[0], *rich] if boxes else []
    with path.open("w", newline="", encoding="utf-8") as sink:
        rows = csv.writer(sink, lineterminator="\n")
        rows.writerow(["file", "label", *edges, "planted_error"])
        for item in project.items:
            planted = int(item.planted is not None)
            if boxes:
                rows.writerows(
                    [
                        item.file, r.label, *(f"{v:.2f}" for v in r.box),
                        *(region_cells(r)[c] for c in rich), planted,
                    ]
                    for r in item.answer.regions
                )  # fmt: skip
            else:
                rows.writerow([item.file, item.answer.choices[project.schema.main.key], planted])
