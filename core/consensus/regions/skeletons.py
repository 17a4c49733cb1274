"""Keypoints of several people made one, point by point."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.consensus.regions.medoid import medoid
from core.consensus.regions.middle import MIDDLES
from core.consensus.regions.ways import Geometry
from core.labels.region import Region
from core.labels.shapes import keypoints_region

Told = tuple[tuple[float, ...], ...]


def blend_keypoints(ordered: list[Region], weights: list[float], how: Geometry) -> Region:
    """Return the skeleton of the middle of each point, where at least half have the point.

    Where no point is anybody else's, the skeleton most like the others.
    """
    places = zip(*(r.points for r in ordered), strict=True)
    points = [_point(place, weights, how) for place in places]
    if not any(v for _x, _y, v in points):
        return ordered[medoid(ordered, weights)]
    return keypoints_region(ordered[0].label, points)


def _point(told: Told, weights: Sequence[float], how: Geometry) -> tuple[float, float, float]:
    """Return one point; where as many have it as have not it is there, and likewise visible."""
    there = [(p, w) for p, w in zip(told, weights, strict=True) if p[2] and w]
    have = math.fsum(w for _, w in there)
    if not there or 2 * have < math.fsum(weights) * (1 - 1e-9):
        return (0.0, 0.0, 0.0)
    seen = math.fsum(w for p, w in there if p[2] == 2)
    middle = MIDDLES[how.middle]
    x, y = (middle([p[axis] for p, _ in there], [w for _, w in there]) for axis in (0, 1))
    return (x, y, 2.0 if 2 * seen >= have * (1 - 1e-9) else 1.0)
