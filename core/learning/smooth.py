"""What is believed of an item once its neighbours are asked too. Free of torch.

A model that saw few labels is wrong in patches; images that look alike seldom differ in class.
How much the neighbours count is chosen on training labels alone, so the certificate stays blind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NEIGHBOURS = 15
WEIGHTS = (0.0, 0.25, 0.5, 0.75)
EXACT = 50_000
"""Up to so many items every pair is compared; beyond, those in the nearest groups."""
_CHUNK = 1024
_GROUP = 2000
_GROUPS_NEAR = 4
_ROUNDS = 4
_LEAST = 1e-3  # one sure mistake should not decide the weight

Learn = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(rows labelled, their class numbers) → probabilities of every row, shape (n, classes)."""


def nearest(vectors: np.ndarray, count: int = NEIGHBOURS, seed: int = 0) -> np.ndarray:
    """Return the rows most like each row by cosine, itself left out, in no order, shape (n, count).

    Args:
        vectors: float32 rows of unit length, shape (n, width).
        count: How many; fewer where there are no more rows.
        seed: Of the groups among which a large set is searched.
    """
    n = len(vectors)
    count = min(count, n - 1)
    if count < 1:
        return np.zeros((n, 0), dtype=np.int64)
    if n <= EXACT:
        return _among(vectors, np.arange(n), np.arange(n), count)
    return _grouped(vectors, count, seed)


def blend(said: np.ndarray, near: np.ndarray, weight: float) -> np.ndarray:
    """Return (1 - weight) of what is said of each row and `weight` of its neighbours' mean.

    Args:
        said: Probabilities, shape (n, classes); of rows with a training label that label.
        near: As `nearest` gave it.
        weight: Between 0 and 1.
    """
    if weight == 0 or near.shape[1] == 0:
        return said
    around = np.zeros_like(said)
    for column in near.T:
        around += said[column]
    return np.asarray((1 - weight) * said + (weight / near.shape[1]) * around)


def choose_weight(
    learn: Learn,
    near: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
    classes: int,
    folds: int = 3,
    seed: int = 0,
) -> float:
    """Return the neighbours' weight with the least cross-validated log loss on training labels.

    Each fold is told by a model that never saw its labels, nor did its neighbours' answers. The
    smaller weight wins a tie; 0 where there is too little to tell.

    Args:
        learn: Makes a model of some of the labels.
        near: As `nearest` gave it.
        rows: Rows with a training label.
        labels: Their class numbers.
        classes: How many there are.
        folds: Models to be made, each costs one fit.
        seed: Decides the folds.
    """
    fold = _folds(labels, folds, seed)
    loss = np.zeros(len(WEIGHTS))
    for k in range(folds):
        held, kept = fold == k, fold != k
        if not held.any() or len(np.unique(labels[kept])) < 2:
            continue
        said = np.array(learn(rows[kept], labels[kept]))
        said[rows[kept]] = np.eye(classes, dtype=said.dtype)[labels[kept]]
        loss += _losses(said, near, rows[held], labels[held])
    return WEIGHTS[int(loss.argmin())]


def _losses(said: np.ndarray, near: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    own = said[rows, labels]
    around = said[near[rows], labels[:, None]].mean(1) if near.shape[1] else own
    return np.array(
        [-np.log(np.maximum((1 - w) * own + w * around, _LEAST)).sum() for w in WEIGHTS]
    )


def _folds(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return a fold for each label, the classes spread evenly."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def _among(vectors: np.ndarray, rows: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """Return for each of some rows its nearest candidates, itself left out."""
    found = np.empty((len(rows), count), dtype=np.int64)
    known = np.ascontiguousarray(vectors[candidates].T)
    place = np.full(len(vectors), -1, dtype=np.int64)
    place[candidates] = np.arange(len(candidates))
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        alike = vectors[part] @ known
        alike[np.arange(len(part)), place[part]] = -np.inf
        best = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        found[start : start + _CHUNK] = candidates[best]
    return found


def _grouped(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    centres = _centres(vectors, max(1, len(vectors) // _GROUP), seed)
    group = _assigned(vectors, centres)
    members = np.split(
        np.argsort(group, kind="stable"), np.cumsum(np.bincount(group, minlength=len(centres)))[:-1]
    )
    found = np.empty((len(vectors), count), dtype=np.int64)
    beside = np.argsort(-(centres @ centres.T), axis=1, kind="stable")
    for k, rows in enumerate(members):
        if len(rows):
            reach = _GROUPS_NEAR
            while sum(len(members[g]) for g in beside[k, :reach]) <= count:
                reach += 1
            candidates = np.concatenate([members[g] for g in beside[k, :reach]])
            found[rows] = _among(vectors, rows, candidates, count)
    return found


def _centres(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Return directions around which the rows lie, by a few rounds of k-means on a sample."""
    rng = np.random.default_rng(seed)
    sample = vectors[np.sort(rng.choice(len(vectors), min(len(vectors), 50 * k), replace=False))]
    centres = sample[rng.choice(len(sample), k, replace=False)]
    for _ in range(_ROUNDS):
        group = _assigned(sample, centres)
        order = np.argsort(group, kind="stable")
        held, first = np.unique(group[order], return_index=True)
        moved = centres.copy()
        moved[held] = np.add.reduceat(sample[order], first, axis=0)
        centres = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)
    return np.asarray(centres)


def _assigned(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    group = np.empty(len(vectors), dtype=np.int64)
    across = np.ascontiguousarray(centres.T)
    for start in range(0, len(vectors), 16 * _CHUNK):
        group[start : start + 16 * _CHUNK] = (vectors[start : start + 16 * _CHUNK] @ across).argmax(
            1
        )
    return group
