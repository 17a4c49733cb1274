"""The linear probe: a calibrated classifier on frozen vectors, helped by unlabelled images.

Few labels go further when the unlabelled images say where the clusters are: labels spread over
a graph of nearest neighbours (Zhou et al. 2004, local and global consistency), and one logistic
regression is then fitted to the labels and, at lower weight, to what has spread; and once more to
what has spread and what the first one says of each image's neighbours (a round of self-training).
Whether that helps, and how strongly to regularise, is checked by cross-validation on the labels.
What is kept is one linear layer, so serving knows nothing of graphs. Free of torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import eigh
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from core.errors import EmptyTrainingSet, TrainingError

_DIMENSIONS = 256
_GRAPH_DIMENSIONS = 160
_MAX_NODES = 3_000
_NEIGHBOURS = 10
_REACH = 0.8
_SHARPEN = 2
_SURER = 0.25
"""Divides the first fit's scores before it teaches: held small by the penalty, they are too shy."""
_POOL_WEIGHTS = (0.1, 0.0)
_PENALTIES = (0.05, 0.2, 1.0)
_FOLDS = 5
_REPEAT_BELOW = 100
_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Head:
    """One linear layer and its temperature.

    Attributes:
        weight: float32, shape (classes, width).
        bias: float32, shape (classes,).
        temperature: Divides the scores, so that confidence matches accuracy.
        several: Whether each class is decided for itself: rows do not sum to 1 then.
        thresholds: Of several, from which probability on each class is answered; none: one half.
    """

    weight: np.ndarray
    bias: np.ndarray
    temperature: float
    several: bool = False
    thresholds: tuple[float, ...] = ()

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return float32 (n, classes) of vectors (n, width)."""
        out = np.empty((len(vectors), len(self.bias)), dtype=np.float32)
        for at in range(0, len(vectors), 65_536):
            part = vectors[at : at + 65_536].astype(np.float32)
            scores = part @ self.weight.T + self.bias
            out[at : at + 65_536] = self.of_scores(scores)
        return out

    def of_scores(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities that scores, shape (n, classes), mean."""
        shared = scores / self.temperature
        return np.asarray(expit(shared) if self.several else softmax(shared, axis=1))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A probe and what it said of its own training items when it had not seen their labels.

    Attributes:
        head: The classifier.
        out_of_fold: float32 (repeats, n, classes); no repeats where no folds could be made.
        penalty: The L2 penalty that was chosen.
        pool_weight: Weight of an unlabelled image beside a labelled one; 0 if none helped.
        answered: Where an item may have several classes, bool (n, classes): those it was given by
            thresholds that had not seen its labels; no rows where no folds could be made.
    """

    head: Head
    out_of_fold: np.ndarray
    penalty: float
    pool_weight: float
    answered: np.ndarray | None = None


def fit_probe(
    vectors: np.ndarray,
    labels: np.ndarray,
    pool: np.ndarray,
    classes: int,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> Fitted:
    """Fit the probe.

    Args:
        vectors: Of the training items, shape (n, width).
        labels: Their class numbers, shape (n,).
        pool: Vectors of unlabelled items that may be learnt from, shape (m, width).
        classes: How many classes the schema has.
        seed: Decides folds and which of a large pool is used.
        check: Called between fits; may raise to stop.

    Raises:
        EmptyTrainingSet: Fewer than two classes have a label.
        TrainingError: A vector holds NaN.
    """
    seen, codes = np.unique(labels, return_inverse=True)
    if len(seen) < 2:
        raise EmptyTrainingSet(
            f"There are labels of {len(seen)} class{'' if len(seen) == 1 else 'es'}, "
            "at least 2 are needed to learn from.",
            "Label some items of another class and start again.",
        )
    if not np.isfinite(vectors).all():
        raise TrainingError("An embedding holds NaN.", "Clear the cache and start again.")
    rng = np.random.default_rng(seed)
    room = max(0, _MAX_NODES - len(labels))
    chosen = np.sort(rng.permutation(len(pool))[:room])
    nodes = np.concatenate([vectors, pool[chosen]]).astype(np.float32)
    with threadpool_limits(1):  # the matrices are small: threads would wait more than work
        return _fitted(nodes, codes, seen, classes, rng, check)


def _fitted(
    nodes: np.ndarray,
    codes: np.ndarray,
    seen: np.ndarray,
    classes: int,
    rng: np.random.Generator,
    check: Callable[[], None],
) -> Fitted:
    problem = _Problem(nodes, codes, len(seen), check)
    folds = [_folds(codes, rng) for _ in range(3 if len(codes) < _REPEAT_BELOW else 1)]
    penalty, weight, first = problem.choose(folds[0])
    everything = np.ones(len(codes), dtype=bool)
    coefficients = problem.fit([everything], penalty, weight)[0]
    scores = np.stack([first, *(problem.out_of_fold(f, penalty, weight) for f in folds[1:])])
    usable = bool(folds[0].max() > 0)
    temperature = _temperature(scores[0], codes) if usable else 1.0
    head = problem.head(coefficients, seen, classes, temperature)
    spread = np.zeros((len(scores) if usable else 0, len(codes), classes), dtype=np.float32)
    spread[:, :, seen] = softmax(scores / temperature, axis=2)[: len(spread)]
    return Fitted(head, spread, penalty, weight)


class _Problem:
    """Labelled nodes first, then pool nodes, in a space of few dimensions."""

    def __init__(
        self, nodes: np.ndarray, codes: np.ndarray, k: int, check: Callable[[], None]
    ) -> None:
        self.codes, self.k, self.check = codes, k, check
        self.one_hot = np.eye(k, dtype=np.float32)[codes]
        self.mean = nodes.mean(0)
        self.basis = principal_axes(nodes - self.mean)
        self.z = (nodes - self.mean) @ self.basis
        self.has_pool = len(nodes) > len(codes)
        nothing = sparse.csr_array((len(nodes), len(nodes)), dtype=np.float32)
        self.graph = _graph(self.z[:, :_GRAPH_DIMENSIONS]) if self.has_pool else nothing

    def choose(self, fold: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Return the penalty and pool weight to use, and the out-of-fold scores they give.

        The first setting stands unless another's held-out log loss is lower by more than twice its
        standard error: with few labels the least loss is mostly luck.
        """
        weights = _POOL_WEIGHTS if self.has_pool else (0.0,)
        settings = [(p, w) for w in weights for p in _PENALTIES]
        near: list[np.ndarray] | None = None  # a fit starts where the last penalty's ended
        scores = []
        for p, w in settings:
            near = self._fold_fits(fold, p, w, near)
            scores.append(self._held_out(fold, near))
        losses = [_losses(s, self.codes) for s in scores]
        gains = [losses[0] - other for other in losses]
        error = [g.std() / np.sqrt(len(g)) for g in gains]
        clear = [g.mean() if g.mean() > 2 * e else 0.0 for g, e in zip(gains, error, strict=True)]
        best = int(np.argmax(clear))
        return *settings[best], scores[best]

    def out_of_fold(self, fold: np.ndarray, penalty: float, weight: float) -> np.ndarray:
        """Return the scores of each labelled item by the fit that did not see its label."""
        return self._held_out(fold, self._fold_fits(fold, penalty, weight))

    def _fold_fits(
        self,
        fold: np.ndarray,
        penalty: float,
        weight: float,
        start: list[np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        return self.fit([fold != f for f in range(fold.max() + 1)], penalty, weight, start)

    def _held_out(self, fold: np.ndarray, fits: list[np.ndarray]) -> np.ndarray:
        scores = np.zeros((len(fold), self.k))
        for f, b in enumerate(fits):
            here = fold == f
            scores[here] = self.z[: len(fold)][here] @ b[:-1] + b[-1]
        return scores

    def fit(
        self,
        known: list[np.ndarray],
        penalty: float,
        weight: float,
        start: list[np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """Return one set of coefficients per set of known labels, begun from `start` if given."""
        if not weight:
            nothing = np.zeros((len(self.codes), self.k))
            begun: list[np.ndarray | None] = [*start] if start else [None] * len(known)
            return [
                self._fit(m, nothing, penalty, 0.0, b) for m, b in zip(known, begun, strict=True)
            ]
        spread = self._spread(known)
        return [self._taught(m, q, penalty, weight) for m, q in zip(known, spread, strict=True)]

    def _taught(
        self, known: np.ndarray, spread: np.ndarray, penalty: float, weight: float
    ) -> np.ndarray:
        """Fit to what has spread; fit again to that and to what the first says of neighbours."""
        first = self._fit(known, spread, penalty, weight)
        said = softmax((self.z @ first[:-1] + first[-1]) / _SURER, axis=1)
        said[: len(known)][known] = self.one_hot[known]
        around = self.graph @ said
        around /= np.maximum(around.sum(1, keepdims=True), 1e-9)
        return self._fit(known, _sharpened(around + spread), penalty, weight, first)

    def _fit(
        self,
        known: np.ndarray,
        spread: np.ndarray,
        penalty: float,
        weight: float,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        self.check()
        targets = spread.astype(np.float32)
        targets[: len(known)][known] = self.one_hot[known]
        strength = np.where(targets.sum(1) > 0, weight, 0.0)
        strength[: len(known)][known] = 1.0
        used = strength > 0
        z = self.z[: len(targets)][used]
        return _logistic(z, targets[used], strength[used], penalty, start)

    def _spread(self, known: list[np.ndarray]) -> list[np.ndarray]:
        """Return what each node gets from the known labels, rows summing to 1 or 0."""
        seeds = np.zeros((len(self.z), len(known) * self.k), dtype=np.float32)
        for i, mask in enumerate(known):
            seeds[: len(mask), i * self.k : (i + 1) * self.k] = self.one_hot * mask[:, None]
        state = seeds
        for _ in range(30):  # 0.8 ** 30 = 0.001
            state = _REACH * (self.graph @ state) + (1 - _REACH) * seeds
        return [_sharpened(s) for s in np.split(state, len(known), axis=1)]

    def head(self, b: np.ndarray, seen: np.ndarray, classes: int, temperature: float) -> Head:
        """Return the coefficients as a layer on the original vectors; unseen classes never win."""
        weight = np.zeros((classes, len(self.mean)), dtype=np.float32)
        bias = np.full(classes, _NEVER, dtype=np.float32)
        weight[seen] = (self.basis @ b[:-1]).T
        bias[seen] = b[-1] - weight[seen] @ self.mean
        return Head(weight, bias, temperature)


def principal_axes(centred: np.ndarray) -> np.ndarray:
    """Return the leading principal directions as columns."""
    n, d = centred.shape
    wide = n < d
    square = centred @ centred.T if wide else centred.T @ centred
    last = len(square) - 1
    values, directions = eigh(
        square.astype(np.float64), subset_by_index=(max(0, last - _DIMENSIONS + 1), last)
    )
    keep = values > max(values[-1], 1e-12) * 1e-9
    values, directions = values[keep][::-1], directions[:, keep][:, ::-1]
    if wide:
        directions = centred.T @ (directions / np.sqrt(values))
    return np.asarray(directions, dtype=np.float32)


def _graph(z: np.ndarray) -> sparse.csr_array:
    """Return the symmetrically normalised graph of cosine neighbours."""
    unit = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-9)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -1)
    n = len(z)
    k = min(_NEIGHBOURS, n - 1)
    near = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    weights = np.maximum(np.take_along_axis(likeness, near, 1), 0) ** 3
    rows = np.repeat(np.arange(n), k)
    graph = sparse.csr_array((weights.ravel(), (rows, near.ravel())), shape=(n, n))
    graph = graph + graph.T
    scale = sparse.diags_array(1 / np.sqrt(np.maximum(graph.sum(1), 1e-9)))
    return sparse.csr_array(scale @ graph @ scale)


def _sharpened(mass: np.ndarray) -> np.ndarray:
    total = mass.sum(1, keepdims=True)
    share = np.where(total > 1e-9, mass / np.maximum(total, 1e-9), 0.0) ** _SHARPEN
    return np.asarray(share / np.maximum(share.sum(1, keepdims=True), 1e-9))


def _logistic(
    z: np.ndarray,
    targets: np.ndarray,
    strength: np.ndarray,
    penalty: float,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return multinomial coefficients (dimensions + 1, classes), the last row the intercepts."""
    d, k = z.shape[1], targets.shape[1]
    # Classes come first: sums over a few classes are then sums of long rows, some three times faster.
    across, wanted = np.ascontiguousarray(z.T), np.ascontiguousarray(targets.T)
    weight = strength.astype(np.float32)
    mass = wanted.sum(0)
    # The directions are principal ones, so the curvature is nearly diagonal: in units of its root
    # every direction curves alike, and a dozen steps do where hundreds did (Böhning 1992).
    bends = np.einsum("i,ij,ij->j", strength, z, z) + 4 * penalty
    curve = np.append(bends, max(strength.sum(), 1.0)) / 4
    unit = 1 / np.sqrt(curve)[:, None]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        b = (flat.reshape(d + 1, k) * unit).astype(np.float32)
        scores = b[:-1].T @ across
        scores += b[-1][:, None]
        scores -= scores.max(0)
        off = np.exp(scores)
        total = off.sum(0)
        said = mass * np.log(total) - np.einsum("kn,kn->n", wanted, scores)
        off *= mass / total
        off -= wanted
        off *= weight
        value = float(weight @ said) + penalty / 2 * float((b[:-1] ** 2).sum())
        gradient = np.vstack([(off @ z).T + penalty * b[:-1], off.sum(1)]) * unit
        return value, gradient.ravel().astype(np.float64)

    options = {"maxiter": 60, "ftol": 1e-7}
    begin = np.zeros((d + 1) * k) if start is None else (start / unit).ravel().astype(np.float64)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options)
    if not np.isfinite(found.x).all():
        raise TrainingError("The fit diverged: a weight became NaN.", "Start the run again.")
    return np.asarray(found.x.reshape(d + 1, k) * unit, dtype=np.float32)


def _folds(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a fold number per item, each class dealt out evenly; all 0 if nothing can be held out.

    A class with one item is still dealt: in that fold its item simply cannot be got right.
    """
    fold = np.zeros(len(codes), dtype=int)
    if np.bincount(codes).max() < 2:
        return fold
    start = 0
    for c in np.unique(codes):
        mine = rng.permutation(np.flatnonzero(codes == c))
        fold[mine] = (start + np.arange(len(mine))) % _FOLDS
        start += len(mine)
    return np.unique(fold, return_inverse=True)[1]


def _losses(scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the log loss of each item after calibration."""
    log_p = log_softmax(scores / _temperature(scores, codes), axis=1)
    return np.asarray(-log_p[np.arange(len(codes)), codes])


def temperature_of(scores: np.ndarray, targets: np.ndarray, several: bool) -> float:
    """Return the temperature of least loss on items the model never learnt from.

    Args:
        scores: float (n, classes).
        targets: 0 or 1, shape (n, classes); one 1 a row unless several may hold.
        several: Whether each class is decided for itself.
    """
    if not several:
        return _temperature(scores, targets.argmax(1))

    def loss(log_t: float) -> float:
        shared = scores / np.exp(log_t)
        return float((np.logaddexp(0, shared) - targets * shared).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def _temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """Return the temperature of least log loss (Guo et al. 2017), between 0.1 and 20."""
    at = np.arange(len(codes))

    def loss(log_t: float) -> float:
        return -float(log_softmax(scores / np.exp(log_t), axis=1)[at, codes].mean())

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(20)), method="bounded")
    return float(np.exp(found.x))
