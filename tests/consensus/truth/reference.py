"""A slow Dawid-Skene to hold ours against, and votes by workers who each err in their own way."""

from __future__ import annotations

import numpy as np

from core.consensus.truth.votes import Votes


def reference_em(votes: Votes, *, gold=None, tol: float = 1e-5, rounds: int = 100):
    """Return posteriors and rounds of expectation-maximisation, one NumPy line a formula."""
    n, k = votes.tasks, votes.classes
    said = votes.worker.astype(np.int64) * k + votes.label
    p = np.zeros((n, k))
    np.add.at(p, (votes.task, votes.label), 1.0)
    p /= p.sum(axis=1, keepdims=True)
    before, done, gain = -np.inf, 0, np.inf
    while done < rounds and gain >= tol * len(votes):
        done += 1
        if gold is not None:
            p[gold >= 0] = np.eye(k)[gold[gold >= 0]]
        counts = np.stack(
            [np.bincount(said, p[votes.task, c], votes.workers * k) for c in range(k)], axis=1
        ).reshape(votes.workers, k, k)
        counts = np.maximum(counts, 1e-10)
        log_said = np.log(counts / counts.sum(axis=1, keepdims=True)).reshape(-1, k)
        z = np.stack([np.bincount(votes.task, log_said[said, c], n) for c in range(k)], axis=1)
        prior = np.maximum(p.sum(axis=0), 1e-10)
        z += np.log(prior / prior.sum())
        top = z.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(z - top).sum(axis=1))
        p = np.exp(z - total[:, None])
        sure = np.zeros(n)
        if gold is not None:
            sure[gold >= 0] = np.log(np.maximum(p[gold >= 0, gold[gold >= 0]], 1e-300))
            p[gold >= 0] = np.eye(k)[gold[gold >= 0]]
        likelihood = float((total + sure).sum())
        gain, before = abs(likelihood - before), likelihood
    return p, done


def erring(tasks: int, workers: int, classes: int, *, each: int = 3, weak: float = 0.25, seed=0):
    """Return columns task, worker, label and the truth; a share of the workers is `weak`."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, tasks, p=rng.dirichlet(np.full(classes, 5.0))).astype(np.int32)
    skill = np.where(
        rng.random(workers) < weak,
        rng.uniform(0.25, 0.5, workers),
        rng.uniform(0.65, 0.95, workers),
    )
    off = rng.dirichlet(np.full(classes - 1, 0.3), (workers, classes))
    right = np.clip(skill[:, None] + rng.normal(0, 0.08, (workers, classes)), 0.05, 0.99)
    table = np.empty((workers, classes, classes))
    for c in range(classes):
        table[:, c] = np.insert(off[:, c] * (1 - right[:, c, None]), c, right[:, c], axis=1)
    task = np.repeat(np.arange(tasks, dtype=np.int32), each)
    steps = np.cumsum(rng.integers(1, max(workers // each, 2), (tasks, each)), axis=1)
    worker = ((rng.integers(0, workers, (tasks, 1)) + steps) % workers).astype(np.int32).ravel()
    below = table.cumsum(axis=2)
    label = np.empty(len(task), dtype=np.int32)
    for rows in np.array_split(np.arange(len(task)), max(len(task) // 100_000, 1)):
        draw = rng.random(len(rows))[:, None]
        label[rows] = (draw > below[worker[rows], truth[task[rows]]]).sum(axis=1)
    return task, worker, np.minimum(label, classes - 1), truth
