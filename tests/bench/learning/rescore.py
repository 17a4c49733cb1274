"""Retrain on 5,000 labels and rescore a million embeddings, beside one fine-tune epoch on these labels."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from tests.bench.consensus.peers import ROOT
from tests.bench.learning._million import CLASSES, WIDTH, lay_out

MILLION, LABELS, ROUNDS = 1_000_000, 5_000, 3
BACKBONE, BATCH, STEPS, SIDE = "resnet18", 32, 4, 224


def run(folder: Path) -> dict[str, object]:
    """Return both times and their ratio; the epoch is counted from a few of its steps."""
    pool, truth = lay_out(folder, MILLION)
    np.save(folder / "truth.npy", truth[:LABELS])
    words = [sys.executable, "-m", "tests.bench.learning._rescore_side", str(pool), str(ROUNDS)]
    said = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
    cycle: dict[str, float] = json.loads(said.stdout)
    epochs = {name: _epoch(fast) for name, fast in (("fp32", False), ("bf16", True))}
    best = min(epochs.values(), key=lambda e: e["cpu_seconds"])
    return {
        "pool": f"{MILLION:,} × {WIDTH} float16, {CLASSES} classes, {LABELS:,} labels",
        "retrain_and_rescore": cycle,
        f"one_epoch_of_{BACKBONE}_counted_from_{STEPS}_steps_of_{BATCH}": epochs,
        "ratio_seconds": round(best["seconds"] / cycle["seconds"], 1),
        "ratio_cpu": round(best["cpu_seconds"] / cycle["cpu_seconds"], 1),
        "goal": "≥ 100 ×, resident ≤ 2,048 MB",
    }


def _epoch(fast: bool) -> dict[str, float]:
    """Return what an epoch on images already in memory takes: no decoding, no copies."""
    import torch
    from torchvision import models

    torch.manual_seed(0)
    net = models.get_model(BACKBONE, num_classes=CLASSES).train()
    images = torch.rand(BATCH, 3, SIDE, SIDE)
    if fast:
        net, images = (
            net.to(memory_format=torch.channels_last),
            images.contiguous(memory_format=torch.channels_last),
        )
    labels = torch.arange(BATCH) % CLASSES
    optimiser = torch.optim.AdamW(net.parameters(), 1e-4)
    wall, cpu = [], []
    for _ in range(STEPS + 1):
        begun, spent = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            loss = torch.nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimiser.step()
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - spent)
    steps = LABELS / BATCH  # the first step warms up
    return {
        "seconds": round(median(wall[1:]) * steps, 1),
        "cpu_seconds": round(median(cpu[1:]) * steps, 1),
    }
