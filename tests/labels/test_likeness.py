"""Likeness of very many regions at once: the same as one by one, in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from core.labels import Region, likeness
from core.labels.likeness import likeness_matrix
from core.labels.shapes import keypoints_region, mask_region, polygon_region

chance = np.random.default_rng(4)


def star() -> Region:
    """Return a polygon of twelve corners somewhere in 400 by 400 pixels."""
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    far, (x, y) = 50 * (0.6 + 0.4 * chance.random(12)), 60 + chance.random(2) * 280
    return polygon_region("cell", np.stack([x + far * np.cos(turn), y + far * np.sin(turn)], 1))


def mask() -> Region:
    """Return a speckled mask of 40 by 50 pixels."""
    return mask_region("cell", chance.random((40, 50)) > 0.5)


def skeleton() -> Region:
    """Return nine points, some hidden, some absent."""
    points = np.column_stack([chance.random((9, 2)) * 100, chance.integers(0, 3, 9)])
    points[0, 2] = 2
    return keypoints_region("cell", points)


@pytest.mark.parametrize(("make", "off"), [(star, 0.02), (mask, 1e-12), (skeleton, 1e-12)])
def test_many_at_once_are_as_alike_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Region], off: float
) -> None:
    """Polygons to within the coarser grid, masks and keypoints exactly."""
    a, b = [make() for _ in range(30)], [make() for _ in range(25)]
    alone = likeness_matrix(a, b)
    monkeypatch.setattr(likeness, "ONE_BY_ONE", 0)
    together = likeness_matrix(a, b)
    assert together.shape == (30, 25)
    assert abs(alone - together).max() <= off
    assert (together == likeness_matrix(b, a).T).all()


def test_no_number_of_regions_takes_minutes() -> None:
    """F35: six hundred polygons over each other: one by one they took six minutes."""
    heap = [polygon_region("cell", [(0, 0), (600 + i / 100, 0), (600, 600)]) for i in range(600)]
    began = time.monotonic()
    found = likeness_matrix(heap, heap)
    assert time.monotonic() - began < 60
    assert found.min() > 0.95
