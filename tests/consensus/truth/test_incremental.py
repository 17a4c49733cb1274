"""The provisional label after one vote."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.incremental import known_from, provisional, with_vote
from core.consensus.truth.majority import majority
from core.consensus.truth.votes import make_votes
from core.errors import InputError
from tests.consensus.truth.reference import erring


@pytest.fixture(scope="module")
def run():
    task, worker, label, _ = erring(1000, 20, 4, seed=6)
    votes, _ = make_votes(task, worker, label)
    return votes, dawid_skene(votes)


def test_without_a_new_vote_it_is_the_full_run_s(run) -> None:
    """A task's own votes give the probabilities the full run gave it."""
    votes, truth = run
    known = known_from(truth)
    for t in range(0, 1000, 50):
        rows = slice(votes.starts[t], votes.starts[t + 1])
        p = provisional(known, votes.worker[rows], votes.label[rows])
        np.testing.assert_allclose(p, truth.probability[t], atol=1e-4)


def test_a_new_vote_moves_the_task_towards_what_it_says(run) -> None:
    """One more vote of a decent worker for a class raises it."""
    votes, truth = run
    known = known_from(truth)
    best = int(np.nanargmax(truth.workers.accuracy))
    rows = slice(votes.starts[7], votes.starts[8])
    before = provisional(known, votes.worker[rows], votes.label[rows])
    for said in range(4):
        after = provisional(known, [*votes.worker[rows], best], [*votes.label[rows], said])
        assert after[said] >= before[said]
        np.testing.assert_allclose(after.sum(), 1.0)


def test_a_newcomer_counts_as_the_mean_worker(run) -> None:
    """A worker the run has not met has the mean table, so their vote counts for something."""
    known = known_from(run[1])
    p = provisional(known, [99], [2])
    assert p.argmax() == 2
    assert 0.3 < p[2] < 0.99


def test_gold_and_no_votes(run) -> None:
    """A known class is certain; without votes the classes have their shares."""
    known = known_from(run[1])
    assert provisional(known, [0], [1], gold=3).tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(provisional(known, [], []), known.prior)


def test_the_worker_s_table_learns_and_the_others_stay(run) -> None:
    """Counting a vote changes one table, towards what was said, and not the one given."""
    known = known_from(run[1])
    before = known.confusion.copy()
    after = with_vote(known, 3, 1, np.array([0.0, 1.0, 0.0, 0.0]))
    assert after.confusion[3, 1, 1] > before[3, 1, 1]
    np.testing.assert_allclose(after.confusion[3].sum(axis=1), 1.0, rtol=1e-6)
    assert after.votes[3] == known.votes[3] + 1
    others = np.arange(20) != 3
    assert np.array_equal(after.confusion[others], before[others])
    assert np.array_equal(known.confusion, before)


def test_what_does_not_fit_is_refused(run) -> None:
    """A run without tables, a class or worker out of range: errors in words."""
    votes, truth = run
    known = known_from(truth)
    with pytest.raises(InputError, match="Dawid-Skene"):
        known_from(majority(votes))
    with pytest.raises(InputError, match="0 to 3"):
        provisional(known, [0], [4])
    with pytest.raises(InputError, match="0 to 3"):
        provisional(known, [0], [1], gold=4)
    with pytest.raises(InputError, match="workers 0 to 19"):
        with_vote(known, 20, 0, np.ones(4) / 4)
