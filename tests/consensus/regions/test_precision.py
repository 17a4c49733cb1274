"""How much each person's outlines count, learnt from the drawings alone."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.regions import Geometry, Middle, consensus_of, outline_weights
from core.labels import Answer
from core.labels.geometry import likeness
from core.labels.schema import Task
from tests.consensus.regions.crowd import boxes_at_random, drawn_by
from tests.consensus.strategies import box
from tests.drawn import draw_images, schema_of

OFF = (0.02, 0.02, 0.08, 0.08, 0.08)


def crowd(items: int, off=OFF, boxes: int = 10, seed: int = 0):
    """Return the truth of each item and what each person drew."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(items):
        truth = boxes_at_random(rng, boxes)
        found.append((truth, [drawn_by(truth, rng, o) for o in off]))
    return found


def weights_of(told, who=None):
    """Return the weights of people numbered as told; by their place in the crowd."""
    people = who or range(len(told[0][1]))
    items = [list(zip(people, (a.regions for a in answers), strict=True)) for _, answers in told]
    return outline_weights(items)


def test_careful_people_count_more_and_the_fused_box_is_nearer():
    """Two careful of five are told from the rest, and their mean beats the median of all."""
    told = crowd(40)
    found = weights_of(told)
    assert min(found[0], found[1]) > 5 * max(found[i] for i in (2, 3, 4))

    def near(how, outlines=None):
        scores = []
        for truth, answers in told:
            label = consensus_of(answers, geometry=how, outlines=outlines).label
            scores.append(float(likeness(truth, label).max(axis=1).mean()))
        return np.mean(scores)

    learnt = near(Geometry(Middle.MEAN), [found[i] for i in range(5)])
    exact = near(Geometry(Middle.MEAN), [1 / o**2 for o in OFF])
    assert learnt > near(Geometry(Middle.MEDIAN)) + 0.015
    assert learnt > near(Geometry(Middle.MEAN)) + 0.03
    assert learnt > exact - 0.002


def test_equal_people_count_about_the_same():
    """Chance alone tells nobody apart by much."""
    found = weights_of(crowd(40, (0.04,) * 5))
    assert 0.8 < min(found.values()) <= max(found.values()) < 1.25


def test_little_in_common_says_little():
    """On three boxes people differ less than on three hundred; two people alone never."""
    few, many = weights_of(crowd(1, boxes=3)), weights_of(crowd(30))
    assert max(few.values()) / min(few.values()) < max(many.values()) / min(many.values()) / 2
    both = weights_of(crowd(20, (0.02, 0.08)))
    assert both[0] == pytest.approx(both[1], rel=1e-3)


def test_names_and_order_change_nothing():
    """Other numbers for the same people, and another order of people, give the same weights."""
    told = crowd(6)
    plain = weights_of(told)
    named = weights_of(told, [90, 7, 41, 3, 12])
    assert [named[p] for p in (90, 7, 41, 3, 12)] == pytest.approx([plain[i] for i in range(5)])
    turned = weights_of([(t, answers[::-1]) for t, answers in told], [4, 3, 2, 1, 0])
    assert turned == pytest.approx(plain)


@pytest.mark.parametrize("task", [Task.POLYGONS, Task.KEYPOINTS, Task.MASKS])
def test_every_shape_tells_who_is_careful(tmp_path, task):
    """One person much less careful than two others counts least, whatever is drawn."""
    truths = [t.regions for t in draw_images(tmp_path, schema_of(task), 10).values()]
    rng = np.random.default_rng(1)
    items = [
        [(p, drawn_by(t, rng, off).regions) for p, off in ((1, 0.02), (2, 0.02), (3, 0.09))]
        for t in truths
    ]
    found = outline_weights(items, 0.3)
    assert found[3] < 0.7 * min(found[1], found[2])


def test_nothing_in_common_tells_nothing():
    """No item, nobody drawing the same thing, all drawing alike: no weights, or all the same."""
    assert outline_weights([]) == {}
    assert outline_weights([[(1, (box(0, 0),)), (2, (box(200, 0),))], [(3, ())]]) == {}
    assert outline_weights([[(1, (box(0, 0),)), (2, (box(0, 0),))]]) == {1: 1.0, 2: 1.0}


def test_outlines_count_without_counting_votes():
    """Who draws closely moves the edges; what is there and its class stay one vote a person."""
    said = [Answer(regions=(box(0, 0, label=name),)) for name in ("red", "white", "white")]
    off = Answer(regions=(box(2, 0, label="red"),))
    fused = consensus_of(
        [off, *said[1:]], geometry=Geometry(Middle.MEAN), outlines=[98.0, 1.0, 1.0]
    )
    assert fused.label[0].label == "white"
    assert fused.label[0].x1 == pytest.approx(1.96)
