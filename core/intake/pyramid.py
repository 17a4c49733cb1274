"""A large picture as square tiles, at its own size and by halves: what a browser zooms into."""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import ceil

from PIL import Image

TILE_PX = 512
QUALITY = 90


def coarsest_level(width: int, height: int) -> int:
    """Return how often a picture is halved until one tile holds it; 0 is the picture itself."""
    return max(0, (ceil(max(width, height) / TILE_PX) - 1).bit_length())


def grid(width: int, height: int, level: int) -> tuple[int, int]:
    """Return how many tiles lie side by side and below each other on a level."""
    side = TILE_PX << level
    return ceil(width / side), ceil(height / side)


def halvings(picture: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture and its halves, down to the coarsest level."""
    yield picture
    for _ in range(coarsest_level(*picture.size)):
        picture = picture.reduce(2)
        yield picture


def cut_tile(picture: Image.Image, x: int, y: int) -> bytes:
    """Return one tile of one level as a JPEG; those at the right and lower edge are smaller."""
    left, top = x * TILE_PX, y * TILE_PX
    right, bottom = min(picture.width, left + TILE_PX), min(picture.height, top + TILE_PX)
    out = io.BytesIO()
    picture.crop((left, top, right, bottom)).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
