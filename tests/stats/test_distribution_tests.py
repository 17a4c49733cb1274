"""Distances and tests of two samples against scipy, by simulation, and at their edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.stats.distribution_tests import (
    chi_squared,
    clustered,
    distances,
    kolmogorov_smirnov,
    larger,
    larger_by_fold,
    pooled_cells,
)
from core.stats.thresholds import learned_threshold
from core.stats.told_apart import ranked, told_apart


def test_the_tests_are_scipys():
    """Chi-squared, Kolmogorov-Smirnov and Mann-Whitney agree with another implementation."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=80), rng.normal(0.3, 1, size=120)
    ks = stats.ks_2samp(a, b)
    assert kolmogorov_smirnov(a, b).statistic == pytest.approx(ks.statistic)
    assert kolmogorov_smirnov(a, b).p == pytest.approx(ks.pvalue, abs=0.01)
    table = np.array([[10, 20, 30], [20, 20, 20.0]])
    assert chi_squared(*table).p == pytest.approx(stats.chi2_contingency(table).pvalue)
    rounded, other = np.round(a), np.round(b)
    found = larger(rounded, other)
    mann = stats.mannwhitneyu(other, rounded, use_continuity=False, method="asymptotic")
    assert found.auc.value == pytest.approx(mann.statistic / (80 * 120))
    assert found.p == pytest.approx(mann.pvalue)


def test_small_cells_are_pooled_until_each_expects_enough():
    """A value of three pictures joins the next rarest; nothing is lost."""
    table = pooled_cells(np.array([[100, 40, 2, 1], [50, 20, 1, 0.0]]))
    assert table.shape == (2, 2)
    assert table.sum() == 214
    assert chi_squared(np.array([5.0, 0]), np.array([9.0, 0])).p is None
    assert chi_squared(np.zeros(2), np.array([9.0, 1])).p is None


def test_intervals_of_distances_cover_the_truth():
    """Of 200 draws the interval holds the true distance, and nought where there is none, in 95 %."""
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.3, 0.3, 0.25, 0.15])
    covered = none = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        a, b, c = (rng.multinomial(n, x).astype(float) for n, x in ((300, p), (120, q), (120, p)))
        far = distances(a, b, seed).variation
        covered += far.low <= 0.2 <= far.high
        none += distances(a, c, seed).variation.low == 0
    assert covered >= 180
    assert none >= 182


def test_delongs_interval_covers_and_never_leaves_0_to_1():
    """The area's interval covers it; with everything on one side it is still open."""
    truth, covered = stats.norm.cdf(1 / np.sqrt(2)), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = larger(rng.normal(size=60), rng.normal(1, 1, size=40)).auc
        covered += found.low <= truth <= found.high
    assert covered >= 182
    apart = larger(np.zeros(30), np.ones(30)).auc
    assert apart.value == apart.high == 1
    assert apart.low == pytest.approx(0.9)
    nobody = larger(np.zeros(0), np.ones(3))
    assert nobody.auc.value is None
    assert nobody.p is None
    folds = np.zeros(3, dtype=np.int64)
    assert larger_by_fold(np.zeros(3), np.ones(3), folds, folds + 1).p is None


def test_a_classifier_finds_nothing_in_noise_and_what_is_planted():
    """Of 40 null cases at most five are told apart; a shift in one of twenty features is."""
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(160, 20))
        told = told_apart(rows[:100], rows[100:], np.arange(100), np.arange(100, 160), seed)
        found += told.larger.p < 0.05
    assert found <= 5
    rows[100:, 3] += 1.5
    told = told_apart(rows[:100], rows[100:], np.arange(100), np.arange(100, 160))
    assert told.larger.auc.low > 0.65
    assert told.score_b.mean() > told.score_a.mean()


def test_copies_stand_in_one_fold():
    """The same pictures on both sides are told apart exactly as well as by a coin."""
    rows = np.random.default_rng(1).normal(size=(90, 10))
    found = told_apart(rows, rows, np.arange(90), np.arange(90))
    assert found.larger.auc.value == pytest.approx(0.5)


def test_a_wider_spread_is_told_by_ranks_too():
    """Normal scores keep their squares, NaN stands in the middle, a constant column tells nothing."""
    rng = np.random.default_rng(2)
    rows = np.vstack([rng.normal(0, 1, (150, 1)), rng.normal(0, 4, (150, 1))])
    rows[7, 0] = np.nan
    features = ranked(np.hstack([rows, np.ones((300, 1))]))
    assert np.isfinite(features).all()
    told = told_apart(features[:150], features[150:], np.arange(150), np.arange(150, 300))
    assert told.larger.auc.low > 0.6


def test_clusters_are_drawn_whole():
    """Twenty regions on one picture are one draw: what singly would be sure is not."""
    a = np.zeros((6, 2))
    a[0], a[1:] = (0, 20), (4, 0)
    b = np.tile([4.0, 0.0], (6, 1))
    assert clustered(a, b).p > 0.2
    many = clustered(np.tile([1.0, 3.0], (30, 1)), np.tile([3.0, 1.0], (30, 1)))
    assert many.p < 0.01
    assert many.variation.low > 0.3
    assert max(many.cell_p) < 0.01
    assert clustered(np.zeros((3, 2)), b).p is None


def test_a_limit_is_learnt_on_one_half_and_judged_on_the_other():
    """A planted limit is found with its side; noise hardly ever gives one; little data gives none."""
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 100, 600)
    bad = rng.random(600) < np.where(values < 30, 0.6, 0.1)
    found = learned_threshold(values, bad)
    assert found is not None
    assert found.at_least
    assert found.limit.low <= 30 <= found.limit.high + 3
    assert found.limit.value == pytest.approx(30, abs=8)
    assert found.difference.low > 0.2
    sure = sum(
        t.p < 0.05
        for s in range(40)
        if (t := learned_threshold(values, np.random.default_rng(s).random(600) < 0.3, s))
    )
    assert sure <= 6
    assert learned_threshold(values[:30], bad[:30]) is None
    assert learned_threshold(values, np.zeros(600, dtype=bool)) is None
    assert learned_threshold(np.ones(600), bad) is None


def test_a_limit_hardly_moves_when_two_observations_leave():
    """Halves and draws are each observation's own: two of 600 fewer leave the limit and the verdict."""
    rng = np.random.default_rng(3)
    values, keys = rng.uniform(0, 100, 600), np.arange(1000, 1600)
    bad = rng.random(600) < np.where(values < 30, 0.5, 0.15)
    whole = learned_threshold(values, bad, keys=keys)
    assert whole.holds
    assert whole.limit.low <= 30 <= whole.limit.high
    for gone in ((0, 1), (17, 400), (250, 599)):
        kept = np.delete(np.arange(600), gone)
        part = learned_threshold(values[kept], bad[kept], keys=keys[kept])
        assert part.holds
        assert part.at_least
        # A step from one candidate to the next is 2.5 here.
        assert part.limit.value == pytest.approx(whole.limit.value, abs=4)
        assert part.difference.value == pytest.approx(whole.difference.value, abs=0.05)
    shuffled = rng.permutation(600)
    assert learned_threshold(values[shuffled], bad[shuffled], keys=keys[shuffled]) == whole
