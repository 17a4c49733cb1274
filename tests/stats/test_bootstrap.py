"""The clustered bootstrap and what is built on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.stats.bootstrap import clustered_mean, clustered_ratio, resampled_sums
from core.stats.intervals import UNDEFINED, wilson
from core.stats.weighted import weighted_proportion


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_interval_of_a_mean_is_close_to_the_normal_one(rng):
    """With one observation per cluster the ends lie where the standard error puts them."""
    values = rng.normal(5, 2, 400)
    e = clustered_mean(np.arange(400), values)
    half = 1.96 * values.std() / 20
    assert e.value == pytest.approx(values.mean())
    assert e.low == pytest.approx(e.value - half, abs=0.04)
    assert e.high == pytest.approx(e.value + half, abs=0.04)
    assert e.n == 400


def test_clusters_and_not_observations_are_drawn(rng):
    """Ten copies of each observation in one cluster leave the interval as wide as one copy."""
    values = rng.random(60)
    once = clustered_mean(np.arange(60), values)
    copied = clustered_mean(np.repeat(np.arange(60), 10), np.repeat(values, 10))
    assert (copied.n, copied.low) == (60, pytest.approx(once.low, abs=0.01))
    assert copied.high == pytest.approx(once.high, abs=0.01)


def test_the_interval_covers_the_truth_about_as_often_as_it_says(rng):
    """Over 200 samples of correlated clusters the 95 % interval holds the truth nearly that often."""
    covered = 0
    for _ in range(200):
        rate = rng.beta(4, 2, 80)
        hits = rng.random((80, 4)) < rate[:, None]
        e = clustered_mean(np.repeat(np.arange(80), 4), hits.ravel(), replicates=400)
        covered += e.low <= 2 / 3 <= e.high
    assert 180 <= covered <= 199


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
@settings(max_examples=50)
def test_order_and_names_of_clusters_change_nothing(rows, random):
    """Shuffled observations of clusters renamed give the very same estimate."""
    name = random.sample(range(100, 200), 10)
    before = clustered_mean([c for c, _ in rows], [v for _, v in rows], seed=3)
    random.shuffle(rows)
    assert clustered_mean([name[c] for c, _ in rows], [v for _, v in rows], seed=3) == before


def test_same_seed_same_interval_and_another_seed_another(rng):
    """The interval is a function of the data and the seed."""
    values = rng.random(50)
    first = clustered_mean(np.arange(50), values, seed=1)
    assert clustered_mean(np.arange(50), values, seed=1) == first
    assert clustered_mean(np.arange(50), values, seed=2).low != first.low


def test_drawing_kinds_equals_drawing_clusters(rng):
    """Drawing equal clusters together gives sums with the mean and spread of drawing each."""
    rows = rng.integers(0, 3, (500, 1)).astype(float)
    kinds, repeats = np.unique(rows, axis=0, return_counts=True)
    together = resampled_sums(kinds, repeats, 0, 4000)
    singly = resampled_sums(rows, np.ones(500, np.int64), 0, 4000)
    assert together.mean() == pytest.approx(singly.mean(), rel=0.01)
    assert together.std() == pytest.approx(singly.std(), rel=0.06)


def test_nothing_and_one_cluster_have_no_interval():
    """Without data nothing is defined; one cluster has a value and no interval."""
    assert clustered_mean([], []) == UNDEFINED
    one = clustered_mean([5, 5], [0, 1])
    assert (one.value, one.low, one.n) == (0.5, None, 1)
    assert clustered_mean([1, 2], [0, 1], replicates=0).low is None


@pytest.mark.parametrize("said", [0, 1])
def test_unanimous_clusters_do_not_feign_certainty(said):
    """Where all say the same the interval is Wilson's for as many clusters, not a point."""
    e = clustered_mean(np.repeat(np.arange(10), 3), np.full(30, said))
    assert (e.low, e.high) == (wilson(10 * said, 10).low, wilson(10 * said, 10).high)


def test_a_ratio_weighs_clusters_by_their_denominator():
    """Sums are divided, not averaged per cluster."""
    e = clustered_ratio([1, 2], [1, 0], [1, 9])
    assert e.value == pytest.approx(0.1)


@pytest.mark.parametrize("bad", [([1], [1, 2], [1, 2]), ([1, 2], [1, 2], [1])])
def test_columns_of_different_length_are_refused(bad):
    """Arrays that do not fit are an error, not a broadcast."""
    with pytest.raises(InputError):
        clustered_ratio(*bad)


def test_weighting_undoes_an_unequal_draw(rng):
    """Hard items drawn ten times as often: the plain share is far off, the weighted one right."""
    hard = rng.random(20_000) < 0.3
    wrong = rng.random(20_000) < np.where(hard, 0.4, 0.02)
    probability = np.where(hard, 0.5, 0.05)
    drawn = rng.random(20_000) < probability
    item = np.arange(20_000)[drawn]
    e = weighted_proportion(item, wrong[drawn], probability[drawn])
    assert e.low < wrong.mean() < e.high
    assert wrong[drawn].mean() > 2 * wrong.mean()
    assert e.high - e.low < 0.05


def test_equal_draws_give_the_plain_proportion():
    """With one draw probability weighting changes nothing."""
    e = weighted_proportion([1, 2, 3, 4], [1, 0, 0, 1], [0.2] * 4)
    assert e.value == pytest.approx(0.5)
    sure = weighted_proportion([1, 2, 3, 4], [1, 1, 1, 1], [0.2] * 4)
    assert sure.low == pytest.approx(wilson(4, 4).low)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.01, float("nan")])
def test_an_impossible_draw_probability_is_refused(probability):
    """A unit that could not have been drawn cannot be weighted."""
    with pytest.raises(InputError):
        weighted_proportion([1, 2], [0, 1], [0.5, probability])


def test_clusters_that_all_say_the_same_share_are_not_certain():
    """Forty clusters of one half, or of 0.8, have Wilson's interval at their number, not one of no width."""
    for share in (0.5, 0.8):
        e = clustered_mean(np.repeat(np.arange(40), 2), np.tile([share - 0.2, share + 0.2], 40))
        sure = wilson(40 * share, 40)
        assert (e.value, e.low, e.high) == pytest.approx((share, sure.low, sure.high))


def test_equal_figures_beyond_a_share_have_no_interval():
    """What may lie above 1, such as seconds, has no share's bounds: no interval, not one of no width."""
    e = clustered_mean(np.arange(5), np.full(5, 7.0))
    assert (e.value, e.low, e.high, e.n) == (7, None, None, 5)
