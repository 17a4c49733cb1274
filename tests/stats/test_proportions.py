"""Two proportions against each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact

from core.stats.intervals import UNDEFINED
from core.stats.proportions import compare_proportions, two_sided_p

SAMPLE = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_published_examples(counts, low, high):
    """Method 10 gives the intervals of Newcombe's table II."""
    d = compare_proportions(*counts).difference
    assert d.low == pytest.approx(low, abs=6e-5)
    assert d.high == pytest.approx(high, abs=6e-5)


@given(SAMPLE, SAMPLE)
def test_small_samples_use_fishers_exact_test(a, b):
    """Below the bound the p-value equals scipy's exact one."""
    table = [[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]]
    hits = a[0] + b[0]
    smallest = min(hits, a[1] + b[1] - hits) * min(a[1], b[1]) / (a[1] + b[1])
    if smallest < 20:
        assert two_sided_p(*a, *b) == pytest.approx(fisher_exact(table).pvalue, rel=1e-6)


def test_large_samples_use_the_score_test():
    """With large counts the p-value equals the chi-square test without correction."""
    table = [[480, 520], [430, 570]]
    theirs = chi2_contingency(table, correction=False).pvalue
    assert two_sided_p(480, 1000, 430, 1000) == pytest.approx(theirs)


@given(SAMPLE, SAMPLE)
def test_swapping_the_samples_mirrors_the_difference(a, b):
    """Second minus first is the negative, with the same p."""
    there, back = compare_proportions(*a, *b), compare_proportions(*b, *a)
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert there.p == pytest.approx(back.p)
    assert there.difference.low <= there.difference.value <= there.difference.high


def test_an_empty_sample_compares_with_nothing():
    """Without observations on one side there is no difference and no p."""
    c = compare_proportions(0, 0, 3, 4)
    assert (c.difference, c.p) == (UNDEFINED, None)
