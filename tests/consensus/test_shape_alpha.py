"""Alpha of drawn objects, against the sum over all pairs of values."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus.agreement import shape_alpha, shape_class_agreement, shape_vitality
from core.consensus.agreement.shapes import objects_of
from core.labels import Answer, Region
from core.labels.geometry import likeness
from core.labels.shapes import keypoints_region, polygon_region
from core.stats.intervals import UNDEFINED
from tests.consensus.strategies import box, drawings


def answers(*people):
    return [Answer(regions=tuple(p)) for p in people]


def distance(a, b):
    """Return how far two values of an object lie apart; None is a missing region."""
    if a is None or b is None:
        return float(a is not b)
    return 1.0 if a.label != b.label else 1 - float(likeness([a], [b])[0, 0])


def by_definition(items):
    """Return alpha from all ordered pairs of values, taking the objects as they were gathered."""
    units = []
    for item in items:
        people = [a.regions for a in item]
        objects = objects_of(people)
        units += [[*seen.values(), *[None] * (len(people) - len(seen))] for seen in objects or [{}]]
    n = sum(map(len, units))
    observed = sum(distance(a, b) / (len(u) - 1) for u in units for a, b in permutations(u, 2))
    values = [v for u in units for v in u]
    expected = sum(distance(a, b) for a, b in permutations(values, 2))
    return 1 - (n - 1) * observed / expected if expected > 1e-9 else None


@given(st.lists(drawings(3).filter(lambda p: len(p) >= 2), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_alpha_of_boxes_equals_its_definition(items):
    """Boxes, classes and missing ones give the sum over all pairs of values."""
    said = [answers(*people) for people in items]
    ours, theirs = shape_alpha(said, replicates=0).value, by_definition(said)
    assert ours is None if theirs is None else ours == pytest.approx(theirs, abs=1e-9)


@given(st.lists(drawings(3), min_size=1, max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_order_of_people_items_and_boxes_changes_nothing(items, random):
    """Shuffling what has no order gives the same figure and interval."""
    mixed = [
        [random.sample(list(p), len(p)) for p in random.sample(people, len(people))]
        for people in random.sample(items, len(items))
    ]
    before = shape_alpha([answers(*p) for p in items], replicates=200)
    after = shape_alpha([answers(*p) for p in mixed], replicates=200)
    for name in ("value", "low", "high", "n"):
        one, two = getattr(before, name), getattr(after, name)
        assert one == (two if two is None else pytest.approx(two, abs=1e-9))


def test_a_missing_box_costs_and_so_does_another_class():
    """Alpha falls from 1 when one person misses an object, or names it otherwise."""
    full = [box(0, 0), box(100, 0, label="white")]
    same = [answers(full, full)] * 6
    assert shape_alpha(same).value == 1
    missed = shape_alpha([*same, answers(full, full[:1])])
    renamed = shape_alpha([*same, answers(full, [full[0], box(100, 0, label="red")])])
    assert 0 < missed.value < 1
    assert 0 < renamed.value < 1
    assert missed.low < missed.value < missed.high


def test_objects_hold_at_most_one_region_of_a_person():
    """Two near boxes of one person are two objects, each with its nearest of the other's."""
    one, other = [box(0, 0), box(4, 0)], [box(0.5, 0), box(4.5, 0)]
    found = objects_of([one, other])
    assert sorted(sorted(r.x1 for r in seen.values()) for seen in found) == [[0, 0.5], [4, 4.5]]


def test_nothing_drawn_by_anybody_is_agreement_with_no_scale():
    """Empty items alone leave alpha undefined; beside drawn ones they count as agreed."""
    empty = answers([], [])
    assert shape_alpha([empty] * 3).value is None
    drawn = answers([box(0, 0)], [box(0, 0)])
    assert shape_alpha([empty, drawn]).value == 1
    assert shape_alpha([answers([box(0, 0)])]) == UNDEFINED


