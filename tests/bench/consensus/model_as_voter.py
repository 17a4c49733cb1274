"""The model as one more voter, beside cleanlab's CROWDLAB: 20,000 tasks, 3 votes, 50 workers."""

from __future__ import annotations

import time
from statistics import median

from core.consensus.truth.model_voter import model_voter
from core.consensus.truth.votes import make_votes
from tests.bench.consensus.beside import ask
from tests.bench.consensus.crowds import classifier, made

ACCURACIES = (0.5, 0.7, 0.8, 0.9, 0.95)
TASKS = 20_000


def run(_folder, python, accuracies=ACCURACIES):
    """Return accuracies and times, ours and theirs in turn on the same votes and probabilities."""
    cases = [_compare(python, accuracy, seed) for seed, accuracy in enumerate(accuracies)]
    worst = min(case["ours"] - case["cleanlab"] for case in cases)
    return {
        "n": len(cases),
        "tasks": TASKS,
        "cases": cases,
        "worst_lead_points": round(100 * worst, 2),
        "times_faster": round(median(c["peer_seconds"] / c["our_seconds"] for c in cases), 1),
        "times_less_cpu": round(median(c["peer_cpu"] / c["our_cpu"] for c in cases), 1),
    }


def _compare(python, accuracy, seed):
    crowd = made(TASKS, workers=50, seed=seed)
    word = classifier(crowd.truth, crowd.classes, accuracy, seed=seed)
    columns = (crowd.task, crowd.worker, crowd.label)
    sizes = {"tasks": TASKS, "workers": crowd.workers, "classes": crowd.classes}
    votes, _ = make_votes(*columns, **sizes)
    model_voter(votes, word)
    given = dict(zip(("task", "worker", "label"), columns, strict=True)) | {"word": word}
    theirs, took = ask(python, "peer_cleanlab.py", given, workers=crowd.workers)
    timed = []
    for _ in range(5):
        wall, cpu = time.perf_counter(), time.process_time()
        ours = model_voter(votes, word)
        timed.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        "model": accuracy,
        "ours": float((ours.label == crowd.truth).mean()),
        "cleanlab": float((theirs["label"] == crowd.truth).mean()),
        "our_seconds": round(median(t for t, _ in timed), 4),
        "our_cpu": round(median(t for _, t in timed), 4),
        "peer_seconds": round(took["seconds"], 4),
        "peer_cpu": round(took["cpu_seconds"], 4),
    }
