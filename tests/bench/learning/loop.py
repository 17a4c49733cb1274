"""The campaign on made pools: what people label, what is accepted wrongly, how often the promise breaks.

The standard pool: classes of three groups each in 32 dimensions, the groups' middles drawn around
the origin, every item's distance from its middle stretched by a factor of its own; `apart` says how far
the middles lie from the origin: 1.3 makes the easy pool, 1.0 the hard one.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from core.learning.loop import LoopRun, LoopSettings, rivals, simulate
from core.stats.intervals import wilson

EASY, HARD = 1.3, 1.0
FIRST_SEED = 100
SEEDS, HARD_SEEDS, RIVAL_SEEDS = 50, 20, 10


def made_pool(
    seed: int, apart: float, n: int = 8_000, width: int = 32, classes: int = 8, groups: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors, float32 (n, width), and classes of a pool."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, apart, (classes, groups, width))
    truth, group = rng.integers(0, classes, n), rng.integers(0, groups, n)
    around = rng.normal(0, 1, (n, width)) * rng.lognormal(0, 0.35, (n, 1))
    return (middles[truth, group] + around).astype(np.float32), truth


def run(folder: Path) -> dict[str, object]:
    """Return the goals of the loop: 50 easy pools, 20 hard ones, and the ways beside each other."""
    with _processes() as pool:
        easy = list(pool.map(_ours, [EASY] * SEEDS, range(SEEDS)))
        hard = list(pool.map(_ours, [HARD] * HARD_SEEDS, range(HARD_SEEDS)))
        ways = list(pool.map(_ways, range(RIVAL_SEEDS)))
    return {
        "settings": asdict(LoopSettings()),
        "easy": summary(easy) | {"goal": "human share ≤ 0.33, over target ≤ 10 %, ≥ 50 seeds"},
        "hard": summary(hard),
        "ways_on_easy": {way: summary([w[way] for w in ways]) for way in ways[0]},
    }


def summary(runs: list[LoopRun]) -> dict[str, object]:
    """Return what some runs came to together."""
    share = np.array([r.human_share for r in runs])
    error = np.array([r.auto_error for r in runs])
    over = sum(r.over_target for r in runs)
    interval = wilson(over, len(runs))
    return {
        "seeds": len(runs),
        "human_share": round(float(share.mean()), 4),
        "human_share_max": round(float(share.max()), 4),
        "auto_error": round(float(error.mean()), 4),
        "auto_error_max": round(float(error.max()), 4),
        "runs_over_target": over / len(runs),
        "runs_over_target_95": [round(interval.low, 3), round(interval.high, 3)],
        "refused": int((share == 1).sum()),
        "revoked": sum(r.revoked for r in runs),
        "final_accuracy": round(float(np.mean([r.final_accuracy for r in runs])), 4),
        "looks": round(float(np.mean([len(r.rounds) for r in runs])), 2),
        "seconds_a_run": round(float(np.median([r.seconds for r in runs])), 1),
    }


def _processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"))


def _ours(apart: float, seed: int) -> LoopRun:
    with threadpool_limits(1):
        return simulate(*made_pool(FIRST_SEED + seed, apart), LoopSettings(), seed)


def _ways(seed: int) -> dict[str, LoopRun]:
    with threadpool_limits(1):
        return rivals(*made_pool(FIRST_SEED + seed, EASY), LoopSettings(), seed)
