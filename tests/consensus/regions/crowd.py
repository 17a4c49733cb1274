"""Simulated people who draw what is there: a little off, at times far off, missing or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.labels import Answer, Region
from core.labels.region import Shape
from core.labels.shapes import keypoints_region, mask_pixels, mask_region, polygon_region
from tests.drawn import SIZE


def drawn_by(
    truth: Sequence[Region],
    rng: np.random.Generator,
    off: float = 0.04,
    missed: float = 0.0,
    wrong: float = 0.0,
    classes: Sequence[str] = (),
) -> Answer:
    """Return what one person draws of the truth.

    Args:
        truth: What is there.
        rng: Chance.
        off: Standard deviation of an edge, a corner or a place, as a share of the thing's side.
        missed: Chance of leaving a thing out.
        wrong: Chance of calling it something else.
        classes: What it may be called.
    """
    regions = []
    for region in truth:
        if rng.random() < missed:
            continue
        name = str(rng.choice(classes)) if rng.random() < wrong else region.label
        regions.append(replace(_moved(region, rng, off), label=name))
    return Answer(regions=tuple(regions))


def _moved(region: Region, rng: np.random.Generator, off: float) -> Region:
    side = max(region.area, 1.0) ** 0.5 * off
    said = region.attributes
    if region.shape is Shape.BOX:
        x1, y1, x2, y2 = np.array(region.box) + rng.normal(0, side, 4)
        return replace(region, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))
    if region.shape is Shape.MASK:
        by = np.rint(rng.normal(0, side, 2)).astype(int)
        pixels = np.roll(mask_pixels(region, SIZE[1], SIZE[0]), tuple(by), (0, 1))
        return mask_region(region.label, pixels, None, said)
    points = [(*(np.array(p[:2]) + rng.normal(0, side, 2)), *p[2:]) for p in region.points]
    make = polygon_region if region.shape is Shape.POLYGON else keypoints_region
    return make(region.label, points, None, said)


def boxes_at_random(rng: np.random.Generator, count: int, side_px: float = 1000) -> list[Region]:
    """Return boxes of some 30 to 100 pixels all over an image; some lie over each other."""
    corner = rng.uniform(0, side_px - 100, (count, 2))
    edges = np.concatenate([corner, corner + rng.uniform(30, 100, (count, 2))], axis=1)
    names = rng.choice(["a", "b", "c"], count)
    return [Region(str(n), *e) for n, e in zip(names, edges.tolist(), strict=True)]
