"""Figures as shown: n, interval, or not enough data."""

from __future__ import annotations

import random

import pytest

from core.analytics.asked import Basis
from core.analytics.boxes import BoxFigure, Kind
from core.analytics.figures import (
    accuracy_figures,
    box_figures,
    person_figures,
)
from core.analytics.people import PersonRow, Shares
from core.analytics.rightness import Accuracy, ClassFigure
from core.analytics.tally import Tally
from core.stats.intervals import wilson


def accuracy(*people, n=None, correct=None):
    """Return accuracy on one class, by (n, correct) of people."""
    tallies = tuple(Tally(i, *p) for i, p in enumerate(people))
    n = sum(p[0] for p in people) if n is None else n
    correct = sum(p[1] for p in people) if correct is None else correct
    return Accuracy(Basis.INDEPENDENT, 0, (ClassFigure("cat", n, correct, tallies),), tallies)


def test_a_model_has_wilsons_interval():
    """Without people the interval is that of a plain proportion."""
    found = accuracy_figures(accuracy(n=40, correct=30))
    assert found.classes[0].estimate == found.overall.estimate == wilson(30, 40)


def test_people_who_differ_widen_the_interval():
    """Two very different persons say less than as many equal votes; never more."""
    differ = accuracy_figures(accuracy((200, 190), (200, 90), (200, 150))).overall.estimate
    same = accuracy_figures(accuracy((200, 143), (200, 143), (200, 144))).overall.estimate
    plain = wilson(430, 600)
    assert differ.low < plain.low - 0.05
    assert differ.high > plain.high + 0.05
    assert same.low == pytest.approx(plain.low, abs=1e-9)
    assert same.value == differ.value == 430 / 600


def test_too_little_is_a_state_and_not_a_zero():
    """Below the minimum there is no value; at the minimum there is."""
    few = accuracy_figures(accuracy(n=4, correct=0)).overall
    assert not few.is_enough
    assert (few.n, few.estimate.value, few.estimate.low) == (4, None, None)
    assert accuracy_figures(accuracy(n=5, correct=0)).overall.estimate.value == 0
    assert accuracy_figures(accuracy(n=4, correct=1), fewest=2).overall.is_enough


def test_boxes_of_one_item_hang_together():
    """Boxes that are right or wrong item by item say less than as many alone."""
    kinds = (Kind(10, 10, 15), Kind(10, 0, 5))
    figure = ClassFigure("cat", 200, 150)
    recall, precision = box_figures(
        BoxFigure("cat", figure, figure, kinds, (Kind(1, 1, 150), Kind(1, 0, 50)))
    )
    assert recall.estimate.low < precision.estimate.low - 0.03
    assert recall.estimate.value == precision.estimate.value == 0.75


def person(*shares, gold=(0, 0)):
    """Return a row of one person."""
    return PersonRow("ann", "person", 1, 1, 0, 0, None, *gold, tuple(Shares(*s) for s in shares))


def test_agreement_is_a_mean_over_items():
    """Each item counts once, whatever the number of others on it, and draws items again."""
    (found,) = person_figures([person((1, 1, 30), (1, 0, 10), (4, 2, 20), gold=(20, 15))])
    assert found.agreement.estimate.value == pytest.approx((30 + 0 + 10) / 60)
    assert found.gold.estimate == wilson(15, 20)
    rng = random.Random(3)
    items = [1.0] * 30 + [0.0] * 10 + [0.5] * 20
    means = sorted(sum(rng.choices(items, k=60)) / 60 for _ in range(4000))
    assert found.agreement.estimate.low == pytest.approx(means[100], abs=0.03)
    assert found.agreement.estimate.high == pytest.approx(means[3899], abs=0.03)


@pytest.mark.parametrize(("same", "value"), [(1, 1.0), (0, 0.0)])
def test_all_equal_items_do_not_feign_certainty(same, value):
    """A person who always (never) agreed still gets an interval."""
    (found,) = person_figures([person((1, same, 12))])
    assert found.agreement.estimate.value == value
    assert found.agreement.estimate.low < found.agreement.estimate.high
    (few,) = person_figures([person((1, same, 4))])
    assert not few.agreement.is_enough
