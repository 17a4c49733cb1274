"""How typical of a whole set each image is, from its embedding: what to label first. Free of torch.

The images are grouped by k-means, and each group gives its images from the centre outwards, in
step with its size. So the first few hundred are a likeness of the whole set in small, where
those nearest to one common centre would all look alike; a group of one odd image comes late.
(After TypiClust, Hacohen et al. 2022, which takes one of each group.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.learning.reader import read_embeddings

MOST_GROUPS = 100
IMAGES_A_GROUP = 20
SAMPLE = 20_000
ROUNDS = 10
_CHUNK = 50_000


def typicality_of(
    folder: Path, cache: Path, content_hashes: dict[int, str], seed: int = 0
) -> dict[int, float]:
    """Return the score of each item whose embedding under a run's model is in the cache.

    Args:
        folder: The run's folder.
        cache: The embeddings' cache.
        content_hashes: Item to the hash of its image.
        seed: Draws the first centres.

    Raises:
        BadCheckpoint: The run has no finished model.
    """
    ids = sorted(content_hashes)
    vectors, found = read_embeddings(folder, cache, [content_hashes[i] for i in ids])
    scores = typicality(vectors[found], seed)
    return {ids[n]: float(s) for n, s in zip(np.flatnonzero(found), scores, strict=True)}


def typicality(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return for each vector, shape (n, width), unit length, a score in (0, 1]; 1 comes first."""
    n = len(vectors)
    if n == 0:
        return np.zeros(0)
    centres = _centres(vectors, max(1, min(MOST_GROUPS, n // IMAGES_A_GROUP)), seed)
    group, near = _assign(vectors, centres)
    sizes = np.bincount(group, minlength=len(centres))
    # Place within the group: nearest first; equally near ones in the order given.
    by_group = np.lexsort((np.arange(n), -near, group))
    starts = np.cumsum(sizes) - sizes
    place = np.empty(n, dtype=np.int64)
    place[by_group] = np.arange(n) - starts[group[by_group]]
    order = np.lexsort((np.arange(n), group, (place + 0.5) / sizes[group]))
    score = np.empty(n)
    score[order] = 1 - np.arange(n) / n
    return score


def _centres(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    some = vectors
    if len(vectors) > SAMPLE:
        some = vectors[np.sort(rng.choice(len(vectors), SAMPLE, replace=False))]
    sample = some.astype(np.float32)
    centres = sample[rng.choice(len(sample), k, replace=False)]
    for _ in range(ROUNDS):
        group, _near = _assign(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, group, sample)
        counts = np.bincount(group, minlength=k)[:, None]
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    return centres


def _assign(vectors: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each vector's nearest centre and how near it is: minus the squared distance."""
    group = np.empty(len(vectors), dtype=np.int64)
    near = np.empty(len(vectors), dtype=np.float32)
    half = (centres**2).sum(1) / 2
    for start in range(0, len(vectors), _CHUNK):
        part = vectors[start : start + _CHUNK].astype(np.float32)
        likeness = part @ centres.T - half
        best = likeness.argmax(1)
        group[start : start + _CHUNK] = best
        squares = (part**2).sum(1)
        near[start : start + _CHUNK] = 2 * likeness[np.arange(len(part)), best] - squares
    return group, near
