"""Middles, outlines, pixels and STAPLE."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes, label

from core.consensus.regions import Area, Geometry, Middle
from core.consensus.regions.areas import vote_pixels
from core.consensus.regions.blend import blend
from core.consensus.regions.middle import mean, median
from core.consensus.regions.outline import outline
from core.consensus.regions.staple import staple
from core.labels.geometry import likeness
from core.labels.shapes import (
    keypoints_region,
    mask_pixels,
    mask_region,
    polygon_area,
    polygon_region,
)

numbers = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=7)


@given(numbers, st.data())
def test_a_weight_of_two_is_two_people(values, data) -> None:
    """For the mean and for the median, which with equal weights is the usual one."""
    counts = data.draw(st.lists(st.integers(1, 3), min_size=len(values), max_size=len(values)))
    repeated = np.repeat(values, counts)
    weights = [float(c) for c in counts]
    assert median(values, weights) == pytest.approx(float(np.median(repeated)))
    assert mean(values, weights) == pytest.approx(float(repeated.mean()))


def test_who_weighs_nothing_is_not_between() -> None:
    """The middle of two goes past a value without weight."""
    assert median([1.0, 5.0, 3.0], [1.0, 1.0, 0.0]) == 3.0
    assert median([1.0, 5.0, 9.0], [1.0, 0.0, 1.0]) == 5.0
    assert median([1.0, 2.0, 9.0], [1.0, 0.0, 1.0]) == 5.0


def test_points_are_fused_one_by_one() -> None:
    """The median of those who have it, there and visible by vote, by weight where given."""
    group = [
        keypoints_region("a", [(10, 10, 2), (50, 50, 2), (0, 0, 0)]),
        keypoints_region("a", [(12, 10, 1), (54, 50, 2), (0, 0, 0)]),
        keypoints_region("a", [(90, 13, 1), (0, 0, 0), (30, 90, 2)]),
    ]
    assert blend(group, Geometry()).points == ((12, 10, 1), (52, 50, 2), (0, 0, 0))
    heavy = blend(group, Geometry(), [1, 1, 3]).points
    assert heavy == ((90, 13, 1), (0, 0, 0), (30, 90, 2))


def _blob(rng: np.random.Generator, side: int) -> np.ndarray:
    noise = rng.random((side, side)) < 0.62
    pieces, count = label(noise)
    sizes = np.bincount(pieces.ravel())[1:]
    return binary_fill_holes(pieces == int(sizes.argmax()) + 1) if count else noise


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(4, 40))
def test_an_outline_drawn_again_is_nearly_the_same_pixels(seed, side) -> None:
    """Of any one piece: the ring encloses as much, but for a pixel along the edge."""
    piece = _blob(np.random.default_rng(seed), side)
    ring = outline(piece)
    edge = 4 * side + 2 * int(np.abs(np.diff(piece.astype(int))).sum())
    if len(ring) >= 3:
        assert abs(polygon_area(ring) - piece.sum()) <= edge


def test_an_outline_of_a_rectangle_has_few_corners() -> None:
    """And its area."""
    pixels = np.zeros((60, 80), dtype=bool)
    pixels[10:50, 20:70] = True
    ring = outline(pixels)
    assert len(ring) <= 8
    assert polygon_area(ring) == pytest.approx(40 * 50, rel=0.04)
    assert min(x for x, _ in ring) == pytest.approx(20, abs=0.5)
    assert max(y for _, y in ring) == pytest.approx(50, abs=0.5)


def test_two_pieces_and_a_ring_have_no_outline() -> None:
    """Crumbs and pinholes are passed over."""
    pixels = np.zeros((40, 40), dtype=bool)
    assert outline(pixels) == []
    pixels[5:15, 5:15] = pixels[25:35, 25:35] = True
    assert outline(pixels) == []
    ring = np.zeros((40, 40), dtype=bool)
    ring[5:35, 5:35] = True
    ring[12:28, 12:28] = False
    assert outline(ring) == []
    ring[12:28, 12:28] = True
    ring[20, 20], ring[38, 38] = False, True
    assert polygon_area(outline(ring)) == pytest.approx(900, rel=0.04)


def square(x: float, y: float, size: float):
    """Return a square polygon."""
    return polygon_region("a", [(x, y), (x + size, y), (x + size, y + size), (x, y + size)])


def test_polygons_are_fused_by_their_areas() -> None:
    """Three squares in a row give the middle one; two that share nothing give one of them."""
    fused = blend([square(0, 0, 100), square(10, 0, 100), square(30, 0, 100)], Geometry())
    assert likeness([fused], [square(10, 0, 100)])[0, 0] > 0.98
    apart = [square(0, 0, 10), square(50, 0, 10)]
    assert likeness([blend(apart, Geometry())], apart).max() > 0.9
    whole = blend([square(0, 0, 100), square(10, 0, 100)], Geometry(polygons=Area.WHOLE))
    assert whole in (square(0, 0, 100), square(10, 0, 100))


def test_smoothing_leaves_alone_what_all_agree_on() -> None:
    """A spike everybody drew stays, one that half drew goes with its surroundings."""
    one = np.zeros((9, 9), dtype=bool)
    one[3:6, 3:6] = True
    spike = one.copy()
    spike[1, 4] = True
    assert np.array_equal(vote_pixels(np.array([spike, spike]), [1.0, 1.0], 0, 1), spike)
    marks = np.array([one, spike, spike])
    assert np.array_equal(vote_pixels(marks, [1.0] * 3, 0, 0), spike)
    assert np.array_equal(vote_pixels(marks, [1.0] * 3, 0, 1), one)


def test_masks_by_weight() -> None:
    """Whoever counts more than the others together draws the mask."""
    rng = np.random.default_rng(4)
    maps = [rng.random((12, 17)) < 0.5 for _ in range(3)]
    fused = blend([mask_region("a", m) for m in maps], Geometry(smooth_px=0), [1, 3, 1])
    assert np.array_equal(mask_pixels(fused, 12, 17), maps[1])


def test_staple_of_one_of_equals_and_of_nothing() -> None:
    """There is nothing to learn: the outline is theirs."""
    marks = np.random.default_rng(1).random((4, 6)) < 0.5
    nothing = np.zeros((3, 4, 6), dtype=bool)
    for given_marks in (marks[None], np.array([marks] * 3), nothing, ~nothing):
        found = staple(given_marks)
        assert np.array_equal(found.probability, given_marks[0].astype(float))
        assert (found.rounds, found.converged) == (0, True)
        assert found.sensitivity.tolist() == found.specificity.tolist() == [1.0] * len(given_marks)


def test_staple_finds_the_outline_and_who_is_good_at_it() -> None:
    """Of two careful people and three careless ones better than a vote; skills near the true ones."""
    rng = np.random.default_rng(8)
    truth = np.zeros((80, 80), dtype=bool)
    truth[20:60, 15:65] = True
    skill = [(0.97, 0.98), (0.96, 0.97), (0.7, 0.75), (0.72, 0.7), (0.68, 0.72)]
    draw = [
        np.where(truth, rng.random(truth.shape) < p, rng.random(truth.shape) > q) for p, q in skill
    ]
    marks = np.array(draw)
    found = staple(marks)
    assert found.converged
    assert found.sensitivity == pytest.approx([p for p, _ in skill], abs=0.03)
    assert found.specificity == pytest.approx([q for _, q in skill], abs=0.03)
    wrong = ((found.probability > 0.5) != truth).mean()
    assert wrong < 0.7 * ((marks.sum(axis=0) >= 3) != truth).mean()


def test_staple_does_not_depend_on_who_comes_first() -> None:
    """But for the last digits."""
    marks = np.random.default_rng(3).random((5, 20, 20)) < 0.4
    found, again = staple(marks), staple(marks[::-1])
    assert np.allclose(found.probability, again.probability, atol=1e-9)
    assert np.allclose(found.sensitivity, again.sensitivity[::-1], atol=1e-9)


def test_staple_with_somebody_who_marked_nothing() -> None:
    """An empty outline beside two that agree does not win."""
    marks = np.zeros((3, 10, 10), dtype=bool)
    marks[:2, 3:7, 3:7] = True
    found = staple(marks)
    assert np.array_equal(found.probability > 0.5, marks[0])
    assert found.sensitivity[2] == 0


@pytest.mark.parametrize("middle", Middle)
def test_equal_boxes_stay_to_the_last_digit(middle) -> None:
    """A mean of equal numbers may be another number."""
    boxes = [square(0.1, 0.7, 33.3)] * 3
    assert blend(boxes, Geometry(middle)) == boxes[0]
