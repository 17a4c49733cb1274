"""Look-alikes: the same picture smaller or compressed is found, another one is not."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from core.intake.alike import grey, look_alikes


def _picture(seed: int, flat: bool = False) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    if flat:
        small[:] = small[0, 0]
    return Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC)


def _compressed(picture: Image.Image) -> Image.Image:
    kept = io.BytesIO()
    picture.resize((160, 120)).save(kept, "JPEG", quality=60)
    return Image.open(kept)


def test_a_smaller_compressed_copy_is_a_look_alike():
    """Of forty pictures only the two copies join their originals."""
    pictures = [_picture(n) for n in range(40)] + [_compressed(_picture(n)) for n in (3, 17)]
    assert look_alikes(np.stack([grey(p) for p in pictures])) == [[3, 40], [17, 41]]


def test_flat_pictures_are_alike_only_in_the_same_light():
    """Without any edges the grey itself decides."""
    shades = [Image.new("RGB", (20, 20), (v, v, v)) for v in (20, 21, 120, 250)]
    assert look_alikes(np.stack([grey(p) for p in shades])) == [[0, 1]]


def test_nothing_is_alike_among_none():
    """No pictures, and one picture."""
    assert look_alikes(np.zeros((0, 256), dtype=np.uint8)) == []
    assert look_alikes(grey(_picture(1))[None, :]) == []
