"""How sure it is that a detector has an image wholly right, from its regions alone. Free of torch.

An image is right only if every region is: one doubtful region, one crowd, and it is not. What that
costs is learnt from checked images, by a logistic model of a few figures; with too few of them the
chance that all regions are right, taken as independent, stands in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from core.labels.geometry import likeness
from core.labels.region import Region

LEAST = 10
"""Checked images of each outcome from which a model is fitted."""
_PENALTY = 1.0
_CROWD = 60  # of more regions the first are compared


def features(regions: Sequence[Region]) -> np.ndarray:
    """Return five figures of an image's regions, shape (5,).

    The least confidence, the logarithm of all of them multiplied, the expected number wrong, how
    many there are (logarithm), and the greatest overlap of two.
    """
    sure = np.array([1.0 if r.confidence is None else r.confidence for r in regions])
    sure = np.clip(sure, 1e-6, 1.0)
    if not len(sure):
        return np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    overlap = _crowding(regions)
    return np.array(
        [sure.min(), np.log(sure).sum(), (1 - sure).sum(), np.log1p(len(sure)), overlap]
    )


def scores(figures: np.ndarray, rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return for each image, shape (n,), how likely all of it is right.

    Args:
        figures: As `features` gave them, shape (n, 5).
        rows: Checked images that serve for nothing else.
        right: Bool: the detector had each wholly right.
    """
    hits = int(np.asarray(right, dtype=bool).sum())
    if min(hits, len(rows) - hits) < LEAST:
        return np.asarray(np.exp(figures[:, 1]))
    middle, spread = figures[rows].mean(0), figures[rows].std(0)
    scaled = (figures - middle) / np.where(spread > 1e-9, spread, 1.0)
    x = np.column_stack([scaled[rows], np.ones(len(rows))])
    sign = np.where(right, 1.0, -1.0)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (x @ w)
        gradient = -(x * (sign * expit(-margin))[:, None]).sum(0)
        gradient[:-1] += _PENALTY * w[:-1]
        return float(np.logaddexp(0, -margin).sum() + _PENALTY / 2 * (w[:-1] ** 2).sum()), gradient

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    return np.asarray(expit(scaled @ found[:-1] + found[-1]))


def _crowding(regions: Sequence[Region]) -> float:
    some = regions[:_CROWD]
    overlap = likeness(some, some)
    same = np.array([[a.label == b.label for a in some] for b in some])
    np.fill_diagonal(same, False)
    return float(overlap[same].max(initial=0.0))
