"""How many more must be seen: held to trying every number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.stats.intervals import wilson
from core.stats.sample_size import half_width, more_needed


def test_it_is_half_of_wilsons_interval():
    """The width is that of the interval a page shows; of nothing seen it is the widest."""
    plain = wilson(40, 50)
    assert plain.high is not None
    assert plain.low is not None
    assert half_width(40, 50) == pytest.approx((plain.high - plain.low) / 2)
    assert half_width(0, 0) == 0.5


def test_a_known_number():
    """At one half, some 1,064 in all make three points: 0.25 (1.96 / 0.03)² less Wilson's 1.96²."""
    assert 960 <= more_needed(50, 100, 0.03) <= 968


@given(
    n=st.integers(1, 80), wrong=st.floats(0, 1), points=st.integers(3, 20)
)  # fmt: skip
def test_it_is_the_smallest_number_that_does(n: int, wrong: float, points: int):
    """One fewer leaves the interval too wide; so many bring it under."""
    hits, target = n * wrong, points / 100
    found = more_needed(hits, n, target)
    share = hits / n
    assert half_width(share * (n + found), n + found) <= target
    if found:
        before = n + found - 1
        assert half_width(share * before, before) > target


def test_nonsense_is_refused():
    """Counts and targets that cannot be are errors."""
    with pytest.raises(InputError):
        half_width(5, 4)
    with pytest.raises(InputError):
        more_needed(1, 4, 0.0)
