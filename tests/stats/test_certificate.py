"""Exact bounds for draws without replacement, tests in a fixed order, and what each look may spend."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom

from core.errors import InputError
from core.stats.certificate import (
    CHANCE,
    Ladder,
    at_most,
    fallback,
    labels_needed,
    least_labels,
    most_errors,
    region_p,
    spend,
    upper_errors,
    upper_share,
)
from core.stats.intervals import clopper_pearson

DRAWS = st.integers(1, 300).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))
)


@given(DRAWS, st.integers(0, 300))
def test_the_chance_of_few_errors_equals_scipys(draw, errors):
    """The exact sum over a draw without replacement equals scipy's distribution function."""
    region, wrong, sampled = draw
    errors = min(errors, sampled)
    theirs = hypergeom.cdf(errors, region, wrong, sampled)
    assert math.isclose(at_most(errors, region, wrong, sampled), theirs, abs_tol=1e-9)


@settings(max_examples=60)
@given(DRAWS, st.sampled_from([0.01, 0.05, 0.2]))
def test_the_bound_holds_with_its_level_whatever_the_truth(draw, delta):
    """Summed over every outcome, the bound lies below the truth with at most its level."""
    region, wrong, sampled = draw
    seen = np.arange(max(0, sampled - region + wrong), min(sampled, wrong) + 1)
    missed = [e for e in seen.tolist() if upper_errors(region, sampled, e, delta) < wrong]
    assert hypergeom.pmf(missed, region, wrong, sampled).sum() <= delta


def test_ten_thousand_draws_keep_the_bound():
    """Of 10,000 draws from one region at most the stated share lies above the bound."""
    region, wrong, sampled, delta = 4000, 230, 300, 0.05
    drawn = np.random.default_rng(0).hypergeometric(wrong, region - wrong, sampled, 10_000)
    bound = {e: upper_errors(region, sampled, e, delta) for e in set(drawn.tolist())}
    missed = np.mean([bound[e] < wrong for e in drawn.tolist()])
    assert 0.02 < missed <= delta + 3 * math.sqrt(delta / 10_000)


@given(DRAWS, st.integers(0, 60))
def test_more_errors_or_fewer_checks_never_lower_the_bound(draw, errors):
    """The bound grows with the errors found and falls with the items checked."""
    region, _, sampled = draw
    errors = min(errors, sampled - 1)
    bound = upper_errors(region, sampled, errors, 0.1)
    assert upper_errors(region, sampled, errors + 1, 0.1) >= bound
    if sampled < region:
        assert upper_errors(region, sampled + 1, errors, 0.1) <= bound


@given(DRAWS, st.integers(0, 40))
def test_the_most_errors_are_the_last_that_pass(draw, wrong_allowed):
    """One error more than the most would not certify; the most itself does."""
    region, _, sampled = draw
    most = most_errors(region, sampled, wrong_allowed, 0.05)
    passes = [region_p(region, sampled, e, wrong_allowed) <= 0.05 for e in range(sampled + 1)]
    assert passes == [e <= most for e in range(sampled + 1)]


def test_a_region_of_a_million_is_as_exact_as_a_small_one():
    """Rounding of huge factorials stays below the slack."""
    ours = region_p(1_000_000, 800, 20, 49_999)
    assert math.isclose(ours, hypergeom.cdf(20, 1_000_000, 50_000, 800), rel_tol=1e-6)
    assert ours >= hypergeom.cdf(20, 1_000_000, 50_000, 800) * (1 - 1e-9)


@given(st.integers(1, 400), st.integers(0, 400))
def test_the_share_is_clopper_and_pearsons(n, errors):
    """The one-sided bound is the upper end of the two-sided interval at twice the level."""
    errors = min(errors, n)
    assert math.isclose(upper_share(errors, n, 0.05), clopper_pearson(errors, n, 0.9).high)


