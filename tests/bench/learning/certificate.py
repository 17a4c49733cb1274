"""The certificate alone: how often its promise breaks, what it accepts, and how long a look takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.learning.certify import Candidates, Evidence, certify

TARGET, DELTA, DRAWS = 0.05, 0.1, 500


def run(_: Path) -> dict[str, object]:
    """Draw the checked items anew 500 times for each set, and time one look at a million items."""
    return {
        "error_rises_through_target": _kept(lambda score: 0.2 * (1 - score) ** 2),
        "error_just_above_target": _kept(lambda score: np.full(len(score), 0.055)),
        "seconds_of_one_look_at_1M": _look_at_a_million(),
    }


def _kept(risk: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    rng = np.random.default_rng(0)
    score = rng.random(8000)
    wrong = rng.random(8000) < risk(score)
    accepted, errors = [], []
    for _ in range(DRAWS):
        drawn = rng.choice(8000, 400, replace=False)
        pool, seen = Candidates(np.arange(8000), score), Evidence(drawn, wrong[drawn])
        found = certify(pool, seen, TARGET, DELTA)
        accepted.append(len(found.accepted))
        errors.append(float(wrong[found.accepted].mean()) if accepted[-1] else 0.0)
    return {
        "broken": float(np.mean(np.array(errors) > TARGET)),
        "allowed": DELTA,
        "refused": float(np.mean(np.array(accepted) == 0)),
        "accepted_share": float(np.mean(accepted) / 8000),
    }


def _look_at_a_million() -> float:
    rng = np.random.default_rng(1)
    pool = Candidates(np.arange(1_000_000), rng.random(1_000_000).astype(np.float32))
    seen = Evidence(np.arange(2000), rng.random(2000) < 0.02)
    started = time.perf_counter()
    certify(pool, seen, TARGET, DELTA)
    return time.perf_counter() - started
