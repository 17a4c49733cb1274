"""What is measured of pictures, on pictures whose properties are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.intake.measures import NAMES, SIDE, as_row, measure


def _flat(colour: tuple[int, int, int], size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def _noisy(size: tuple[int, int] = (384, 288)) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))


def test_flat_pictures_have_the_light_and_the_cast_of_their_colour():
    """Black is 0, white 255; a flat picture has neither contrast nor sharpness; colour tells the cast."""
    black, white = measure(_flat((0, 0, 0))), measure(_flat((255, 255, 255)))
    assert (black.brightness, round(white.brightness)) == (0, 255)
    assert white.contrast < 0.01
    assert white.sharpness < 0.01
    warm, pink = measure(_flat((200, 100, 20))), measure(_flat((200, 50, 200)))
    assert warm.warmth == pytest.approx(180)
    assert pink.tint == pytest.approx(150)
    assert pink.warmth == pytest.approx(0)


def test_luma_weighs_green_most():
    """Brightness is BT.601's: green looks brighter than red, red than blue."""
    red, green, blue = (
        measure(_flat(c)).brightness for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    )
    assert (round(red, 1), round(green, 1), round(blue, 1)) == (76.2, 149.7, 29.1)


def test_blurring_lowers_the_variance_of_the_laplacian():
    """The more a picture is blurred, the smaller its sharpness."""
    sharp = _noisy()
    found = [
        measure(sharp.filter(ImageFilter.GaussianBlur(r)) if r else sharp).sharpness
        for r in (0, 1, 2, 4)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > 100 * found[3]


def test_sharpness_is_the_textbook_formula():
    """The variance of the four-neighbour Laplacian, computed pixel by pixel."""
    picture = _noisy((SIDE, 8))
    pixels = np.asarray(picture, dtype=np.float64) @ [0.299, 0.587, 0.114]
    bent = [
        pixels[y - 1, x] + pixels[y + 1, x] + pixels[y, x - 1] + pixels[y, x + 1] - 4 * pixels[y, x]
        for y in range(1, pixels.shape[0] - 1)
        for x in range(1, pixels.shape[1] - 1)
    ]
    assert measure(picture).sharpness == pytest.approx(np.var(bent), rel=1e-4)


def test_the_size_of_the_file_does_not_move_light_or_colour():
    """A picture and its double have the same light; width, height and shape are the original's."""
    small = _noisy((192, 144)).filter(ImageFilter.GaussianBlur(3))
    large = small.resize((768, 576), Image.Resampling.BICUBIC)
    a, b = measure(small), measure(large)
    assert a.brightness == pytest.approx(b.brightness, abs=1)
    assert (b.width, b.height, b.aspect) == (768, 576, pytest.approx(4 / 3))
    assert b.megapixels == pytest.approx(0.442368)
    assert measure(small, (4000, 1000)).aspect == 4


def test_one_pixel_can_be_measured():
    """The smallest picture and a very narrow one have measures, all of them finite numbers."""
    for size in ((1, 1), (1, 3000), (5000, 2)):
        row = as_row(measure(_flat((10, 20, 30), size)))
        assert len(row) == len(NAMES)
        assert np.isfinite(row).all()