@pytest.mark.parametrize(("target", "delta", "least"), [(0.05, 0.05, 59), (0.01, 0.1, 230), (0.5, 0.5, 1)])  # fmt: skip
def test_the_least_labels_are_just_enough(target, delta, least):
    """So many right ones pass, one fewer does not."""
    assert least_labels(target, delta) == least
    assert upper_share(0, least, delta) <= target + 1e-12
    assert upper_share(0, least - 1, delta) > target if least > 1 else True


@pytest.mark.parametrize("share", [0.0, 0.01, 0.02, 0.035])
def test_with_the_labels_needed_the_test_passes_four_times_in_five(share):
    """The stated number does, at most a little fewer would not."""
    n = labels_needed(share, 0.05, 0.025)
    assert n is not None
    most = [e for e in range(n + 1) if upper_share(e, n, 0.025) <= 0.05][-1]
    assert binom.cdf(most, n, share) >= CHANCE
    assert n < 5000


def test_no_number_of_labels_helps_a_model_above_the_target():
    """At or above the target there is no such number."""
    assert labels_needed(0.05, 0.05, 0.05) is None
    assert labels_needed(0.2, 0.05, 0.05) is None
    assert labels_needed(0.049999, 0.05, 0.05) is None  # beyond a million


@given(st.floats(0.001, 0.5), st.integers(1, 2000))
def test_looks_never_spend_more_than_delta(delta, looks):
    """However many looks there are, they spend less than delta together, half of it on the first."""
    spent = [spend(delta, k) for k in range(1, looks + 1)]
    assert spent[0] == delta / 2
    assert sum(spent) <= delta
    assert spent[1:] == sorted(spent[1:], reverse=True)


def test_the_level_is_carried_on_while_hypotheses_fall():
    """Weights at two places: the second test has both levels once all before it fell."""
    assert fallback([0.01, 0.02, 0.05], [0.5, 0, 0.5], 0.1) == [0.05, 0.05, 0.1]
    assert fallback([0.06, 0.01, 0.05], [0.5, 0, 0.5], 0.1) == [None, None, 0.05]
    assert fallback([0.06, 0.01, 0.06], [0.5, 0, 0.5], 0.1) == [None, None, None]


@pytest.mark.parametrize("true", [{0}, {1}, {0, 2}, {1, 2, 3}, {0, 1, 2, 3}])
def test_a_true_hypothesis_falls_with_at_most_delta(true):
    """Whichever are true and however the p-values hang together, any of them falls with at most delta."""
    rng = np.random.default_rng(1)
    broken = 0
    for _ in range(4000):
        u = rng.random()
        # The false ones always fall; the true ones are spread so that their levels add up.
        p = [(u + k / len(true)) % 1 if k in true else 0.0 for k in range(4)]
        broken += any(level for k, level in enumerate(fallback(p, [0.25] * 4, 0.2)) if k in true)
    assert broken / 4000 <= 0.2 + 3 * math.sqrt(0.16 / 4000)


def test_a_ladder_brings_its_weights_at_its_starts():
    """Each start adds its weight at its step, and all sum to one."""
    by_step = Ladder().by_step()
    assert {k + 1: w for k, w in enumerate(by_step) if w} == {16: 0.25, 24: 0.25, 30: 0.25, 34: 0.25}  # fmt: skip
    assert Ladder((0.5, 1.0), 2, (0.75, 0.25)).by_step() == [0.75, 0.25]


@pytest.mark.parametrize(
    "call",
    [lambda: upper_errors(10, 12, 0, 0.1), lambda: upper_errors(10, 5, 6, 0.1),
     lambda: upper_share(1, 5, 0.0), lambda: most_errors(10, 5, 1, 1.0), lambda: spend(0.1, 0),
     lambda: spend(1.5, 1), lambda: least_labels(0.0, 0.1), lambda: Ladder(()),
     lambda: Ladder((0.0,)), lambda: Ladder((0.5,), 0), lambda: Ladder((0.5,), 40, (0.5, 0.5)),
     lambda: Ladder((0.5, 0.6), 40, (0.7, 0.7))],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(call):
    """Impossible counts, levels and ladders give a sentence."""
    with pytest.raises(InputError):
        call()
