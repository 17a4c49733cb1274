"""The leaf-spot project: lesions outlined on leaves, and the outlines an earlier model drew."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.labels import Answer, LabelSchema, Region
from core.labels.schema import Task, make_question
from core.labels.shapes import polygon_region
from data.botany import Line
from data.boxes import jittered, predicted
from data.plate import LOOKS, SIDE_PX, Lesion, Plate, draw_plate
from data.project import DemoItem, DemoProject, Progress, ignore_progress
from data.species import BY_NAME

COUNT = 24
CLASSES = tuple(LOOKS)
COLOURS = {"Brown spot": "#66CCEE", "Tar spot": "#EE6677", "Rust": "#DDCC77"}
"""Seen on green, and told apart by colour-blind eyes."""

SEVERITY = "severity"
TREES = ("Beech", "Hornbeam", "Silver birch", "Small-leaved linden", "Sycamore")
GREENHOUSES = ("North", "South", "Nursery")
HEALTHY = 0.06
"""Share of the leaves without any lesion."""

SLOPPY = 0.3
"""Share of the outlines that the earlier model drew carelessly."""

SWAPPED = 0.15
"""Share of the outlines for which the earlier model has the severity wrong."""

GUIDELINE = """# Leaf spots

Outline **every lesion** on the leaf, say what it is and how bad.

- **Brown spot**: brown, with a yellow rim that fades into the green.
- **Tar spot**: black like tar, hardly any rim.
- **Rust**: orange, like powder.

## How bad

- **mild**: coloured all through.
- **severe**: the middle is **dead**: pale and dry.

## Outlines

- Follow the edge of the dark colour; the pale rim stays outside.
- Eight to twenty corners do; two lesions that touch get an outline each.
- A leaf without any lesion is sent with no outline.
"""


def spots_schema() -> LabelSchema:
    """Return the schema: the class of an outline, and its severity."""
    lesion = make_question("lesion", "Which lesion?", list(CLASSES))
    coloured = [replace(c, colour=COLOURS[c.name]) for c in lesion.classes]
    return LabelSchema(
        Task.POLYGONS,
        (replace(lesion, classes=tuple(coloured)),),
        (make_question(SEVERITY, "How bad?", ["mild", "severe"]),),
    )


def generate_spots(
    folder: Path, seed: int, progress: Progress = ignore_progress, count: int = COUNT
) -> DemoProject:
    """Draw the leaves into the folder and return the project with a simulated model's outlines."""
    folder.mkdir(parents=True, exist_ok=True)
    items, predictions = [], {}
    for i in range(count):
        rng = np.random.default_rng([seed, 41, i])
        item = _draw_leaf(folder, i, rng)
        items.append(item)
        predictions[item.file] = _guess(item, rng)
        progress(i + 1, count)
    return DemoProject(
        "leaf-spots", "Leaf spots", spots_schema(), GUIDELINE, tuple(items), predictions
    )


def _draw_leaf(folder: Path, index: int, rng: np.random.Generator) -> DemoItem:
    tree = TREES[index % len(TREES)]
    plate = Plate.lay(BY_NAME[tree], rng)
    lesions = _lesions(plate, rng)
    file = f"spots-{index + 1:02d}.jpg"
    draw_plate(plate, lesions, rng).save(folder / file, quality=88)
    taken = dt.datetime(2026, 6, 8, 9) + dt.timedelta(minutes=int(rng.integers(0, 60 * 24 * 30)))
    return DemoItem(
        file,
        folder / file,
        Answer({}, tuple(_region(x) for x in lesions)),
        None,
        {
            "tree": tree,
            "greenhouse": str(rng.choice(GREENHOUSES)),
            "taken_at": taken.isoformat(timespec="seconds"),
        },
        round(float(np.clip(0.15 + 0.06 * len(lesions), 0, 1)), 3),
        (SIDE_PX, SIDE_PX),
    )


def _lesions(plate: Plate, rng: np.random.Generator) -> list[Lesion]:
    """Return up to seven lesions that lie on the blade and apart from each other."""
    blade = np.asarray(plate.mask()) > 0
    ys, xs = np.nonzero(blade)
    usual, found = str(rng.choice(CLASSES)), list[Lesion]()
    wanted = int(rng.integers(1, 8)) if rng.random() >= HEALTHY else 0
    for _ in range(12 * wanted):
        if len(found) == wanted:
            break
        at = int(rng.integers(len(xs)))
        ring = _ring(np.array([xs[at], ys[at]], np.float64), 22 * rng.gamma(7, 1 / 7), rng)
        inside = ring.min() > 0 and ring.max() < SIDE_PX - 1
        if not inside or not blade[ring[:, 1].astype(int), ring[:, 0].astype(int)].all():
            continue
        if any(np.hypot(*(x.ring.mean(0) - ring.mean(0))) < 78 for x in found):
            continue
        label = usual if rng.random() < 0.75 else str(rng.choice(CLASSES))
        found.append(Lesion(label, ring, bool(rng.random() < 0.4)))
    return found


def _ring(centre: Line, radius_px: float, rng: np.random.Generator) -> Line:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    reach = radius_px * (1 + 0.22 * np.sin(2 * angles + rng.uniform(0, 6)))
    reach = reach + radius_px * rng.normal(0, 0.07, len(angles))
    return np.round(centre + np.column_stack([np.cos(angles), np.sin(angles)]) * reach[:, None], 1)


def _region(lesion: Lesion) -> Region:
    severity = "severe" if lesion.severe else "mild"
    return polygon_region(lesion.label, lesion.ring.tolist(), None, ((SEVERITY, severity),))


def _guess(item: DemoItem, rng: np.random.Generator) -> Answer:
    said = predicted(item.answer, item.difficulty, CLASSES, item.size, rng)
    return Answer({}, tuple(_careless(r, item.size, rng) for r in said.regions))


def _careless(region: Region, size: tuple[int, int], rng: np.random.Generator) -> Region:
    """Return the outline as drawn in a hurry, now and then, and sometimes of the wrong severity."""
    drawn = region
    if rng.random() < SLOPPY:
        drawn = replace(jittered(region, 0.16, size, rng), confidence=region.confidence)
    if rng.random() >= SWAPPED:
        return drawn
    other = "mild" if dict(region.attributes)[SEVERITY] == "severe" else "severe"
    return replace(drawn, attributes=((SEVERITY, other),))
