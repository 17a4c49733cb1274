"""What images are found to be, and their upright pixels."""

from __future__ import annotations

import hashlib
import io
import threading
import time
import warnings

import numpy as np
import pytest
from PIL import Image

from core.errors import BadImage, LimitExceeded
from core.intake import ImageLimits, open_upright, probe_image, rendition
from tests.intake.pictures import encoded, four_corners, is_four_corners, noise, with_orientation

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")


@pytest.mark.parametrize("format", FORMATS)
def test_format_size_and_hash_are_read_from_the_bytes(format):
    """The kind of a picture is that of its content; its hash is that of its bytes."""
    data = encoded(four_corners(96, 64), format)
    info = probe_image(data)
    assert (info.format, info.width, info.height, info.orientation) == (format, 96, 64, 1)
    assert info.content_hash == hashlib.sha256(data).hexdigest()
    assert info.size_bytes == len(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(format, orientation):
    """Size, pixels and rendition are those of the upright picture, in all eight orientations."""
    data = with_orientation(four_corners(96, 64), orientation, format)
    info = probe_image(data)
    assert (info.width, info.height, info.orientation) == (96, 64, orientation)
    picture = open_upright(data)
    assert (picture.mode, picture.size) == ("RGB", (96, 64))
    assert is_four_corners(picture)
    small = Image.open(io.BytesIO(rendition(data, 48)))
    assert small.size == (48, 32)
    assert is_four_corners(small)


def test_unknown_orientation_values_mean_upright():
    """A tag with a value EXIF does not know turns nothing."""
    exif = Image.Exif()
    exif[0x0112] = 42
    assert probe_image(encoded(four_corners(), "JPEG", exif=exif)).orientation == 1


RAMP = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)


@pytest.mark.parametrize(
    ("picture", "format", "first", "last"),
    [
        (Image.new("1", (8, 8), 1), "PNG", (255,) * 3, (255,) * 3),
        (Image.new("L", (8, 8), 100), "PNG", (100,) * 3, (100,) * 3),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG", (255,) * 3, (255,) * 3),
        (Image.new("LA", (8, 8), (0, 255)), "PNG", (0,) * 3, (0,) * 3),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF", (255, 0, 0), (255, 0, 0)),
        (Image.fromarray((RAMP * 4000 + 1000).astype(np.uint16)), "PNG", (0,) * 3, (255,) * 3),
        (Image.fromarray((RAMP * 70000).astype(np.int32)), "TIFF", (0,) * 3, (255,) * 3),
        (Image.fromarray(RAMP * 9 - 3), "TIFF", (0,) * 3, (255,) * 3),
        (Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF", (0,) * 3, (0,) * 3),
        (Image.new("F", (8, 8), 7.5), "TIFF", (0,) * 3, (0,) * 3),
    ],
    ids=["1-bit", "grey", "transparent", "grey+alpha", "cmyk", "16-bit", "32-bit", "float",
         "only-nan", "constant-float"],
)  # fmt: skip
def test_every_mode_becomes_rgb_as_documented(picture, format, first, last):
    """Transparency lies on white, deep pictures are stretched from black to white."""
    rgb = open_upright(encoded(picture, format))
    assert rgb.mode == "RGB"
    assert rgb.getpixel((0, 0)) == first
    assert rgb.getpixel((7, 7)) == last


def test_palette_with_transparency_lies_on_white():
    """The transparent entry of a palette is white, the others keep their colour."""
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((7, 7), 1)
    rgb = open_upright(encoded(picture, "PNG", transparency=0))
    assert rgb.getpixel((0, 0)) == (255, 255, 255)
    assert rgb.getpixel((7, 7)) == (0, 0, 255)


def test_rendition_never_enlarges_and_carries_nothing_along():
    """A small picture keeps its size; EXIF, profile and trailing bytes are gone."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    data = encoded(four_corners(96, 64), "JPEG", exif=exif, icc_profile=b"profile") + b"<html>"
    clean = rendition(data, 1600)
    again = Image.open(io.BytesIO(clean))
    assert again.size == (96, 64)
    assert not again.getexif()
    assert not {"icc_profile", "exif"} & set(again.info)
    assert b"<html>" not in clean
    assert b"Maker" not in clean


def test_a_phone_photo_with_a_second_picture_behind_it_is_a_jpeg():
    """Of a multi-picture JPEG the first is the photo."""
    data = encoded(four_corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (10, 10))])
    info = probe_image(data)
    assert (info.format, info.width, info.height) == ("JPEG", 96, 64)
    assert is_four_corners(open_upright(data))


def test_limits_are_checked_before_decoding():
    """Bytes, pixels and sides each have their bound, and the message names it."""
    data = encoded(four_corners(96, 64))
    for limits, figure in (
        (ImageLimits(max_bytes=10), "10"),
        (ImageLimits(max_pixels=6143), "6,143"),
        (ImageLimits(max_side=95), "95"),
    ):
        with pytest.raises(LimitExceeded, match=figure):
            probe_image(data, limits)
    exact = ImageLimits(max_bytes=len(data), max_pixels=6144, max_side=96)
    assert probe_image(data, exact).width == 96


def test_every_cut_of_a_jpeg_is_refused():
    """Wherever a JPEG is cut off, it is refused: scaled decoding misses no cut."""
    data = encoded(noise(200, 150), "JPEG", quality=90)
    for end in [*range(0, len(data), 997), len(data) - 1]:
        with pytest.raises(BadImage):
            probe_image(data[:end])


def test_pillow_warnings_do_not_leak_from_any_thread():
    """Suspicious files warn nobody, and the process's own filters survive the threads."""
    exif = Image.Exif()
    exif[0x0112] = 1
    broken = encoded(four_corners(), "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff")
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        threads = [
            threading.Thread(target=lambda: [probe_image(broken) for _ in range(20)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not seen
    assert warnings.filters == before


def test_probing_and_rendering_a_twelve_megapixel_photo_is_fast():
    """Scaled decoding keeps a probe under 0.5 s of CPU and a rendition under 1 s."""
    data = encoded(noise(4000, 3000), "JPEG", quality=90)
    start = time.process_time()
    assert probe_image(data).width == 4000
    probed = time.process_time()
    assert Image.open(io.BytesIO(rendition(data, 1600))).size == (1600, 1200)
    rendered = time.process_time()
    assert probed - start < 0.5
    assert rendered - probed < 1.0
