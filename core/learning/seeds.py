"""One campaign for each of many seeds, beside the other ways; processes share the work. Free of torch."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from core.learning.loop import LoopRun, LoopSettings, rivals, unit_rows
from core.learning.smooth import nearest

Runs = Mapping[str, LoopRun]
"""Each way's run, by its name."""

WORTH_SHARING = 2_000_000
"""Numbers in the vectors times seeds from which processes of their own pay for their start."""

_held: dict[str, np.ndarray] = {}


def run_seeds(
    vectors: np.ndarray,
    truth: np.ndarray,
    settings: LoopSettings,
    seeds: Sequence[int],
    told: Callable[[int, int], None] = lambda done, total: None,
    processes: int | None = None,
) -> list[Runs]:
    """Return the ways' runs for each seed, in the order of the seeds.

    Args:
        vectors: Of every item, shape (n, width).
        truth: Class number of every item, from 0.
        settings: How each campaign is run.
        seeds: One campaign each.
        told: Hears how many are done, of how many.
        processes: How many share the work; as many as there are cores by default.
    """
    near = nearest(unit_rows(vectors))
    shared = vectors.size * len(seeds) >= WORTH_SHARING
    count = min(len(seeds), processes or (os.cpu_count() or 1) if shared else 1)
    runs: list[Runs] = []
    for found in _each(vectors, truth, near, settings, seeds, count):
        runs.append(found)
        told(len(runs), len(seeds))
    return runs


def _each(
    vectors: np.ndarray,
    truth: np.ndarray,
    near: np.ndarray,
    settings: LoopSettings,
    seeds: Sequence[int],
    count: int,
) -> Iterator[Runs]:
    if count < 2:
        for seed in seeds:
            yield rivals(vectors, truth, settings, seed, None, near)
        return
    with tempfile.TemporaryDirectory(prefix="tiebreak-seeds-") as place:
        folder = Path(place)
        for name, array in (("vectors", vectors), ("truth", truth), ("near", near)):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        # Spawned: a fork of a process in which torch has threads may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, context, _begin, (place,)) as pool:
            yield from pool.map(_one, [settings] * len(seeds), seeds)


def _begin(place: str) -> None:
    for name in ("vectors", "truth", "near"):
        _held[name] = np.load(Path(place) / f"{name}.npy", mmap_mode="r", allow_pickle=False)


def _one(settings: LoopSettings, seed: int) -> Runs:
    with threadpool_limits(1):
        rows, truth, near = (np.asarray(_held[k]) for k in ("vectors", "truth", "near"))
        return rivals(rows, truth, settings, seed, None, near)
