"""Which of several images look alike: groups of embeddings that really stand apart, and no others.

Two to sixteen groups are tried by k-means on the sphere, begun from the images farthest from one
another; the number with the best mean silhouette (Rousseeuw 1987, by cosine) is taken where that is
above 0.25, below which Kaufman and Rousseeuw (1990) see no structure. What looks the same throughout
stays one so, whatever the embeddings' scale. A few images show no structure: they part in two where
the halves are less alike than nine in ten pairs of images are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

STRUCTURE = 0.25
FEWEST = 8
"""Images that can show structure."""
UNLIKE = 0.1
"""Share of the pairs of images that are less alike than the halves of few that stay one."""
TRIED = (2, 3, 4, 6, 8, 12, 16)
"""Numbers of groups."""
_SAMPLE = 400
"""Images from which the groups are found; every other one then joins the nearest."""
_ROUNDS = 12


def unlike_below(vectors: Vectors) -> float:
    """Return the cosine that nine in ten pairs of these images exceed; -1 of fewer than two.

    Args:
        vectors: Of unit length, shape (n, width); beyond 400 an even sample is looked at.
    """
    some = np.asarray(vectors[_even(len(vectors))], dtype=np.float64)
    if len(some) < 2:
        return -1.0
    cosines = (some @ some.T)[np.triu_indices(len(some), 1)]
    return float(np.quantile(cosines, UNLIKE))


def groups_by_look(vectors: Vectors, unlike: float) -> Ints:
    """Return the group of each image, numbered by the first image of each.

    Args:
        vectors: Of unit length, shape (n, width).
        unlike: Cosine below which two images are very different, as `unlike_below` gives it.
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    some = np.asarray(vectors[_even(len(vectors))], dtype=np.float64)
    centres = _structure(some) if len(some) >= FEWEST else None
    if centres is None:
        halves = _centres(some, 2)
        if not float(halves[0] @ halves[-1]) < unlike:
            return np.zeros(len(vectors), dtype=np.int64)
        centres = halves
    nearest = (np.asarray(vectors, dtype=np.float64) @ centres.T).argmax(axis=1)
    _, first, group = np.unique(nearest, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group].astype(np.int64)


def likeness_to_centre(vectors: Vectors) -> Reals:
    """Return the cosine of each image to the centre of them all, shape (n,)."""
    own = np.asarray(vectors, dtype=np.float64)
    return np.asarray(own @ _centre(own))


def _even(n: int) -> Ints:
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, _SAMPLE)).astype(np.int64))


def _centre(vectors: Reals) -> Reals:
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length > 0 else mean)


def _structure(vectors: Reals) -> Reals | None:
    """Return the centres of the groups that stand apart most; None where none do."""
    far = 1 - vectors @ vectors.T
    np.fill_diagonal(far, 0.0)
    tried = [_centres(vectors, k) for k in TRIED if 2 * k <= len(vectors)]
    scores = [_silhouette(far, (vectors @ c.T).argmax(axis=1), len(c)) for c in tried]
    best = int(np.argmax(scores))
    return tried[best] if scores[best] > STRUCTURE else None


def _centres(vectors: Reals, k: int) -> Reals:
    """Return the centres of at most k groups by k-means on the sphere."""
    centres = vectors[[int(np.argmin(vectors @ _centre(vectors)))]]
    while len(centres) < k:
        centres = np.vstack([centres, vectors[np.argmin((vectors @ centres.T).max(axis=1))]])
    for _ in range(_ROUNDS):
        group = (vectors @ centres.T).argmax(axis=1)
        again = np.array([_centre(vectors[group == g]) for g in np.unique(group)])
        if again.shape == centres.shape and np.allclose(again, centres):
            break
        centres = again
    return centres


def _silhouette(far: Reals, group: NDArray[np.intp], k: int) -> float:
    """Return the mean silhouette; an image alone in its group has 0."""
    member = np.eye(k)[group]
    sizes = member.sum(axis=0)
    if np.count_nonzero(sizes) < 2:
        return 0.0
    sums, rows = far @ member, np.arange(len(group))
    own = sums[rows, group] / np.maximum(sizes[group] - 1, 1)
    other = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    other[rows, group] = np.inf
    away = other.min(axis=1)
    most = np.maximum(own, away)
    counts = (most > 0) & (sizes[group] > 1)
    score = np.divide(away - own, most, out=np.zeros_like(own), where=counts)
    return float(score.mean())
