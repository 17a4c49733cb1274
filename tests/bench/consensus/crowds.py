"""Votes to measure on: a made crowd by the law of Dawid and Skene, and the real one of CIFAR-10N."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

SHARED = Path(__file__).resolve().parents[4] / "shared"
CIFAR = "datasets/cifar10n/votes.parquet"


@dataclass(frozen=True, eq=False)
class Crowd:
    """Votes and the truth behind them, as columns of whole numbers from 0."""

    task: np.ndarray
    worker: np.ndarray
    label: np.ndarray
    truth: np.ndarray
    workers: int
    classes: int


def made(tasks, votes=3, workers=200, classes=10, seed=0, weak=0.25):
    """Return a crowd of which a share is weak, each worker with a table of errors of their own.

    Class shares are Dirichlet(5); a worker is right at a rate of 0.65 to 0.95, a weak one at 0.25 to
    0.5, shifted for each class by N(0, 0.08); errors fall by Dirichlet(0.3).
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, tasks, p=rng.dirichlet(np.full(classes, 5.0)))
    is_weak = rng.random(workers) < weak
    rate = np.where(is_weak, rng.uniform(0.25, 0.5, workers), rng.uniform(0.65, 0.95, workers))
    right = np.clip(rate[:, None] + rng.normal(0, 0.08, (workers, classes)), 0.05, 0.99)
    errors = rng.dirichlet(np.full(classes - 1, 0.3), (workers, classes))
    table = np.empty((workers, classes, classes))
    own = np.eye(classes, dtype=bool)
    table[:, own] = right
    table[:, ~own] = (errors * (1 - right)[:, :, None]).reshape(workers, -1)
    steps = np.sort(rng.integers(1, workers // votes, (tasks, votes)), axis=1)
    who = (rng.integers(0, workers, tasks)[:, None] + np.cumsum(steps, axis=1)) % workers
    task, worker = np.repeat(np.arange(tasks), votes), who.ravel()
    drawn = rng.random(task.size)[:, None] > table.cumsum(axis=2)[worker, truth[task]]
    return Crowd(task, worker, drawn.sum(axis=1).clip(0, classes - 1), truth, workers, classes)


@cache
def cifar(shared=SHARED):
    """Return all of CIFAR-10N: 50,000 tasks of three votes."""
    table = pq.read_table(shared / CIFAR, columns=["task", "worker", "label", "truth"])
    task = table["task"].to_numpy()
    names, worker = np.unique(table["worker"].to_pylist(), return_inverse=True)
    classes, label = np.unique(table["label"].to_pylist(), return_inverse=True)
    truth = np.zeros(task.max() + 1, dtype=np.int64)
    truth[task] = np.searchsorted(classes, table["truth"].to_pylist())
    return Crowd(task, worker, label, truth, len(names), len(classes))


def some_of_cifar(tasks, seed, shared=SHARED):
    """Return the votes on some tasks, drawn at random, and the workers who cast them."""
    whole = cifar(shared)
    drawn = np.sort(np.random.default_rng(seed).choice(len(whole.truth), tasks, replace=False))
    number = np.full(len(whole.truth), -1)
    number[drawn] = np.arange(tasks)
    kept = number[whole.task] >= 0
    names, worker = np.unique(whole.worker[kept], return_inverse=True)
    task, label = number[whole.task[kept]], whole.label[kept]
    return Crowd(task, worker, label, whole.truth[drawn], len(names), whole.classes)


def classifier(truth, classes, accuracy, sharpness=3.0, seed=0):
    """Return probabilities of a model right on a share of the tasks, and too sure of itself.

    Scores are N(0, 1) with the true class lifted until that share is right; then sharpened, so that
    what it says is no probability.
    """
    rng = np.random.default_rng(seed)
    score = rng.normal(size=(len(truth), classes))
    rows = np.arange(len(truth))
    others = score.copy()
    others[rows, truth] = -np.inf
    score[rows, truth] += np.quantile(others.max(axis=1) - score[rows, truth], accuracy)
    score = np.exp(sharpness * (score - score.max(axis=1, keepdims=True)))
    return (score / score.sum(axis=1, keepdims=True)).astype(np.float32)
