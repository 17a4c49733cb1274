"""What a model says, as plain values."""

from __future__ import annotations

import numpy as np
import pytest

from core.learning.values import Predictions

CLASSES = tuple(f"c{n}" for n in range(8))


def said(rows: list[list[float]]) -> Predictions:
    """Return predictions of these probabilities over the first classes."""
    table = np.array(rows, dtype=np.float32)
    return Predictions(np.arange(len(rows)), table, CLASSES[: table.shape[1]])


def test_top_five_are_the_most_probable_first() -> None:
    """At most five, in falling order, the first of them the label and its probability the confidence."""
    drawn = np.random.default_rng(3).dirichlet(np.ones(8), size=50).tolist()
    found = said(drawn)
    for top, label, confidence in zip(found.top(), found.top1, found.confidence, strict=True):
        assert len(top) == 5
        assert top[0] == (label, pytest.approx(float(confidence), abs=1e-4))
        shares = [p for _, p in top]
        assert shares == sorted(shares, reverse=True)


def test_few_classes_and_ties() -> None:
    """With fewer than five classes all are told; the earlier class wins a tie, as in `top1`."""
    found = said([[0.25, 0.5, 0.25]])
    assert found.top() == [(("c1", 0.5), ("c0", 0.25), ("c2", 0.25))]
    assert said([[0.5, 0.5]]).top()[0][0][0] == said([[0.5, 0.5]]).top1[0] == "c0"
