"""Masks and polygons of several people made one, by their pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from core.consensus.regions.medoid import medoid
from core.consensus.regions.outline import outline
from core.consensus.regions.staple import staple
from core.consensus.regions.ways import Area, Geometry
from core.labels.region import Region
from core.labels.shapes import (
    mask_height,
    mask_pixels,
    mask_region,
    polygon_area,
    polygon_region,
    run_lengths,
)

Pixels = NDArray[np.bool_]
_GRID_PX = 256
"""Side of the grid polygons are voted on. A finer one is no nearer to the truth: in a
seeded simulation both this and 512 gave IoU 0.916 (one person 0.856), this in half the time."""
_MARGIN_PX = 2
_EVEN = 1e-9


def blend_masks(ordered: list[Region], weights: list[float], how: Geometry) -> Region:
    """Return the mask of the pixels that belong to the thing; never an empty one."""
    first = medoid(ordered, weights)
    if how.masks is Area.WHOLE:
        return ordered[first]
    height = mask_height(ordered)
    width = sum(run_lengths(ordered[0].rle)) // height
    rows, columns = _window(ordered, height, width, how.smooth_px)
    marks = np.array([mask_pixels(r, height, width)[rows, columns] for r in ordered])
    chosen = _chosen(marks, weights, first, how.masks, how.smooth_px)
    if not chosen.any():
        return ordered[first]
    pixels = np.zeros((height, width), dtype=np.bool_)
    pixels[rows, columns] = chosen
    return mask_region(ordered[0].label, pixels)


def blend_polygons(ordered: list[Region], weights: list[float], how: Geometry) -> Region:
    """Return the polygon around the pixels that belong to the thing, on a grid over it.

    Where those are no one piece without holes, the polygon most like the others, whole.
    """
    first = medoid(ordered, weights)
    if how.polygons is Area.WHOLE:
        return ordered[first]
    left, top = (min(r.box[i] for r in ordered) for i in (0, 1))
    scale = _GRID_PX / max(max(r.x2 - left, r.y2 - top) for r in ordered)
    marks = np.array([_on_grid(r, left, top, scale) for r in ordered])
    ring = outline(_chosen(marks, weights, first, how.polygons, smooth_px=0))
    if len(ring) < 3 or polygon_area(ring) <= 0:
        return ordered[first]
    points = [((x - _MARGIN_PX) / scale + left, (y - _MARGIN_PX) / scale + top) for x, y in ring]
    return polygon_region(ordered[0].label, points)


def vote_pixels(marks: Pixels, weights: list[float], first: int, smooth_px: int) -> Pixels:
    """Return the pixels with more than half of the weight.

    A pixel people disagree on goes with all votes on the square around it, as Ground Truth smooths
    its votes; where all agree nothing is smoothed, so equal masks stay as they are.

    Args:
        marks: Each person's pixels, shape (people, height, width).
        weights: How much each person counts.
        first: Whose pixel stands where the votes are even.
        smooth_px: How far from the pixel votes count; 0 for the pixel alone.
    """
    total = math.fsum(weights)
    lead = -np.full(marks.shape[1:], total)
    for pixels, weight in zip(marks, weights, strict=True):
        lead += 2 * weight * pixels
    if smooth_px:
        # The mean of running sums is exact to about 1e-12 only; nothing may hang on that.
        around = uniform_filter(lead, 2 * smooth_px + 1, mode="nearest")
        lead = np.where(np.abs(lead) < total * (1 - _EVEN), around, lead)
    even = np.abs(lead) <= total * _EVEN
    return np.asarray(np.where(even, marks[first], lead > 0))


def _chosen(marks: Pixels, weights: list[float], first: int, area: Area, smooth_px: int) -> Pixels:
    if area is Area.STAPLE:
        return np.asarray(staple(marks).probability > 0.5)
    return vote_pixels(marks, weights, first, smooth_px)


def _window(masks: list[Region], height: int, width: int, margin_px: int) -> tuple[slice, slice]:
    """Return the rows and columns that hold all masks and a margin, inside the image."""
    top = max(0, int(min(m.y1 for m in masks)) - margin_px)
    left = max(0, int(min(m.x1 for m in masks)) - margin_px)
    bottom = min(height, int(max(m.y2 for m in masks)) + margin_px)
    right = min(width, int(max(m.x2 for m in masks)) + margin_px)
    return slice(top, bottom), slice(left, right)


def _on_grid(region: Region, left: float, top: float, scale: float) -> Pixels:
    side = _GRID_PX + 2 * _MARGIN_PX
    ring = [
        ((x - left) * scale + _MARGIN_PX, (y - top) * scale + _MARGIN_PX) for x, y in region.points
    ]
    return mask_pixels(polygon_region(region.label, ring), side, side)
