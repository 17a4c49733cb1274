"""Embeddings on disk: memory-mapped shards keyed by content, shared by processes. Free of torch.

A shard is a pair of .npy files, vectors first and keys last, each written beside its place and
renamed. So a shard is either whole or unseen, writers never touch each other's files, and
a file that was damaged later is passed over and its images are embedded again.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.learning.files import write_durably

_MERGE_ABOVE = 64


class EmbeddingCache:
    """The embeddings of one backbone under one preprocessing.

    Args:
        folder: Holds one sub-folder per key.
        key: Names weights, features and preprocessing together.
        width: Length of one vector.
    """

    def __init__(self, folder: Path, key: str, width: int) -> None:
        self.folder = folder / "embeddings" / key
        self.width = width

    def read(self, content_hashes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors, float16 (n, width), and which of them were found, bool (n,)."""
        out = np.zeros((len(content_hashes), self.width), dtype=np.float16)
        found = np.zeros(len(content_hashes), dtype=bool)
        wanted = _keys(content_hashes)
        for keys, vectors in self._shards():
            order = np.argsort(keys)
            at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
            rows = order[at]
            hit = (keys[rows] == wanted) & ~found
            out[hit] = vectors[rows[hit]]
            # A damaged row is embedded again; what is written later then stands in for it.
            found[hit] = np.isfinite(out[hit]).all(1)
        return out, found

    def places(
        self, content_hashes: Sequence[str]
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Return where the vectors lie, without reading one.

        Returns:
            The shards, float16 memory maps; the number of each image's shard, int32 (n,), -1 where
            it has none; and its row there, int64 (n,).
        """
        shards: list[np.ndarray] = []
        shard = np.full(len(content_hashes), -1, dtype=np.int32)
        row = np.zeros(len(content_hashes), dtype=np.int64)
        wanted = _keys(content_hashes)
        for keys, vectors in self._shards():
            order = np.argsort(keys)
            at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
            hit = (keys[order[at]] == wanted) & (shard < 0)
            shard[hit], row[hit] = len(shards), order[at[hit]]
            shards.append(vectors)
        return shards, shard, row

    def add(self, content_hashes: Sequence[str], vectors: np.ndarray) -> None:
        """Store vectors durably; on return they survive a crash.

        Raises:
            DiskFull: They could not be written; the cache is as before.
        """
        if not len(content_hashes):
            return
        name = uuid.uuid4().hex
        _write(self.folder / f"{name}.vectors.npy", vectors.astype(np.float16))
        _write(self.folder / f"{name}.keys.npy", _keys(content_hashes))

    def merge(self) -> None:
        """Make one shard of many small ones; readers at work keep what they have mapped."""
        names = sorted(self.folder.glob("*.keys.npy"))
        if len(names) <= _MERGE_ABOVE:
            return
        loaded = [pair for name in names if (pair := self._open(name))]
        keys = np.concatenate([k for k, _ in loaded])
        vectors = np.concatenate([v for _, v in loaded])
        _, first = np.unique(keys, return_index=True)
        name = uuid.uuid4().hex
        _write(self.folder / f"{name}.vectors.npy", vectors[first])
        _write(self.folder / f"{name}.keys.npy", keys[first])
        for old in names:
            old.unlink(missing_ok=True)
            _vectors_of(old).unlink(missing_ok=True)

    def _shards(self) -> list[tuple[np.ndarray, np.ndarray]]:
        names = sorted(self.folder.glob("*.keys.npy"))
        return [pair for name in names if (pair := self._open(name)) and len(pair[0])]

    def _open(self, name: Path) -> tuple[np.ndarray, np.ndarray] | None:
        try:
            keys = np.load(name, allow_pickle=False)
            vectors = np.load(_vectors_of(name), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        sound = keys.dtype == np.dtype("S32") and vectors.dtype == np.float16
        return (keys, vectors) if sound and vectors.shape == (len(keys), self.width) else None


def _vectors_of(keys: Path) -> Path:
    return keys.with_name(keys.name.replace(".keys.", ".vectors."))


def _keys(content_hashes: Sequence[str]) -> np.ndarray:
    digests = [hashlib.blake2b(h.encode(), digest_size=16).hexdigest() for h in content_hashes]
    return np.array(digests, dtype="S32")


def _write(path: Path, array: np.ndarray) -> None:
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    write_durably(path, data.getbuffer())
