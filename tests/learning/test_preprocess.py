"""File to pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.errors import BadImage
from core.learning.preprocess import load_pixels


def halves(size=(64, 48)):
    """Return an image red on the left and blue on the right."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2, 0] = 255
    pixels[:, size[0] // 2 :, 2] = 255
    return Image.fromarray(pixels)


def test_image_is_turned_upright(tmp_path):
    """A photo stored lying on its side comes out as it should be seen."""
    exif = Image.Exif()
    exif[0x0112] = 6
    halves().save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = load_pixels(tmp_path / "a.jpg", 32)
    assert pixels.shape == (32, 32, 3)
    assert pixels[4, 16, 0] > 200
    assert pixels[28, 16, 2] > 200


def test_whole_image_is_kept(tmp_path):
    """The ends of a long image are still there: it is squeezed, not cropped."""
    halves((400, 40)).save(tmp_path / "a.png")
    pixels = load_pixels(tmp_path / "a.png", 32)
    assert pixels[16, 0, 0] > 200
    assert pixels[16, 31, 2] > 200


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_formats(tmp_path, kind):
    """Every format we accept is read, whatever the file is called."""
    halves().save(tmp_path / "a.bin", format=kind)
    assert load_pixels(tmp_path / "a.bin", 16)[8, 1, 0] > 200


@pytest.mark.parametrize(
    "image",
    [
        Image.new("L", (20, 20), 128),
        Image.new("1", (20, 20), 1),
        Image.new("P", (20, 20)),
        Image.new("LA", (20, 20), (128, 255)),
        Image.new("RGBA", (20, 20), (128, 0, 0, 255)),
        Image.new("CMYK", (20, 20)),
        Image.fromarray(np.full((20, 20), 40_000, np.uint16)),
    ],
    ids=lambda i: i.mode,
)
def test_colour_modes(tmp_path, image):
    """Every colour mode becomes RGB."""
    image.save(tmp_path / "a.tiff")
    assert load_pixels(tmp_path / "a.tiff", 16).shape == (16, 16, 3)


def test_transparency_lies_on_white(tmp_path):
    """What is see-through is white, not whatever colour lies under it."""
    Image.new("RGBA", (20, 20), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert load_pixels(tmp_path / "a.png", 16).min() == 255


def test_deep_grey_keeps_its_shades(tmp_path):
    """A 16-bit ramp stays a ramp instead of being cut off at 255."""
    ramp = np.linspace(0, 65_535, 64).astype(np.uint16)
    Image.fromarray(np.tile(ramp, (64, 1))).save(tmp_path / "a.png")
    row = load_pixels(tmp_path / "a.png", 64)[32, :, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert 100 < row[32] < 160


def test_reduced_decoding_shows_the_same(tmp_path):
    """Decoding a large JPEG at reduced scale gives nearly the pixels of the full decode."""
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8))
    large = smooth.resize((1600, 1200), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.jpg", quality=95)
    full = large.resize((224, 224), Image.Resampling.BICUBIC)
    difference = np.abs(load_pixels(tmp_path / "a.jpg", 224).astype(int) - np.asarray(full))
    assert difference.mean() < 3


def png_bytes() -> bytes:
    """Return a small PNG file."""
    out = io.BytesIO()
    halves().save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"not an image", png_bytes()[:60], b"GIF89a", b"<svg onload='x'/>"],
    ids=["empty", "text", "cut short", "header only", "svg"],
)
def test_bad_image_is_named(tmp_path, data):
    """A file that is no image is refused by name."""
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(BadImage, match=r"a\.png"):
        load_pixels(tmp_path / "a.png", 16)


def test_missing_file_is_named(tmp_path):
    """A file that has gone is refused by name."""
    with pytest.raises(BadImage, match=r"gone\.png"):
        load_pixels(tmp_path / "gone.png", 16)


def test_huge_image_is_refused_before_decoding(tmp_path):
    """A small file that would fill the memory is refused by its header."""
    Image.new("1", (12_000, 12_000)).save(tmp_path / "bomb.png")
    with pytest.raises(BadImage, match=r"12000×12000|144000000"):
        load_pixels(tmp_path / "bomb.png", 16)
