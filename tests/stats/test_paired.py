"""Paired comparison: the published example, the exact test, the edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.errors import InputError
from core.stats.paired import compare_paired, mcnemar

COUNTS = st.integers(0, 60)


def test_the_interval_is_that_of_the_paper() -> None:
    """Newcombe 1998, table II: 36, 12, 2 and 0 of 50 give 0.0569 to 0.3404 by method 10."""
    found = compare_paired(36, 12, 2, 0).difference
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (
        pytest.approx(0.0569, abs=5e-5),
        pytest.approx(0.3404, abs=5e-5),
    )


@given(COUNTS, COUNTS)
def test_the_test_is_the_binomial_one(a: int, b: int) -> None:
    """McNemar's exact test is a sign test on the images where the two differ."""
    expected = binomtest(a, a + b).pvalue if a + b else 1.0
    assert mcnemar(a, b) == pytest.approx(expected)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_swapping_the_two_turns_the_interval_round(e: int, f: int, g: int, h: int) -> None:
    """Who comes first changes the sign and nothing else; the value lies within its interval."""
    one, other = compare_paired(e, f, g, h), compare_paired(e, g, f, h)
    assert one.p == other.p
    if one.difference.value is None:
        assert e + f + g + h == 0
        return
    assert one.difference.low == pytest.approx(-other.difference.high)
    assert one.difference.low - 1e-12 <= one.difference.value <= one.difference.high + 1e-12


def test_two_that_never_differ_are_not_known_to_be_equal() -> None:
    """Without a difference the interval still has a width, and counts below 0 are refused."""
    found = compare_paired(30, 0, 0, 0)
    assert found.p == 1.0
    assert found.difference.low < 0 < found.difference.high
    with pytest.raises(InputError, match="0 or more"):
        compare_paired(-1, 0, 0, 0)
