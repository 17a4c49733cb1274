"""Pictures built by code: upright content known, stored in every way a file can store it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

# How a picture that is to be seen upright lies in the file, for each EXIF orientation.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
CORNERS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def four_corners(width: int = 96, height: int = 64) -> Image.Image:
    """Return red, green over blue, white: no two of the eight orientations look the same."""
    picture = Image.new("RGB", (width, height))
    places = [(0, 0), (width // 2, 0), (0, height // 2), (width // 2, height // 2)]
    for colour, place in zip(CORNERS.values(), places, strict=True):
        picture.paste(colour, (*place, place[0] + width // 2, place[1] + height // 2))
    return picture


def is_four_corners(picture: Image.Image) -> bool:
    """Return whether the corners have their colours, give or take JPEG."""
    w, h = picture.size
    seen = [
        picture.getpixel(at)
        for at in (
            (w // 4, h // 4),
            (3 * w // 4, h // 4),
            (w // 4, 3 * h // 4),
            (3 * w // 4, 3 * h // 4),
        )
    ]
    return bool(np.abs(np.array(seen) - np.array(list(CORNERS.values()))).max() < 40)


def encoded(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    """Return the picture as a file."""
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def with_orientation(upright: Image.Image, orientation: int, format: str = "JPEG") -> bytes:
    """Return a file whose stored grid is turned, with the EXIF tag that turns it back."""
    turn = STORED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    if format == "TIFF":
        return encoded(stored, format, tiffinfo={0x0112: orientation})
    return encoded(stored, format, exif=exif)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return a picture that does not compress well, like a photo."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 10 + 1, width // 10 + 1, 3), dtype=np.uint8)
    return Image.fromarray(small, "RGB").resize((width, height))
