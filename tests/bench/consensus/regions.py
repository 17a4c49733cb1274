"""Fusing what people drew, region by region: seconds, and how near the truth each way comes.

There is no peer to run beside: CVAT merges inside its server. The crowds are simulated, seeded.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from core.consensus.regions import Area, Geometry, Middle, consensus_of, outline_weights
from core.labels import Answer, Region
from core.labels.geometry import likeness
from core.labels.schema import Task
from tests.consensus.regions.crowd import boxes_at_random, drawn_by
from tests.drawn import draw_images, schema_of

SIZES = {
    "1,000 items × 5 people × 20 boxes": (1000, 5, 20, 1000.0),
    "1 item × 20 people × 300 boxes": (1, 20, 300, 1000.0),
    "1 item × 5 people × 2,000 boxes": (1, 5, 2000, 6000.0),
}
CROWDS = {
    "3 equal": ((0.04,) * 3, 0.0),
    "5 equal": ((0.04,) * 5, 0.0),
    "9 equal": ((0.04,) * 9, 0.0),
    "5 equal, 1 box in 10 far off": ((0.04,) * 5, 0.1),
    "5 equal, 1 box in 5 far off": ((0.04,) * 5, 0.2),
    "2 careful, 3 not": ((0.02, 0.02, 0.08, 0.08, 0.08), 0.0),
}
"""Each person's error of an edge as a share of the side; chance of a box that is far off."""


def run(folder: Path, _python: str) -> dict[str, object]:
    """Return seconds by size, mean IoU of boxes by their middle, and of polygons by their area."""
    return {
        "seconds": {name: _seconds(*size) for name, size in SIZES.items()},
        "boxes_iou": {name: _boxes(*crowd) for name, crowd in CROWDS.items()},
        "polygons_iou": _polygons(folder),
    }


def _seconds(items: int, people: int, boxes: int, side_px: float) -> dict[str, float]:
    """Return the best of three runs by the clock, and by the processor's time alone."""
    rng = np.random.default_rng(0)
    truths = [boxes_at_random(rng, boxes, side_px) for _ in range(items)]
    told = [[drawn_by(t, rng) for _ in range(people)] for t in truths]
    taken = []
    for _ in range(3):
        started, worked = time.perf_counter(), time.process_time()
        for answers in told:
            consensus_of(answers)
        taken.append((time.perf_counter() - started, time.process_time() - worked))
    wall, cpu = (min(t[i] for t in taken) for i in (0, 1))
    return {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3)}


def _boxes(off: tuple[float, ...], far_off: float, items: int = 160) -> dict[str, float]:
    rng = np.random.default_rng(0)
    told = []
    for _ in range(items):
        truth = boxes_at_random(rng, 10)
        told.append((truth, [_some_far_off(drawn_by(truth, rng, o), rng, far_off) for o in off]))
    exact = [1 / o**2 for o in off]
    ways = {"mean": (Middle.MEAN, None), "median": (Middle.MEDIAN, None), "weighted mean": (Middle.MEAN, exact), "weighted median": (Middle.MEDIAN, exact)}  # fmt: skip
    alone = np.mean([_near(truth, a.regions) for truth, answers in told for a in answers])
    scores = {"one person": round(float(alone), 4)}
    for name, (middle, weights) in ways.items():
        scores[name] = _score(told, Geometry(middle), weights)
    scores["weights learnt"] = _score(told, Geometry(Middle.MEAN), _learnt(told))
    return scores


def _learnt(told) -> list[float]:
    """Return how much each person's outlines count, told from the drawings alone."""
    found = outline_weights([list(enumerate(a.regions for a in answers)) for _, answers in told])
    return [found.get(i, 1.0) for i in range(len(told[0][1]))]


def _some_far_off(answer: Answer, rng: np.random.Generator, chance: float) -> Answer:
    """Move every edge of some boxes by 10 to 25 % of the side."""
    regions = []
    for region in answer.regions:
        edges = np.array(region.box)
        if rng.random() < chance:
            by = rng.choice([-1, 1], 4) * rng.uniform(0.1, 0.25, 4)
            edges += by * max(region.area, 1.0) ** 0.5
        regions.append(Region(region.label, *edges.tolist()))
    return Answer(regions=tuple(regions))


def _polygons(folder: Path) -> dict[str, dict[str, float]]:
    truths = [t.regions for t in draw_images(folder, schema_of(Task.POLYGONS), 12).values()]
    found: dict[str, dict[str, float]] = {}
    for name, off in {"5 equal": (0.05,) * 5, "2 careful, 3 not": (0.03, 0.03, 0.12, 0.12, 0.12)}.items():  # fmt: skip
        rng = np.random.default_rng(3)
        told = [(t, [drawn_by(t, rng, o) for o in off]) for t in truths]
        found[name] = {area.value: _score(told, Geometry(polygons=area)) for area in Area}
        found[name]["vote, weights learnt"] = _score(told, Geometry(), _learnt(told))
    return found


def _score(told, how: Geometry, weights=None) -> float:
    """Return the mean IoU of what is there with what was fused."""
    near = [_near(t, consensus_of(a, geometry=how, outlines=weights).label) for t, a in told]
    return round(float(np.mean(near)), 4)


def _near(truth, found) -> float:
    return float(likeness(truth, found).max(axis=1).mean()) if found else 0.0
