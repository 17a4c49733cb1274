"""Bytes to pictures: what an image is, its upright pixels, and clean copies of it for browsers.

Untrusted bytes meet Pillow only here: restricted formats, size checked before decoding.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from core.errors import BadImage, LimitExceeded
from core.intake.channels import Layout, channel_layout, channel_picture, read_channels, stretch
from core.intake.limits import ImageLimits

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
DEFAULT_LIMITS = ImageLimits()
JPEG_QUALITY = 85

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)  # orientations that swap width and height
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_ADVICE = "Save it again as JPEG or PNG and import it once more."


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What is known of an image without looking at its content.

    Attributes:
        content_hash: SHA-256 of the bytes, hexadecimal.
        width, height: Of the upright picture, after EXIF orientation, in pixels.
        format: One of `FORMATS`, by content, whatever the name says.
        orientation: EXIF orientation 1 to 8; from 5 on the stored grid has width and
            height swapped.
        size_bytes: Length of the encoded file.
        channels: Their names where the file holds several beyond colours, else none.
    """

    content_hash: str
    width: int
    height: int
    format: str
    orientation: int
    size_bytes: int
    channels: tuple[str, ...] = ()


def probe_image(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> ImageInfo:
    """Return what the bytes hold, after decoding all of them once.

    Raises:
        BadImage: Not one of the formats, damaged, cut off, or more than one picture.
        LimitExceeded: Larger than the limits allow; found before anything is decoded.
    """
    if (layout := channel_layout(data, limits)) is not None:
        return _probe_channels(data, layout)
    with _opened(data, limits) as image:
        orientation = _orientation(image)
        upright = _upright_size(image, orientation)
        # Scaled decoding reads the whole stream, so it finds a cut as surely, at half the cost.
        image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()
        return ImageInfo(
            hashlib.sha256(data).hexdigest(),
            *upright,
            _format(image),
            orientation,
            len(data),
        )


def _probe_channels(data: bytes, layout: Layout) -> ImageInfo:
    # Each page must be sound; samples are decoded all at once anyway.
    for number in range(len(layout.names) if layout.paged else 1):
        read_channels(data, layout, [number])
    digest = hashlib.sha256(data).hexdigest()
    upright = (layout.width, layout.height)
    return ImageInfo(digest, *upright, "TIFF", layout.orientation, len(data), layout.names)


def open_upright(
    data: bytes, limits: ImageLimits = DEFAULT_LIMITS, channel: int | None = None
) -> Image.Image:
    """Return the picture as 8-bit RGB, turned upright.

    CMYK, YCbCr and LAB are converted; palettes are looked up; transparency is laid on white;
    1-bit becomes black and white. 16- and 32-bit integers and floats have no agreed white
    point: they are stretched so that the picture's own smallest finite value is black and its
    largest white (a constant picture is black, values that are not numbers are black). Of a file
    with channels the first three are red, green and blue, or `channel` (from 0) alone is grey.

    Raises:
        BadImage: The bytes cannot be decoded.
        LimitExceeded: The picture is larger than the limits allow.
    """
    if (layout := channel_layout(data, limits)) is not None:
        return channel_picture(data, layout, channel)
    with _opened(data, limits) as image:
        orientation = _orientation(image)
        image.load()
        return _turned(_as_rgb(image), _remaining(image, orientation))


def rendition(
    data: bytes,
    max_width: int,
    limits: ImageLimits = DEFAULT_LIMITS,
    channel: int | None = None,
) -> bytes:
    """Return a clean JPEG of the upright picture, at most so wide and never enlarged.

    Pixels are encoded anew: EXIF, GPS, colour profile and anything behind the picture are gone.

    Raises:
        BadImage: The bytes cannot be decoded.
        LimitExceeded: The picture is larger than the limits allow.
    """
    return _jpeg(small_picture(data, max_width, limits, channel))


def small_picture(
    data: bytes,
    max_width: int,
    limits: ImageLimits = DEFAULT_LIMITS,
    channel: int | None = None,
) -> Image.Image:
    """Return the upright picture, at most so wide and never enlarged, decoded at little more.

    Raises:
        BadImage: The bytes cannot be decoded.
        LimitExceeded: The picture is larger than the limits allow.
    """
    if (layout := channel_layout(data, limits)) is not None:
        return _shrunk(channel_picture(data, layout, channel), max_width)
    with _opened(data, limits) as image:
        orientation = _orientation(image)
        width, height = _upright_size(image, orientation)
        scale = min(1.0, max_width / width)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        stored = target[::-1] if _remaining(image, orientation) in _TURNED else target
        image.draft("RGB", stored)
        image.load()
        picture = _as_rgb(image)
        if picture.size != stored:
            picture = picture.resize(stored, Image.Resampling.BICUBIC, reducing_gap=2.0)
        return _turned(picture, _remaining(image, orientation))


def _shrunk(picture: Image.Image, max_width: int) -> Image.Image:
    if picture.width > max_width:
        height = max(1, round(picture.height * max_width / picture.width))
        picture = picture.resize((max_width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return picture


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


@contextmanager
def _opened(data: bytes, limits: ImageLimits) -> Iterator[Image.Image]:
    """Open bytes with every limit checked; turn whatever a decoder raises into BadImage."""
    if not data:
        raise BadImage("The file is empty.", "Copy it again from where it came.")
    if len(data) > limits.max_bytes:
        raise LimitExceeded(
            f"The image file has {len(data):,} bytes, at most {limits.max_bytes:,} are allowed.",
            "Make it smaller, or raise the limit in the settings.",
        )
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image, limits)
            _check_single(image)
            if image.format == "PNG":
                _check_png(data)
            yield image
    except (BadImage, LimitExceeded):
        raise
    except Image.DecompressionBombError as error:
        raise LimitExceeded(
            f"The image claims more pixels than the allowed {limits.max_pixels:,}.",
            "Make it smaller or cut it into tiles.",
        ) from error
    except UnidentifiedImageError as error:
        raise BadImage(
            f"The content is not an image of a kind we read ({', '.join(FORMATS)}).", _ADVICE
        ) from error
    except Exception as error:  # a decoder fed hostile bytes may raise anything at all
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BadImage(f"The image is damaged or cut off: {detail}.", _ADVICE) from error


def _check_size(image: Image.Image, limits: ImageLimits) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise BadImage(f"The image has no pixels: {width}×{height}.", _ADVICE)
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise LimitExceeded(
            f"The image has {width}×{height} pixels; at most {limits.max_pixels:,} in all and "
            f"{limits.max_side:,} on a side are allowed.",
            "Make it smaller or cut it into tiles.",
        )


def _check_png(data: bytes) -> None:
    """Check what Pillow leaves unchecked: the checksums of the chunks that hold the pixels."""
    view, position = memoryview(data), 8
    while position + 12 <= len(data):
        length = int.from_bytes(view[position : position + 4], "big")
        kind, end = bytes(view[position + 4 : position + 8]), position + 8 + length
        told = int.from_bytes(view[end : end + 4], "big")
        # the first letter is a capital where the picture cannot be shown without the chunk
        if kind[:1].isupper() and zlib.crc32(view[position + 4 : end]) != told:
            raise BadImage(f"The image is damaged: a checksum is wrong ({kind.decode('latin-1')}).",
                           _ADVICE)  # fmt: skip
        if kind == b"IEND":
            return
        position = end + 4


def _check_single(image: Image.Image) -> None:
    """Refuse animations and several pages: an item is one picture, and none is dropped unsaid."""
    if image.format == "MPO":  # a phone's JPEG with a depth map behind it: the first is the photo
        return
    if image.format == "TIFF":
        several = _has_second_page(image)
    else:
        several = getattr(image, "n_frames", 1) > 1
    if several:
        raise BadImage(
            "The file holds more than one picture (pages or frames); an item is one.",
            "Split it and import the parts.",
        )


def _has_second_page(image: Image.Image) -> bool:
    try:
        image.seek(1)
    except EOFError:
        return False
    return True


def _format(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken metadata is no reason to refuse good pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _remaining(image: Image.Image, orientation: int) -> int:
    """Return the turn still to make: Pillow turns a TIFF itself while loading it."""
    return 1 if image.format == "TIFF" else orientation


def _upright_size(image: Image.Image, orientation: int) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if _remaining(image, orientation) in _TURNED else (width, height)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _as_rgb(image: Image.Image) -> Image.Image:
    picture = _converted(image)
    picture.info = {}  # a comment in it would be written into every JPEG made of the picture
    return picture


def _converted(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP:
        return Image.fromarray(stretch(np.asarray(image)), "L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    # Not copied: it is loaded and outlives its file, and 100 million pixels are 400 MB.
    return image.convert("RGB") if image.mode != "RGB" else image


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's warnings from leaking; `catch_warnings` alone is not safe between threads."""
    global _quiet_depth, _quiet_filters  # noqa: PLW0603 - the filters are one per process
    with _quiet_lock:
        _quiet_depth += 1
        if _quiet_depth == 1:
            _quiet_filters = warnings.catch_warnings()
            _quiet_filters.__enter__()
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0 and _quiet_filters is not None:
                _quiet_filters.__exit__(None, None, None)
                _quiet_filters = None
