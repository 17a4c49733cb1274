"""When a task has votes enough."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.truth.stopping import Stop, StoppingRule, simple_posterior, stops
from core.errors import InputError

TALLIES = [
    ([0, 0, 0], Stop.OPEN),
    ([1, 0, 0], Stop.OPEN),
    ([2, 0, 0], Stop.LEAD),
    ([2, 1, 0], Stop.OPEN),
    ([3, 1, 0], Stop.LEAD),
    ([3, 2, 2], Stop.MAXIMUM),
    ([4, 2, 1], Stop.LEAD),
]


@pytest.mark.parametrize(("tally", "expected"), TALLIES)
def test_the_lead_or_the_maximum_ends_it(tally, expected):
    """Two votes ahead end the voting, seven end it whatever they say."""
    assert stops(StoppingRule(), [tally]).tolist() == [expected]


def test_the_posterior_ends_it():
    """The probability of the leader at or above the bound ends the voting, not below."""
    rule = StoppingRule(lead=None, posterior=0.9, maximum=5)
    probability = [[0.9, 0.1], [0.89, 0.11]]
    assert stops(rule, [[1, 0], [1, 0]], probability).tolist() == [Stop.POSTERIOR, Stop.OPEN]


def test_a_minimum_holds_both_bounds_back():
    """Neither lead nor posterior ends the voting before the minimum."""
    rule = StoppingRule(lead=1, posterior=0.6, minimum=2)
    assert stops(rule, [[1, 0]], [[0.99, 0.01]]).tolist() == [Stop.OPEN]
    assert stops(rule, [[2, 0]], [[0.99, 0.01]]).tolist() == [Stop.LEAD]


def test_one_class_and_no_tasks():
    """With one class every vote leads; without tasks there is nothing to say."""
    assert stops(StoppingRule(lead=2), [[1], [2]]).tolist() == [Stop.OPEN, Stop.LEAD]
    assert stops(StoppingRule(), np.zeros((0, 3))).tolist() == []


def test_the_simple_posterior_is_bayes_rule():
    """It equals the product of the votes' chances, written out."""
    found = simple_posterior([[2, 1, 0]], 0.8)[0]
    chances = np.array([0.8**2 * 0.1, 0.1**2 * 0.8, 0.1**3])
    np.testing.assert_allclose(found, chances / chances.sum())


@pytest.mark.parametrize(
    "bounds", [{"lead": 0}, {"posterior": 1.0}, {"minimum": 0}, {"minimum": 5, "maximum": 3}]
)
def test_bounds_out_of_range_are_refused(bounds):
    """A rule that could never end, or always would, is refused with a sentence."""
    with pytest.raises(InputError):
        StoppingRule(**bounds)


def test_a_posterior_bound_needs_probabilities():
    """Asked to bound what is not given, the rule says so."""
    with pytest.raises(InputError, match="posterior"):
        stops(StoppingRule(posterior=0.9), [[1, 0]])
