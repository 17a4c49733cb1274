"""MACE against a plain reference and planted spammers."""

from __future__ import annotations

import math

import numpy as np

from core.consensus.truth.mace import _expect, _knowing, _start, _traits, mace
from core.consensus.truth.votes import make_votes
from tests.consensus.truth.planted import crowd


def test_expectation_is_that_of_the_paper():
    """The sparse sums equal the product over votes, for every class."""
    votes, _ = crowd(tasks=25, seed=1)
    state = _start(votes, _traits(votes), 7)
    probability, likelihood = _expect(votes, state)
    joint = np.full((votes.tasks, votes.classes), 1 / votes.classes)
    for task, worker, label in zip(votes.task, votes.worker, votes.label, strict=True):
        for k in range(votes.classes):
            spam = state.spam[worker] * state.habit[worker, label]
            joint[task, k] *= spam + (state.knows[worker] if k == label else 0)
    np.testing.assert_allclose(probability, joint / joint.sum(axis=1, keepdims=True), rtol=1e-9)
    assert math.isclose(likelihood, np.log(joint.sum(axis=1)).sum(), rel_tol=1e-9)
    known = _knowing(votes, probability, state)
    assert ((known >= 0) & (known <= 1)).all()


def test_spammers_are_found():
    """Who always says one class, or anything, is found to spam; who knows is not."""
    votes, truth = crowd(tasks=500, accuracies=(0.95, 0.95, 0.9, 0.9, 0.25), each=5, seed=2)
    task = np.append(votes.task, np.arange(500))
    worker, label = np.append(votes.worker, [5] * 500), np.append(votes.label, [2] * 500)
    found = mace(make_votes(task, worker, label, tasks=500, workers=6, classes=4)[0])
    assert (found.spamming[:4] < 0.2).all()
    assert (found.spamming[4:] > 0.85).all()
    assert (found.label == truth).mean() > 0.97


def test_the_seed_fixes_the_result():
    """Two runs with one seed give the same bits; more restarts never end less likely."""
    votes, _ = crowd(tasks=50, accuracies=(0.8, 0.6, 0.4, 0.3), each=3, seed=3)
    first, second = mace(votes, seed=5), mace(votes, seed=5)
    np.testing.assert_array_equal(first.probability, second.probability)
    assert first.log_likelihood >= mace(votes, seed=5, restarts=1).log_likelihood


def test_a_worker_without_votes_has_the_prior():
    """Nothing is known of who cast no vote: spamming is as likely as not."""
    votes, _ = make_votes([0, 0], [0, 1], [0, 0], workers=3, classes=2)
    assert mace(votes).spamming[2] == 0.5
