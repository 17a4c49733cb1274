"""GLAD against a plain reference and planted abilities."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from core.consensus.truth.glad import _climb, _expect, glad
from core.consensus.truth.votes import make_votes
from tests.consensus.truth.planted import crowd


def plain_expect(votes, ability, easiness):
    """Return each class's probability, vote by vote as the paper writes it."""
    out = np.ones((votes.tasks, votes.classes))
    for task, worker, label in zip(votes.task, votes.worker, votes.label, strict=True):
        right = 1 / (1 + math.exp(-ability[worker] * math.exp(easiness[task])))
        for k in range(votes.classes):
            out[task, k] *= right if k == label else (1 - right) / (votes.classes - 1)
    return out / out.sum(axis=1, keepdims=True), np.log(out.sum(axis=1) / votes.classes).sum()


def test_expectation_is_that_of_the_paper():
    """The sparse sums equal the product over votes, and the objective its logarithm with the priors."""
    votes, _ = crowd(tasks=30, seed=1)
    rng = np.random.default_rng(0)
    ability, easiness = rng.normal(1, 1, votes.workers), rng.normal(0, 0.5, votes.tasks)
    probability, objective = _expect(votes, ability, easiness)
    expected, likelihood = plain_expect(votes, ability, easiness)
    prior = -0.5 * (((ability - 1) ** 2).sum() + ((easiness - 1) ** 2).sum())
    np.testing.assert_allclose(probability, expected, rtol=1e-9)
    assert abs(objective - (likelihood + prior)) < 1e-8


def test_each_round_raises_the_objective():
    """Expectation-maximisation never makes the votes less likely."""
    votes, _ = crowd(tasks=80, accuracies=(0.9, 0.8, 0.6, 0.4, 0.3), seed=2)
    ability, easiness = np.ones(votes.workers), np.ones(votes.tasks)
    reached = []
    for _ in range(8):
        probability, objective = _expect(votes, ability, easiness)
        reached.append(objective)
        ability, easiness = _climb(votes, probability, ability, easiness, 25)
    assert all(b >= a - 1e-9 for a, b in pairwise(reached))


def test_ability_ranks_the_workers():
    """Abilities fall in the order of the planted accuracies."""
    accuracies = (0.97, 0.9, 0.75, 0.6, 0.45, 0.3)
    votes, _ = crowd(tasks=800, accuracies=accuracies, each=4, seed=3)
    ability = glad(votes).workers.weight
    assert ability.argsort()[::-1].tolist() == [0, 1, 2, 3, 4, 5]


def test_disputed_tasks_are_harder():
    """A task on which able workers split is found harder than one on which they agree."""
    votes, _ = crowd(tasks=200, accuracies=(0.95,) * 6, each=4, seed=4)
    extra = {"tasks": 202, "workers": 6, "classes": 4}
    columns = [np.append(c, new) for c, new in zip(
        (votes.task, votes.worker, votes.label),
        ([200] * 4 + [201] * 4, [0, 1, 2, 3] * 2, [0, 0, 1, 1, 0, 0, 0, 0]),
        strict=True,
    )]  # fmt: skip
    found = glad(make_votes(*columns, **extra)[0])
    assert found.difficulty[200] > found.difficulty[201]
    assert len(found.difficulty) == 202


def test_who_is_named_first_changes_not_one_bit():
    """Workers numbered otherwise get the very same labels, probabilities and abilities, to the last bit."""
    rng = np.random.default_rng(11)
    task, worker = (c.ravel() for c in np.meshgrid(np.arange(30), np.arange(7), indexing="ij"))
    cast = rng.random(len(task)) < 0.6
    task, worker, label = task[cast], worker[cast], rng.integers(0, 3, cast.sum())
    one = glad(make_votes(task, worker, label, tasks=30, workers=7, classes=3)[0])
    for seed in range(5):
        other = np.random.default_rng(seed).permutation(7)
        two = glad(make_votes(task, other[worker], label, tasks=30, workers=7, classes=3)[0])
        assert (one.label == two.label).all()
        assert (one.confidence == two.confidence).all()
        assert (one.workers.weight == two.workers.weight[other]).all()
        assert (one.workers.votes == two.workers.votes[other]).all()
