"""A linear head over a million memory-mapped embeddings: what is likeliest, and how sure. Free of torch.

Vectors are read once, in chunks, by as many threads as there are cores, and what was read is given
back to the system at once; kept are four numbers an item, never a table of items by classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.learning.cache import EmbeddingCache
from core.learning.chunks import chunk_of, give_back, in_chunks
from core.learning.probe import Head

_CHUNK = 4_096


@dataclass(frozen=True, slots=True)
class Rescored:
    """What a head says of each item; NaN where the item has no sound vector.

    Attributes:
        top: int16, the likeliest class, shape (n,).
        confidence: float32, its probability.
        margin: float32, that less the second largest.
        entropy: float32, of the probabilities, nats.
    """

    top: np.ndarray
    confidence: np.ndarray
    margin: np.ndarray
    entropy: np.ndarray


def rescore(head: Head, vectors: np.ndarray, rows: np.ndarray | None = None) -> Rescored:
    """Return what the head says of vectors.

    Args:
        head: At most 32,767 classes.
        vectors: float16 or float32, shape (m, width); a memory map stays one.
        rows: Of these rows alone, in this order; ascending ones are read fastest.
    """
    found = _nothing(len(vectors) if rows is None else len(rows))
    _into(found, head, vectors, rows, None)
    return found


def rescore_cached(head: Head, cache: EmbeddingCache, content_hashes: Sequence[str]) -> Rescored:
    """Return what the head says of images by their hashes; no vector is copied out of the cache.

    Args:
        head: Made on this cache's vectors.
        cache: Where they lie.
        content_hashes: Of the images, shape (n,).
    """
    found = _nothing(len(content_hashes))
    shards, shard, row = cache.places(content_hashes)
    for number, vectors in enumerate(shards):
        mine = np.flatnonzero(shard == number)
        mine = mine[np.argsort(row[mine], kind="stable")]
        if len(mine):
            _into(found, head, vectors, row[mine], mine)
    return found


def _nothing(n: int) -> Rescored:
    unknown = [np.full(n, np.nan, dtype=np.float32) for _ in range(3)]
    return Rescored(np.zeros(n, dtype=np.int16), *unknown)


def _into(
    found: Rescored,
    head: Head,
    vectors: np.ndarray,
    rows: np.ndarray | None,
    places: np.ndarray | None,
) -> None:
    """Write what the head says of rows to these places of `found`; None: to the first ones."""
    from core.learning._kernels import told

    across = np.ascontiguousarray((head.weight / head.temperature).T, dtype=np.float32)
    bias = (head.bias / head.temperature).astype(np.float32)

    def one(start: int, end: int) -> None:
        part = chunk_of(vectors, rows, start, end)
        scores = _wide(part) @ across
        scores += bias
        give_back(part, vectors)
        out = _nothing(end - start)
        told(scores, out.top, out.confidence, out.margin, out.entropy)
        where = slice(start, end) if places is None else places[start:end]
        found.top[where], found.confidence[where] = out.top, out.confidence
        found.margin[where], found.entropy[where] = out.margin, out.entropy

    in_chunks(len(vectors) if rows is None else len(rows), _CHUNK, one)


def _wide(part: np.ndarray) -> np.ndarray:
    """Return the part as float32."""
    from core.learning._kernels import widen

    if part.dtype != np.float16:
        return np.asarray(part, dtype=np.float32)
    wide = np.empty(part.shape, dtype=np.float32)
    widen(np.ascontiguousarray(part).view(np.uint16).reshape(-1), wide.reshape(-1))
    return wide
