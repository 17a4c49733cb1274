"""Passing once over many rows in chunks, a thread a core, without keeping a memory map resident."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_KEEP_BYTES = 256 << 20


def in_chunks(n: int, chunk: int, call: Callable[[int, int], None]) -> None:
    """Call with (start, end) of each chunk of n rows; one BLAS thread each."""
    parts = [(at, min(at + chunk, n)) for at in range(0, n, chunk)]
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in pool.map(lambda part: call(*part), parts):
            pass


def chunk_of(vectors: np.ndarray, rows: np.ndarray | None, start: int, end: int) -> np.ndarray:
    """Return rows start to end, of `rows` where only those count; consecutive ones uncopied."""
    if rows is None:
        return vectors[start:end]
    some = rows[start:end]
    if len(some) and some[-1] - some[0] == len(some) - 1 and bool((np.diff(some) == 1).all()):
        return vectors[some[0] : some[-1] + 1]
    return np.asarray(vectors[some])


def give_back(part: np.ndarray, whole: np.ndarray) -> None:
    """Let the system take a part that was read out of our memory; it stays in its cache.

    Nothing happens where the whole is no memory map, a small one, or the part is a copy of it.
    """
    mapped = getattr(whole, "_mmap", None)
    if mapped is None or whole.nbytes < _KEEP_BYTES or not hasattr(mmap, "MADV_DONTNEED"):
        return
    if not part.flags.c_contiguous or not np.may_share_memory(part, whole):
        return
    lead = whole.offset % mmap.ALLOCATIONGRANULARITY  # type: ignore[attr-defined]
    start = lead + part.ctypes.data - whole.ctypes.data
    low = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    high = (start + part.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if high > low:
        mapped.madvise(mmap.MADV_DONTNEED, low, high - low)
