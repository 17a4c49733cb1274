"""TIFFs whose pages or samples are channels of one picture: microscopy, satellites.

Pages are decoded by Pillow as any picture is; more than four samples a pixel, which Pillow does
not read, by tifffile, and only where their packed size was checked before. No other kind of
file gets here.
"""

from __future__ import annotations

import html
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import BadImage, LimitExceeded
from core.intake.limits import ImageLimits

if TYPE_CHECKING:
    import tifffile

MOST_PAGES = 16
"""More pages than this are a film or a stack, not channels of one picture."""
MOST_SAMPLES = 256
COLOUR_SAMPLES = 4
"""Up to so many samples a pixel are colours (and transparency): an ordinary picture."""
NAME_LENGTH = 40

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_UNPACKED, _DEFLATED = 1, (8, 32946)
_KINDS = ("uint8", "uint16", "int16", "uint32", "int32", "float32")
_TURNED = (5, 6, 7, 8)
_ADVICE = "Save it again without packing or with Deflate, or as one file a channel."


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file holds its channels.

    Attributes:
        names: Of the channels, in order; no two alike.
        paged: Whether each is a page of its own, else a sample of each pixel.
        width, height: Of the upright picture, pixels.
        orientation: 1 to 8, as TIFF and EXIF count.
    """

    names: tuple[str, ...]
    paged: bool
    width: int
    height: int
    orientation: int


def channel_layout(data: bytes, limits: ImageLimits) -> Layout | None:
    """Return how the channels lie; None where this is an ordinary picture, or none at all.

    Raises:
        LimitExceeded: All channels together have more pixels than one picture may have.
    """
    if data[:4] not in _MAGIC or len(data) > limits.max_bytes:
        return None
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            found = _layout(file)
    except (
        Exception
    ):  # a parser fed hostile bytes may raise anything; Pillow then says what is wrong
        return None
    if found is not None:
        _check(found, limits)
    return found


def read_channels(data: bytes, layout: Layout, numbers: Sequence[int]) -> list[npt.NDArray[Any]]:
    """Return the values of some channels (from 0), upright, each of shape (height, width).

    Raises:
        BadImage: The bytes cannot be decoded.
    """
    try:
        if layout.paged:
            found = [_page(data, number) for number in numbers]
        else:
            values = _samples(data)
            found = [turned(values[..., number], layout.orientation) for number in numbers]
    except BadImage:
        raise
    except Exception as error:  # as above
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BadImage(f"The image is damaged or cut off: {detail}.", _ADVICE) from error
    if any(grid.shape != (layout.height, layout.width) for grid in found):
        raise BadImage("The channels are not all of one size.", _ADVICE)
    return found


def channel_picture(data: bytes, layout: Layout, number: int | None = None) -> Image.Image:
    """Return one channel as grey, or the first three as red, green and blue; each in its own range.

    Raises:
        BadImage: The bytes cannot be decoded.
    """
    numbers = range(min(3, len(layout.names))) if number is None else [number]
    shown = [stretch(grid) for grid in read_channels(data, layout, numbers)]
    if number is not None:
        return Image.fromarray(shown[0], "L").convert("RGB")
    empty = [np.zeros_like(shown[0])] * (3 - len(shown))
    return Image.fromarray(np.dstack([*shown, *empty]), "RGB")


def stretch(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return values as 8 bits: the smallest finite one black, the largest white, the rest between.

    A constant picture is black, and so are values that are not numbers.
    """
    numbers = np.asarray(values, dtype=np.float32)
    finite = np.isfinite(numbers)
    if not finite.any():
        return np.zeros(numbers.shape, np.uint8)
    low, high = float(numbers[finite].min()), float(numbers[finite].max())
    if high <= low:
        return np.zeros(numbers.shape, np.uint8)
    scaled = (np.where(finite, numbers, low) - low) * (255.0 / (high - low))
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


