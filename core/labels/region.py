"""A region: a box, polygon, keypoints or mask inside an item, in original image pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import InputError


class Shape(StrEnum):
    """The geometry of a region."""

    BOX = "box"
    POLYGON = "polygon"
    KEYPOINTS = "keypoints"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class Region:
    """One region in original, upright image pixels, origin at the top left corner.

    Attributes:
        label: Class name.
        x1, y1, x2, y2: Edges of the box, or of the tight bounding box of another shape, in
            pixels; continuous coordinates, so a box that covers the whole of a 640 px wide image
            has x1 = 0 and x2 = 640.
        confidence: Between 0 and 1 where a model said it, else None.
        shape: What it is; the other shapes are made by `core.labels.shapes`.
        points: Of a polygon (x, y), one open ring; of keypoints (x, y, v) in the order of the
            skeleton, v as COCO has it: 0 not there, 1 hidden, 2 visible.
        rle: Of a mask COCO's compressed run lengths over the whole image, column by column.
        attributes: Answers to the schema's questions about a region, (question key, class name),
            by key.
    """

    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    confidence: float | None = None
    shape: Shape = Shape.BOX
    points: tuple[tuple[float, ...], ...] = ()
    rle: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Return the edges as (x1, y1, x2, y2), pixels."""
        return (self.x1, self.y1, self.x2, self.y2)

    @property
    def area(self) -> float:
        """Return the area of the (bounding) box in square pixels."""
        return max(0.0, self.x2 - self.x1) * max(0.0, self.y2 - self.y1)


def checked_box(region: Region, width: int, height: int, slack_px: float = 1.0) -> Region:
    """Return a box, cut to the image when it leaves it by no more than the slack.

    Args:
        region: The box to check.
        width: Image width in pixels.
        height: Image height in pixels.
        slack_px: How far an edge may lie outside before the box is refused.

    Raises:
        InputError: An edge is not a finite number, the box has no area or lies outside.
    """
    if not all(math.isfinite(v) for v in region.box):
        raise InputError(f"Box of '{region.label}' has an edge that is not a number: {region.box}.")
    if region.x2 <= region.x1 or region.y2 <= region.y1:
        raise InputError(
            f"Box of '{region.label}' has no area: x {region.x1:g} to {region.x2:g}, "
            f"y {region.y1:g} to {region.y2:g}."
        )
    if (
        min(region.x1, region.y1) < -slack_px
        or region.x2 > width + slack_px
        or region.y2 > height + slack_px
    ):
        raise InputError(
            f"Box of '{region.label}' lies outside the image: {region.box} in {width}×{height} px."
        )
    cut = replace(
        region,
        x1=max(0.0, region.x1),
        y1=max(0.0, region.y1),
        x2=min(float(width), region.x2),
        y2=min(float(height), region.y2),
    )
    if cut.area <= 0:
        raise InputError(f"Box of '{region.label}' has no area inside the image: {region.box}.")
    return cut
