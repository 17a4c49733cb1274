"""Dawid-Skene and majority on a million votes beside crowd-kit, and one new vote beside a full run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.incremental import known_from, provisional
from core.consensus.truth.votes import make_votes
from tests.bench.consensus.peers import Side, in_turn
from tests.consensus.truth.reference import erring, reference_em

WORKERS, CLASSES = 200, 10
TASKS = 333_333


def _votes(path: Path, tasks: int) -> tuple[np.ndarray, ...]:
    """Write three votes on each task, shuffled, and return the columns and the truth."""
    task, worker, label, truth = erring(tasks, WORKERS, CLASSES)
    order = np.random.default_rng(1).permutation(len(task))
    columns = tuple(c[order] for c in (task, worker, label))
    pq.write_table(pa.table(dict(zip(("task", "worker", "label"), columns, strict=True))), path)
    return (*columns, truth)


def dawid_skene_beside_crowd_kit(folder: Path, peer_python: str) -> dict[str, Any]:
    """Return times, memory, and how far labels equal a reference, crowd-kit and the truth."""
    *columns, truth = _votes(folder / "votes.parquet", TASKS)
    doc, mine, theirs = _compare(folder, peer_python, "plain-dawid-skene", 3)
    posterior, rounds = reference_em(make_votes(*columns)[0])
    reference = posterior.argmax(axis=1)
    return doc | {
        "equal_to_reference": round(float(np.mean(mine == reference)), 5),
        "reference_iterations": rounds,
        "equal_to_peer": round(float(np.mean(mine == theirs)), 5),
        "ours_accuracy": round(float(np.mean(mine == truth)), 4),
        "peer_accuracy": round(float(np.mean(theirs == truth)), 4),
        "must": "≥ 25 times faster, ≤ 0.35 of the memory growth, ≥ 0.999 equal to the reference",
    }


def majority_beside_crowd_kit(folder: Path, peer_python: str) -> dict[str, Any]:
    """Return times, memory, and how far labels are equal where no tie is to be broken."""
    *columns, _ = _votes(folder / "votes.parquet", TASKS)
    doc, mine, theirs = _compare(folder, peer_python, "majority", 7)
    tally = np.sort(make_votes(*columns)[0].tally(), axis=1)
    clear = tally[:, -1] > tally[:, -2]
    return doc | {
        "without_a_tie": round(float(clear.mean()), 4),
        "equal_to_peer_there": round(float(np.mean(mine[clear] == theirs[clear])), 5),
        "must": "≥ 20 times faster",
    }


def _compare(
    folder: Path, peer_python: str, name: str, rounds: int
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Return medians of both in turn, and the labels of both."""
    labels = folder / "ours.npy", folder / "peer.npy"
    words = "truth_side.py", name, folder / "votes.parquet"
    with (
        Side(sys.executable, words[0], "ours", *words[1:], labels[0]) as ours,
        Side(peer_python, words[0], "peer", *words[1:], labels[1]) as peer,
    ):
        both = in_turn(ours, peer, rounds)
    first = both[0]
    grew = [max(side[i]["grew_mb"] for side in both) for i in (0, 1)]
    doc = {
        "votes": 3 * TASKS,
        "rounds": rounds,
        "first_call_s": round(first[0]["first_call"], 2),
        "iterations": [int(side["iterations"]) for side in first],
        "ours_s": round(median(a["seconds"] for a, _ in both), 4),
        "ours_with_ordering_s": round(median(a["with_ordering"] for a, _ in both), 4),
        "peer_s": round(median(b["seconds"] for _, b in both), 4),
        "times_faster": _times(both, "seconds"),
        "times_less_cpu": _times(both, "cpu"),
        "times_faster_with_ordering": _times(both, "with_ordering", "seconds"),
        "times_less_cpu_with_ordering": _times(both, "with_ordering_cpu", "cpu"),
        "ours_grew_mb": round(grew[0], 1),
        "peer_grew_mb": round(grew[1], 1),
        "memory_ratio": round(grew[0] / grew[1], 3),
    }
    return doc, np.load(labels[0]), np.load(labels[1])


def _times(both: list[tuple[dict, dict]], ours: str, peer: str = "") -> float:
    return round(median(b[peer or ours] / a[ours] for a, b in both), 1)


def one_new_vote(folder: Path, peer_python: str) -> dict[str, Any]:
    """Return the time to a provisional label after a vote, beside a full run over 300,000 votes."""
    del peer_python
    *columns, _ = _votes(folder / "votes.parquet", 100_000)
    votes = make_votes(*columns)[0]
    dawid_skene(votes)
    began = time.perf_counter()
    truth = dawid_skene(votes)
    full = time.perf_counter() - began
    began = time.perf_counter()
    known = known_from(truth)
    ready = time.perf_counter() - began
    took, apart = [], 0.0
    for t in range(0, votes.tasks, 50):
        rows = slice(votes.starts[t], votes.starts[t + 1])
        began = time.perf_counter()
        p = provisional(known, votes.worker[rows], votes.label[rows])
        took.append(time.perf_counter() - began)
        apart = max(apart, float(np.abs(p - truth.probability[t]).max()))
    return {
        "votes": len(votes),
        "full_run_s": round(full, 3),
        "made_ready_ms": round(ready * 1e3, 3),
        "provisional_p50_ms": round(median(took) * 1e3, 4),
        "provisional_p95_ms": round(quantiles(took, n=20)[-1] * 1e3, 4),
        "furthest_from_full_run": apart,
        "must": "≤ 10 ms",
    }
