"""A demo project out of a folder of real, labelled images: the truth is theirs, the people are not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.formats import Parsed, Row, parse, resolve_regions
from core.intake import open_source, probe_image
from core.intake.entries import Source
from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from data.boxes import other_class, plant_error, predicted
from data.project import PLANTED_SHARE, DemoItem, DemoProject, Progress, ignore_progress

GUIDELINE = """# {title}

Real images from `{folder}`; the people and their answers are simulated.

Say what the image shows. When you cannot tell, skip it; when no class fits, flag it.
"""


def read_real(root: Path, seed: int, progress: Progress = ignore_progress) -> DemoProject:
    """Return a folder of real images (class folders, VOC, YOLO, COCO or a table) as a demo project.

    Raises:
        InputError: There are no labels to take for the truth.
    """
    source, main_file = open_source(root)
    parsed = parse(source, main_file=main_file)
    said = [r for r in parsed.rows if r.answer is not None and r.file in set(parsed.images)]
    if not said:
        raise InputError(
            f"'{root}' has no labelled images.",
            "Give class folders, or images with Pascal VOC, YOLO, COCO or CSV labels.",
        )
    boxes = any(r.answer and r.answer.regions for r in said)
    schema = _schema(parsed, boxes)
    rng = np.random.default_rng([seed, 21])
    items, duplicates = _items(source, said, schema, progress)
    items = _with_planted(items, schema, rng)
    slug = _slug(root)
    title = slug.replace("-", " ").capitalize()
    return DemoProject(
        slug,
        title,
        schema,
        GUIDELINE.format(title=title, folder=root.name),
        tuple(items),
        {i.file: predicted(i.answer, i.difficulty, schema.classes, i.size, rng) for i in items}
        if boxes
        else None,
        duplicates=duplicates,
        root=root,
    )


def _schema(parsed: Parsed, boxes: bool) -> LabelSchema:
    task = Task.BOXES if boxes else Task.CLASSIFICATION
    return LabelSchema(task, (make_question("label", "Label", list(parsed.classes)),))


def _items(
    source: Source, rows: list[Row], schema: LabelSchema, progress: Progress
) -> tuple[list[DemoItem], dict[str, str]]:
    """Return one item per distinct image that can be read, and the files that repeat another."""
    first: dict[str, str] = {}
    items: dict[str, DemoItem] = {}
    duplicates: dict[str, str] = {}
    for done, row in enumerate(sorted(rows, key=lambda r: r.file), 1):
        progress(done, len(rows))
        try:
            info = probe_image(source.read(row.file))
        except InputError:
            continue  # the import will name it
        twin = first.setdefault(info.content_hash, row.file)
        if twin != row.file:
            duplicates[row.file] = twin
            continue
        answer, _ = resolve_regions(row, info)
        if answer is None or (schema.task is Task.CLASSIFICATION and not answer.choices):
            continue
        items[row.file] = DemoItem(
            row.file, Path(row.file), Answer(answer.choices, answer.regions), None,
            row.metadata, 0.25, (info.width, info.height),
        )  # fmt: skip
    return [items[f] for f in sorted(items)], duplicates


def _with_planted(
    items: list[DemoItem], schema: LabelSchema, rng: np.random.Generator
) -> list[DemoItem]:
    wanted = set(rng.permutation(len(items))[: max(1, round(PLANTED_SHARE * len(items)))].tolist())
    return [_planted(item, schema, rng) if k in wanted else item for k, item in enumerate(items)]


def _planted(item: DemoItem, schema: LabelSchema, rng: np.random.Generator) -> DemoItem:
    if schema.task is Task.BOXES:
        wrong = plant_error(item.answer, schema.classes, rng) if item.answer.regions else None
    else:
        key = schema.main.key
        true = item.answer.choices[key]
        wrong = Answer({**item.answer.choices, key: other_class(true, schema.classes, rng)})
    return DemoItem(
        item.file, item.data_path, item.answer, wrong, item.metadata, item.difficulty, item.size
    )


def _slug(root: Path) -> str:
    name = (
        root.resolve().name if root.name not in ("images", "train") else root.resolve().parent.name
    )
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64] or "images"
