"""How typical an image is: the first ones stand for every group of the set."""

from __future__ import annotations

import numpy as np

from core.learning.typicality import typicality


def groups(sizes: tuple[int, ...], seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors in well separated groups of these sizes, and each one's group."""
    rng = np.random.default_rng(seed)
    middles = np.eye(len(sizes), 16)
    of = np.repeat(np.arange(len(sizes)), sizes)
    points = middles[of] + rng.normal(0, 0.05, (len(of), 16))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float16), of


def test_the_first_ones_come_from_every_group():
    """Small groups are met early, which taking the nearest to one centre would not do."""
    vectors, of = groups((400, 200, 100, 60, 40))
    first = np.argsort(-typicality(vectors))[:60]
    assert np.abs(np.bincount(of[first]) - [30, 15, 7.5, 4.5, 3]).max() <= 3


def test_an_outlier_is_not_among_the_first():
    """What lies far from all others is typical of nothing, in a group of its own or not."""
    vectors, _ = groups((39,))
    odd = np.zeros((1, 16), dtype=np.float16)
    odd[0, 9] = 1
    score = typicality(np.concatenate([vectors, odd]))
    assert (score > score[39]).sum() >= 19


def test_scores_are_a_total_order_and_the_same_each_time():
    """Each score once, the highest 1; the same vectors give the same scores."""
    vectors, _ = groups((50, 30))
    score = typicality(vectors)
    assert len(set(score)) == 80
    assert score.max() == 1
    assert (score == typicality(vectors)).all()


def test_none_and_one():
    """No image gives no score, one image is typical of itself."""
    assert len(typicality(np.zeros((0, 4), np.float16))) == 0
    assert typicality(np.ones((1, 4), np.float16)).tolist() == [1.0]
