"""How many more must be seen: held to trying every number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.stats.intervals import wilson
from core.stats.sample_size import half_width, more_needed


def test_of_a_large_population_it_is_wilsons_interval():
    """With a million waiting the correction is nothing."""
    plain = wilson(40, 50)
    assert plain.high is not None
    assert plain.low is not None
    assert half_width(40, 50, 1e9) == pytest.approx((plain.high - plain.low) / 2)


def test_who_saw_all_knows():
    """A population seen whole has no interval left."""
    assert half_width(7, 10, 10) == 0
    assert more_needed(7, 10, 10, 0.01) == 0


@given(
    n=st.integers(1, 80),
    wrong=st.floats(0, 1),
    waiting=st.integers(1, 150),
    points=st.integers(1, 20),
)
def test_it_is_the_smallest_number_that_does(n: int, wrong: float, waiting: int, points: int):
    """One fewer leaves the interval too wide; so many bring it under."""
    hits, target = n * wrong, points / 100
    found = more_needed(hits, n, n + waiting, target)
    share = hits / n
    assert 0 <= found <= waiting
    assert half_width(share * (n + found), n + found, n + waiting) <= target
    if found:
        before = n + found - 1
        assert half_width(share * before, before, n + waiting) > target - 0.004


def test_nonsense_is_refused():
    """Counts and targets that cannot be are errors."""
    with pytest.raises(InputError):
        half_width(5, 4, 10)
    with pytest.raises(InputError):
        more_needed(1, 4, 10, 0.0)
