"""Planted crowds: votes whose truth and workers are known."""

from __future__ import annotations

import numpy as np

from core.consensus.truth.votes import Votes, make_votes


def crowd(tasks=400, each=5, accuracies=(0.9,) * 10, classes=4, seed=0):
    """Return votes and truth: every worker errs evenly over the other classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    worker = np.argsort(rng.random((tasks, len(accuracies))), axis=1)[:, :each].ravel()
    task = np.repeat(np.arange(tasks), each)
    right = rng.random(len(task)) < np.asarray(accuracies)[worker]
    wrong = (truth[task] + rng.integers(1, classes, len(task))) % classes
    label = np.where(right, truth[task], wrong)
    votes, _ = make_votes(
        task, worker, label, tasks=tasks, workers=len(accuracies), classes=classes
    )
    return votes, truth


def shuffled(votes: Votes, seed=1):
    """Return the same votes, given in another order."""
    order = np.random.default_rng(seed).permutation(len(votes))
    columns = (c[order] for c in (votes.task, votes.worker, votes.label))
    return make_votes(*columns, tasks=votes.tasks, workers=votes.workers, classes=votes.classes)[0]


def renamed(votes: Votes, seed=2):
    """Return the same votes with the workers numbered otherwise, and the new number of each."""
    number = np.random.default_rng(seed).permutation(votes.workers)
    columns = (votes.task, number[votes.worker], votes.label)
    sizes = {"tasks": votes.tasks, "workers": votes.workers, "classes": votes.classes}
    return make_votes(*columns, **sizes)[0], number


def sure(classes, truth, accuracy, seed=0, sharp=3.0):
    """Return a model's probabilities, right on a share of the tasks and as sure of itself as told."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=(len(truth), classes))
    top = np.where(rng.random(len(truth)) < accuracy, truth, rng.integers(0, classes, len(truth)))
    score[np.arange(len(truth)), top] += 4
    score = np.exp(sharp * (score - score.max(axis=1, keepdims=True)))
    return (score / score.sum(axis=1, keepdims=True)).astype(np.float32)
