"""The whole campaign against known labels: what people would have labelled, what would have been accepted.

Cold start on typical images, a model, answers averaged with those of the nearest neighbours, a
certificate on items drawn before anything was labelled, further rounds where that wins more than it
costs, an audit of what was accepted, and people for the rest. The truth is read only where
a person is asked; everything random follows from the seed. Arrays in, values out; free of torch.
"""

from __future__ import annotations

from dataclasses import replace

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
    "beside_tuned",
    "fine_tuned",
    "hard_first",
    "labels_of",
    "probe_learner",
    "rivals",
    "simulate",
    "unit_rows",
]

_STARTS = (0.3, 0.4, 0.5, 0.6)
_LEAST_CHECKED = 90
"""A region with fewer checked items than this passes hardly ever, whatever is in it."""


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


def beside_tuned(
    vectors: np.ndarray, truth: np.ndarray, settings: LoopSettings, seed: int, learner: Learner
) -> dict[str, LoopRun]:
    """Return the campaign of a learner that takes minutes, beside the other ways.

    Teaching a network anew for each way would take hours: the unchecked answers and the point
    threshold are those of the campaign's own last model, with the labels it had.
    """
    alone = np.zeros((len(truth), 0), dtype=np.int64)
    campaign = Campaign(vectors, truth, settings, seed, learner, alone)
    ours = campaign.run()
    others = other.by_last_model(
        campaign.believed, campaign.train, campaign.checked, truth, settings.target
    )
    return {"manual": other.manual(truth), **others, "certificate": ours}


def fine_tuned(settings: LoopSettings, n: int) -> LoopSettings:
    """Return how a campaign on n items is run when its last model is a whole network.

    One look, as each costs minutes; so it may spend all of delta. A tenth of the items, drawn at random, teaches the first model;
    two tenths more are the least sure, which people would have to label anyway.
    """
    share = max(1, min(1_000, n // 10))
    block = max(200, min(800, n // 10))
    starts = tuple(s for s in _STARTS if s * block >= _LEAST_CHECKED)
    return replace(
        settings, asking="border", cold=share, cold_share=0.1, batch=share, lessons=3,
        first_block=block, looks=1, folds=0, starts=starts,
    )  # fmt: skip


def hard_first(settings: LoopSettings, n: int) -> LoopSettings:
    """Return how a campaign on n items is run that gives people the hardest half of a hard set.

    As `fine_tuned`, with two more batches, as each costs a second: on features that stay as they are
    the rest becomes easy enough only then.
    """
    return replace(fine_tuned(settings, n), lessons=5)


def labels_of(settings: LoopSettings, n: int) -> int:
    """Return how many labels teach the model of the first look, of n items."""
    first = min(settings.cold, int(settings.cold_share * n + 1e-9))
    return first + (settings.lessons - 1) * settings.batch
