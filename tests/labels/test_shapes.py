"""Polygons, keypoints and masks: they come back as they were, and bad ones are refused at once."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import InputError
from core.labels import Answer, LabelSchema, Region
from core.labels.compare import same_answer
from core.labels.geometry import likeness, match_regions
from core.labels.region import Shape
from core.labels.schema import Skeleton, Task, make_question
from core.labels.shapes import (
    MAX_RLE,
    checked_region,
    compressed,
    keypoints_region,
    mask_pixels,
    mask_region,
    polygon_region,
    rle_region,
    run_lengths,
)

WIDTH, HEIGHT = 90, 60
SLOW_SECONDS = 0.5

pixels = st.floats(0, 60, allow_nan=False).map(lambda v: round(v, 3))
corners = st.tuples(pixels, pixels)
attributes = st.just(()) | st.just((("severity", "high"),))
polygons = st.builds(
    lambda points, extra: polygon_region("red", points, None, extra),
    st.lists(corners, min_size=3, max_size=9, unique=True),
    attributes,
)
joints = st.tuples(pixels, pixels, st.sampled_from([0.0, 1.0, 2.0]))
skeletons = st.builds(
    lambda points, extra: keypoints_region("red", points, None, extra),
    st.tuples(joints, joints, joints).filter(lambda p: any(v for _x, _y, v in p)),
    attributes,
)
bitmaps = arrays(np.bool_, (HEIGHT, WIDTH)).filter(np.any)
masks = st.builds(lambda found, extra: mask_region("red", found, None, extra), bitmaps, attributes)
anything = polygons | skeletons | masks
hostile_numbers = st.sampled_from([math.nan, math.inf, -math.inf, -1e9, 1e9, -5.0, 1e308])


def _checked(region: Region) -> Region:
    return checked_region(region, WIDTH, HEIGHT, n_points=3)


@given(st.lists(anything, max_size=4))
def test_every_shape_survives_its_text(regions: list[Region]) -> None:
    """Writing and reading gives the same regions, and the same text again."""
    answer = Answer({}, tuple(regions), {"tags": ("a", "b")})
    again = Answer.from_json(answer.to_json())
    assert again == answer
    assert again.to_json() == answer.to_json()


@given(polygons | skeletons | masks)
def test_checking_a_good_region_again_changes_nothing(region: Region) -> None:
    """What was stored may be sent again and is the same."""
    try:
        once = _checked(region)
    except InputError:
        return  # a ring without an area
    assert _checked(once) == once


@given(bitmaps)
def test_a_mask_keeps_every_pixel(found: np.ndarray) -> None:
    """Through run lengths, their text and back; its box is the tight one."""
    region = _checked(mask_region("red", found))
    assert np.array_equal(mask_pixels(region, HEIGHT, WIDTH), found)
    rows, columns = np.nonzero(found)
    assert region.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert compressed(run_lengths(region.rle), HEIGHT, WIDTH) == region.rle


@given(anything, hostile_numbers, st.data())
def test_a_number_that_is_none_is_refused(region: Region, bad: float, data) -> None:
    """NaN, infinity and places far outside, in any point."""
    if region.shape is Shape.MASK:
        return
    place = data.draw(st.integers(0, len(region.points) - 1))
    points = list(region.points)
    points[place] = (bad, *points[place][1:])
    if region.shape is Shape.KEYPOINTS:
        points[place] = (bad, points[place][1], 2.0)
    with pytest.raises(InputError):
        _checked(replace(region, points=tuple(points)))


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (polygon_region("red", [(0, 0), (9, 9)]), "at least 3"),
        (polygon_region("red", [(0, 0), (5, 5), (9, 9)]), "no area"),
        (polygon_region("red", [(0, 0), (5, 5), (9, 70)]), "outside"),
        (polygon_region("red", [(0, 0)] * 10_001), "at most 10,000"),
        (replace(polygon_region("red", [(0, 0), (9, 0), (9, 9)]), points=((1, 2, 3),) * 3), "point"),
        (keypoints_region("red", [(1, 1, 2)]), "expected 3"),
        (keypoints_region("red", [(1, 1, 0)] * 3), "not one"),
        (keypoints_region("red", [(1, 1, 3)] * 3), "0, 1 or 2"),
        (keypoints_region("red", [(1, 99, 2)] * 3), "outside"),
    ],
)  # fmt: skip
def test_points_that_make_no_region_are_refused(region: Region, said: str) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(InputError, match=said):
        _checked(region)


GOOD = mask_region("red", np.eye(HEIGHT, WIDTH, dtype=np.bool_)).rle


@pytest.mark.parametrize(
    ("rle", "said"),
    [
        ("", "no run lengths"),
        (GOOD[:-1] + "P", "cut off"),
        (GOOD[: len(GOOD) // 2], "covers|cut off"),
        (GOOD + "5", "covers"),
        ("é" + GOOD, "no run lengths"),
        (GOOD + "\x00", "no run length"),
        (GOOD + "~", "no run length"),
        ("o" * 6 + "?", "covers|negative"),
        ("o" * 40 + "0", "no run length"),
        ("0" * 5_401, "covers"),
        ("0" * 20_000, "no run lengths"),
        ("K", "negative"),
        ("0" * (MAX_RLE + 1), "no run lengths"),
    ],
)
def test_run_lengths_that_lie_are_refused_at_once(rle: str, said: str) -> None:
    """Before pycocotools, which trusts them, would read past the end."""
    region = Region("red", 0, 0, 5, 5, None, Shape.MASK, (), rle)
    began = time.process_time()
    with pytest.raises(InputError, match=said):
        _checked(region)
    assert time.process_time() - began < SLOW_SECONDS


@settings(max_examples=300)
@given(st.text(alphabet=[chr(c) for c in range(40, 120)], max_size=40))
def test_no_text_whatever_brings_the_reader_down(rle: str) -> None:
    """It is a mask of this image, or an InputError."""
    try:
        found = _checked(Region("red", 0, 0, 5, 5, None, Shape.MASK, (), rle))
    except InputError:
        return
    assert mask_pixels(found, HEIGHT, WIDTH).any()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_runs_of_no_length_make_no_other_mask(runs: list[int]) -> None:
    """Equal masks get equal text and a true box, however their runs were cut."""
    sizes = [*runs, WIDTH * HEIGHT - sum(runs)]
    flat = np.repeat(np.arange(len(sizes)) % 2 == 1, sizes)
    plain = flat.reshape(WIDTH, HEIGHT).T
    if not plain.any():
        return
    found = rle_region("red", compressed(sizes, HEIGHT, WIDTH), HEIGHT, WIDTH)
    assert found == mask_region("red", plain)


def test_a_long_text_of_lies_is_refused_at_once() -> None:
    """The longest there may be, for an image large enough for it."""
    region = Region("red", 0, 0, 5, 5, None, Shape.MASK, (), "0" * MAX_RLE)
    began = time.process_time()
    with pytest.raises(InputError, match="covers"):
        checked_region(region, 8000, 6000)
    assert time.process_time() - began < 4 * SLOW_SECONDS


def test_a_mask_without_a_pixel_is_refused() -> None:
    """An empty mask says nothing."""
    empty = compressed([WIDTH * HEIGHT], HEIGHT, WIDTH)
    with pytest.raises(InputError, match="empty"):
        _checked(Region("red", 0, 0, 5, 5, None, Shape.MASK, (), empty))


@given(st.lists(anything, min_size=1, max_size=3), st.randoms())
def test_likeness_is_symmetric_and_one_for_the_same(regions: list[Region], rng) -> None:
    """Whichever side is named first; another shape is not alike at all."""
    other = list(regions)
    rng.shuffle(other)
    one = likeness(regions, other)
    assert np.allclose(one, likeness(other, regions).T)
    assert ((one >= 0) & (one <= 1 + 1e-9)).all()
    for i, a in enumerate(regions):
        for j, b in enumerate(other):
            if a.shape is not b.shape:
                assert one[i, j] == 0


def test_marking_one_point_three_pixels_apart_is_the_same() -> None:
    """An object of one point has a size all the same; far apart is far apart."""
    one = keypoints_region("red", [(20, 20, 2), (0, 0, 0), (0, 0, 0)])
    near = keypoints_region("red", [(23, 20, 2), (0, 0, 0), (0, 0, 0)])
    far = keypoints_region("red", [(60, 20, 2), (0, 0, 0), (0, 0, 0)])
    assert match_regions([one], [near])
    assert not match_regions([one], [far])


def test_several_answers_are_compared_as_sets() -> None:
    """The order in which classes were named says nothing; a missing one does."""
    one = Answer({}, (), {"tags": ("a", "b")})
    assert same_answer(one, Answer({}, (), {"tags": ("b", "a")}))
    assert not same_answer(one, Answer({}, (), {"tags": ("a",)}))


BODY = LabelSchema(
    Task.KEYPOINTS,
    (make_question("label", "Who", ["red"]), make_question("tags", "Tags", ["a", "b"], True)),
    (make_question("severity", "Severity", ["low", "high"]),),
    Skeleton(("head", "hand", "foot"), ((0, 1), (0, 2))),
)


def test_a_schema_of_shapes_survives_its_text() -> None:
    """Skeleton, region questions and several answers come back."""
    assert LabelSchema.from_json(BODY.to_json()) == BODY


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({}, (Region("red", 0, 0, 5, 5),), {"tags": ()}), "takes keypoints"),
        (Answer({"tags": "a"}), "list of classes"),
        (Answer({}, (), {"tags": ("x",)}), "Unknown class 'x'"),
        (Answer(), "No answer yet to: tags"),
        (Answer({}, (keypoints_region("red", [(1, 1, 2)] * 3),), {"tags": ()}), "Severity"),
        (
            Answer(
                {}, (keypoints_region("red", [(1, 1, 2)] * 3, None, (("x", "low"),)),), {"tags": ()}
            ),
            "Unknown attribute",
        ),
    ],
)
def test_an_answer_of_shapes_that_does_not_fit_is_refused(answer: Answer, said: str) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(InputError, match=said):
        BODY.check(answer, 50, 50)


def test_classes_of_one_question_are_put_in_schema_order() -> None:
    """So that equal answers have equal text."""
    answer = BODY.check(Answer({}, (), {"tags": ("b", "a", "b")}), 50, 50)
    assert answer.multi == {"tags": ("a", "b")}


@pytest.mark.parametrize("text", [
    "[]", "{", '{"regions":[{"label":"a"}]}', '{"regions":[{"label":"a","box":[1,2,3]}]}',
    '{"regions":[{"label":"a","box":[1,2,3,4],"shape":"blob"}]}', '{"multi":{"a":1}}',
    '{"regions":[{"label":"a","box":[1,2,3,4],"points":[[1,"x"]]}]}', '{"regions":3}',
    '{"regions":[{"label":["a"],"box":[1,2,3,4]}]}',
])  # fmt: skip
def test_a_text_that_is_no_answer_is_a_value_error(text: str) -> None:
    """And nothing else, whatever was damaged."""
    with pytest.raises(ValueError, match=r".+"):
        Answer.from_json(text)
