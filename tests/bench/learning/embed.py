"""Embedding: our pass beside the plain eager call, decoding by scale, and whether the vectors stay.

The network's own part is measured with pixels already decoded, one view counted as one image:
ours sees every image and its mirror. The plain call is float32, NCHW, with autograd on, batches
of 32, as many threads as cores. Ours runs as `embed` does: one thread a core, batches of 8.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torchvision import models

from core.learning.backbones import Backbone, extractor_of, pretrained
from core.learning.preprocess import load_pixels
from core.learning.probe import fit_probe
from core.learning.recipes_torch import normalised
from core.learning.runner import Runner

GOALS = {"mobilenet_v3_small": 3.5, "resnet18": 2.0}
SIDE, BATCH, IMAGES, ROUNDS = 224, 32, 64, 3
SHARED = Path(__file__).resolve().parents[4] / "shared"


def run(folder: Path) -> dict[str, object]:
    """Return ratios to the plain call, the agreement on real photos, and the gain in decoding."""
    found: dict[str, object] = {
        f"{name}_against_eager": _rate(name, goal) for name, goal in GOALS.items()
    }
    found["decode_large_jpeg"] = _decoding(folder)
    found["real_photos"] = _agreement() if SHARED.is_dir() else "not measured: no shared photos"
    found["gpu"] = "measured" if torch.cuda.is_available() else "not measured here: no GPU"
    return found


def _rate(name: str, goal: float) -> dict[str, object]:
    torch.manual_seed(0)
    network = models.get_model(name).eval()
    pixels = torch.randint(256, (IMAGES, 3, SIDE, SIDE), dtype=torch.uint8)
    runner = Runner(Backbone(name, network, "pretrained", "0" * 64, SIDE), torch.device("cpu"))
    with _threads(1):
        precision = runner.fastest(pixels[:8])
    runner.use(precision)

    def plain() -> None:
        for part in torch.split(pixels, BATCH):
            network(normalised(part.float() / 255))

    cores = os.cpu_count() or 1

    def ours() -> None:
        with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            list(threads.map(runner, torch.split(pixels, 8)))

    rows = []
    for _ in range(ROUNDS):
        with _threads(cores):
            eager = _seconds(plain)
        with _threads(1):
            rows.append((IMAGES / eager, 2 * IMAGES / _seconds(ours)))
    ratio = median(mine / theirs for theirs, mine in rows)
    with _threads(1):
        alone = _cpu_seconds(plain) / _cpu_seconds(lambda: [runner(p) for p in pixels.split(8)]) * 2
    return {
        "precision": precision,
        "eager_images_per_second": round(median(r[0] for r in rows), 1),
        "ours_views_per_second": round(median(r[1] for r in rows), 1),
        "ratio": round(ratio, 2),
        "ratio_of_cpu_time_on_one_thread": round(alone, 2),
        "goal": goal,
        "met": bool(ratio >= goal),
        "rounds": ROUNDS,
    }


def _decoding(folder: Path) -> dict[str, object]:
    """Decode large JPEGs as we do and at full size."""
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    path = folder / "large.jpg"
    small.resize((4_000, 3_000), Image.Resampling.BICUBIC).save(path, quality=90)

    def full() -> None:
        with Image.open(path) as image:
            image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)

    times = [(_seconds(full), _seconds(lambda: load_pixels(path, SIDE))) for _ in range(ROUNDS)]
    ratio = median(a / b for a, b in times)
    return {"pixels": "4000 × 3000", "ratio": round(ratio, 2), "goal": 2.0, "met": ratio >= 2.0}


def _agreement() -> dict[str, object]:
    """Hold the vectors of real photos, and a probe on them, against the plain network's."""
    os.environ.setdefault("TORCH_HOME", str(SHARED / "weights"))
    backbone = pretrained("mobilenet_v2", True)
    if backbone is None:
        return {"not measured": "no weights"}
    paths = sorted((SHARED / "datasets" / "flowers").rglob("*.jpg"))
    kinds = {p.parent.name: n for n, p in enumerate({p.parent.name: p for p in paths}.values())}
    codes = np.array([kinds[p.parent.name] for p in paths])
    with ThreadPoolExecutor() as threads:
        pixels = list(threads.map(lambda p: load_pixels(p, backbone.size), paths))
    stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
    runner = Runner(backbone, torch.device("cpu"))
    with _threads(1):
        precision = runner.fastest(stacked[:8])
    runner.use(precision)
    fast = np.concatenate([runner(p) for p in stacked.split(8)]).astype(np.float32)
    plain = extractor_of(backbone)
    with torch.inference_mode():
        slow = torch.cat([plain(p) for p in stacked.split(8)]).numpy()
    cosine = (fast * slow).sum(1) / np.linalg.norm(fast, axis=1) / np.linalg.norm(slow, axis=1)
    taught = np.random.default_rng(0).permutation(len(paths))[: len(paths) // 3]
    head = fit_probe(slow[taught], codes[taught], slow[:0], len(kinds), 0).head
    same = head.probabilities(fast).argmax(1) == head.probabilities(slow).argmax(1)
    return {
        "n": len(paths),
        "precision": precision,
        "least_cosine": round(float(cosine.min()), 5),
        "mean_cosine": round(float(cosine.mean()), 5),
        "top_class_unchanged": round(float(same.mean()), 4),
        "goals": {"cosine": 0.998, "top_class_unchanged": 0.995},
        "met": bool(cosine.min() >= 0.998 and same.mean() >= 0.995),
    }


class _threads:
    """Let torch use so many threads for a while."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __enter__(self) -> None:
        self.before = torch.get_num_threads()
        torch.set_num_threads(self.count)

    def __exit__(self, *_: object) -> None:
        torch.set_num_threads(self.before)


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _cpu_seconds(call: Callable[[], object]) -> float:
    """Return the better of two calls' time on this thread: what else runs must not decide."""
    times = []
    for _ in range(2):
        started = time.thread_time()
        call()
        times.append(time.thread_time() - started)
    return min(times)
