"""Error spotting: speed beside cleanlab's batched mode, errors that people confirmed, planted errors of the demo.

``python -m tests.bench.analytics issues``. Environment: ISSUES_PARTS (``speed verified demo``), ISSUES_SEEDS
(``0 1 2 3 4``), ISSUES_SHARED (beside this checkout), TORCH_HOME with the weights of ``mobilenet_v2``;
without them the demo teaches a small network of its own. cleanlab runs in the peers' environment.

What the score was chosen on is told in ``core/learning/suspicious/confident.py``: the set of confirmed
errors is one of them, so the figure on it is no independent proof.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median

import numpy as np

from core.learning.suspicious.confident import doubted
from core.services.accounts.people import operator
from core.services.demo.build import IMAGES, make_demo
from core.services.issues.finding import issues_of
from core.services.workspace import open_workspace
from tests.bench.consensus.peers import ROOT, peer_python

ROWS, CLASSES, ROUNDS = 1_000_000, 10, 5
FIRST = 0.05
_SHARED = Path(__file__).resolve().parents[4] / "shared"
_SET = "datasets/cifar10_label_errors"
_MAJORITY = 3
_PEER = Path(__file__).with_name("_peer_issues.py")


def run(folder: Path) -> dict[str, object]:
    """Return the three figures, or those asked for."""
    parts: dict[str, Callable[[Path], dict[str, object]]] = {
        "speed": _speed,
        "verified": _verified,
        "demo": _demo,
    }
    asked = os.environ.get("ISSUES_PARTS", " ".join(parts)).split()
    return {"load": os.getloadavg()[0], **{name: parts[name](folder) for name in asked}}


# --- speed --------------------------------------------------------------------------------------


def _speed(folder: Path) -> dict[str, object]:
    table, labels = _made(ROWS, CLASSES)
    np.save(folder / "table.npy", table)
    np.save(folder / "labels.npy", labels)
    doubted(table[:1_000], labels[:1_000])  # compiles, once in the life of an installation
    words = [peer_python(), str(_PEER), str(folder / "table.npy"), str(folder / "labels.npy")]
    with subprocess.Popen(
        [*words, "batched"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        pairs = []
        for _ in range(ROUNDS):
            ours = _ours(table, labels)
            peer.stdin.write("\n")
            peer.stdin.flush()
            pairs.append((ours, json.loads(peer.stdout.readline())))
        peer.stdin.close()
    best = {way: median(p[way]["cpu_seconds"] for _, p in pairs) for way in pairs[0][1]}
    ours_cpu = median(o["cpu_seconds"] for o, _ in pairs)
    return {
        "table": f"{ROWS:,} × {CLASSES} float32, ranking included",
        "goal": "at least 3 times as fast, as many labels flagged",
        "ours": {
            "cpu_seconds": round(ours_cpu, 4),
            "seconds": round(median(o["seconds"] for o, _ in pairs), 4),
        },
        "cleanlab_cpu_seconds": {way: round(s, 4) for way, s in best.items()},
        "ratio_cpu_to_its_fastest": round(min(best.values()) / ours_cpu, 1),
        "ratio_cpu_to_its_margin": round(
            min(s for way, s in best.items() if "margin" in way) / ours_cpu, 1
        ),
        "flagged": {"ours": pairs[0][0]["flagged"]}
        | {way: said["flagged"] for way, said in pairs[0][1].items()},
    }


def _made(n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that tell classes apart, and labels of which a tenth is drawn anew."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, k, n)
    scores = rng.normal(size=(n, k)).astype(np.float32)
    scores[np.arange(n), true] += 3
    table = np.exp(scores)
    table /= table.sum(1, keepdims=True)
    return table, np.where(rng.random(n) < 0.1, rng.integers(0, k, n), true)


def _ours(table: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    flagged = doubted(table, labels).flagged()
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return took | {"flagged": len(flagged)}


# --- errors that people confirmed -----------------------------------------------------------------


def _verified(folder: Path) -> dict[str, object]:
    home = Path(os.environ.get("ISSUES_SHARED", _SHARED)) / _SET
    if not home.is_dir():
        return {"skipped": f"{_SET} is not there"}
    with np.load(home / "pred_probs_given_labels.npz", allow_pickle=False) as kept:
        table, labels = kept["pred_probs"], kept["given_labels"]
    wrong, checked = np.zeros((2, len(labels)), dtype=bool)
    with (home / "mturk_verified.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            checked[int(row["id"])] = True
            wrong[int(row["id"])] = int(row["votes_given"]) < _MAJORITY
    np.save(folder / "table.npy", table)
    np.save(folder / "labels.npy", labels)
    words = [peer_python(), str(_PEER), str(folder / "table.npy"), str(folder / "labels.npy")]
    said = subprocess.run(
        [*words, "scores"], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout
    ways = {name: -np.array(q) for name, q in json.loads(said.splitlines()[-1]).items()}
    ways = {"ours": doubted(table, labels).score, **ways}
    over_all = {name: round(_average_precision(wrong, s), 4) for name, s in ways.items()}
    among = {n: round(_average_precision(wrong[checked], s[checked]), 4) for n, s in ways.items()}
    return {
        "labels": len(labels), "checked_by_people": int(checked.sum()),
        "confirmed_wrong": int(wrong.sum()),
        "average_precision_over_all": over_all,
        "average_precision_among_those_checked": among,
        "at_least_cleanlabs_best": over_all["ours"] >= max(v for n, v in over_all.items() if n != "ours"),
    }  # fmt: skip


def _average_precision(wrong: np.ndarray, score: np.ndarray) -> float:
    hit = wrong[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hit) / np.arange(1, len(hit) + 1))[hit].mean())


# --- planted errors -------------------------------------------------------------------------------


def _demo(folder: Path) -> dict[str, object]:
    seeds = [int(s) for s in os.environ.get("ISSUES_SEEDS", "0 1 2 3 4").split()]
    found = {}
    for seed in seeds:
        sys.stderr.write(f"  demo of seed {seed} …\n")
        # The leaves are the demo's labels of one class; the small projects are left small.
        place = folder / f"demo-{seed}"
        demo = make_demo(place, seed, lambda *_: None, images=(IMAGES[0], 12, 4, 4))
        found[str(seed)] = planted_found(place, demo.projects[0], demo.truth[demo.projects[0]])
    shares = [float(str(f["share"])) for f in found.values()]
    return {
        "goal": "mean share of planted errors in the first 5 % of items at least 0.7",
        "mean_share": round(fmean(shares), 3),
        "seeds": found,
    }


def planted_found(place: Path, slug: str, truth: Path) -> dict[str, object]:
    """Return how many of a demo project's planted errors are in the first 5 % of its items."""
    with truth.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    planted = {row["file"] for row in rows if row["planted_error"] == "1"}
    ws = open_workspace(place)
    try:
        began = time.process_time()
        view = issues_of(ws, operator(ws), slug)
        spent = time.process_time() - began
    finally:
        ws.store.close()
    first = list(dict.fromkeys(i.file for i in view.issues))[: int(len(rows) * FIRST)]
    hit = len(planted & set(first))
    return {
        "items": len(rows), "labels": view.n, "planted": len(planted), "found": hit,
        "share": round(hit / len(planted), 3), "cpu_seconds": round(spent, 1),
        "probabilities": view.probabilities,
    }  # fmt: skip