def test_polygons_and_keypoints_have_alpha_too():
    """Likeness is the pixels' overlap of polygons and the similarity of keypoints."""

    def square(x):
        return polygon_region("red", [(x, 0), (x + 20, 0), (x + 20, 20), (x, 20)])

    def points(x):
        return keypoints_region("red", [(x, 0, 2), (x + 30, 40, 2)])

    for make, off in ((square, 5.0), (points, 2.0)):
        items = [answers([make(100.0 * i)], [make(100.0 * i + off)]) for i in range(5)]
        e = shape_alpha(items)
        assert 0.3 < e.value < 1
        assert e.value == pytest.approx(by_definition(items), abs=1e-9)


def test_many_regions_are_compared_with_a_sample():
    """Beyond 400 regions chance is measured on evenly chosen ones, close to all pairs."""
    items = [
        answers([Region("red", 40.0 * i, 0, 40.0 * i + 20, 20)], [Region("red", 40.0 * i, 0, 40.0 * i + 18, 20)])
        for i in range(260)
    ]  # fmt: skip
    assert shape_alpha(items, replicates=0).value == pytest.approx(0.9, abs=1e-3)


def test_agreement_on_a_class_is_that_of_its_regions_alone():
    """Alpha of a class leaves all others out; the share counts every other person who could draw it."""
    full = [box(0, 0), box(100, 0, label="white")]
    items = [[full, full, full]] * 5 + [[full, full[:1], [full[0], box(100, 0, label="red")]]]
    red, white = shape_class_agreement(items, replicates=200)
    assert (red.name, red.drawn, white.name, white.drawn) == ("red", 19, "white", 16)
    for one in (red, white):
        alone = [answers(*([r for r in p if r.label == one.name] for p in item)) for item in items]
        assert one.alpha.value == pytest.approx(by_definition(alone), abs=1e-9)
    # Of 16 times a white region was drawn, 2 others could have drawn it; the last was alone.
    assert white.positive.value == pytest.approx(30 / 32)
    assert red.positive.value == pytest.approx(36 / 38)
    assert white.positive.low < white.positive.value < white.positive.high


def test_a_class_counts_items_on_which_nobody_drew_it_as_agreed():
    """n of alpha counts all shared items, that of the share those with the class."""
    items = [[[box(0, 0)], [box(0, 0)]]] * 4 + [[[box(0, 0, label="white")], []]]
    white = next(c for c in shape_class_agreement(items) if c.name == "white")
    assert (white.alpha.n, white.positive.n, white.positive.value) == (5, 1, 0.0)


@given(st.lists(drawings(3).filter(lambda p: len(p) >= 2), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_persons_effect_is_alpha_less_alpha_without_them(items):
    """Each effect is the difference of two alphas by their definition; undefined where either is."""
    numbered = [list(enumerate(people)) for people in items]
    whole = by_definition([answers(*people) for people in items])
    for person in range(3):
        left = [answers(*(r for p, r in item if p != person)) for item in numbered]
        rest = (
            by_definition([i for i in left if len(i) >= 2])
            if any(len(i) >= 2 for i in left)
            else None
        )
        (found,) = shape_vitality(numbered, [person], replicates=0)
        if whole is None or rest is None:
            assert found.effect.value is None
        else:
            assert found.effect.value == pytest.approx(whole - rest, abs=1e-9)
        assert found.effect.n == sum(len(item) > person and len(item) > 1 for item in numbered)


def test_who_draws_elsewhere_lowers_alpha_for_sure():
    """A person who is off on every item stands below zero with the whole interval."""
    items = [
        [(7, [box(0, 0), box(90, i)]), (3, [box(1, 0), box(90, i)]), (5, [box(4, 2 * (i % 3))])]
        for i in range(12)
    ]
    found = {v.person: v.effect for v in shape_vitality(items, [3, 5, 7])}
    assert found[5].low <= found[5].value <= found[5].high < 0 < found[3].value
    again = {v.person: v.effect for v in shape_vitality([i[::-1] for i in items], [7, 5, 3])}
    assert again[5] == found[5]
    assert shape_vitality([], [3])[0].effect == UNDEFINED
