"""How often a person is right: the posterior, its interval, and when it is enough to act."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from core.consensus.skill import LEAST_ANSWERS, SURE, Accuracy, accuracy, by_class
from core.errors import InputError


@pytest.mark.parametrize(("right", "n"), [(0, 1), (3, 10), (17, 20), (500, 500)])
def test_the_posterior_is_jeffreys_beta(right: int, n: int):
    """Mean, interval and probability are those of Beta(right + 1/2, wrong + 1/2)."""
    exact = beta(right + 0.5, n - right + 0.5)
    found = Accuracy(right, n)
    estimate = found.estimate()
    assert estimate.value == pytest.approx(exact.mean())
    assert (estimate.low, estimate.high) == pytest.approx(exact.ppf([0.025, 0.975]))
    assert found.below(0.8) == pytest.approx(exact.cdf(0.8))


def test_nothing_known_is_undefined():
    """Without an answer there is no figure, and nobody falls short."""
    assert accuracy([]).estimate().value is None
    assert not accuracy([]).falls_short(1.0)


def test_nobody_is_judged_on_few_answers():
    """Nine wrong answers are not enough, ten are."""
    assert not Accuracy(0, LEAST_ANSWERS - 1).falls_short(0.8)
    assert Accuracy(0, LEAST_ANSWERS).falls_short(0.8)


def test_who_meets_the_target_is_seldom_paused_at_a_look():
    """At one look after 40 answers a person exactly on target is paused in about 5 % of cases."""
    drawn = np.random.default_rng(5).binomial(40, 0.8, 4000)
    paused = np.mean([Accuracy(int(r), 40).falls_short(0.8) for r in drawn])
    assert 0.02 < paused < 0.08


@pytest.mark.parametrize(("right", "least", "most"), [(0.9, 0.0, 0.02), (0.7, 0.95, 1.0)])
def test_looked_at_after_every_answer(right: float, least: float, most: float):
    """Ten points above the target hardly anybody is ever paused in 200 answers, ten below nearly all."""
    n = np.arange(1, 201)
    hits = (np.random.default_rng(1).random((1000, 200)) < right).cumsum(axis=1)
    below = beta.cdf(0.8, hits + 0.5, n - hits + 0.5)
    paused = ((below > SURE) & (n >= LEAST_ANSWERS)).any(axis=1).mean()
    assert least <= paused <= most


def test_classes_are_counted_apart():
    """Each true class has its own posterior, in the order of names."""
    found = by_class([("owl", True), ("cat", False), ("cat", True)])
    assert {k: (v.right, v.n) for k, v in found.items()} == {"cat": (1, 2), "owl": (1, 1)}
    assert list(found) == ["cat", "owl"]


def test_impossible_counts_are_refused():
    """More right answers than answers are an error."""
    with pytest.raises(InputError):
        Accuracy(3, 2)
