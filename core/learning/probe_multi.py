"""The probe where an image may have several classes: each is decided for itself. Free of torch.

One logistic regression a class on the frozen vectors, the rare answer weighted up so that it is
learnt at all. What that does to the probabilities is undone on items whose labels the fit had not
seen (Platt 1999), and from which probability on a class is answered is chosen on them too. Both
are folded into, or kept beside, one linear layer, so serving knows nothing of folds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from core.errors import EmptyTrainingSet, TrainingError
from core.learning.probe import Fitted, Head, principal_axes

PENALTIES = (0.05, 0.2, 1.0, 5.0)
THRESHOLDS = tuple(round(0.1 + 0.05 * i, 2) for i in range(17))
EVEN = 0.5
_FOLDS = 5
_FEWEST = 4
"""Below so many of either answer a class keeps the even threshold: its best one would be luck."""
_MAX_POOL = 3_000


def fit_several(
    vectors: np.ndarray,
    targets: np.ndarray,
    pool: np.ndarray,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> Fitted:
    """Fit the probe of several classes.

    Args:
        vectors: Of the training items, shape (n, width).
        targets: 1 where an item has a class, else 0, shape (n, classes).
        pool: Vectors of unlabelled items, which help to choose the directions looked along.
        seed: Decides folds and which of a large pool is used.
        check: Called between fits; may raise to stop.

    Raises:
        EmptyTrainingSet: No class holds for any item, or there is no item.
        TrainingError: A vector holds NaN.
    """
    if not len(targets) or not targets.any():
        raise EmptyTrainingSet(
            "No class has a training label, at least one is needed to learn from.",
            "Label some items that have a class and start again.",
        )
    if not np.isfinite(vectors).all():
        raise TrainingError("An embedding holds NaN.", "Clear the cache and start again.")
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(pool))[: max(0, _MAX_POOL - len(vectors))])
    nodes = np.concatenate([vectors, pool[some]]).astype(np.float32)
    with threadpool_limits(1):  # the matrices are small: threads would wait more than work
        return _fitted(nodes, np.asarray(targets, dtype=np.float64), rng, check)


def _fitted(
    nodes: np.ndarray, targets: np.ndarray, rng: np.random.Generator, check: Callable[[], None]
) -> Fitted:
    mean = nodes.mean(0)
    basis = principal_axes(nodes - mean)
    z = ((nodes - mean) @ basis)[: len(targets)].astype(np.float64)
    fold = deal(targets, rng)
    usable = bool(fold.max() > 0)
    penalty, scores = _chosen_penalty(z, targets, fold, check)
    check()
    b = one_vs_rest(z, targets, penalty)
    slope, shift = np.ones(targets.shape[1]), np.zeros(targets.shape[1])
    thresholds = np.full(targets.shape[1], EVEN)
    table, answered = np.zeros((0, *targets.shape)), np.zeros((0, targets.shape[1]), dtype=bool)
    if usable:
        slope, shift = platt(scores, targets)
        thresholds = thresholds_of(expit(scores * slope + shift), targets)
        unseen, answered = _unseen(scores, targets, fold)
        table = unseen[None]
    weight = (basis @ b[:-1] * slope).T
    bias = b[-1] * slope + shift - weight @ mean
    head = Head(
        weight.astype(np.float32), bias.astype(np.float32), 1.0, True,
        tuple(float(t) for t in thresholds),
    )  # fmt: skip
    return Fitted(head, table.astype(np.float32), penalty, 0.0, answered)


def one_vs_rest(z: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """Return coefficients (dimensions + 1, classes), the last row the intercepts.

    Yes and no of a class weigh the same in all. A class with one answer only gets its smoothed
    share as the intercept.
    """
    n, k = targets.shape
    d = z.shape[1]
    yes = targets.sum(0)
    two = (yes > 0) & (yes < n)
    found = np.zeros((d + 1, k))
    found[-1] = logit((yes + 1) / (n + 2))
    if not two.any():
        return found
    said = targets[:, two]
    strength = np.where(said > 0, n / (2 * yes[two]), n / (2 * (n - yes[two])))
    # In units of the root of its curvature every direction curves alike, and few steps do.
    unit = 1 / np.sqrt(np.append((z**2).sum(0) / 4 + penalty, n / 4))[:, None]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        b = flat.reshape(d + 1, -1) * unit
        scores = z @ b[:-1] + b[-1]
        value = (strength * (np.logaddexp(0, scores) - said * scores)).sum()
        off = strength * (expit(scores) - said)
        slope = np.vstack([z.T @ off + penalty * b[:-1], off.sum(0)]) * unit
        return float(value + penalty / 2 * (b[:-1] ** 2).sum()), slope.ravel()

    start = np.zeros((d + 1) * int(two.sum()))
    options = {"maxiter": 200, "ftol": 1e-10, "gtol": 1e-6}
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    if not np.isfinite(best.x).all():
        raise TrainingError("The fit diverged: a weight became NaN.", "Start the run again.")
    found[:, two] = best.x.reshape(d + 1, -1) * unit
    return found


def deal(targets: np.ndarray, rng: np.random.Generator, folds: int = _FOLDS) -> np.ndarray:
    """Return a fold for each item, those of the rarest classes dealt out first and evenly.

    All 0 where there are fewer than two items. After Sechidis et al. (2011), without its random ties.
    """
    n = len(targets)
    folds = min(folds, n)
    fold = np.full(n, -1)
    filled = np.zeros(folds)
    for c in np.argsort(targets.sum(0), kind="stable"):
        mine = np.flatnonzero((targets[:, c] > 0) & (fold < 0))
        held = np.array([((fold == f) & (targets[:, c] > 0)).sum() for f in range(folds)])
        for item in rng.permutation(mine):
            to = int(np.lexsort((filled, held))[0])
            fold[item], held[to], filled[to] = to, held[to] + 1, filled[to] + 1
    for item in rng.permutation(np.flatnonzero(fold < 0)):
        to = int(filled.argmin())
        fold[item], filled[to] = to, filled[to] + 1
    return fold


def platt(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by class the slope and shift that turn scores into probabilities (Platt 1999).

    The targets are drawn in by one item each, as Platt does, so that few items, or some that are
    told apart without fault, do not give a probability of 1. A slope is never negative.
    """
    pairs = [_platt_one(scores[:, c], targets[:, c]) for c in range(targets.shape[1])]
    slope, shift = np.array(pairs).T
    return slope, shift


