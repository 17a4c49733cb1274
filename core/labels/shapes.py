"""Polygons, keypoints and masks: making them and checking what came from outside.

Run lengths are those of COCO (github.com/cocodataset/cocoapi), read and written by pycocotools.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from core.errors import InputError
from core.labels.region import Region, Shape, checked_box

MAX_POINTS = 10_000
MAX_RLE = 4_000_000
"""Longest run-length text taken, characters: far more than any drawn mask has."""
_MOST_DIGITS = 7
"""Of one run length, five bits each: 35 bits are more pixels than any image we take."""


def polygon_region(
    label: str,
    points: Sequence[Sequence[float]],
    confidence: float | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> Region:
    """Return a polygon over its corners (x, y), pixels."""
    ring = tuple((float(x), float(y)) for x, y in points)
    return Region(label, *_bounds(ring), confidence, Shape.POLYGON, ring, "", attributes)


def keypoints_region(
    label: str,
    points: Sequence[Sequence[float]],
    confidence: float | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> Region:
    """Return keypoints (x, y, v) in the order of the skeleton, pixels; v is 0, 1 or 2."""
    found = tuple((float(x), float(y), float(v)) if v else (0.0, 0.0, 0.0) for x, y, v in points)
    there = [p for p in found if p[2]]
    return Region(label, *_bounds(there), confidence, Shape.KEYPOINTS, found, "", attributes)


def mask_region(
    label: str,
    pixels: NDArray[np.bool_],
    confidence: float | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> Region:
    """Return a mask over pixels of shape (height, width), true where the object is."""
    encoded = coco.encode(np.asfortranarray(pixels, dtype=np.uint8))
    height, width = pixels.shape
    rle = encoded["counts"].decode("ascii")
    return rle_region(label, rle, height, width, confidence, attributes)


def rle_region(
    label: str,
    rle: str,
    height: int,
    width: int,
    confidence: float | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> Region:
    """Return a mask over its run lengths for an image of height × width pixels."""
    x, y, w, h = (float(v) for v in coco.toBbox(as_rle(rle, height, width)))
    return Region(label, x, y, x + w, y + h, confidence, Shape.MASK, (), rle, attributes)


def mask_pixels(region: Region, height: int, width: int) -> NDArray[np.bool_]:
    """Return a mask's, polygon's or box's pixels as an array of shape (height, width)."""
    return np.asarray(coco.decode(filled(region, height, width)), dtype=bool)


