"""Effects told apart: one million statements of 20 cameras, 40 people and 50 classes on 300,000 items."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from core.stats.mixed import fit_crossed, separate, variance_shares

STATEMENTS, ITEMS, SIZES = 1_000_000, 300_000, (20, 40, 50)


def run(folder: Path) -> dict[str, Any]:
    """Return how long the model and what follows from it took, and whether one bad camera is told."""
    rng = np.random.default_rng(0)
    levels = [rng.integers(0, size, STATEMENTS) for size in SIZES]
    item = rng.integers(0, ITEMS, STATEMENTS)
    right = (rng.random(STATEMENTS) < np.where(levels[0] == 3, 0.85, 0.9)).astype(float)
    wall, cpu = time.perf_counter(), time.process_time()
    fitted = fit_crossed(levels, SIZES, np.ones(STATEMENTS), right, item)
    fit_cpu = time.process_time() - cpu
    cameras = separate(fitted, 0)
    separate(fitted, 1)
    variance_shares(fitted)
    bad = cameras[3].gap
    return {
        "statements": STATEMENTS,
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "cpu_seconds_of_the_fit": round(fit_cpu, 3),
        "bad_camera": [round(v or 0.0, 4) for v in (bad.value, bad.low, bad.high)],
    }
