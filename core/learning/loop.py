"""The whole campaign against known labels: what people would have labelled, what would have been accepted.

Cold start on typical images, a model, answers averaged with those of the nearest neighbours, a
certificate on items drawn before anything was labelled, further rounds where that wins more than it
costs, an audit of what was accepted, and people for the rest. The truth is read only where
a person is asked; everything random follows from the seed. Arrays in, values out; free of torch.
"""

from __future__ import annotations

import numpy as np

from core.learning import rivals as other
from core.learning.campaign import Campaign
from core.learning.loop_values import Learner, LoopRound, LoopRun, LoopSettings
from core.learning.probe import fit_probe
from core.learning.smooth import nearest

__all__ = [
    "Learner",
    "LoopRound",
    "LoopRun",
    "LoopSettings",
    "probe_learner",
    "rivals",
    "simulate",
    "unit_rows",
]


def probe_learner(vectors: np.ndarray, classes: int) -> Learner:
    """Return the product's own probe on these vectors, float32 (n, width)."""

    def learn(rows: np.ndarray, labels: np.ndarray, free: np.ndarray, seed: int) -> np.ndarray:
        fitted = fit_probe(vectors[rows], labels, vectors[free], classes, seed)
        return fitted.head.probabilities(vectors)

    return learn


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return the rows at length 1, float32; a row of zeros stays one."""
    rows = vectors.astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def simulate(
    vectors: np.ndarray,
    truth: np.ndarray,
    settings: LoopSettings,
    seed: int,
    learner: Learner | None = None,
    near: np.ndarray | None = None,
) -> LoopRun:
    """Run one campaign.

    Args:
        vectors: Of every item, shape (n, width).
        truth: Class number of every item, from 0, shape (n,): what people would say.
        settings: How it is run.
        seed: Everything random follows from it.
        learner: Makes the model; the product's probe on these vectors by default.
        near: `nearest` of the unit rows, where it is known: it is the same for every seed.
    """
    rows = unit_rows(vectors)
    learn = learner or probe_learner(rows, int(truth.max()) + 1)
    beside = nearest(rows) if near is None else near
    return Campaign(rows, truth, settings, seed, learn, beside).run()


def rivals(
    vectors: np.ndarray,
    truth: np.ndarray,
    settings: LoopSettings,
    seed: int,
    learner: Learner | None = None,
    near: np.ndarray | None = None,
) -> dict[str, LoopRun]:
    """Return the campaign beside the other ways there are, with the same seed and learner.

    ``manual``: people label everything. ``automatic``: the first model's answers stand unchecked.
    ``point threshold``: each round accepts what an estimate on validation items says, class by
    class. ``certificate``: `simulate`. The arguments are its own.
    """
    rows = unit_rows(vectors)
    learn = learner or probe_learner(rows, int(truth.max()) + 1)
    return {
        "manual": other.manual(truth),
        "automatic": other.automatic(rows, truth, settings, seed, learn),
        "point threshold": other.point_threshold(truth, settings, seed, learn),
        "certificate": simulate(vectors, truth, settings, seed, learn, near),
    }