def mask_height(masks: Sequence[Region]) -> int:
    """Return the height of the image that some masks of it are about, pixels.

    A mask's text leaves it open; its box and how many pixels there are settle it.

    Raises:
        InputError: No image fits: the masks are of images of different size.
    """
    pixels = {sum(run_lengths(m.rle, m.label)) for m in masks}
    total = pixels.pop()
    small = [h for h in range(1, math.isqrt(total) + 1) if total % h == 0] if not pixels else []
    for height in sorted({*small, *(total // h for h in small)}):
        if all(_box_at(m, height, total // height) == m.box for m in masks):
            return height
    raise InputError("These masks are not of one image.")


def _box_at(mask: Region, height: int, width: int) -> tuple[float, float, float, float]:
    x, y, w, h = (float(v) for v in coco.toBbox(as_rle(mask.rle, height, width)))
    return (x, y, x + w, y + h)


def checked_region(
    region: Region, width: int, height: int, n_points: int = 0, slack_px: float = 1.0
) -> Region:
    """Return the region as it may be stored: inside the image, its bounding box its own.

    Args:
        region: What came from outside.
        width: Image width in pixels.
        height: Image height in pixels.
        n_points: How many points the skeleton has, for keypoints.
        slack_px: How far it may leave the image before it is refused.

    Raises:
        InputError: It is none of its shape: not finite, without area, outside, malformed.
    """
    if region.shape is Shape.BOX:
        return checked_box(region, width, height, slack_px)
    if region.shape is Shape.MASK:
        return _checked_mask(region, width, height)
    _check_points(region)
    if region.shape is Shape.POLYGON:
        return _checked_polygon(region, width, height, slack_px)
    return _checked_keypoints(region, width, height, n_points, slack_px)


def _checked_polygon(region: Region, width: int, height: int, slack_px: float) -> Region:
    if len(region.points) < 3:
        raise InputError(
            f"Polygon of '{region.label}' has {len(region.points)} corners, at least 3 are needed."
        )
    _check_inside("Polygon", region, region.points, width, height, slack_px)
    ring = [_into(p, width, height) for p in region.points]
    if polygon_area(ring) <= 0:
        raise InputError(f"Polygon of '{region.label}' has no area.")
    return polygon_region(region.label, ring, region.confidence, region.attributes)


def _checked_keypoints(
    region: Region, width: int, height: int, n_points: int, slack_px: float
) -> Region:
    if len(region.points) != n_points:
        raise InputError(
            f"Keypoints of '{region.label}': expected {n_points} points, found {len(region.points)}."
        )
    if any(len(p) != 3 or p[2] not in (0, 1, 2) for p in region.points):
        raise InputError(f"Keypoints of '{region.label}': each is x, y and 0, 1 or 2.")
    there = [p for p in region.points if p[2]]
    if not there:
        raise InputError(f"Keypoints of '{region.label}': not one of them is there.")
    _check_inside("Keypoints", region, there, width, height, slack_px)
    points = [(*_into(p, width, height), p[2]) for p in region.points]
    return keypoints_region(region.label, points, region.confidence, region.attributes)


def _checked_mask(region: Region, width: int, height: int) -> Region:
    # No mask takes more than two characters a pixel.
    most = min(MAX_RLE, 2 * width * height + 16)
    if not region.rle or len(region.rle) > most or not region.rle.isascii():
        raise InputError(f"Mask of '{region.label}' has no run lengths that can be read.")
    # pycocotools trusts its input and would read past the end: count the pixels ourselves first.
    runs = run_lengths(region.rle, region.label)
    total = sum(runs)
    if total != width * height:
        raise InputError(
            f"Mask of '{region.label}' covers {total:,} pixels, the image has {width * height:,}."
        )
    if not any(runs[1::2]):
        raise InputError(f"Mask of '{region.label}' is empty.")
    rle = compressed(runs, height, width)
    return rle_region(region.label, rle, height, width, region.confidence, region.attributes)


def compressed(runs: Sequence[int], height: int, width: int) -> str:
    """Return run lengths, background first, as COCO's text: of one mask always the same text.

    They must add up to the pixels of the image; see `checked_region` for what came from outside.
    """
    found = coco.frPyObjects({"size": [height, width], "counts": _joined(runs)}, height, width)
    return str(found["counts"].decode("ascii"))


def _joined(runs: Sequence[int]) -> list[int]:
    """Join runs parted by one of no length; pycocotools cannot measure masks that have such."""
    joined: list[int] = []
    for i, run in enumerate(runs):
        if (run or i == 0) and len(joined) % 2 == i % 2:
            joined.append(int(run))
        elif run:
            joined[-1] += int(run)
    return joined


def run_lengths(rle: str, label: str = "") -> list[int]:
    """Return the run lengths of COCO's compressed text, background first.

    Raises:
        InputError: The text is cut off or no such text.
    """
    if not rle.isascii():
        raise InputError(f"Mask of '{label}' holds a character that is no run length.")
    codes = np.frombuffer(rle.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    if not codes.size:
        return []
    last = (codes & 32) == 0
    if not last[-1]:
        raise InputError(f"Mask of '{label}' is cut off.")
    starts = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1])
    lengths = np.diff(np.append(starts, codes.size))
    if codes.min() < 0 or codes.max() > 63 or lengths.max() > _MOST_DIGITS:
        raise InputError(f"Mask of '{label}' holds a character that is no run length.")
    place = np.arange(codes.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((codes & 31) << (5 * place), starts)
    values -= np.where(codes[last] & 16, 1 << (5 * lengths), 0)
    # From the fourth on a run is given by how it differs from the one before the last.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    if values.min() < 0:
        raise InputError(f"Mask of '{label}' has a run of negative length.")
    return list(values.tolist())


def polygon_area(points: Sequence[Sequence[float]]) -> float:
    """Return the area inside a ring of corners, square pixels (the shoelace formula)."""
    xs, ys = np.array(points, dtype=np.float64).T
    return float(abs(np.dot(xs, np.roll(ys, -1)) - np.dot(ys, np.roll(xs, -1))) / 2)


def _check_points(region: Region) -> None:
    if len(region.points) > MAX_POINTS:
        raise InputError(
            f"A region of '{region.label}' has {len(region.points):,} points, "
            f"at most {MAX_POINTS:,} are taken."
        )
    wanted = 2 if region.shape is Shape.POLYGON else 3
    if any(len(p) != wanted or not all(math.isfinite(v) for v in p) for p in region.points):
        raise InputError(f"A region of '{region.label}' has a point that is not a number.")


def _check_inside(
    what: str,
    region: Region,
    points: Sequence[Sequence[float]],
    width: int,
    height: int,
    slack_px: float,
) -> None:
    for x, y, *_ in points:
        if not (-slack_px <= x <= width + slack_px and -slack_px <= y <= height + slack_px):
            raise InputError(
                f"{what} of '{region.label}' has a point outside the image: "
                f"({x:g}, {y:g}) in {width}×{height} px."
            )


def _into(point: Sequence[float], width: int, height: int) -> tuple[float, float]:
    return (min(max(point[0], 0.0), float(width)), min(max(point[1], 0.0), float(height)))


def _bounds(points: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    if not points:
        return (0.0, 0.0, 0.0, 0.0)
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return (min(xs), min(ys), max(xs), max(ys))


def as_rle(rle: str, height: int, width: int) -> dict[str, object]:
    """Return run lengths as pycocotools takes them."""
    return {"size": [height, width], "counts": rle.encode("ascii")}


def filled(region: Region, height: int, width: int) -> dict[str, object]:
    """Return the pixels of a mask, polygon or box as pycocotools takes them."""
    if region.shape is Shape.MASK:
        return as_rle(region.rle, height, width)
    x1, y1, x2, y2 = region.box
    ring = (
        region.points if region.shape is Shape.POLYGON else ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    )
    flat = [v for p in ring for v in p[:2]]
    return dict(coco.merge(coco.frPyObjects([flat], height, width)))


def renamed(region: Region, label: str, attributes: tuple[tuple[str, str], ...]) -> Region:
    """Return the region under today's names."""
    if region.label == label and region.attributes == attributes:
        return region
    return replace(region, label=label, attributes=attributes)
