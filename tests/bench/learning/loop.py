"""The campaign on made pools: what people label, what is accepted wrongly, how often the promise breaks.

The standard pool: classes of three groups each in 32 dimensions, the groups' middles drawn around
the origin, every item's distance from its middle stretched by a factor of its own; `apart` says how far
the middles lie from the origin: 1.3 makes the easy pool, 1.0 the hard one.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from core.learning.loop import LoopRun, LoopSettings, rivals
from core.stats.intervals import wilson

EASY, HARD = 1.3, 1.0
FIRST_SEED = 100
SEEDS = {EASY: 50, HARD: 20}


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
    """Return every way's figures on the easy pools and on the hard ones, and the table of them."""
    with _processes() as pool:
        found = {
            apart: list(pool.map(_ways, [apart] * count, range(count)))
            for apart, count in SEEDS.items()
        }
    pools = {
        name: {way: summary([w[way] for w in found[apart]]) for way in found[apart][0]}
        for name, apart in (("easy", EASY), ("hard", HARD))
    }
    return {
        "settings": asdict(LoopSettings()),
        "goal": "easy, certificate: human share ≤ 0.33, over target ≤ 10 %, ≥ 50 seeds",
        "load": os.getloadavg(),
        **pools,
        "table": table(pools),
    }


def table(pools: Mapping[str, Mapping[str, Mapping[str, object]]]) -> list[str]:
    """Return the ways beside each other as lines of Markdown."""
    lines = [
        "| pool | way | seeds | runs over target | human share, mean (max) | auto error, mean (max) | final labels right |",
        "|---|---|---|---|---|---|---|",
    ]
    for pool, ways in pools.items():
        for way, s in ways.items():
            lines.append(
                f"| {pool} | {way} | {s['seeds']} | {s['over']} | {s['human_share']:.3f} "
                f"({s['human_share_max']:.3f}) | {s['auto_error']:.4f} ({s['auto_error_max']:.4f}) | "
                f"{s['final_accuracy']:.4f} |"
            )
    return lines


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
        "over": over,
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


def _ways(apart: float, seed: int) -> dict[str, LoopRun]:
    with threadpool_limits(1):
        return rivals(*made_pool(FIRST_SEED + seed, apart), LoopSettings(), seed)
