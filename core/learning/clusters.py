"""K-means over many vectors, and the items that stand for its groups. Free of torch.

Large sets are clustered on a sample, in the leading principal directions: what tells groups of
images apart lies there, and a million items are then assigned in seconds. Vectors may be a memory
map; they are read once, in chunks, by as many threads as there are cores.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import eigh

from core.learning.chunks import chunk_of, give_back, in_chunks

SAMPLE = 50_000
DIMENSIONS = 64
ROUNDS = 5
MOST_GROUPS = 1_000
_BASIS_FROM = 10_000
_CHUNK = 8_192


def representatives(
    vectors: np.ndarray, count: int, seed: int, rows: np.ndarray | None = None
) -> np.ndarray:
    """Return the places of `count` vectors that stand for all of them in small.

    As many groups are made as are asked for, up to a thousand, and each gives the one nearest its
    centre; whatever is still missing comes from the groups in step with their size.

    Args:
        vectors: Shape (m, width).
        count: How many; all, where there are fewer.
        seed: Draws the sample and the first centres.
        rows: Out of these rows of `vectors` alone, shape (n,); the answer counts in them.
    """
    n = len(vectors) if rows is None else len(rows)
    if count >= n:
        return np.arange(n)
    if count < 1:
        return np.zeros(0, dtype=np.int64)
    basis, centres = _centres(vectors, min(count, MOST_GROUPS), seed, rows)
    group, near = _assigned(vectors, basis, centres, rows)
    sizes = np.bincount(group, minlength=len(centres))
    by_group = np.lexsort((np.arange(n), -near, group))
    place = np.empty(n, dtype=np.int64)
    place[by_group] = np.arange(n) - (np.cumsum(sizes) - sizes)[group[by_group]]
    return np.lexsort((np.arange(n), group, place / sizes[group]))[:count]


def grouped(vectors: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """Return the group of each vector by k-means, int64 (n,), the largest group first.

    Args:
        vectors: Shape (n, width).
        groups: How many; fewer where there are fewer vectors.
        seed: Draws the sample and the first centres.
    """
    if not len(vectors):
        return np.zeros(0, dtype=np.int64)
    basis, centres = _centres(vectors, max(1, min(groups, len(vectors))), seed, None)
    group, _ = _assigned(vectors, basis, centres)
    by_size = np.argsort(-np.bincount(group, minlength=len(centres)), kind="stable")
    rank = np.empty(len(centres), dtype=np.int64)
    rank[by_size] = np.arange(len(centres))
    return np.asarray(rank[group])


def _centres(
    vectors: np.ndarray, k: int, seed: int, rows: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the directions that count (None: all) and the centres in them."""
    rng = np.random.default_rng(seed)
    n = len(vectors) if rows is None else len(rows)
    drawn = np.arange(n) if n <= SAMPLE else np.sort(rng.choice(n, SAMPLE, replace=False))
    sample = vectors[drawn if rows is None else rows[drawn]].astype(np.float32)
    basis = _basis(sample[:_BASIS_FROM]) if sample.shape[1] > DIMENSIONS else None
    points = sample if basis is None else sample @ basis
    return basis, _lloyd(points, k, rng)


def _basis(sample: np.ndarray) -> np.ndarray:
    centred = sample - sample.mean(0)
    width = centred.shape[1]
    square = (centred.T @ centred).astype(np.float64)
    _, directions = eigh(square, subset_by_index=(width - DIMENSIONS, width - 1))
    return np.asarray(directions, dtype=np.float32)


def _lloyd(points: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    n = len(points)
    centres = points[rng.choice(n, k, replace=False)]
    rounds = ROUNDS if n >= SAMPLE else 4 * ROUNDS
    for _ in range(rounds):
        group, _near = _assigned(points, None, centres)
        member = sparse.csr_array((np.ones(n, np.float32), (group, np.arange(n))), shape=(k, n))
        counts = np.bincount(group, minlength=k)[:, None]
        moved = np.where(counts > 0, (member @ points) / np.maximum(counts, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = moved.astype(np.float32)
    return centres


def _assigned(
    vectors: np.ndarray,
    basis: np.ndarray | None,
    centres: np.ndarray,
    rows: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each vector's nearest centre and minus half the squared distance to it."""
    n = len(vectors) if rows is None else len(rows)
    group = np.empty(n, dtype=np.int64)
    near = np.empty(n, dtype=np.float32)
    half = (centres**2).sum(1) / 2
    across = np.ascontiguousarray(centres.T)

    def one(start: int, end: int) -> None:
        read = chunk_of(vectors, rows, start, end)
        part = read.astype(np.float32)
        give_back(read, vectors)
        points = part if basis is None else part @ basis
        likeness = points @ across
        likeness -= half
        best = likeness.argmax(1)
        group[start:end] = best
        near[start:end] = likeness[np.arange(len(best)), best] - np.square(points).sum(1) / 2

    in_chunks(n, _CHUNK, one)
    return group, near
