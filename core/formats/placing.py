"""Regions of an annotation onto the upright pixels of the image they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from core.errors import InputError
from core.formats.base import Refusal, Row
from core.labels.answer import Answer
from core.labels.region import Region, Shape
from core.labels.shapes import (
    checked_region,
    keypoints_region,
    mask_pixels,
    mask_region,
    polygon_region,
)


class Sized(Protocol):
    """What is known of an image; `core.intake.ImageInfo` is one."""

    @property
    def width(self) -> int:
        """Upright width in pixels."""

    @property
    def height(self) -> int:
        """Upright height in pixels."""

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8."""


def resolve_regions(row: Row, info: Sized) -> tuple[Answer | None, list[Refusal]]:
    """Return the row's answer with its regions in upright pixels, and the regions left out.

    Which grid regions are in:

    * Shares (YOLO) are of the upright image: they are scaled by its size.
    * Pixels are read as upright coordinates, if the annotation claims the upright size or none.
    * Where the annotation claims the size of the stored grid instead, that is the upright one
      with width and height swapped, and the EXIF orientation is 5 to 8, the tool that wrote
      it ignored EXIF: its regions are turned with the image. (After half a turn and mirrorings,
      orientations 2 to 4, and in square images the two sizes are equal: such regions are
      read as upright.)
    * Where the claimed size is neither, the regions were drawn on another version of the image.
      They are not scaled by guess: all are refused with one sentence.

    What lies up to a pixel outside is cut to the image; a region further out is refused. The
    answer is None where the row has none, or where every region it has was refused.
    """
    answer = row.answer
    if answer is None or not answer.regions:
        return answer, []
    claimed = (row.width, row.height) if row.width and row.height else None
    upright = (info.width, info.height)
    turn = 1
    if claimed is not None and claimed != upright and not row.normalised:
        if info.orientation < 5 or claimed != upright[::-1]:
            return _choices_only(answer), [_wrong_size(row, claimed, upright)]
        turn = info.orientation
    kept: list[Region] = []
    refused: list[Refusal] = []
    for i, region in enumerate(answer.regions):
        try:
            placed = _scaled(region, *upright) if row.normalised else turned(region, turn, *upright)
            kept.append(checked_region(placed, *upright, n_points=len(placed.points)))
        except InputError as error:
            line = row.lines[i] if i < len(row.lines) else row.line
            refused.append(Refusal(row.origin, line, error.message))
    if not kept:
        return _choices_only(answer), refused
    return replace(answer, regions=tuple(kept)), refused


def _choices_only(answer: Answer) -> Answer | None:
    return replace(answer, regions=()) if answer.choices or answer.multi else None


def _wrong_size(row: Row, claimed: tuple[int, int], upright: tuple[int, int]) -> Refusal:
    return Refusal(
        row.origin,
        row.line,
        f"it says that {row.file} has {claimed[0]}×{claimed[1]} px, the image has "
        f"{upright[0]}×{upright[1]}: its regions are of another version of the image.",
    )


def _scaled(region: Region, width: int, height: int) -> Region:
    # A billionth of a pixel is noise of the multiplication; without it whole pixels stay whole.
    if region.points:
        return _moved(
            region,
            [(round(x * width, 9), round(y * height, 9), *v) for x, y, *v in region.points],
        )
    x1, y1, x2, y2 = region.box
    return replace(
        region,
        x1=round(x1 * width, 9),
        y1=round(y1 * height, 9),
        x2=round(x2 * width, 9),
        y2=round(y2 * height, 9),
    )


def turned(region: Region, orientation: int, width: int, height: int) -> Region:
    """Return a region of the stored grid on the upright image.

    Args:
        region: In stored pixels.
        orientation: EXIF orientation, 1 to 8.
        width: Upright width.
        height: Upright height.
    """
    if orientation == 1:
        return region
    if region.shape is Shape.MASK:
        return _turned_mask(region, orientation, width, height)
    if region.points:
        return _moved(
            region,
            [(*_turned_point(x, y, orientation, width, height), *v) for x, y, *v in region.points],
        )
    corners = [
        _turned_point(x, y, orientation, width, height)
        for x, y in ((region.x1, region.y1), (region.x2, region.y2))
    ]
    (xa, ya), (xb, yb) = corners
    return replace(region, x1=min(xa, xb), y1=min(ya, yb), x2=max(xa, xb), y2=max(ya, yb))


def _turned_point(
    x: float, y: float, orientation: int, width: int, height: int
) -> tuple[float, float]:
    if orientation >= 5:  # mirrored along the diagonal first
        x, y = y, x
    if orientation in (2, 3, 6, 7):
        x = width - x
    if orientation in (3, 4, 7, 8):
        y = height - y
    return x, y


def _moved(region: Region, points: list[tuple[float, ...]]) -> Region:
    make = polygon_region if region.shape is Shape.POLYGON else keypoints_region
    return make(region.label, points, region.confidence, region.attributes)


def _turned_mask(region: Region, orientation: int, width: int, height: int) -> Region:
    stored = (height, width) if orientation < 5 else (width, height)
    # Measured against the grid it says it is of, before its pixels are counted out.
    region = checked_region(region, stored[1], stored[0])
    pixels = mask_pixels(region, *stored)
    if orientation >= 5:
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return mask_region(region.label, pixels, region.confidence, region.attributes)
