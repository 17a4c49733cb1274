"""The promise on 10,000 small photos: whole networks taught on few labels, beside the plain probe.

The images and their given labels come from the shared set ``cifar10_label_errors``; five people each
looked at 275 labels in doubt, which gives a second truth: where three or more chose the guessed class it
counts, where neither had three the image is left out. Environment: CIFAR_SEEDS (``0 1 2``),
CIFAR_PROBE_SIZE (192; 0: without the probe), CIFAR_SHARED (beside this checkout), TORCH_HOME with the
weights of ``mobilenet_v2``. Each campaign has one
thread and a process of its own, so that two share two cores without waiting for one another.
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
from core.learning.loop import LoopRun, LoopSettings, fine_tuned, simulate, unit_rows
from core.learning.smooth import nearest
from core.learning.tuned_seeds import run_tuned

BACKBONE = "mobilenet_v2"
_SHARED = Path(__file__).resolve().parents[4] / "shared"
_SET = "datasets/cifar10_label_errors"
_MAJORITY = 3


def run(folder: Path) -> dict[str, object]:
    """Return every way's figures by fine-tuning, and the probe's refusal."""
    home = Path(os.environ.get("CIFAR_SHARED", _SHARED)) / _SET
    if not home.is_dir():
        return {"skipped": f"{_SET} is not there"}
    seeds = [int(s) for s in os.environ.get("CIFAR_SEEDS", "0 1 2").split()]
    with zipfile.ZipFile(home / "test_00000_09999.zip") as packed:
        packed.extractall(folder / "images")
    given, corrected = truths(home)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(2, len(seeds)), context) as pool:
        ways = list(pool.map(partial(_tuned, folder, given, corrected), seeds))
    doc: dict[str, object] = {
        "settings": asdict(fine_tuned(LoopSettings(), len(given))),
        "load": os.getloadavg(),
        "fine-tune": _summary([w["certificate"] for w in ways]),
        "campaigns": dict(zip(map(str, seeds), ways, strict=True)),
    }
    if size := int(os.environ.get("CIFAR_PROBE_SIZE", "192")):
        doc["probe"] = _probe(folder, given, size, seeds)
    return doc


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
    found = run_tuned(
        _images(folder), lambda rows: given[rows], partial(fine_tuned, LoopSettings()), [seed], BACKBONE,
        folder / f"cache-{seed}", True,
    )  # fmt: skip
    doc: dict[str, object] = {
        name: _way(one, corrected[found.rows]) for name, one in found.runs[0].items()
    }
    doc["seconds"], doc["cpu_seconds"] = (
        round(time.perf_counter() - began),
        round(time.process_time() - cpu),
    )
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


def _probe(folder: Path, given: np.ndarray, size: int, seeds: list[int]) -> dict[str, object]:
    """Return what the plain probe comes to: its own answers, one look, no neighbours."""
    from core.learning.backbones import pretrained
    from core.learning.embed import embed

    network = pretrained(BACKBONE, True)
    if network is None:
        return {"skipped": f"no weights of {BACKBONE}"}
    cpu = time.process_time()
    small = replace(network, size=size)
    found = embed(_images(folder), small, folder / "probe", lambda _: None, lambda: False)
    rows = found.vectors.astype(np.float32)
    near = nearest(unit_rows(rows))
    plain = replace(LoopSettings(), folds=0, looks=1)
    runs = [simulate(rows, given, plain, seed, None, near) for seed in seeds]
    whole = [simulate(rows, given, LoopSettings(), seed, None, near) for seed in seeds]
    return {
        "size": size,
        "cpu_seconds": round(time.process_time() - cpu),
        "plain, one look": [_way(r, given) for r in runs],
        "as simulated, three looks": [_way(r, given) for r in whole],
    }
