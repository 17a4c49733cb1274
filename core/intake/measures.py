"""What can be measured of a picture without knowing what it shows: light, sharpness, size, colour.

Pure functions over pixels. Sharpness hangs on the size a picture is looked at, so light, contrast,
sharpness and colour are all measured on one fixed size; width, height and shape are the original's.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputError

SIDE = 384
"""Pixels of the longer side at which everything but the size is measured."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in how bright a colour looks (ITU-R BT.601)."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Measures:
    """The measured properties of one picture.

    Attributes:
        brightness: Mean luma, 0 (black) to 255 (white).
        contrast: Standard deviation of the luma.
        sharpness: Variance of the Laplacian of the luma; low where the picture is blurred
            (Pech-Pacheco et al. 2000).
        warmth: Mean red minus mean blue, -255 to 255; above 0 the picture is yellowish.
        tint: Mean of red and blue minus mean green, -255 to 255; above 0 it is pinkish.
        width, height: Pixels of the upright original.
        megapixels: Millions of pixels of it.
        aspect: Its width over its height.
    """

    brightness: float
    contrast: float
    sharpness: float
    warmth: float
    tint: float
    width: float
    height: float
    megapixels: float
    aspect: float


NAMES: tuple[str, ...] = tuple(f.name for f in fields(Measures))


def measure(picture: Image.Image, size: tuple[int, int] | None = None) -> Measures:
    """Return what is measured of a picture.

    Args:
        picture: Upright, RGB; may come already shrunk.
        size: Width and height of the original; None takes the picture's own.

    Raises:
        InputError: The picture has no pixels.
    """
    width, height = size or picture.size
    if min(width, height, *picture.size) < 1:
        raise InputError("A picture without pixels cannot be measured.")
    pixels = np.asarray(fixed_size(picture), dtype=np.uint8)
    light = luma(pixels)
    warmth, tint = colour_cast(pixels)
    return Measures(
        brightness(light), contrast(light), sharpness(light), warmth, tint,
        float(width), float(height), width * height / 1e6, width / height,
    )  # fmt: skip


def as_row(found: Measures) -> tuple[float, ...]:
    """Return the measures in the order of `NAMES`."""
    return astuple(found)


def fixed_size(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB with its longer side at `SIDE` pixels, whether larger or smaller."""
    scale = SIDE / max(picture.size)
    wide, high = (max(1, round(side * scale)) for side in picture.size)
    colours = picture.convert("RGB")
    if colours.size == (wide, high):
        return colours
    return colours.resize((wide, high), Image.Resampling.BILINEAR, reducing_gap=2.0)


def luma(pixels: Pixels) -> NDArray[np.float32]:
    """Return how bright each pixel looks, 0 to 255.

    Args:
        pixels: Shape (height, width, 3).
    """
    return np.asarray(pixels.astype(np.float32) @ LUMA, dtype=np.float32)


def brightness(light: NDArray[np.float32]) -> float:
    """Return the mean of the luma, 0 to 255."""
    return float(light.mean(dtype=np.float64))


def contrast(light: NDArray[np.float32]) -> float:
    """Return the standard deviation of the luma (root mean square contrast)."""
    return float(light.std(dtype=np.float64))


def sharpness(light: NDArray[np.float32]) -> float:
    """Return the variance of the Laplacian over all inner pixels; 0 where there are none."""
    if min(light.shape) < 3:
        return 0.0
    bent = (
        light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
        - 4 * light[1:-1, 1:-1]
    )  # fmt: skip
    return float(bent.var(dtype=np.float64))


def colour_cast(pixels: Pixels) -> tuple[float, float]:
    """Return warmth and tint: how far the mean colour lies from grey, yellow-blue and pink-green.

    Args:
        pixels: Shape (height, width, 3).
    """
    red, green, blue = (float(v) for v in pixels.reshape(-1, 3).mean(axis=0, dtype=np.float64))
    return red - blue, (red + blue) / 2 - green
