"""How right our default Dawid-Skene is, beside the best of crowd-kit's methods, from few tasks to many."""

from __future__ import annotations

import numpy as np

from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.votes import make_votes
from tests.bench.consensus.beside import ask
from tests.bench.consensus.crowds import SHARED, cifar, made, some_of_cifar

SIZES = (100, 1_000, 100_000)
PEERS = ["majority", "wawa", "dawid-skene", "one-coin"]
FEW = 10_000
SLOW = ["mace, 1 start of 10"]  # ten starts of fifty rounds take crowd-kit minutes a crowd there
GLAD_VOTES = 30_000


def run(_folder, python, seeds=20, sizes=SIZES, shared=SHARED):
    """Return mean accuracies for each crowd and size, and how many points we lead the best peer by.

    Args:
        python: Interpreter of the environment that has crowd-kit.
        seeds: Crowds a size.
        sizes: Tasks a crowd; of CIFAR-10N, all 50,000 once for what is more.
        shared: Folder of the real sets; where it is absent only made crowds are measured.
    """
    rows = []
    for n in sizes:
        rows.append(_row(python, f"made, {n} tasks", [made(n, seed=s) for s in range(seeds)]))
        if shared.is_dir():
            few = n < 50_000
            drawn = [some_of_cifar(n, s, shared) for s in range(seeds)] if few else [cifar(shared)]
            rows.append(_row(python, f"CIFAR-10N, {len(drawn[0].truth)} tasks", drawn))
    return {"rows": rows, "worst_lead_points": min(row["lead_points"] for row in rows)}


def _row(python, name, crowds):
    tasks = len(crowds[0].truth)
    methods = PEERS + (["mace"] if tasks <= FEW else SLOW)
    if len(crowds[0].task) <= GLAD_VOTES:
        methods = [*methods, "glad"]
    columns = [(crowd.task, crowd.worker, crowd.label) for crowd in crowds]
    given = {
        f"{name}{i}": column
        for i, of_crowd in enumerate(columns)
        for name, column in zip(("task", "worker", "label"), of_crowd, strict=True)
    }
    found, _ = ask(
        python, "peer_crowdkit.py", given, crowds=len(crowds), tasks=tasks, methods=methods
    )
    means = {
        method: _mean([found[f"{method}|{i}"] for i in range(len(crowds))], crowds)
        for method in methods
    }
    sizes = [{"tasks": tasks, "workers": c.workers, "classes": c.classes} for c in crowds]
    made_of = [make_votes(*c, **size)[0] for c, size in zip(columns, sizes, strict=True)]
    mine = _mean([dawid_skene(votes).label for votes in made_of], crowds)
    lead = round(100 * (mine - max(means.values())), 2)
    return {"crowd": name, "n": len(crowds), "ours": mine, "peers": means, "lead_points": lead}


def _mean(labels, crowds):
    """Return the mean over the crowds of the share of right labels."""
    right = [(label == crowd.truth).mean() for label, crowd in zip(labels, crowds, strict=True)]
    return round(float(np.mean(right)), 4)
