"""How much two classes of an ordered scale agree: 1 for the same, less the further apart.

Gwet, Handbook of Inter-Rater Reliability (2014), chapter 3.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from core.consensus.counts import Floats


class Weights(StrEnum):
    """By what two different classes lose agreement."""

    IDENTITY = "identity"
    """All of it."""
    LINEAR = "linear"
    """Their distance on the scale."""
    QUADRATIC = "quadratic"
    """Its square."""
    ORDINAL = "ordinal"
    """The number of pairs of classes that lie between."""


def agreement_weights(kind: Weights, classes: int) -> Floats:
    """Return the weight of every two classes, shape (classes, classes), between 0 and 1."""
    if kind is Weights.IDENTITY or classes < 2:
        return np.eye(classes)
    at = np.arange(classes, dtype=np.float64)
    apart = np.abs(at[:, None] - at[None, :])
    if kind is Weights.ORDINAL:
        pairs = apart * (apart + 1) / 2
        return np.asarray(1 - pairs / pairs.max())
    share = apart / (classes - 1)
    return np.asarray(1 - (share if kind is Weights.LINEAR else share * share))
