"""Wrong labels judged from how often independent votes differ."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.errors import InputError
from core.stats.label_noise import Pattern, error_of, noise_from_votes


def planted(error: float, classes: int, items: int, seed: int = 0):
    """Return patterns of two votes an item (final where both agree) and the true share of wrong ones."""
    rng = np.random.default_rng(seed)
    wrong = rng.random((items, 2)) < error
    said = np.where(wrong, rng.integers(1, classes, (items, 2)), 0)  # class 0 is the true one
    alike = said[:, 0] == said[:, 1]
    found = Counter((2, (), True) if a else (0, (1, 1), False) for a in alike.tolist())
    patterns = [Pattern(s, o, n, f) for (s, o, f), n in found.items()]
    return patterns, float((said[alike, 0] != 0).mean())


@pytest.mark.parametrize(("error", "classes"), [(0.1, 3), (0.25, 5), (0.2, 2)])
def test_planted_errors_are_found(error, classes):
    """Of 20 small records, 17 intervals or more hold the share of wrong votes, and of wrong labels."""
    votes, labels = 0, 0
    for seed in range(20):
        patterns, truth = planted(error, classes, 4000, seed)
        found = noise_from_votes(patterns, classes)
        assert found.votes.value == pytest.approx(error, abs=0.03)
        votes += found.votes.low <= error <= found.votes.high
        labels += found.labels.low - 0.005 <= truth <= found.labels.high + 0.005
    assert min(votes, labels) >= 17


def test_single_votes_are_wrong_as_often_as_a_vote():
    """A label one vote stands for is wrong with the chance of a vote."""
    doubles, _ = planted(0.15, 4, 2000)
    found = noise_from_votes(
        [Pattern(p.support, p.others, p.items, False) for p in doubles]
        + [Pattern(1, (), 500, True)],
        4,
    )
    assert found.labels.n == 500
    assert found.labels.value == pytest.approx(found.votes.value)


def test_the_error_solves_what_it_is_defined_by():
    """d = 2 e (1 - e) + e² (K - 2) / (K - 1), for many e and K; beyond chance it stays at chance."""
    for classes in (2, 3, 10):
        for e in (0.0, 0.05, 0.3):
            apart = 2 * e * (1 - e) + e * e * (classes - 2) / (classes - 1)
            assert error_of(np.array([apart]), classes)[0] == pytest.approx(e)
        assert error_of(np.array([1.0]), classes)[0] == pytest.approx((classes - 1) / classes)


def test_no_difference_seen_is_not_certainty():
    """Forty items voted alike: nothing wrong is seen, but the upper end is above 0."""
    found = noise_from_votes([Pattern(2, (), 40, True)], 3)
    assert found.votes.value == found.labels.value == pytest.approx(0, abs=1e-9)
    assert found.votes.high > 0.02
    assert found.labels.high > 0


def test_few_double_votes_are_not_enough():
    """29 items with two votes, or no label that votes gave: no estimate."""
    few = noise_from_votes([Pattern(2, (), 29, True), Pattern(1, (), 500, True)], 3)
    assert (few.labels.value, few.votes.value, few.votes.n) == (None, None, 29)
    assert few.labels.n == 29, "what there is too little of is told, not the 529 labels"
    assert noise_from_votes([Pattern(0, (1, 1), 60, False)], 3).labels.value is None
    assert noise_from_votes([], 3).labels.value is None
    with pytest.raises(InputError, match="two classes"):
        noise_from_votes([], 1)
