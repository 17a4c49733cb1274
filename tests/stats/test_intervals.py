"""Intervals of a plain proportion."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from core.errors import InputError
from core.stats.intervals import UNDEFINED, clopper_pearson, wilson

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_nothing_seen_is_not_enough_data(interval):
    """Without observations there is no estimate, rather than a zero."""
    assert interval(0, 0) == UNDEFINED


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_both_intervals_equal_scipys(counts, level):
    """Wilson and Clopper-Pearson equal scipy's own to 1e-9."""
    successes, n = counts
    result = binomtest(successes, n)
    for method, interval in (("wilson", wilson), ("exact", clopper_pearson)):
        theirs, ours = result.proportion_ci(level, method), interval(successes, n, level)
        assert math.isclose(ours.low, theirs.low, abs_tol=1e-9)
        assert math.isclose(ours.high, theirs.high, abs_tol=1e-9)


@given(COUNTS)
def test_the_value_lies_inside_and_mirrors(counts):
    """The interval holds the value, stays in 0 to 1, and of failures is the mirror image."""
    successes, n = counts
    for interval in (wilson, clopper_pearson):
        e, mirror = interval(successes, n), interval(n - successes, n)
        assert 0 <= e.low <= e.value <= e.high <= 1
        assert math.isclose(e.low, 1 - mirror.high, abs_tol=1e-9)


def test_exact_interval_covers_at_least_its_level():
    """Over every outcome, Clopper-Pearson holds the truth with at least its level."""
    n = 30
    ends = [clopper_pearson(k, n) for k in range(n + 1)]
    for truth in (0.02, 0.1, 0.37, 0.5, 0.93):
        covered = sum(
            binom.pmf(k, n, truth) for k, e in enumerate(ends) if e.low <= truth <= e.high
        )
        assert covered >= 0.95


@pytest.mark.parametrize(("successes", "n", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_impossible_counts_are_refused(successes, n, level):
    """More successes than trials, or a level of one, is refused with a sentence."""
    for interval in (wilson, clopper_pearson):
        with pytest.raises(InputError):
            interval(successes, n, level)
