"""Polygons, keypoints and masks of several people become one; several answers count as sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.consensus import Evidence, Policy, Vote, settle
from core.consensus.fuse import largest_group
from core.consensus.regions.blend import blend
from core.consensus.regions.order import in_order
from core.consensus.regions.ways import SETTLED
from core.labels import Answer, LabelSchema, Region
from core.labels.schema import Skeleton, Task, make_question
from core.labels.shapes import (
    checked_region,
    keypoints_region,
    mask_height,
    mask_pixels,
    mask_region,
    polygon_region,
)
from core.labels.state import ItemState
from tests.consensus.strategies import drew

SIDE = 120
MAIN = make_question("label", "Cell", ["red", "white"])
SEVERITY = make_question("severity", "Severity", ["low", "high"])
SCHEMAS = {
    "polygon": LabelSchema(Task.POLYGONS, (MAIN,), (SEVERITY,)),
    "keypoints": LabelSchema(Task.KEYPOINTS, (MAIN,), (SEVERITY,), Skeleton(("a", "b", "c"))),
    "mask": LabelSchema(Task.MASKS, (MAIN,), (SEVERITY,)),
}
THREE = Policy(overlap=3, max_votes=3)


def shape_at(kind: str, x: float, y: float, size: float, label="red", severity="low") -> Region:
    """Return a region of a kind over a square."""
    extra = (("severity", severity),)
    if kind == "polygon":
        ring = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]
        return polygon_region(label, ring, None, extra)
    if kind == "keypoints":
        points = [(x, y, 2), (x + size, y, 1), (x, y + size, 2)]
        return keypoints_region(label, points, None, extra)
    pixels = np.zeros((SIDE, SIDE), dtype=np.bool_)
    pixels[round(y) : round(y + size), round(x) : round(x + size)] = True
    return mask_region(label, pixels, None, extra)


@st.composite
def drawings_of(draw, kind: str):
    """Draw sets of regions by several people: a common truth, jittered, at times told otherwise."""
    places = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["red", "white"]))
    truth = draw(st.lists(places, max_size=3, unique_by=lambda t: t[:2]))
    jitter = st.floats(-4, 4, allow_nan=False)
    people = []
    for _ in range(draw(st.integers(1, 4))):
        regions = []
        for column, row, label in truth:
            said = draw(st.sampled_from(["low", "low", "low", "low", "high"]))
            x, y = 40 * column + 6 + draw(jitter), 40 * row + 6 + draw(jitter)
            regions.append(shape_at(kind, x, y, 22 + draw(jitter), label, said))
        people.append(tuple(regions))
    return people


@pytest.mark.parametrize("kind", SCHEMAS)
@settings(max_examples=40)
@given(data=st.data(), random=st.randoms(use_true_random=False))
def test_order_of_people_and_of_regions_changes_nothing(kind, data, random) -> None:
    """Shuffled people who drew in another order give the very same outcome, and one to store."""
    people = data.draw(drawings_of(kind))
    schema = SCHEMAS[kind]
    before = settle(Evidence(drew(*people)), schema, Policy(overlap=2))
    again = [tuple(random.sample(p, len(p))) for p in random.sample(people, len(people))]
    assert settle(Evidence(drew(*again)), schema, Policy(overlap=2)) == before
    if before.answer:
        assert schema.check(before.answer, SIDE, SIDE).regions == before.answer.regions


@pytest.mark.parametrize("kind", SCHEMAS)
def test_regions_alike_are_one_and_keep_their_attributes(kind: str) -> None:
    """Three people a pixel apart agree; the label lies in their midst."""
    people = [(shape_at(kind, 20 + n, 30, 40),) for n in range(3)]
    outcome = settle(Evidence(drew(*people)), SCHEMAS[kind], THREE)
    assert outcome.state is ItemState.AGREED
    assert outcome.probability == 1
    (region,) = outcome.answer.regions
    assert region == shape_at(kind, 21, 30, 40)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_another_attribute_is_another_answer(kind: str) -> None:
    """Where two of three say 'high', 'high' it is; where two differ, nothing is settled."""
    high, low = (shape_at(kind, 20, 30, 40, severity=s) for s in ("high", "low"))
    outcome = settle(Evidence(drew((high,), (low,), (high,))), SCHEMAS[kind], THREE)
    assert outcome.answer.regions[0].attributes == (("severity", "high"),)
    assert largest_group([(high,), (low,)]).regions is None


def test_twins_with_other_attributes_pair_with_their_likes() -> None:
    """Two regions in nearly one place are told apart by what is said of them."""
    one = (shape_at("polygon", 20, 20, 30, severity="low"), shape_at("polygon", 21, 20, 30, severity="high"))  # fmt: skip
    two = (shape_at("polygon", 21, 20, 30, severity="low"), shape_at("polygon", 20, 20, 30, severity="high"))  # fmt: skip
    assert largest_group([one, two]).size == 2


def test_a_point_is_there_where_half_have_it() -> None:
    """Its place is the mean of those who have it, hidden where most of them say so."""
    group = [
        keypoints_region("red", [(10, 10, 2), (50, 50, 2), (0, 0, 0)]),
        keypoints_region("red", [(12, 10, 1), (54, 50, 2), (0, 0, 0)]),
        keypoints_region("red", [(14, 13, 1), (0, 0, 0), (30, 90, 2)]),
    ]
    assert blend(group, SETTLED).points == ((12, 11, 1), (52, 50, 2), (0, 0, 0))


def test_points_nobody_shares_leave_one_persons() -> None:
    """Rather than no point at all."""
    group = [
        keypoints_region("red", [(9, 9, 2) if i == n else (0, 0, 0) for i in range(4)])
        for n in range(3)
    ]
    assert blend(group, SETTLED) in group


def test_a_pixel_is_there_where_more_than_half_have_it() -> None:
    """Counted over every pixel."""
    rng = np.random.default_rng(3)
    bitmaps = rng.random((3, 17, 29)) < 0.6
    found = blend([mask_region("red", b) for b in bitmaps], SETTLED)
    assert np.array_equal(mask_pixels(found, 17, 29), bitmaps.sum(axis=0) >= 2)
    assert checked_region(found, 29, 17) == found


def test_two_masks_that_share_nothing_leave_one() -> None:
    """An empty mask is no answer."""
    left, right = (shape_at("mask", x, 5, 9) for x in (1, 50))
    assert blend([left, right], SETTLED) in (left, right)


def test_of_polygons_the_one_most_like_the_others_stays() -> None:
    """Whole, not an average that nobody drew."""
    group = [shape_at("polygon", x, 20, 30) for x in (20, 22, 35)]
    assert blend(group, SETTLED) == group[1]
    assert blend(group[::-1], SETTLED) == group[1]


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_height_of_an_image_is_found_from_its_masks(height: int, width: int, data) -> None:
    """Or one at which the masks have the very same boxes."""
    pixels = np.zeros((height, width), dtype=np.bool_)
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    pixels[y, x] = True
    mask = mask_region("red", pixels)
    found = mask_height([mask])
    assert checked_region(mask, height * width // found, found).box == mask.box


def test_order_is_total() -> None:
    """Regions that differ in anything have one order, however they come."""
    rng = np.random.default_rng(1)
    several = [shape_at(k, 20, 20, 30, s, t) for k in SCHEMAS for s in ("red", "white") for t in ("low", "high")]  # fmt: skip
    shuffled = [several[i] for i in rng.permutation(len(several))]
    assert in_order(several) == in_order(shuffled)


TAGGED = LabelSchema(
    Task.CLASSIFICATION, (make_question("tags", "Tags", ["a", "b", "c"], several=True),)
)


def test_several_answers_agree_whatever_their_order() -> None:
    """A set is counted, and comes out in schema order."""
    votes = [Answer({}, (), {"tags": t}) for t in (("b", "a"), ("a", "b"), ("c",))]
    outcome = settle(Evidence(drew_answers(votes)), TAGGED, THREE)
    assert outcome.answer.multi == {"tags": ("a", "b")}
    assert math.isclose(outcome.probability, 2 / 3)


def test_none_of_them_is_an_answer() -> None:
    """An empty set is agreed upon like any other."""
    outcome = settle(Evidence(drew_answers([Answer({}, (), {"tags": ()})] * 3)), TAGGED, THREE)
    assert outcome.state is ItemState.AGREED
    assert outcome.answer.multi == {"tags": ()}


def drew_answers(answers):
    """Return one vote per answer."""

    return tuple(Vote(f"p{i}", a) for i, a in enumerate(answers))
