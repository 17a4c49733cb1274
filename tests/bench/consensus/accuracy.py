"""How right our default Dawid-Skene is, beside the best of crowd-kit's methods, from few tasks to many."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.consensus.truth.dawid_skene import dawid_skene
from core.consensus.truth.votes import make_votes
from tests.bench.consensus.beside import ask
from tests.bench.consensus.crowds import SHARED, cifar, made, some_of_cifar

SIZES = (100, 1_000, 100_000)
PEERS = ["majority", "wawa", "dawid-skene", "one-coin"]
FEW = 10_000
SLOW = (
    "mace, 1 start of 10"  # ten starts of fifty rounds take crowd-kit minutes a crowd above `FEW`
)
MACE_CROWDS = (
    8  # below, eight seconds a crowd: as many of the crowds, and ours compared on the same
)
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
    asked = [_methods(crowd, i) for i, crowd in enumerate(crowds)]
    theirs = _peers(python, crowds, asked)
    mine = np.array([_right(dawid_skene(_votes(crowd)).label, crowd) for crowd in crowds])
    peers = {
        method: _beside({i: right for (i, m), right in theirs.items() if m == method}, mine)
        for method in dict.fromkeys(m for methods in asked for m in methods)
    }
    lead = min(peer["lead_points"] for peer in peers.values())
    ours = round(float(mine.mean()), 4)
    return {"crowd": name, "n": len(crowds), "ours": ours, "peers": peers, "lead_points": lead}


def _methods(crowd, number):
    """Return the peers asked about a crowd: the slow ones only about small ones, or about a few."""
    found = list(PEERS)
    if len(crowd.truth) > FEW:
        found.append(SLOW)
    elif number < MACE_CROWDS:
        found.append("mace")
    return [*found, "glad"] if len(crowd.task) <= GLAD_VOTES else found


def _peers(python, crowds, asked):
    """Return the share of right labels of each (crowd, method), with a process of peers a core."""
    hands = min(os.cpu_count() or 1, len(crowds))
    parts = [range(first, len(crowds), hands) for first in range(hands)]
    with ThreadPoolExecutor(hands) as pool:
        return {
            key: right
            for found in pool.map(lambda part: _asked(python, crowds, asked, part), parts)
            for key, right in found.items()
        }


def _asked(python, crowds, asked, part):
    given = {
        f"{name}{i}": column
        for i in part
        for name, column in zip(("task", "worker", "label"), _columns(crowds[i]), strict=True)
    }
    methods = {i: asked[i] for i in part}
    found, _ = ask(python, "peer_crowdkit.py", given, methods=methods, tasks=len(crowds[0].truth))
    return {(i, m): _right(found[f"{m}|{i}"], crowds[i]) for i in part for m in asked[i]}


def _beside(theirs, mine):
    """Return a peer's mean accuracy, and our lead in points on the same crowds."""
    right, ours = np.array(list(theirs.values())), mine[list(theirs)]
    lead = round(float(100 * (ours - right).mean()), 2)
    return {"n": len(right), "accuracy": round(float(right.mean()), 4), "lead_points": lead}


def _columns(crowd):
    return crowd.task, crowd.worker, crowd.label


def _votes(crowd):
    sizes = {"tasks": len(crowd.truth), "workers": crowd.workers, "classes": crowd.classes}
    return make_votes(*_columns(crowd), **sizes)[0]


def _right(label, crowd):
    return float((label == crowd.truth).mean())
