"""Average precision as pycocotools has it, with intervals over images."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.labels.region import Region, Shape
from core.labels.shapes import keypoints_region, mask_region
from core.learning.detect.judge import best_threshold, items_right, judge

CLASSES = ("a", "b", "never")


def scene(seed: int, images: int = 30) -> tuple[dict, dict]:
    """Draw boxes, and what somebody with unsure hands says of them."""
    rng = np.random.default_rng(seed)
    truth, said = {}, {}
    for i in range(images):
        rows, words = [], []
        for _ in range(int(rng.integers(1, 5))):
            x, y, side = rng.uniform(0, 200), rng.uniform(0, 200), rng.uniform(10, 60)
            label = CLASSES[int(rng.integers(2))]
            rows.append(Region(label, x, y, x + side, y + side))
            dx, dy = rng.normal(0, 0.2 * side, 2)
            if rng.random() < 0.9:
                sure = float(rng.uniform(0.2, 1.0))
                words.append(Region(label, x + dx, y + dy, x + dx + side, y + dy + side, sure))
            if rng.random() < 0.3:
                words.append(Region(label, x + 90, y, x + 100, y + 9, float(rng.uniform(0, 0.6))))
        truth[i], said[i] = tuple(rows), tuple(words)
    return truth, said


def by_hand(truth: dict, said: dict) -> tuple[float, float]:
    """Return COCO's mean average precision at 0.5 and over all overlaps, of boxes given plainly."""

    def coco(side: dict) -> COCO:
        rows = [(i, r) for i, regions in side.items() for r in regions]
        found = COCO()
        found.dataset = {
            "images": [{"id": i} for i in side],
            "categories": [{"id": k + 1} for k in range(2)],
            "annotations": [
                {
                    "id": n + 1, "image_id": i, "category_id": CLASSES.index(r.label) + 1, "iscrowd": 0,
                    "bbox": [r.x1, r.y1, r.x2 - r.x1, r.y2 - r.y1], "area": r.area,
                    "score": r.confidence,
                }
                for n, (i, r) in enumerate(rows)
            ],
        }  # fmt: skip
        found.createIndex()
        return found

    with contextlib.redirect_stdout(io.StringIO()):
        run = COCOeval(coco(truth), coco(said), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return float(run.stats[1]), float(run.stats[0])


def test_average_precision_is_that_of_pycocotools() -> None:
    """Both means agree with its own summary to the last digit."""
    truth, said = scene(3)
    found = judge(truth, said, CLASSES, Shape.BOX, "evaluate").eval
    assert (found.map50, found.map) == pytest.approx(by_hand(truth, said), abs=1e-12)
    assert found.low < found.map50 < found.high
    assert (found.on, found.n) == ("evaluate", 30)


def test_a_class_without_regions_has_no_figure_and_spoils_none() -> None:
    """Of a class nobody drew nothing is said; the mean is over the others."""
    truth, said = scene(4)
    found = judge(truth, said, CLASSES, Shape.BOX, "evaluate")
    never = found.per_class[2]
    assert (never.n, never.ap50, never.low) == (0, None, None)
    two = [row.ap50 for row in found.per_class[:2]]
    assert found.eval.map50 == pytest.approx(sum(two) / 2)


def test_intervals_follow_from_the_seed() -> None:
    """Same seed, same interval; another seed, another."""
    truth, said = scene(5)
    one, same, other = (
        judge(truth, said, CLASSES, Shape.BOX, "evaluate", seed).eval for seed in (1, 1, 2)
    )
    assert one == same
    assert (one.low, one.high) != (other.low, other.high)


def test_few_images_give_no_figure() -> None:
    """Nine judged images are too few."""
    truth, said = scene(6, images=9)
    assert judge(truth, said, CLASSES, Shape.BOX, "evaluate").eval.map50 is None


@pytest.mark.parametrize("shape", [Shape.MASK, Shape.KEYPOINTS])
def test_shapes_are_judged_by_their_own_likeness(shape: Shape) -> None:
    """What is said exactly scores 1, what is elsewhere 0."""
    truth = {i: (_shape(shape, 10 + i),) for i in range(12)}
    exact = {i: (_shape(shape, 10 + i, 0.9),) for i in truth}
    elsewhere = {i: (_shape(shape, 60, 0.9),) for i in truth}
    assert judge(truth, exact, ("a",), shape, "evaluate").eval.map50 == pytest.approx(1.0)
    assert judge(truth, elsewhere, ("a",), shape, "evaluate").eval.map50 == pytest.approx(0.0)


def _shape(shape: Shape, x: int, sure: float | None = None) -> Region:
    if shape is Shape.KEYPOINTS:
        return keypoints_region("a", [(x, 10, 2), (x + 20, 30, 2)], sure)
    pixels = np.zeros((50, 100), dtype=bool)
    pixels[10:30, x : x + 20] = True
    return mask_region("a", pixels, sure)


def test_the_threshold_is_where_most_is_right() -> None:
    """Between false boxes at 0.3 and true ones at 0.7 lies the threshold, and items come out right."""
    truth = {i: (Region("a", 0, 0, 10, 10),) for i in range(12)}
    said = {i: (Region("a", 0, 0, 10, 10, 0.7), Region("a", 50, 0, 60, 10, 0.3)) for i in range(12)}
    threshold = best_threshold(truth, said)
    assert 0.3 < threshold <= 0.7
    assert items_right(truth, said, threshold) == (12, 12)
    assert items_right(truth, said, 0.2) == (0, 12)
