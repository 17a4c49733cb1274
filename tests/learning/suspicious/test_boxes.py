"""ObjectLab: overlooked, badly located and swapped regions."""

from __future__ import annotations

import random

import pytest

from core.labels.region import Region
from core.learning.suspicious.boxes import AGREE, Fault, doubted_image, sure_from

CAR = Region("car", 10, 10, 60, 60)
CAT = Region("cat", 100, 100, 140, 150)


def _said(region: Region, label: str = "", dx: float = 0.0, sure: float = 0.99) -> Region:
    x1, y1, x2, y2 = region.box
    return Region(label or region.label, x1 + dx, y1, x2 + dx, y2, sure)


def test_labels_a_detector_agrees_with_are_sound():
    """Nothing is doubted where every region is found in its place, nor where there is nothing."""
    found = doubted_image([CAR, CAT], [_said(CAR), _said(CAT, dx=2)], 0.9)
    assert found.faults == ()
    assert found.score == pytest.approx(0)
    assert doubted_image([], [], 0.9).score == pytest.approx(0)


def test_a_sure_prediction_on_nothing_was_overlooked():
    """It is named by the prediction, once, however often the detector says it; an unsure one is not."""
    twice = [_said(CAR), _said(CAT), _said(CAT, dx=1, sure=0.97)]
    found = doubted_image([CAR], twice, 0.9)
    assert [(f.fault, f.label, f.said) for f in found.faults] == [(Fault.OVERLOOKED, -1, 1)]
    assert doubted_image([CAR], [_said(CAR), _said(CAT, sure=0.7)], 0.9).faults == ()


def test_a_region_of_another_class_in_its_place_is_swapped():
    """The class is doubted, not the place, unless the given class is seen there as well."""
    found = doubted_image([CAR], [_said(CAR, "cat")], 0.9)
    assert [(f.fault, f.label, f.said) for f in found.faults] == [(Fault.SWAPPED, 0, 0)]
    both = [_said(CAR, "cat", dx=1), _said(CAR)]
    assert doubted_image([CAR], both, 0.9).faults == ()


def test_a_region_beside_what_is_seen_is_badly_located():
    """Its score grows the farther it lies from where the class is seen."""
    near = doubted_image([CAR], [_said(CAR, dx=25)], 0.9)
    far = doubted_image([CAR], [_said(CAR, dx=35)], 0.9)
    assert [f.fault for f in near.faults] == [Fault.BADLY_LOCATED]
    assert far.score > near.score > 0.1


def test_one_bad_region_of_many_is_not_averaged_away():
    """The worst region tells of the image: nineteen sound ones do not hide it."""
    many = [Region("car", 0, 100 * i, 50, 100 * i + 50) for i in range(20)]
    said = [_said(r, "cat" if i == 4 else "") for i, r in enumerate(many)]
    assert doubted_image(many, said, 0.9).score > 0.3


def test_sure_is_where_predictions_agree_with_the_labels():
    """A modest detector that is right from 0.6 on is believed from there; one never right keeps 0.95."""
    chance = random.Random(0)
    given = {i: [CAR] for i in range(300)}
    said = {}
    for i in given:
        score = chance.random()
        said[i] = [_said(CAR, "" if score > 0.6 else "cat", sure=score)]
    assert 0.55 < sure_from(given, said) < 0.62
    assert sure_from(given, {i: [_said(CAR, "cat")] for i in given}) == AGREE
    assert sure_from({1: [CAR]}, {1: [_said(CAR)]}) == AGREE
