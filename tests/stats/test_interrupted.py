"""Segmented regression: what a change did to a series' level and trend."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.stats.interrupted import interrupted


def series(step: float, bend: float, noise: float = 0.0, seed: int = 0, likeness: float = 0.0):
    """Return 40 days: trend 0.01 a day, a step and a bend at day 20, errors that carry over."""
    rng = np.random.default_rng(seed)
    t = np.arange(40.0)
    e = np.zeros(40)
    for i in range(40):
        e[i] = (likeness * e[i - 1] if i else 0.0) + rng.normal(0, noise)
    after = t >= 20
    return t, 0.3 + 0.01 * t + step * after + bend * (t - 20) * after + e


def test_an_exact_series_gives_back_its_step_and_bend():
    """Without noise the estimate is exact and its interval has no width."""
    t, y = series(0.1, -0.004)
    found = interrupted(t, y, np.ones(40), 20)
    assert (found.before, found.after, found.level.n) == (20, 20, 40)
    assert found.level.value == pytest.approx(0.1)
    assert found.slope.value == pytest.approx(-0.004)
    assert found.trend.value == pytest.approx(0.01)
    assert found.fitted == pytest.approx(tuple(y))
    assert found.without[-1] == pytest.approx(0.3 + 0.01 * 39)


def test_the_interval_holds_what_is_true_about_as_often_as_it_says():
    """Of 200 series whose errors carry over, at least 90 % of intervals hold the step."""
    held = 0
    for seed in range(200):
        t, y = series(0.1, 0.0, 0.03, seed, 0.3)
        level = interrupted(t, y, np.ones(40), 20).level
        held += level.low <= 0.1 <= level.high
    assert held >= 180


def test_a_trend_alone_is_no_step():
    """What rises anyhow is not credited to the change, as before against after would."""
    t, y = series(0.0, 0.0, 0.01, 3)
    level = interrupted(t, y, np.ones(40), 20).level
    assert level.low <= 0 <= level.high
    assert y[20:].mean() - y[:20].mean() > 0.15


def test_days_with_more_votes_weigh_more():
    """One wild day that rests on next to nothing does not move the step."""
    t, y = series(0.1, 0.0)
    y[25] += 5
    weight = np.ones(40)
    weight[25] = 1e-9
    assert interrupted(t, y, weight, 20).level.value == pytest.approx(0.1, abs=1e-6)


def test_few_days_on_a_side_are_not_enough():
    """Five days before the change: no estimate, but the counts."""
    t, y = series(0.1, 0.0)
    found = interrupted(t, y, np.ones(40), 5)
    assert (found.before, found.after, found.level.value, found.fitted) == (5, 35, None, ())
    assert interrupted([], [], [], 1).level.value is None


def test_a_series_out_of_order_is_refused():
    """Time must ascend, arrays be alike, weights be above 0."""
    with pytest.raises(InputError, match="ascend"):
        interrupted([2, 1], [1, 1], [1, 1], 1)
    with pytest.raises(InputError, match="length"):
        interrupted([1], [1, 1], [1, 1], 1)
    with pytest.raises(InputError, match="above 0"):
        interrupted([1, 2], [1, 1], [1, 0], 1)
