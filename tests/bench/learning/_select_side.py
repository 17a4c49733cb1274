"""Our side of choosing: run in a process of its own, so that its memory can be told.

``python -m tests.bench.learning._select_side POOL HEAD ROUNDS PICKS FOLDER``: prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from core.learning.probe import Head
from core.learning.rescore import Rescored, rescore
from core.learning.select import Pool, choose
from tests.bench.consensus.memory import mark


def main(pool_file: str, head_file: str, rounds: str, picks: str, folder: str) -> None:
    """Measure each way, and leave the picks in the folder for comparison."""
    vectors = np.load(pool_file, mmap_mode="r")
    kept = np.load(head_file)
    head = Head(kept["weight"], kept["bias"], 1.0)
    rescore(head, vectors[:1_000])  # compiles, once in the life of an installation
    mark()
    count, found = int(picks), {}
    said = rescore(head, vectors)
    pool = _pool(said, vectors)
    ways: dict[str, Callable[[], object]] = {
        "score": lambda: rescore(head, vectors),
        "margin": lambda: choose("margin", pool, count, 1, random_share=0),
        "score_and_margin": lambda: choose(
            "margin", _pool(rescore(head, vectors), vectors), count, 1, random_share=0
        ),
        "diverse": lambda: choose("k-centre", pool, count, 1, random_share=0),
        "cold_start": lambda: choose("cold-then-margin", pool, count, 1, random_share=0),
    }
    for name, call in ways.items():
        found[name] = _measured(call, int(rounds))
    for name in ("margin", "diverse", "cold_start"):
        np.save(Path(folder) / f"ours-{name}.npy", ways[name]().item_ids)  # type: ignore[attr-defined]
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    sys.stdout.write(json.dumps(found | {"resident_mb": round(peak / 1024)}) + "\n")


def _pool(said: Rescored, vectors: np.ndarray) -> Pool:
    ids = np.arange(len(vectors))
    return Pool(ids, said.confidence, said.margin, said.entropy, vectors)


def _measured(call: Callable[[], object], rounds: int) -> dict[str, float]:
    wall, cpu = [], []
    for _ in range(rounds):
        begun, spent = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - spent)
    return {"seconds": round(median(wall), 3), "cpu_seconds": round(median(cpu), 3)}


main(*sys.argv[1:])
