"""Regions as people and models get them wrong: shifted, missed, confused, from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.labels import Answer, Region
from core.labels.region import Shape
from core.labels.shapes import keypoints_region, polygon_region

SMALL = 0.35
"""A box is small when its area is below this share of the image's median box."""


def is_small(region: Region, regions: Sequence[Region]) -> bool:
    """Return whether a box is small beside the others of its image: such are overlooked."""
    return region.area < SMALL * float(np.median([r.area for r in regions]))


def other_class(label: str, names: Sequence[str], rng: np.random.Generator) -> str:
    """Return another class by chance; the same where there is no other."""
    others = [n for n in names if n != label]
    return others[int(rng.integers(len(others)))] if others else label


def plant_error(truth: Answer, names: Sequence[str], rng: np.random.Generator) -> Answer:
    """Return the answer with one box gone, or of another class."""
    regions = list(truth.regions)
    at = int(rng.integers(len(regions)))
    if rng.random() < 0.5 or len(names) < 2:
        del regions[at]
    else:
        regions[at] = replace(regions[at], label=other_class(regions[at].label, names, rng))
    return Answer({}, tuple(regions))


def predicted(
    truth: Answer,
    difficulty: float,
    names: Sequence[str],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Answer:
    """Return what a mediocre detector says: boxes missed, shifted, confused, some from nothing.

    Confidence is drawn lower for wrong boxes, and not always, as with a real detector.
    """
    harder = 1 + 1.5 * difficulty
    regions = []
    for true in truth.regions:
        small = is_small(true, truth.regions)
        if rng.random() < (0.11 if small else 0.02) * harder:
            continue
        wrong = rng.random() < (0.025 if small else 0.008) * harder
        sloppy = rng.random() < 0.02 * harder
        sure = float(rng.beta(3, 2.6) if wrong or sloppy else rng.beta(11, 1.5))
        box = jittered(true, 0.22 if sloppy else 0.045, size, rng)
        label = other_class(true.label, names, rng) if wrong else true.label
        regions.append(replace(box, label=label, confidence=round(0.25 + 0.745 * sure, 4)))
    for _ in range(rng.poisson(0.22 * harder) if truth.regions else 0):
        box = from_nothing(truth, size, rng)
        regions.append(replace(box, confidence=round(0.25 + 0.6 * float(rng.beta(2, 4)), 4)))
    return Answer({}, tuple(regions))


def from_nothing(truth: Answer, size: tuple[int, int], rng: np.random.Generator) -> Region:
    """Return a region where there is nothing, like one of the smaller regions of the image."""
    ordered = sorted(truth.regions, key=lambda r: (r.area, r.x1, r.y1))
    like = ordered[int(rng.integers(max(1, len(ordered) // 2)))]
    wide, high = like.x2 - like.x1, like.y2 - like.y1
    x = float(rng.uniform(0, max(1.0, size[0] - wide)))
    y = float(rng.uniform(0, max(1.0, size[1] - high)))
    if like.points:
        by = np.array([x - like.x1, y - like.y1])
        return _at(like, np.array([p[:2] for p in like.points]) + by, size)
    moved = Region(like.label, x, y, min(x + wide, size[0]), min(y + high, size[1]))
    return replace(moved, **{k: round(getattr(moved, k), 2) for k in ("x1", "y1", "x2", "y2")})


def jittered(
    region: Region, share: float, size: tuple[int, int], rng: np.random.Generator
) -> Region:
    """Return the region with each edge, or point, moved by about this share of its side."""
    if region.points:
        return _reshaped(region, share, size, rng)
    wide, high = region.x2 - region.x1, region.y2 - region.y1
    d = rng.normal(0, share, 4)
    x1 = float(np.clip(region.x1 + d[0] * wide, 0, region.x2 - wide * 0.5))
    y1 = float(np.clip(region.y1 + d[1] * high, 0, region.y2 - high * 0.5))
    x2 = float(np.clip(region.x2 + d[2] * wide, x1 + min(2, wide), size[0]))
    y2 = float(np.clip(region.y2 + d[3] * high, y1 + min(2, high), size[1]))
    return Region(region.label, round(x1, 2), round(y1, 2), round(x2, 2), round(y2, 2))


def _reshaped(
    region: Region, share: float, size: tuple[int, int], rng: np.random.Generator
) -> Region:
    """Return the polygon or keypoints drawn anew: moved as a whole, and each point a little."""
    sides = np.array([region.x2 - region.x1, region.y2 - region.y1])
    points = np.array([p[:2] for p in region.points])
    own = rng.normal(0, 0.5 * share, points.shape)
    return _at(region, points + (rng.normal(0, share, 2) + own) * sides, size)


def _at(region: Region, points: NDArray[np.float64], size: tuple[int, int]) -> Region:
    """Return the region with its points elsewhere, inside the image, without a confidence."""
    placed = np.round(np.clip(points, 0, size), 2).tolist()
    if region.shape is Shape.POLYGON:
        return polygon_region(region.label, placed, None, region.attributes)
    seen = [(*xy, p[2]) for xy, p in zip(placed, region.points, strict=True)]
    return keypoints_region(region.label, seen, None, region.attributes)
