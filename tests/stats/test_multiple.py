"""Adjusted p-values, and ranks only where intervals separate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from core.errors import InputError
from core.stats.intervals import UNDEFINED, Estimate
from core.stats.multiple import Standing, benjamini_hochberg, rank_where_separate

P = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P)
def test_adjusted_values_equal_scipys(p):
    """The adjustment is scipy's, in the order given."""
    assert benjamini_hochberg(p) == pytest.approx(list(false_discovery_control(p)))


@given(P)
def test_unknown_values_stay_unknown_and_do_not_count(p):
    """None in between changes nothing for the others."""
    mixed = [x for value in p for x in (None, value)]
    adjusted = benjamini_hochberg(mixed)
    assert adjusted[1::2] == benjamini_hochberg(p)
    assert set(adjusted[::2]) == {None}


def test_pure_noise_is_rarely_called_a_finding():
    """Over 300 sets of 40 true null hypotheses at most about 5 % contain a finding at q 0.05."""
    rng = np.random.default_rng(5)
    found = sum(min(benjamini_hochberg(list(rng.random(40)))) <= 0.05 for _ in range(300))
    assert found <= 27


def test_an_impossible_p_is_refused():
    """A p-value above one is an error."""
    with pytest.raises(InputError):
        benjamini_hochberg([0.2, 1.2])


def between(low, high):
    return Estimate((low + high) / 2, low, high, 50)


def test_people_are_ranked_only_where_intervals_separate():
    """One clearly best is first, two that overlap share second and third, unknown has no place."""
    people = [between(0.5, 0.7), between(0.9, 0.95), between(0.6, 0.8), UNDEFINED]
    standings = rank_where_separate(people)
    assert standings == [Standing(2, 3), Standing(1, 1), Standing(2, 3), None]
    assert [s.rank if s else None for s in standings] == [None, 1, None, None]


ESTIMATES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 5)).map(lambda t: between(t[0], t[0] + t[1])),
    max_size=12,
)


@given(ESTIMATES)
def test_standings_equal_counting_pair_by_pair(estimates):
    """Best and worst rank count those surely above and surely below, touching ends being neither."""
    for e, s in zip(estimates, rank_where_separate(estimates), strict=True):
        assert s.best == 1 + sum(o.low > e.high for o in estimates)
        assert s.worst == len(estimates) - sum(o.high < e.low for o in estimates)
