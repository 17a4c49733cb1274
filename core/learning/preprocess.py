"""File to pixels: the one preprocessing that training and serving share. Free of torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import BadImage

PREPROCESSING = "whole-bicubic-1"
"""Names this procedure in cache keys and model folders; change it with the procedure."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 100_000_000
_ORIENTATION = 0x0112


def load_pixels(path: Path, size: int) -> np.ndarray:
    """Return the upright image squeezed to a square, uint8, shape (size, size, 3), RGB.

    The whole image is kept, not a centre crop: what is to be labelled may lie at the edge,
    and on the real sets this was as good or better. Large JPEGs are decoded at reduced
    scale, which costs less than half.

    Raises:
        BadImage: The file is missing, damaged, too large, or of a kind we do not read.
    """
    with _opened(path) as image:
        return _squeeze(image, size)


def upright_pixels(path: Path, longer: int) -> tuple[np.ndarray, int, int]:
    """Return the upright image with its longer side at ``longer`` pixels, and its own width and height.

    Returns:
        uint8, shape (height, width, 3), RGB; original width; original height, both upright.

    Raises:
        BadImage: The file is missing, damaged, too large, or of a kind we do not read.
    """
    with _opened(path) as image:
        _check_size(image)
        width, height = image.size
        turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
        image.draft("RGB", (longer, longer))
        rgb = _to_rgb(ImageOps.exif_transpose(image))
        if turned:
            width, height = height, width
        share = longer / max(width, height)
        size = (max(1, round(width * share)), max(1, round(height * share)))
        scaled = rgb.resize(size, Image.Resampling.BICUBIC)
        return np.asarray(scaled, dtype=np.uint8), width, height


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise BadImage(f"{path.name} is too large to be read: {e}.") from e
    except (UnidentifiedImageError, OSError) as e:
        why = getattr(e, "strerror", None) or "it is no image of a kind we read, or is damaged"
        raise BadImage(f"{path.name} cannot be read as an image: {why}.") from e
    except (ValueError, SyntaxError, EOFError, MemoryError, OverflowError) as e:
        raise BadImage(f"{path.name} is damaged: {e}.") from e


def _squeeze(image: Image.Image, size: int) -> np.ndarray:
    _check_size(image)
    image.draft("RGB", (size, size))
    upright = ImageOps.exif_transpose(image)
    rgb = _to_rgb(upright).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(rgb, dtype=np.uint8)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels, at most {MAX_PIXELS} are read")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _stretched(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Map deep grey values to 0..255; Pillow would cut them off at 255."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Keep Pillow's warnings of damaged metadata, which does not spoil pixels, off the log.

    For the thread that starts decoding threads: warning filters belong to the whole process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
