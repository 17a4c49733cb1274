"""Ordered classes: near misses count for something."""

from __future__ import annotations

import numpy as np

from core.consensus.truth.ordinal import SPREADS, _norms, ordinal, ordinal_median
from core.consensus.truth.votes import make_votes


def graded(tasks=500, spreads=(0.1, 0.1, 0.3, 0.7, 0.8), classes=6, seed=0):
    """Return votes whose errors fall off with distance, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    rows = []
    for worker, r in enumerate(spreads):
        law = r ** np.abs(np.arange(classes)[:, None] - np.arange(classes))
        law /= law.sum(axis=1, keepdims=True)
        rows += [(t, worker, rng.choice(classes, p=law[truth[t]])) for t in range(tasks)]
    task, worker, label = np.array(rows).T
    return make_votes(task, worker, label, tasks=tasks, classes=classes)[0], truth


def test_the_median_vote():
    """Votes 0, 4, 4 give 4; 0, 1, 4 give 1: the middle, not the mean."""
    votes, _ = make_votes([0] * 3 + [1] * 3, [0, 1, 2] * 2, [0, 4, 4, 0, 1, 4], classes=5)
    assert ordinal_median(votes).label.tolist() == [4, 1]


def test_an_even_split_goes_to_the_commoner_class():
    """Between two middle classes the one with more votes overall wins, else the lower."""
    votes, _ = make_votes([0, 0, 1, 1], [0, 1, 0, 1], [1, 3, 3, 3], classes=5)
    assert ordinal_median(votes).label.tolist() == [3, 3]
    votes, _ = make_votes([0, 0], [0, 1], [1, 3], classes=5)
    assert ordinal_median(votes).label.tolist() == [1]


def test_exact_workers_weigh_more():
    """Spreads are found in order, and the labels lie nearer the truth than the plain median."""
    votes, truth = graded()
    found, plain = ordinal(votes), ordinal_median(votes)
    weight = found.workers.weight
    assert weight[:2].min() > weight[2] > weight[3:].max()
    assert np.abs(found.label - truth).mean() < np.abs(plain.label - truth).mean()


def test_the_law_sums_to_one():
    """For each spread and truth the chances of all classes sum to 1."""
    norms = _norms(5)
    law = SPREADS[:, None, None] ** np.abs(np.arange(5)[:, None] - np.arange(5))
    np.testing.assert_allclose((law / norms[:, :, None]).sum(axis=2), 1)


def test_distance_matters():
    """Votes 2, 2, 3 against 0, 0, 3: the far zero pulls less towards the middle than a near two."""
    votes, _ = make_votes([0] * 3 + [1] * 3, [0, 1, 2] * 2, [2, 2, 3, 0, 0, 3], classes=4)
    found = ordinal(votes)
    assert found.label.tolist() == [2, 0]
    assert found.probability[1, 3] < found.probability[1, 0]
