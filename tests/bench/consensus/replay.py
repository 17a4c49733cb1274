"""Replaying policies over a million recorded votes: every vote at once, and vote by vote from the start."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from core.consensus.policy import Policy, Stop
from core.consensus.replay import ABSENT, NO_LABEL, Record, replay_all, replay_from_start
from core.consensus.settle import Evidence, Vote, settle
from core.labels import Answer, LabelSchema
from core.labels.schema import Task, make_question
from core.services.consensus.replay_fits import fit_of
from tests.consensus.truth.reference import erring

TASKS, WORKERS, CLASSES = 333_333, 200, 10
ROUNDS = 3
CHECKED = 3_000
NAMES = [f"class {n}" for n in range(CLASSES)]
POLICIES = {
    "majority": Policy(),
    "majority, once two ahead": Policy(stop=Stop.LEAD),
    "majority, once 95 % sure": Policy(stop=Stop.POSTERIOR),
    "dawid-skene": Policy(algorithm="dawid-skene"),
    "dawid-skene, once 95 % sure": Policy(algorithm="dawid-skene", stop=Stop.POSTERIOR),
}


def run(folder: Path, peer_python: str) -> dict[str, Any]:
    """Return seconds of a replay, both ways together, for each policy, arrays made anew each time."""
    del folder, peer_python
    columns = _votes()
    doc: dict[str, Any] = {"votes": len(columns[0]), "items": TASKS, "rounds": ROUNDS}
    _once(columns, POLICIES["dawid-skene"])  # compiles
    for name, policy in POLICIES.items():
        runs = [_once(columns, policy) for _ in range(ROUNDS)]
        doc[name] = {
            "seconds": round(median(r["seconds"] for r in runs), 3),
            "cpu_seconds": round(median(r["cpu"] for r in runs), 3),
            "votes_from_the_start": runs[0]["votes"],
        }
    doc["equal_to_settling_one_by_one"] = _equal(columns)
    doc["must"] = "≤ 3 s for a majority-family policy, ≤ 6 s for Dawid-Skene"
    return doc


def _votes() -> tuple[np.ndarray, ...]:
    task, worker, label, _ = erring(TASKS, WORKERS, CLASSES)
    order = np.random.default_rng(1).permutation(len(task))
    return tuple(c[order].astype(np.int32) for c in (task, worker, label))


def _record(columns: tuple[np.ndarray, ...], tasks: int = TASKS) -> Record:
    none = np.full(tasks, NO_LABEL, dtype=np.int32)
    zero = np.zeros(tasks, dtype=np.int32)
    return Record(
        *columns, np.ones(len(columns[0])), tasks, CLASSES, CLASSES, none.astype(np.int8), none,
        zero, zero, zero.astype(bool), np.full(tasks, ABSENT, dtype=np.int32),
    )  # fmt: skip


def _once(columns: tuple[np.ndarray, ...], policy: Policy) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    record = _record(columns)
    fit = fit_of(record, policy)
    replay_all(record, policy, fit)
    start = replay_from_start(record, policy, fit)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "votes": int(start.used.sum()),
    }


def _equal(columns: tuple[np.ndarray, ...]) -> float:
    """Return the share of some items that stand as settling one by one leaves them, over all policies
    that look at each item alone."""
    few = columns[0] < CHECKED
    record = _record(tuple(c[few] for c in columns), CHECKED)
    schema = LabelSchema(Task.CLASSIFICATION, (make_question("label", "L", NAMES),))
    cast: dict[int, list[Vote]] = {t: [] for t in range(CHECKED)}
    for task, worker, label in zip(record.task, record.worker, record.label, strict=True):
        cast[int(task)].append(Vote(str(worker), Answer({"label": NAMES[label]})))
    same = []
    for policy in (p for p in POLICIES.values() if not p.fits_project):
        found = replay_all(record, policy)
        for task, votes in cast.items():
            outcome = settle(Evidence(tuple(votes)), schema, policy)
            label = outcome.answer.choices["label"] if outcome.answer else None
            mine = None if found.label[task] < 0 else NAMES[found.label[task]]
            same.append(label == mine and outcome.votes_wanted == found.wanted[task])
    return float(np.mean(same))
