"""The leaf-points project: four points that measure a leaf, and where an earlier model put them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.labels import Answer, LabelSchema
from core.labels.schema import Skeleton, Task, make_question
from core.labels.shapes import keypoints_region
from data.boxes import jittered
from data.plate import SIDE_PX, Plate, draw_plate
from data.project import DemoItem, DemoProject, Progress, ignore_progress
from data.species import BY_NAME

COUNT = 12
TREES = ("Beech", "Hornbeam", "Silver birch", "Small-leaved linden")
SKELETON = Skeleton(("base", "tip", "left", "right"), ((0, 1), (2, 3)))

GUIDELINE = """# Leaf points

Set four points on the leaf; length and width are measured from them.

- **base**: where the stalk meets the blade.
- **tip**: the farthest end of the midrib.
- **left** and **right**: where the blade is widest, seen **with the tip up**.

A point that something covers is set where it must be, and marked hidden.
"""


def landmarks_schema() -> LabelSchema:
    """Return the schema: one leaf with four points."""
    question = make_question("part", "What is measured?", ["Leaf"])
    return LabelSchema(Task.KEYPOINTS, (question,), skeleton=SKELETON)


def generate_landmarks(
    folder: Path, seed: int, progress: Progress = ignore_progress, count: int = COUNT
) -> DemoProject:
    """Draw the leaves into the folder and return the project with a simulated model's points."""
    folder.mkdir(parents=True, exist_ok=True)
    items, predictions = [], {}
    for i in range(count):
        rng = np.random.default_rng([seed, 43, i])
        tree = TREES[i % len(TREES)]
        plate = Plate.lay(BY_NAME[tree], rng)
        file = f"points-{i + 1:02d}.jpg"
        draw_plate(plate, (), rng).save(folder / file, quality=88)
        truth = Answer({}, (keypoints_region("Leaf", _points(plate)),))
        side = (SIDE_PX, SIDE_PX)
        items.append(DemoItem(file, folder / file, truth, None, {"tree": tree}, 0.2, side))
        guess = jittered(truth.regions[0], 0.035, side, rng)
        sure = round(float(rng.beta(8, 2)), 4)
        predictions[file] = Answer({}, (replace(guess, confidence=sure),))
        progress(i + 1, count)
    return DemoProject(
        "leaf-points", "Leaf points", landmarks_schema(), GUIDELINE, tuple(items), predictions
    )


def _points(plate: Plate) -> list[tuple[float, float, int]]:
    """Return base, tip, left and right, picture pixels, all visible."""
    # In its own coordinates a leaf goes from (0, 0) to (0, 1), whatever lies at its sides.
    body = plate.shape.blades[0].outline
    corners = np.array(
        [(0.0, 0.0), (0.0, 1.0), body[body[:, 0].argmin()], body[body[:, 0].argmax()]]
    )
    return [(round(float(x), 1), round(float(y), 1), 2) for x, y in plate.pose.to_canvas(corners)]