def turned(values: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return a stored grid upright, by its orientation 1 to 8."""
    across = values.T if orientation in _TURNED else values
    flips = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
    down, right = flips.get(orientation, (1, 1))
    return across[::down, ::right]


def _layout(file: tifffile.TiffFile) -> Layout | None:
    first: Any = file.pages[0]
    if not _plain(first):
        return None
    pages = _pages(file)
    if len(pages) == 1 and COLOUR_SAMPLES < first.samplesperpixel <= MOST_SAMPLES:
        return _made(first, _names(file, first.samplesperpixel), paged=False)
    alike = all(_plain(p) and _like(p, first) and p.samplesperpixel == 1 for p in pages)
    if 2 <= len(pages) <= MOST_PAGES and alike and not _is_stack(file):
        return _made(first, _names(file, len(pages)), paged=True)
    return None


def _made(page: Any, names: tuple[str, ...], *, paged: bool) -> Layout:
    tag = page.tags.get("Orientation")
    orientation = int(tag.value) if tag is not None and tag.value in range(1, 9) else 1
    width, height = int(page.imagewidth), int(page.imagelength)
    if orientation in _TURNED:
        width, height = height, width
    return Layout(names, paged, width, height, orientation)


def _pages(file: tifffile.TiffFile) -> list[Any]:
    """Return the pages, at most one more than we take: a hostile file may claim any number."""
    found: list[Any] = []
    for number in range(MOST_PAGES + 1):
        try:
            found.append(file.pages[number])
        except IndexError:
            break
    return found


def _plain(page: Any) -> bool:
    return page.dtype is not None and page.dtype.name in _KINDS and page.imagedepth == 1


def _like(page: Any, first: Any) -> bool:
    same = ("imagewidth", "imagelength", "dtype")
    return all(getattr(page, name) == getattr(first, name) for name in same)


def _is_stack(file: tifffile.TiffFile) -> bool:
    """Tell whether the file says of itself that its pages are depths or moments, not channels."""
    imagej = file.imagej_metadata or {}
    if imagej.get("slices", 1) > 1 or imagej.get("frames", 1) > 1:
        return True
    return any(int(n) > 1 for n in re.findall(r'\bSize[ZT]="(\d{1,9})"', file.ome_metadata or ""))


def _names(file: tifffile.TiffFile, count: int) -> tuple[str, ...]:
    """Return the names the file gives its channels, made fit to show, or their numbers."""
    said = re.findall(r'<Channel\b[^>]*?\bName="([^"]{1,200})"', file.ome_metadata or "")
    said = [html.unescape(name) for name in said] or (file.imagej_metadata or {}).get("Labels", [])
    return _told_apart([str(name) for name in said], count)


def _told_apart(said: Sequence[str], count: int) -> tuple[str, ...]:
    names: list[str] = []
    for number in range(count):
        name = said[number] if number < len(said) else ""
        name = "".join(c for c in name if c.isprintable()).strip()[:NAME_LENGTH]
        names.append(name if name and name not in names else str(number + 1))
    # A file may name its first channel "2": then none of its names helps.
    return tuple(names) if len(set(names)) == count else tuple(str(n + 1) for n in range(count))


def _check(layout: Layout, limits: ImageLimits) -> None:
    count = len(layout.names)
    pixels = layout.width * layout.height * count
    if min(layout.width, layout.height) < 1:
        raise BadImage(f"The image has no pixels: {layout.width}×{layout.height}.", _ADVICE)
    if pixels > limits.max_pixels or max(layout.width, layout.height) > limits.max_side:
        raise LimitExceeded(
            f"The image has {layout.width}×{layout.height} pixels in {count} channels; at most "
            f"{limits.max_pixels:,} in all channels and {limits.max_side:,} on a side are allowed.",
            "Make it smaller, cut it into tiles, or leave channels out.",
        )


def _page(data: bytes, number: int) -> npt.NDArray[Any]:
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        image.seek(number)
        image.load()
        return np.asarray(image)


def _samples(data: bytes) -> npt.NDArray[Any]:
    """Return the values of all samples, shape (stored height, stored width, samples)."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        _check_segments(data, page)
        values = page.asarray(maxworkers=1)
        shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        if int(page.planarconfig) == 2:  # each channel's grid behind the other
            return np.moveaxis(values.reshape(shape[2], shape[0], shape[1]), 0, -1)
        return np.asarray(values.reshape(shape))


def _check_segments(data: bytes, page: Any) -> None:
    """Refuse what is cut off, and what would unpack to more than its place in the picture."""
    packing = int(page.compression)
    if packing != _UNPACKED and packing not in _DEFLATED:
        raise BadImage(f"The channels are packed in a way we do not read ({packing}).", _ADVICE)
    room = int(np.prod(page.chunks)) * page.dtype.itemsize
    held = 0
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        segment = memoryview(data)[start : start + length]
        if len(segment) != length:
            raise BadImage("The image is cut off.", "Copy it again from where it came.")
        if packing == _UNPACKED:
            held += length
        elif len(zlib.decompressobj().decompress(segment, room + 1)) > room:
            raise BadImage("The image is damaged: a part unpacks to more than it may.", _ADVICE)
    if packing == _UNPACKED and held < page.nbytes:
        raise BadImage("The image is cut off.", "Copy it again from where it came.")
