"""Krippendorff's alpha of 0.9 million votes, a tenth missing: ours and the package, in turn.

Each side has a process of its own and is asked alternately, so that both meet the same moments
of a noisy machine and the memory of one is not that of the other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.bench.consensus.peers import Side, in_turn

ITEMS, PEOPLE, CLASSES, OVERLAP = 333_333, 200, 10, 3
ROUNDS = 5


def make_votes(path: Path) -> int:
    """Write votes of people who are right seven times of ten, shuffled; return how many."""
    rng = np.random.default_rng(0)
    item = np.repeat(np.arange(ITEMS), OVERLAP)
    first = rng.integers(0, PEOPLE, ITEMS)[:, None]
    person = ((first + rng.permutation(PEOPLE)[:OVERLAP]) % PEOPLE).ravel()
    truth = rng.integers(0, CLASSES, ITEMS)[item]
    label = np.where(rng.random(len(item)) < 0.7, truth, rng.integers(0, CLASSES, len(item)))
    kept = rng.permutation(np.flatnonzero(rng.random(len(item)) > 0.1))
    np.savez(path, item=item[kept], person=person[kept], label=label[kept], classes=CLASSES)
    return len(kept)


def run(folder: Path, peer_python: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return medians, the ratio round by round, and whether both values are equal to 1e-9.

    Args:
        folder: For the votes.
        peer_python: Interpreter of the environment that has `krippendorff`.
        rounds: How often each side is asked; one more round before them is not counted.
    """
    data = folder / "alpha.npz"
    votes = make_votes(data)
    script = "alpha_side.py"
    with (
        Side(sys.executable, script, "ours", data) as mine,
        Side(peer_python, script, "peer", data) as other,
    ):
        both = in_turn(mine, other, rounds + 1)
    apart = abs(both[0][0]["value"] - both[0][1]["value"])
    timed = both[1:]
    return {
        "votes": votes,
        "rounds": rounds,
        "equal_to_1e9": apart <= 1e-9,
        "apart": apart,
        "ours_s": round(median(a["seconds"] for a, _ in timed), 4),
        "peer_s": round(median(b["seconds"] for _, b in timed), 4),
        "times_faster": round(median(b["seconds"] / a["seconds"] for a, b in timed), 1),
        "times_less_cpu": round(median(b["cpu"] / a["cpu"] for a, b in timed), 1),
        "ours_grew_mb": round(both[-1][0]["grew_mb"], 1),
        "peer_grew_mb": round(both[-1][1]["grew_mb"], 1),
        "must": "≥ 30 times faster, equal to 1e-9",
    }
