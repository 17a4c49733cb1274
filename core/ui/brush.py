"""Brush strokes to masks, at the resolution of the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from core.labels import Region
from core.labels.shapes import mask_pixels, mask_region
from core.ui.fabric import Point

Stroke = tuple[list[Point], float]
"""Points of a stroke, and how wide it is, image pixels."""


def add_strokes(
    regions: list[Region], label: str, lines: Sequence[Stroke], size: tuple[int, int]
) -> int:
    """Add strokes of a class: to the mask of it they touch; what touches none is a new one.

    Args:
        regions: Masks; changed in place.
        label: The class.
        lines: The strokes, in image pixels.
        size: Width and height of the image.

    Returns:
        How many pieces the strokes make; none where all lie outside.
    """
    left, top, painted = _painted(lines, size)
    pieces, count = ndimage.label(np.pad(painted, 1), structure=np.ones((3, 3)))
    whole = (size[1], size[0])
    for n in range(1, count + 1):
        piece = np.zeros(whole, dtype=np.bool_)
        # The frame of one pixel that was put around for the neighbours is taken off again.
        piece[top : top + painted.shape[0], left : left + painted.shape[1]] = (
            pieces[1:-1, 1:-1] == n
        )
        rows = slice(max(0, top - 1), top + painted.shape[0] + 1)
        columns = slice(max(0, left - 1), left + painted.shape[1] + 1)
        edge = ndimage.binary_dilation(piece[rows, columns], np.ones((3, 3)))
        for i, region in enumerate(regions):
            if region.label != label or not _overlaps(region, rows, columns):
                continue
            pixels = mask_pixels(region, *whole)
            if (pixels[rows, columns] & edge).any():
                regions[i] = mask_region(label, pixels | piece, None, region.attributes)
                break
        else:
            regions.append(mask_region(label, piece))
    return int(count)


def _painted(lines: Sequence[Stroke], size: tuple[int, int]) -> tuple[int, int, NDArray[np.bool_]]:
    """Return what strokes cover in the part of the image they lie in, and where that is."""
    wide, high = size
    reach = [
        (x + side, y + side)
        for line, thick in lines
        for x, y in line
        for side in (-thick / 2 - 1, thick / 2 + 1)
    ]
    x1, y1 = (min(p[axis] for p in reach) for axis in (0, 1))
    x2, y2 = (max(p[axis] for p in reach) for axis in (0, 1))
    left, top = max(0, int(x1)), max(0, int(y1))
    right, bottom = min(wide, int(x2) + 1), min(high, int(y2) + 1)
    if right <= left or bottom <= top:
        return 0, 0, np.zeros((1, 1), dtype=np.bool_)
    moved = [([(x - left, y - top) for x, y in line], thick) for line, thick in lines]
    return left, top, paint(moved, right - left, bottom - top)


def paint(
    lines: Sequence[tuple[Sequence[Point], float]], width: int, height: int
) -> NDArray[np.bool_]:
    """Return the pixels that round brush strokes cover, shape (height, width).

    Args:
        lines: Points and width of each stroke, image pixels.
        width: Of the image.
        height: Of the image.
    """
    image = Image.new("1", (width, height))
    pen = ImageDraw.Draw(image)
    for points, thick in lines:
        # Pillow counts pixels, not edges: the middle of pixel 0 lies at half a pixel.
        at = [(x - 0.5, y - 0.5) for x, y in points]
        if len(at) > 1:
            pen.line(at, fill=1, width=max(1, round(thick)))
        if thick >= 2:
            for x, y in at:
                r = thick / 2 - 0.5
                pen.ellipse((x - r, y - r, x + r, y + r), fill=1)
        else:
            pen.point([(round(x), round(y)) for x, y in at], fill=1)
    return np.asarray(image, dtype=np.bool_)


def _overlaps(region: Region, rows: slice, columns: slice) -> bool:
    across = region.x1 < columns.stop and region.x2 > columns.start
    return bool(across and region.y1 < rows.stop and region.y2 > rows.start)
