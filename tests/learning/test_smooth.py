"""Neighbours' answers: found exactly, mixed in as told, weighed on training labels alone."""

from __future__ import annotations

import numpy as np
import pytest

from core.learning import smooth
from core.learning.certify import Candidates, Evidence, certify
from core.learning.probe import fit_probe
from core.learning.smooth import WEIGHTS, blend, choose_weight, nearest


def unit(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    rows = rng.standard_normal((n, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def blobs(n: int, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make rows around four directions, and which one each is around."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    rows = np.eye(4, 16, dtype=np.float32)[labels] + spread * unit(rng, n, 16)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def test_the_nearest_are_the_nearest():
    """They equal those of a full sort, and never hold the row itself."""
    rows = unit(np.random.default_rng(0), 3000, 8)
    near = nearest(rows, 5)
    for i in (0, 1500, 2999):
        alike = rows @ rows[i]
        alike[i] = -2
        assert set(near[i]) == set(np.argsort(-alike)[:5])
    assert not (near == np.arange(3000)[:, None]).any()


def test_a_large_set_is_searched_in_groups(monkeypatch: pytest.MonkeyPatch):
    """Beyond the exact size most of the true neighbours are found, the same ones each time."""
    rows, _ = blobs(4000, 0.6, 1)
    exact = nearest(rows)
    monkeypatch.setattr(smooth, "EXACT", 1000)
    monkeypatch.setattr(smooth, "_GROUP", 200)
    grouped = nearest(rows, seed=3)
    found = np.mean([len(set(a) & set(b)) for a, b in zip(exact, grouped, strict=True)]) / 15
    assert found > 0.6
    assert not (grouped == np.arange(4000)[:, None]).any()
    assert (grouped == nearest(rows, seed=3)).all()


@pytest.mark.parametrize("n", [0, 1, 2, 10])
def test_few_rows_have_few_neighbours(n: int):
    """Fewer rows than neighbours asked for give all others; alone, a row keeps its own answer."""
    near = nearest(unit(np.random.default_rng(2), n, 4))
    assert near.shape == (n, max(0, min(15, n - 1)))
    said = np.full((n, 2), 0.5)
    assert (blend(said, near, 0.5) == said).all()


def test_the_blend_is_the_formula():
    """A share of one's own and the rest of the neighbours' mean."""
    said = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    near = np.array([[1, 2], [0, 2], [0, 1]])
    assert np.allclose(blend(said, near, 0.5)[0], [0.5 * 1 + 0.5 * 0.25, 0.5 * 0.75])
    assert blend(said, near, 0.0) is said


def test_good_neighbours_are_asked_and_bad_ones_are_not():
    """Where neighbours share the class they count; where they say nothing of it they do not."""
    rows, labels = blobs(1200, 0.4, 4)
    some = np.random.default_rng(4).permutation(1200)[:80]

    def weak(kept: np.ndarray, _: np.ndarray) -> np.ndarray:
        """Answer right in about three cases of four, all alike sure."""
        told = np.where(np.random.default_rng(5).random(1200) < 0.75, labels, (labels + 1) % 4)
        return np.eye(4)[told] * 0.6 + 0.1

    assert choose_weight(weak, nearest(rows), some, labels[some], 4) > 0
    stray = np.random.default_rng(6).permutation(1200)[nearest(rows)]
    assert choose_weight(weak, stray, some, labels[some], 4) == 0.0


def test_too_little_to_tell_gives_no_weight():
    """One label of each class leaves nothing to hold out against."""
    rows, labels = blobs(40, 0.1, 7)

    def learn(kept: np.ndarray, classes: np.ndarray) -> np.ndarray:
        raise AssertionError("there is nothing to learn from")

    assert choose_weight(learn, nearest(rows), np.array([0]), labels[:1], 4) == 0.0
    assert choose_weight(learn, nearest(rows), np.arange(0, 12, 4), labels[0:12:4], 4) == 0.0
    assert 0.0 in WEIGHTS


def test_what_is_believed_is_blind_to_the_checks():
    """Other answers for the checked items change the verdict and not one bit of a score."""
    rows, labels = blobs(400, 0.9, 8)
    checked, train, free = np.arange(0, 120), np.arange(120, 160), np.arange(160, 400)

    def campaign(truth: np.ndarray) -> tuple[np.ndarray, Evidence]:
        def learn(some: np.ndarray, told: np.ndarray) -> np.ndarray:
            return fit_probe(rows[some], told, rows[free], 4, 0).head.probabilities(rows)

        near = nearest(rows)
        weight = choose_weight(learn, near, train, truth[train], 4)
        believed = blend(learn(train, truth[train]), near, weight)
        return believed, Evidence(checked, believed[checked].argmax(1) != truth[checked])

    other = labels.copy()
    other[checked] = (other[checked] + 1) % 4
    (one, seen), (two, otherwise) = campaign(labels), campaign(other)
    assert one.tobytes() == two.tobytes()
    pool = Candidates(np.arange(400), one.max(1))
    assert certify(pool, seen, 0.2, 0.2).errors != certify(pool, otherwise, 0.2, 0.2).errors