def _platt_one(scores: np.ndarray, said: np.ndarray) -> tuple[float, float]:
    yes, n = said.sum(), len(said)
    soft = np.where(said > 0, (yes + 1) / (yes + 2), 1 / (n - yes + 2))
    middle, spread = scores.mean(), max(scores.std(), 1e-6)
    s = (scores - middle) / spread

    def loss(ab: np.ndarray) -> tuple[float, np.ndarray]:
        x = ab[0] * s + ab[1]
        off = expit(x) - soft
        return float((np.logaddexp(0, x) - soft * x).sum()), np.array([off @ s, off.sum()])

    best = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, 50), (-50, 50)]
    )
    slope = float(best.x[0] / spread)
    return slope, float(best.x[1] - slope * middle)


def thresholds_of(table: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return by class from which probability on it is answered: that of the highest F1.

    Of equal ones the nearest to one half; one half where a class has fewer than 4 of either answer.
    """
    order = np.array(sorted(THRESHOLDS, key=lambda t: (abs(t - EVEN), t)))
    out = np.full(targets.shape[1], EVEN)
    yes = targets.sum(0)
    for c in np.flatnonzero(np.minimum(yes, len(targets) - yes) >= _FEWEST):
        said = table[:, c][:, None] > order
        hit = (said & (targets[:, c] > 0)[:, None]).sum(0)
        out[c] = order[int(np.argmax(2 * hit / np.maximum(said.sum(0) + yes[c], 1)))]
    return out


def _chosen_penalty(
    z: np.ndarray, targets: np.ndarray, fold: np.ndarray, check: Callable[[], None]
) -> tuple[float, np.ndarray]:
    """Return the penalty of the least held-out log loss once calibrated, and its held-out scores."""
    middle = PENALTIES[1]
    if fold.max() == 0:
        return middle, np.zeros_like(targets)
    tried = {p: _held_out(z, targets, fold, p, check) for p in PENALTIES}
    loss = {p: _log_loss(s, targets) for p, s in tried.items()}
    best = min(PENALTIES, key=lambda p: loss[p])
    return best, tried[best]


def _held_out(
    z: np.ndarray, targets: np.ndarray, fold: np.ndarray, penalty: float, check: Callable[[], None]
) -> np.ndarray:
    scores = np.zeros_like(targets)
    for f in range(fold.max() + 1):
        check()
        b = one_vs_rest(z[fold != f], targets[fold != f], penalty)
        scores[fold == f] = z[fold == f] @ b[:-1] + b[-1]
    return scores


def _log_loss(scores: np.ndarray, targets: np.ndarray) -> float:
    slope, shift = platt(scores, targets)
    x = scores * slope + shift
    return float((np.logaddexp(0, x) - targets * x).mean())


def _unseen(
    scores: np.ndarray, targets: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is said of each fold with the calibration and thresholds of the others."""
    table, answered = np.zeros_like(targets), np.zeros(targets.shape, dtype=bool)
    for f in range(fold.max() + 1):
        here, rest = fold == f, fold != f
        slope, shift = platt(scores[rest], targets[rest])
        bounds = thresholds_of(expit(scores[rest] * slope + shift), targets[rest])
        table[here] = expit(scores[here] * slope + shift)
        answered[here] = table[here] > bounds
    return table, answered
