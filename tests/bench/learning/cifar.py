"""The promise on 10,000 small photos: whole networks taught on few labels, beside the plain probe.

The images and their given labels come from the shared set ``cifar10_label_errors``; five people each
looked at 275 labels in doubt, which gives a second truth: where three or more chose the guessed class it
counts, where neither had three the image is left out. Environment: CIFAR_SEEDS (``0 1 2``),
CIFAR_PROBE_ONLY (without the networks), CIFAR_SHARED (beside this checkout), TORCH_HOME with the
weights of ``mobilenet_v2``. Each campaign has one thread and a process of its own, so that two share two
cores without waiting for one another.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import sys
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.learning import ImageRef
from core.learning.loop import (
    LoopRun,
    LoopSettings,
    beside_tuned,
    fine_tuned,
    hard_first,
    probe_learner,
    unit_rows,
)
from core.learning.tuned_seeds import run_tuned

BACKBONE = "mobilenet_v2"
_SHARED = Path(__file__).resolve().parents[4] / "shared"
_SET = "datasets/cifar10_label_errors"
_MAJORITY = 3
SIZE = 192
"""Side at which the frozen network looks at the images, which are of 32 pixels."""
_VECTORS = "vectors.npy"


def run(folder: Path) -> dict[str, object]:
    """Return every way's figures by fine-tuning and by the probe alone, and the plain probe's refusal."""
    home = Path(os.environ.get("CIFAR_SHARED", _SHARED)) / _SET
    if not home.is_dir():
        return {"skipped": f"{_SET} is not there"}
    seeds = [int(s) for s in os.environ.get("CIFAR_SEEDS", "0 1 2").split()]
    with zipfile.ZipFile(home / "test_00000_09999.zip") as packed:
        packed.extractall(folder / "images")
    given, corrected = truths(home)
    embedded = _embedded(folder)
    doc: dict[str, object] = {
        "settings": asdict(fine_tuned(LoopSettings(), len(given))),
        "embedding": embedded,
        "load": os.getloadavg(),
        "plain probe": _probe(folder, given, replace(LoopSettings(), folds=0, looks=1), seeds),
        "hard first": _probe(folder, given, hard_first(LoopSettings(), len(given)), seeds),
    }
    if os.environ.get("CIFAR_PROBE_ONLY"):
        return doc
    with ProcessPoolExecutor(min(2, len(seeds)), multiprocessing.get_context("spawn")) as pool:
        ways = list(pool.map(partial(_tuned, folder, given, corrected), seeds))
    return doc | {
        "fine-tune": _summary([w["certificate"] for w in ways]),
        "campaigns": dict(zip(map(str, seeds), ways, strict=True)),
    }


def _embedded(folder: Path) -> dict[str, object]:
    """Embed the images once for all seeds."""
    from core.learning.backbones import pretrained
    from core.learning.embed import embed

    network = pretrained(BACKBONE, True)
    if network is None:
        raise SystemExit(f"No weights of {BACKBONE} are at hand: set TORCH_HOME.")
    began, cpu = time.perf_counter(), time.process_time()
    small = replace(network, size=SIZE)
    found = embed(_images(folder), small, folder / "probe", lambda _: None, lambda: False)
    np.save(folder / _VECTORS, found.vectors.astype(np.float32))
    return {
        "size": SIZE,
        "seconds": round(time.perf_counter() - began),
        "cpu_seconds": round(time.process_time() - cpu),
    }


def truths(home: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the given labels, and the corrected ones with -1 where people found neither."""
    with np.load(home / "pred_probs_given_labels.npz", allow_pickle=False) as kept:
        given = kept["given_labels"].astype(np.int64)
        names = kept["class_names"].tolist()
    corrected = given.copy()
    with (home / "mturk_verified.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if int(row["votes_given"]) >= _MAJORITY:
                continue
            agreed = int(row["votes_guessed"]) >= _MAJORITY
            said = row["our_guessed_label_name"]
            corrected[int(row["id"])] = names.index(said) if agreed else -1
    return given, corrected


def _images(folder: Path) -> list[ImageRef]:
    files = sorted((folder / "images").rglob("test_*.jpg"))
    return [ImageRef(i, path.stem, path) for i, path in enumerate(files)]


def _tuned(folder: Path, given: np.ndarray, corrected: np.ndarray, seed: int) -> dict[str, object]:
    import torch

    torch.set_num_threads(1)
    began, cpu = time.perf_counter(), time.process_time()
    ways = run_tuned(
        _images(folder), np.load(folder / _VECTORS), given, fine_tuned(LoopSettings(), len(given)),
        [seed], BACKBONE, folder / f"cache-{seed}", True,
    )[0]  # fmt: skip
    doc: dict[str, object] = {name: _way(one, corrected) for name, one in ways.items()}
    doc["seconds"] = round(time.perf_counter() - began)
    doc["cpu_seconds"] = round(time.process_time() - cpu)
    sys.stderr.write(f"cifar, seed {seed}: {json.dumps(doc)}\n")
    return doc


def _way(run: LoopRun, corrected: np.ndarray) -> dict[str, object]:
    known = corrected[run.accepted] >= 0
    wrong = run.answers[known] != corrected[run.accepted][known]
    last = run.rounds[-1] if run.rounds else None
    return {
        "human_share": round(run.human_share, 4),
        "auto_error": round(run.auto_error, 4),
        "auto_error_corrected": round(float(wrong.mean()), 4) if len(wrong) else 0.0,
        "over_target": run.over_target,
        "final_accuracy": round(run.final_accuracy, 4),
        "revoked": run.revoked,
        "labelled": last.labelled if last else 0,
        "checked": last.checked if last else 0,
        "model_accuracy_on_the_rest": round(last.accuracy, 4) if last else None,
        "sentence": last.sentence if last else "",
    }


def _summary(runs: list[dict[str, float]]) -> dict[str, object]:
    def figures(key: str) -> list[float]:
        return [r[key] for r in runs]

    share, error = figures("human_share"), figures("auto_error")
    return {
        "seeds": len(runs),
        "human_share": round(float(np.mean(share)), 4),
        "human_share_max": max(share),
        "auto_error": round(float(np.mean(error)), 4),
        "auto_error_max": max(error),
        "auto_error_corrected_max": max(figures("auto_error_corrected")),
        "runs_over_target": float(np.mean(figures("over_target"))),
        "final_accuracy": round(float(np.mean(figures("final_accuracy"))), 4),
    }


def _probe(
    folder: Path, given: np.ndarray, settings: LoopSettings, seeds: list[int]
) -> list[dict[str, object]]:
    """Return what frozen features come to, with their own answers and one look."""
    rows = unit_rows(np.load(folder / _VECTORS))
    learner = probe_learner(rows, int(given.max()) + 1)
    return [
        _way(beside_tuned(rows, given, settings, seed, learner)["certificate"], given)
        for seed in seeds
    ]
