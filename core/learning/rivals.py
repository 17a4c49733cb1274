"""The other ways to get a data set labelled, beside which the certificate is shown. Free of torch."""

from __future__ import annotations

import time

import numpy as np

from core.learning.clusters import representatives
from core.learning.loop_values import Learner, LoopRun, LoopSettings

VALIDATION_SHARE = 0.075
"""Of all items, labelled at random to estimate each threshold on."""

_THRESHOLDS = 20
_LEAST = 20
_ROUNDS = 10


def manual(truth: np.ndarray) -> LoopRun:
    """Return the campaign in which people label everything."""
    return _run(np.full(len(truth), -1), truth, 1.0, 0.0)


def automatic(
    vectors: np.ndarray, truth: np.ndarray, settings: LoopSettings, seed: int, learn: Learner
) -> LoopRun:
    """Return the campaign in which people label a cold start and the model all the rest."""
    started = time.perf_counter()
    n, classes = len(truth), int(truth.max()) + 1
    count = max(2 * classes, min(settings.cold, n // 20))
    rows = np.sort(representatives(vectors, count, seed))
    free = np.setdiff1d(np.arange(n), rows)
    answers = _answers(learn, rows, free, truth, seed).argmax(1)
    answers[rows] = -1
    return _run(answers, truth, settings.target, started)


def point_threshold(
    truth: np.ndarray, settings: LoopSettings, seed: int, learn: Learner
) -> LoopRun:
    """Return the campaign that accepts by an estimate, round by round: the usual way.

    Validation items are drawn at random once. Each round trains, and for each class takes the laxest
    of 20 thresholds at which no more than the target share of its validation items is wrong, with
    20 of them at least; what passes keeps its label for good, and a random batch is labelled next.
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    n = len(truth)
    order = rng.permutation(n)
    checks = order[: round(VALIDATION_SHARE * n)]
    train = order[len(checks) : len(checks) + min(settings.cold, n // 20)]
    accepted = np.full(n, -1)
    open_ = np.setdiff1d(order, np.concatenate([checks, train]))
    for _ in range(_ROUNDS):
        if not len(open_) or len(np.unique(truth[train])) < 2:
            break
        said = _answers(learn, train, open_, truth, seed)
        passed = _passing(said, checks, truth, settings.target)[open_]
        accepted[open_[passed]] = said[open_[passed]].argmax(1)
        open_ = open_[~passed]
        more = rng.permutation(open_)[: settings.batch]
        train, open_ = np.concatenate([train, more]), np.setdiff1d(open_, more)
    return _run(accepted, truth, settings.target, started)


def by_last_model(
    said: np.ndarray,
    trained: np.ndarray,
    checks: np.ndarray,
    truth: np.ndarray,
    target: float,
) -> dict[str, LoopRun]:
    """Return the other ways with a model there is already, where teaching one takes minutes.

    ``automatic``: what it says of everything it was not taught stands. ``point threshold``: what passes
    each class's threshold does, by the estimate on the checked items.

    Args:
        said: Its probabilities, shape (n, classes).
        trained: Rows it was taught.
        checks: Rows people checked, which it never saw.
        truth: Class number of every item.
        target: Largest share of wrong labels among those accepted.
    """
    answers = said.argmax(1)
    unchecked, passed = answers.copy(), answers.copy()
    unchecked[trained] = -1
    passed[~_passing(said, checks, truth, target)] = -1
    passed[np.concatenate([trained, checks])] = -1
    return {
        "automatic": _run(unchecked, truth, target, 0.0),
        "point threshold": _run(passed, truth, target, 0.0),
    }


def _passing(said: np.ndarray, checks: np.ndarray, truth: np.ndarray, target: float) -> np.ndarray:
    """Return which items are surer than their class's threshold, bool (n,)."""
    answers, sure = said.argmax(1), said.max(1)
    least = np.full(said.shape[1], np.inf)
    for c in range(said.shape[1]):
        mine = checks[answers[checks] == c]
        if len(mine) >= _LEAST:
            least[c] = _laxest(sure[mine], truth[mine] != c, target)
    return np.asarray(sure >= least[answers])


def _laxest(sure: np.ndarray, wrong: np.ndarray, target: float) -> float:
    best = np.inf
    for threshold in np.quantile(sure, np.linspace(0.95, 0, _THRESHOLDS), method="lower"):
        kept = sure >= threshold
        if kept.sum() >= _LEAST and wrong[kept].mean() <= target:
            best = float(threshold)
    return best


def _answers(
    learn: Learner, rows: np.ndarray, free: np.ndarray, truth: np.ndarray, seed: int
) -> np.ndarray:
    labels = truth[rows]
    if len(np.unique(labels)) < 2:
        return np.asarray(np.eye(int(truth.max()) + 1)[np.repeat(labels[:1], len(truth))])
    return learn(rows, labels, free, seed)


def _run(accepted: np.ndarray, truth: np.ndarray, target: float, started: float) -> LoopRun:
    """Return the run in which these answers stand, and people gave the others: -1."""
    rows = np.flatnonzero(accepted >= 0)
    wrong = int((accepted[rows] != truth[rows]).sum())
    error = wrong / len(rows) if len(rows) else 0.0
    return LoopRun(
        human_share=1 - len(rows) / len(truth),
        auto_error=error,
        over_target=error > target,
        final_accuracy=1 - wrong / len(truth),
        accepted=rows,
        answers=accepted[rows],
        rounds=(),
        revoked=False,
        seconds=time.perf_counter() - started if started else 0.0,
    )
