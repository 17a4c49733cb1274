"""The audit's test by betting, its interval, and its warning of a rise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InputError
from core.stats.betting import RateTest, drift, rate_interval


def test_at_the_target_the_alarm_is_as_rare_as_stated():
    """Watched after every one of 300 checks, sequences at the target itself alarm in at most the level."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        test = RateTest(0.1, 0.1)
        alarms += any(test.add(bool(w)) for w in rng.random(300) < 0.1)
    assert alarms / 200 <= 0.1 + 3 * math.sqrt(0.09 / 200)


def test_a_whole_population_at_the_target_alarms_as_rarely():
    """Drawn to the last item without replacement, the level holds as well."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        test = RateTest(0.1, 0.1, population=200)
        alarms += any(test.add(bool(w)) for w in rng.permutation(200) < 20)
    assert alarms / 200 <= 0.1 + 3 * math.sqrt(0.09 / 200)


def test_the_stake_is_fair_at_the_target():
    """Over every sequence of eight checks the stake is worth 1 on average, less below the target."""
    for p, fair in ((0.2, True), (0.1, False)):
        worth = 0.0
        for code in range(256):
            wrong = [bool(code >> k & 1) for k in range(8)]
            test = RateTest(0.2, 0.05)
            for w in wrong:
                test.add(w)
            worth += test.e * p ** sum(wrong) * (1 - p) ** (8 - sum(wrong))
        assert math.isclose(worth, 1.0) if fair else worth < 1


def test_an_excess_is_found():
    """Three times the target is shown within a few hundred checks, and stays shown."""
    rng = np.random.default_rng(2)
    test = RateTest(0.05, 0.05)
    said = [test.add(bool(w)) for w in rng.random(400) < 0.15]
    assert said[-1]
    assert said.index(True) < 300
    assert said[said.index(True) :] == [True] * (400 - said.index(True))


def test_more_errors_than_allowed_in_all_end_a_small_population():
    """Once more are wrong than the target allows of all, that is certain; no overflow follows."""
    test = RateTest(0.1, 0.001, population=20)
    assert [test.add(True) for _ in range(5)][-1]
    assert math.isfinite(test.e)
    for _ in range(15):
        test.add(False)
    with pytest.raises(InputError, match="checked already"):
        test.add(False)


@pytest.mark.parametrize("population", [None, 400])
def test_the_interval_holds_at_every_moment(population):
    """At every tenth check of a sequence the interval holds the truth, in 95 % of sequences."""
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(100):
        if population:
            wrong = rng.permutation(population) < 0.1 * population
        else:
            wrong = rng.random(400) < 0.1
        ends = [rate_interval(wrong[:n], 0.95, population) for n in range(10, 401, 10)]
        missed += any(not low <= 0.1 <= high for low, high in ends)
    assert missed <= 5 + 3 * math.sqrt(100 * 0.05 * 0.95)


def test_the_interval_shrinks_to_the_truth():
    """All items checked, only the truth is left; nothing checked, all shares are."""
    assert rate_interval([True] + [False] * 9, 0.95, 10) == (0.1, 0.1)
    assert rate_interval([], 0.95, None) == (0.0, 1.0)
    low, high = rate_interval([False] * 500, 0.95)
    assert low == 0.0
    assert high < 0.025


def test_a_rise_is_warned_of():
    """Without a rise the sum is about the number of checks; after one it is far above."""
    rng = np.random.default_rng(4)
    calm = [drift(rng.random(200) < 0.05, 0.05) for _ in range(200)]
    assert np.mean(calm) < 2 * 200
    risen = np.concatenate([rng.random(200) < 0.02, rng.random(100) < 0.3])
    assert drift(risen, 0.05) > 10_000


@pytest.mark.parametrize(
    "call",
    [lambda: RateTest(0.0, 0.1), lambda: RateTest(0.1, 1.0), lambda: rate_interval([True], 1.0),
     lambda: rate_interval([True, True], 0.9, 1)],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(call):
    """Targets and levels beyond 0 to 1, and more checks than items, give a sentence."""
    with pytest.raises(InputError):
        call()
