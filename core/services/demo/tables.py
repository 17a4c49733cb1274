"""The tables through which the demo's items and answers come in, as anybody's would."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from core.formats.columns import BOX_COLUMNS, REGION_COLUMNS
from core.formats.region_cells import region_cells
from core.labels import Answer
from core.labels.schema import Task
from data.project import DemoProject


def write_origins(project: DemoProject, drawn: Path) -> list[Path]:
    """Return what to import: the real folder, if it is one, and a table with the metadata."""
    table = _write_items(project, drawn / project.slug)
    return [table] if project.root is None else [project.root, table]


def _write_items(project: DemoProject, root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    table = root / "items.csv"
    columns = sorted({k for i in project.items for k in i.metadata})
    with table.open("w", newline="", encoding="utf-8") as sink:
        rows = csv.writer(sink)
        rows.writerow(["file", *(f"meta:{c}" for c in columns)])
        for item in project.items:
            rows.writerow([item.file, *(item.metadata.get(c, "") for c in columns)])
    return table


def write_answers(project: DemoProject, answers: Sequence[tuple[str, Answer]], table: Path) -> None:
    """Write answers as a table the import reads."""
    boxes = project.schema.task.draws
    rich = REGION_COLUMNS if boxes and project.schema.task is not Task.BOXES else ()
    keys = [q.key for q in project.schema.item_questions]
    with table.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        edges = [*BOX_COLUMNS[0], "confidence", *rich] if boxes else []
        rows.writerow(["file", "label", *keys[1:], *edges])
        for file, answer in answers:
            if not boxes:
                rows.writerow([file, *(answer.choices[k] for k in keys)])
            elif not answer.regions:
                rows.writerow([file] + [""] * (1 + len(edges)))
            else:
                rows.writerows(
                    [file, r.label, *r.box, r.confidence, *(region_cells(r)[c] for c in rich)]
                    for r in answer.regions
                )
