"""Histograms of oriented gradients: what they tell apart, and what they do not see."""

from __future__ import annotations

import numpy as np

from core.learning.suspicious.edges import SIDE, WIDTH, edges_of

ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def stripes(across: int, down: int, light: float = 1.0) -> np.ndarray:
    """Return a picture of slanted stripes."""
    wave = np.sin((across * COLUMNS + down * ROWS) / 6)
    return np.clip(127 + 120 * light * wave, 0, 255)


def test_which_way_edges_run_is_told_apart_and_weaker_light_is_not():
    """Upright and level stripes are unlike; the same stripes in half the light are nearly alike."""
    upright, level = edges_of(stripes(1, 0)), edges_of(stripes(0, 1))
    assert upright.shape == (WIDTH,)
    assert np.isclose(np.linalg.norm(upright), 1, atol=1e-5)
    assert upright @ level < 0.5
    assert upright @ edges_of(stripes(1, 0, 0.5)) > 0.95


def test_a_mirror_image_has_the_same_edges():
    """Which way round a thing lies says nothing."""
    slanted = stripes(1, 2)
    assert np.allclose(edges_of(slanted), edges_of(slanted[:, ::-1]), atol=1e-5)


def test_a_flat_picture_has_none():
    """No edges give zeros, and no division by nothing."""
    assert not edges_of(np.full((SIDE, SIDE), 80)).any()
