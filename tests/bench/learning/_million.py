"""A pool of embeddings on disk: unit rows of ten classes, as float16, and a head for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WIDTH, CLASSES = 512, 10
_AT_ONCE = 50_000


def lay_out(folder: Path, n: int) -> tuple[Path, np.ndarray]:
    """Write n rows to a file and return it with the class of each."""
    rng = np.random.default_rng(0)
    middles = rng.normal(0, 0.25, (CLASSES, WIDTH)).astype(np.float32)
    place = folder / f"pool-{n}.npy"
    table = np.lib.format.open_memmap(place, "w+", np.float16, (n, WIDTH))
    truth = rng.integers(0, CLASSES, n)
    for at in range(0, n, _AT_ONCE):
        of = truth[at : at + _AT_ONCE]
        rows = rng.standard_normal((len(of), WIDTH), dtype=np.float32) + middles[of]
        table[at : at + _AT_ONCE] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    table.flush()
    return place, truth
