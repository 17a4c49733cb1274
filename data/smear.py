"""The blood-smear project: which fields there are, their planted faults, an earlier model's guesses."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from data.boxes import plant_error, predicted
from data.cells import HEIGHT_PX, WIDTH_PX, paint, place_cells
from data.project import PLANTED_SHARE, DemoItem, DemoProject, Progress, ignore_progress
from data.texture import Field, noise

COUNT = 150
CLASSES = ("RBC", "WBC", "Platelets")
SLIDES = ("S-101", "S-102", "S-107", "S-113", "S-120", "S-126")
STAINS = {
    "Wright-Giemsa": (1.0, 1.0, 1.0),
    "May-Grünwald": (0.97, 0.98, 1.03),
    "Leishman": (1.02, 0.97, 0.98),
}
MICROSCOPES = {"Scope 1": 0.5, "Scope 2": 0.8, "Scope 3": 1.2}
"""Typical blur in pixels: Scope 3 wants cleaning."""

GUIDELINE = """# Blood smear

Draw one box around **every** cell and say what it is.

- **RBC** (red cell): pink disc, paler in the middle, no nucleus. By far the most frequent.
- **WBC** (white cell): large, with a **purple nucleus**, often in two to five lobes. The box goes
  around the whole cell, not around the nucleus.
- **Platelets**: small purple grains, a quarter of a red cell across. One box each, even in a clump.

## Boxes

- Touch the cell's edge on all four sides; two or three pixels do not matter.
- **Overlapping cells get a box each**, as if the other were not there.
- Cells cut by the image's edge count when you can see at least a third; the box ends at the edge.

## Mistakes seen most

- A dark stain speck taken for a platelet: specks are sharp and black-brown, platelets soft and purple.
- Two overlapping red cells in one box.
- A platelet on top of a red cell forgotten.

An image without any cell is sent with no box. Flag a field that is out of focus throughout.
"""


def smear_schema() -> LabelSchema:
    """Return the schema: one question, the class of a box."""
    return LabelSchema(Task.BOXES, (make_question("cell", "Which cell?", list(CLASSES)),))


def generate_smear(
    folder: Path, seed: int, progress: Progress = ignore_progress, count: int = COUNT
) -> DemoProject:
    """Draw the fields into the folder and return the project with a simulated model's predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 11])
    films = [noise(rng, 800, cells, 5) for cells in (5, 7, 9)]
    wanted = set(rng.permutation(count)[: max(1, round(PLANTED_SHARE * count))].tolist())
    items = []
    predictions: dict[str, Answer] = {}
    for i in range(count):
        own = np.random.default_rng([seed, 12, i])
        item = _draw_field(folder, i, i in wanted, films, own)
        items.append(item)
        predictions[item.file] = predicted(item.answer, item.difficulty, CLASSES, item.size, own)
        progress(i + 1, count)
    return DemoProject(
        "blood-smear", "Blood smear", smear_schema(), GUIDELINE, tuple(items), predictions
    )


def _draw_field(
    folder: Path, index: int, plant: bool, films: list[Field], rng: np.random.Generator
) -> DemoItem:
    slide = str(rng.choice(SLIDES))
    stain = list(STAINS)[SLIDES.index(slide) % len(STAINS)]
    microscope = str(rng.choice(list(MICROSCOPES)))
    cells = place_cells(rng)
    blur = MICROSCOPES[microscope] * rng.uniform(0.7, 1.5) + (1.6 if rng.random() < 0.07 else 0)
    file = f"field-{index + 1:03d}.jpg"
    paint(cells, STAINS[stain], blur, films, rng).save(folder / file, quality=90)
    taken = dt.datetime(2026, 3, 2) + dt.timedelta(
        days=7 * SLIDES.index(slide) + int(rng.integers(5)),
        seconds=int(rng.integers(8 * 3600, 17 * 3600)),
    )
    truth = Answer({}, tuple(c.region for c in cells))
    return DemoItem(
        file,
        folder / file,
        truth,
        plant_error(truth, CLASSES, rng) if plant else None,
        {
            "slide": slide,
            "stain": stain,
            "microscope": microscope,
            "taken_at": taken.isoformat(timespec="seconds"),
        },
        round(float(np.clip(0.012 * len(cells) + 0.16 * blur - 0.1, 0.02, 1)), 3),
        (WIDTH_PX, HEIGHT_PX),
    )
