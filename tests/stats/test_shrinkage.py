"""Groups drawn towards each other, held to simulation and to what the models say of themselves."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.stats.shrinkage import (
    Believed,
    believe_means,
    believe_shares,
    fit_beta,
    fit_normal,
    shortfall,
)


def test_the_beta_prior_finds_the_one_the_groups_were_drawn_from():
    """Two thousand groups of forty give back the mean and the strength they were drawn with."""
    rng = np.random.default_rng(1)
    n = np.full(2000, 40.0)
    found = fit_beta(rng.binomial(40, rng.beta(18, 2, 2000)).astype(float), n)
    assert found.mean == pytest.approx(0.9, abs=0.01)
    assert 14 < found.strength < 28


def test_groups_that_are_all_alike_are_drawn_together():
    """Where groups differ by chance alone, the prior is strong and a bad small group is not believed."""
    rng = np.random.default_rng(2)
    n = np.full(400, 50.0)
    k = rng.binomial(50, 0.8, 400).astype(float)
    prior = fit_beta(k, n)
    assert prior.strength > 300
    assert believe_shares(np.array([5.0]), np.array([10.0]), prior).mean[0] > 0.75


def test_a_handful_of_groups_is_never_taken_to_be_all_the_same():
    """Six groups that chance alone could have made still leave room for one to be worse."""
    prior = fit_beta(np.array([85.0, 84, 88, 80, 86, 83]), np.full(6, 100.0))
    assert prior.strength < 3000
    believed = believe_shares(np.array([60.0]), np.array([100.0]), prior).mean[0]
    assert believed < prior.mean - 0.01


def test_shrinking_comes_nearer_the_truth_than_the_plain_share():
    """Over many groups the squared error is smaller than without shrinking: why one does it."""
    rng = np.random.default_rng(3)
    truth = rng.beta(30, 5, 1000)
    n = rng.integers(20, 60, 1000).astype(float)
    k = rng.binomial(n.astype(int), truth).astype(float)
    believed = believe_shares(k, n, fit_beta(k, n))
    assert ((believed.mean - truth) ** 2).mean() < 0.6 * ((k / n - truth) ** 2).mean()


def test_a_group_without_data_is_what_all_are():
    """Nothing observed leaves the prior's mean; much observed leaves the group's own share."""
    prior = fit_beta(np.array([80.0, 90.0]), np.array([100.0, 100.0]))
    mean = believe_shares(np.array([0.0, 1e6]), np.array([0.0, 2e6]), prior).mean
    assert mean[0] == pytest.approx(prior.mean)
    assert mean[1] == pytest.approx(0.5, abs=0.03)


def test_the_normal_prior_finds_how_far_groups_lie_apart():
    """Means with a known error give back centre and spread; without any spread, none."""
    rng = np.random.default_rng(4)
    variance = rng.uniform(0.01, 0.04, 2000)
    found = fit_normal(rng.normal(2, 0.3, 2000) + rng.normal(0, np.sqrt(variance)), variance)
    assert found.mean == pytest.approx(2, abs=0.03)
    assert found.spread == pytest.approx(0.3, abs=0.03)
    alike = fit_normal(2 + rng.normal(0, np.sqrt(variance)), variance)
    assert alike.spread < 0.05
    pulled = believe_means(np.array([3.0]), np.array([0.09]), found).mean[0]
    assert pulled == pytest.approx(2.5, abs=0.06)


def test_the_shortfall_is_what_drawing_from_both_beliefs_gives():
    """Probability and expected shortfall agree with a hundred thousand draws of the Beta posteriors."""
    rng = np.random.default_rng(5)
    group, rest = rng.beta(30, 12, 100_000), rng.beta(900, 100, 100_000)
    short = rest - group - 0.05
    probability, loss = shortfall(
        Believed(np.array([group.mean()]), np.array([group.std()])),
        Believed(np.array([rest.mean()]), np.array([rest.std()])),
        0.05,
    )
    assert probability[0] == pytest.approx((short > 0).mean(), abs=0.01)
    assert loss[0] == pytest.approx(np.maximum(short, 0).mean(), rel=0.02)


def test_impossible_counts_are_refused():
    """More successes than observations, or a variance of nothing, is an error and not a number."""
    with pytest.raises(InputError, match="successes"):
        fit_beta(np.array([3.0]), np.array([2.0]))
    with pytest.raises(InputError, match="variance"):
        fit_normal(np.array([1.0]), np.array([0.0]))
    assert fit_beta(np.zeros(0), np.zeros(0)).mean == 0.5
    assert fit_normal(np.zeros(0), np.zeros(0)).spread == 0
