"""Groups of embeddings that stand apart."""

from __future__ import annotations

import numpy as np
import pytest

from core.consensus.looks import groups_by_look, likeness_to_centre, unlike_below


def around(directions: np.ndarray, counts: list[int], spread: float, seed: int = 0) -> np.ndarray:
    """Return unit vectors about each direction, in turn."""
    rng = np.random.default_rng(seed)
    parts = [
        d + rng.normal(0, spread / np.sqrt(len(d)), (n, len(d)))
        for d, n in zip(directions, counts, strict=True)
    ]
    found = np.concatenate(parts)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


AXES = np.eye(64)[:4]


def test_what_stands_apart_is_told_apart_and_nothing_else():
    """Three kinds of images are three groups; one kind, however wide, stays one."""
    vectors = around(AXES, [20, 7, 40, 0], 0.5)
    found = groups_by_look(vectors, -1.0)
    assert found.tolist() == [0] * 20 + [1] * 7 + [2] * 40
    for spread in (0.2, 1.0, 3.0):
        wide = around(AXES[:1], [60], spread)
        assert set(groups_by_look(wide, -1.0).tolist()) == {0}


def test_two_images_part_only_where_they_are_very_different():
    """Of two there is no structure; what is less alike than most pairs of images parts."""
    everything = around(AXES, [50, 50, 50, 50], 0.6)
    unlike = unlike_below(everything)
    assert -0.2 < unlike < 0.3
    near = around(AXES[:1], [2], 0.6, seed=1)
    far = np.stack([everything[0], -everything[0]])
    assert groups_by_look(near, unlike).tolist() == [0, 0]
    assert groups_by_look(far, unlike).tolist() == [0, 1]


def test_the_order_of_images_changes_no_group():
    """Shuffled images fall into the same groups."""
    vectors = around(AXES, [15, 9, 12, 6], 0.5)
    order = np.random.default_rng(2).permutation(len(vectors))
    one, other = groups_by_look(vectors, -1.0)[order], groups_by_look(vectors[order], -1.0)
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    assert len(pairs) == len(set(one.tolist())) == 4


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_tell_apart(n):
    """No image and one are no trouble."""
    vectors = around(AXES[:1], [n], 0.1)
    assert groups_by_look(vectors, 0.5).tolist() == [0] * n
    assert unlike_below(vectors) == -1.0


def test_many_images_take_a_second_at_most_and_no_more_than_sixteen_groups():
    """Ten thousand are grouped without comparing each with each."""
    vectors = around(np.eye(64)[:30], [330] * 30, 0.3)
    found = groups_by_look(vectors, unlike_below(vectors))
    assert 1 < len(set(found.tolist())) <= 16
    assert likeness_to_centre(vectors[:330]).min() > 0.8
