"""Retraining and rescoring in a process of its own: ``… POOL ROUNDS`` prints one JSON line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from core.learning.probe import fit_probe
from core.learning.rescore import rescore
from tests.bench.learning._million import CLASSES


def main(pool_file: str, rounds: str) -> None:
    """Measure the whole cycle, after the loops were compiled."""
    vectors = np.load(pool_file, mmap_mode="r")
    truth = np.load(Path(pool_file).with_name("truth.npy"))
    wall, cpu, fit = [], [], []
    for turn in range(int(rounds) + 1):
        begun, spent = time.perf_counter(), time.process_time()
        head = fit_probe(vectors[: len(truth)], truth, vectors[len(truth) :], CLASSES, turn).head
        fit.append(time.process_time() - spent)
        rescore(head, vectors)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - spent)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    found = {
        "seconds": round(median(wall[1:]), 3),
        "cpu_seconds": round(median(cpu[1:]), 3),
        "fit_cpu_seconds": round(median(fit[1:]), 3),
        "resident_mb": round(peak / 1024),
    }
    sys.stdout.write(json.dumps(found) + "\n")


main(*sys.argv[1:])
