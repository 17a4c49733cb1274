"""How near fused regions come to the truth, in seeded simulations and on real boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.consensus.regions import Area, Geometry, Middle, consensus_of
from core.labels import Answer, Region
from core.labels.geometry import likeness
from core.labels.schema import Task
from tests.consensus.regions.crowd import boxes_at_random, drawn_by
from tests.drawn import draw_images, schema_of

PEOPLE = (1, 3, 5, 9)


def nearness(truth, found) -> float:
    """Return the mean IoU of what is there with what was found; what is missed scores 0."""
    if not found:
        return 0.0
    return float(likeness(truth, found).max(axis=1).mean())


def fused(truth, people: int, rng: np.random.Generator, **crowd) -> tuple[Region, ...]:
    """Return what so many simulated people agree on."""
    return consensus_of([drawn_by(truth, rng, **crowd) for _ in range(people)]).label


def test_boxes_come_nearer_the_truth_with_every_person() -> None:
    """Though each tenth box is missed; classes too, though each fifth is called something else."""
    rng = np.random.default_rng(11)
    scores = []
    for people in PEOPLE:
        per_item = []
        for _ in range(20):
            truth = boxes_at_random(rng, 15)
            crowd = {"off": 0.05, "missed": 0.1, "wrong": 0.2, "classes": ("a", "b", "c")}
            per_item.append(nearness(truth, fused(truth, people, rng, **crowd)))
        scores.append(float(np.mean(per_item)))
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 0.1
    assert scores[-1] > 0.9


@pytest.mark.parametrize("task", [Task.POLYGONS, Task.KEYPOINTS, Task.MASKS])
def test_five_people_are_nearer_the_truth_than_one(tmp_path: Path, task) -> None:
    """Polygons, keypoints and masks."""
    truths = draw_images(tmp_path, schema_of(task), 6).values()
    rng = np.random.default_rng(7)
    one, five = (
        np.mean([nearness(t.regions, fused(t.regions, n, rng, off=0.05)) for t in truths])
        for n in (1, 5)
    )
    assert five > one + 0.02


def test_polygons_by_vote_are_nearer_than_one_whole(tmp_path: Path) -> None:
    """An area between people's is better than the best person's own."""
    truths = draw_images(tmp_path, schema_of(Task.POLYGONS), 6).values()
    rng = np.random.default_rng(9)
    told = [(t.regions, [drawn_by(t.regions, rng, 0.06) for _ in range(5)]) for t in truths]
    scores = {
        area: np.mean(
            [nearness(t, consensus_of(a, geometry=Geometry(polygons=area)).label) for t, a in told]
        )
        for area in (Area.VOTE, Area.WHOLE)
    }
    assert scores[Area.VOTE] > scores[Area.WHOLE] + 0.02


def test_the_median_bears_careless_people_and_weights_make_the_mean_better() -> None:
    """Of five two are careful: the median is nearer than the mean, which weights put right."""
    rng = np.random.default_rng(13)
    off = (0.02, 0.02, 0.08, 0.08, 0.08)
    told = []
    for _ in range(30):
        truth = boxes_at_random(rng, 10)
        told.append((truth, [drawn_by(truth, rng, o) for o in off]))

    def score(middle: Middle, weights: list[float] | None = None) -> float:
        how = Geometry(middle)
        found = [consensus_of(a, geometry=how, weights=weights).label for _, a in told]
        return float(np.mean([nearness(t, f) for (t, _), f in zip(told, found, strict=True)]))

    assert score(Middle.MEDIAN) > score(Middle.MEAN) + 0.01
    assert score(Middle.MEAN, [1 / o**2 for o in off]) > score(Middle.MEDIAN) + 0.01


def test_staple_is_nearer_than_a_vote_where_two_of_five_are_careful(tmp_path: Path) -> None:
    """It finds out who they are."""
    truths = draw_images(tmp_path, schema_of(Task.POLYGONS), 6).values()
    rng = np.random.default_rng(3)
    off = (0.03, 0.03, 0.12, 0.12, 0.12)
    told = [(t.regions, [drawn_by(t.regions, rng, o) for o in off]) for t in truths]
    by_staple, by_vote = (
        np.mean(
            [nearness(t, consensus_of(a, geometry=Geometry(polygons=area)).label) for t, a in told]
        )
        for area in (Area.STAPLE, Area.VOTE)
    )
    assert by_staple > by_vote


@pytest.mark.shared
def test_blood_cells_drawn_by_simulated_people_come_back(shared_dir: Path) -> None:
    """Five people a little off, each missing some: nearer and more complete than any of them."""
    rng = np.random.default_rng(21)
    folder = shared_dir / "datasets" / "bccd" / "yolo_labels"
    names = (folder / "classes.txt").read_text().split()
    alone, together, right = [], [], []
    for path in sorted(folder.glob("BloodImage_*.txt"))[:60]:
        truth = _yolo_boxes(path, names)
        answers = [drawn_by(truth, rng, 0.05, 0.05, 0.05, names) for _ in range(5)]
        found = consensus_of(answers).label
        alone.append(np.mean([nearness(truth, a.regions) for a in answers]))
        together.append(nearness(truth, found))
        pairs = consensus_of([Answer(regions=tuple(truth)), Answer(regions=found)], quorum=1)
        right.append(len([r for r in pairs.regions if not r.dispute]) / len(truth))
    assert np.mean(together) > np.mean(alone) + 0.05
    assert np.mean(right) > 0.97


def _yolo_boxes(path: Path, names: list[str]) -> list[Region]:
    found = []
    for line in path.read_text().splitlines():
        number, *rest = line.split()
        x, y, w, h = np.array(rest, dtype=float) * (640, 480, 640, 480)
        edges = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        found.append(Region(names[int(number)], *(float(e) for e in edges)))
    return found
