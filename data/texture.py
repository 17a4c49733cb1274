"""Textures as float arrays between 0 and 1: noise, paper, soil, grass, wood; and blurring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.floating[Any]]
"""Shape (h, w), or (h, w, 3) for colour."""

TILE_PX = 640


def resized(field: Field, size_px: int) -> Field:
    """Return a square field stretched to the size, smoothly."""
    image = Image.fromarray(field.astype(np.float32), mode="F")
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.BICUBIC), np.float32)


def noise(rng: np.random.Generator, size_px: int, cells: int, octaves: int = 5) -> Field:
    """Return fractal noise around 0 with a standard deviation of 1.

    Args:
        rng: Source of randomness.
        size_px: Side of the square.
        cells: How many blobs fit along a side in the coarsest octave.
        octaves: Each one halves the blob and its height.
    """
    total = np.zeros((size_px, size_px), np.float32)
    for octave in range(octaves):
        grid = min(cells * 2**octave, size_px)
        total += resized(rng.standard_normal((grid, grid), np.float32), size_px) * 0.5**octave
    return np.asarray((total - total.mean()) / total.std())


def blurred(field: Field, radius_px: float) -> Field:
    """Return a field between 0 and 1 after a Gaussian blur, at 8 bits."""
    image = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius_px)), np.float32) / 255


def softened(field: Field, radius_px: float) -> Field:
    """Return a square field between 0 and 1 after a wide Gaussian blur, made at half size."""
    image = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8)).reduce(2)
    image = image.filter(ImageFilter.GaussianBlur(radius_px / 2))
    return np.asarray(image.resize(field.shape[::-1], Image.Resampling.BILINEAR), np.float32) / 255


def mixed(low: tuple[int, int, int], high: tuple[int, int, int], amount: Field) -> Field:
    """Return colours (0..255 in, 0..1 out) between two, by the amount at each pixel."""
    a, b = np.array(low, np.float32) / 255, np.array(high, np.float32) / 255
    return a + (b - a) * np.clip(amount, 0, 1)[..., None]


def paper(rng: np.random.Generator) -> Field:
    """Return white paper with a faint fibre."""
    amount = 0.5 + 0.13 * noise(rng, TILE_PX, 4) + 0.12 * noise(rng, TILE_PX, 160, 2)
    return mixed((222, 219, 212), (247, 245, 240), amount)


def herbarium(rng: np.random.Generator) -> Field:
    """Return an aged herbarium sheet: cream, stained, with foxing."""
    amount = 0.55 + 0.16 * noise(rng, TILE_PX, 3) + 0.10 * noise(rng, TILE_PX, 120, 2)
    sheet = mixed((206, 189, 152), (238, 227, 201), amount)
    foxing = np.clip(noise(rng, TILE_PX, 22, 3) - 2.3, 0, 1)[..., None]
    return np.asarray(sheet * (1 - foxing * np.array([0.25, 0.4, 0.6], np.float32)))


def soil(rng: np.random.Generator) -> Field:
    """Return crumbly soil with pebbles and bits of straw."""
    crumbs = noise(rng, TILE_PX, 40, 4)
    ground = mixed(
        (38, 27, 19), (128, 98, 70), 0.42 + 0.16 * noise(rng, TILE_PX, 6) + 0.17 * crumbs
    )
    image = _as_image(ground)
    draw = ImageDraw.Draw(image)
    for _ in range(130):
        x, y = rng.uniform(0, TILE_PX, 2)
        r = rng.gamma(3, 1.3) + 1.5
        tone = int(rng.integers(70, 165))
        draw.ellipse((x - r + 1, y - r * 0.7 + 2, x + r + 1, y + r * 0.8 + 2), fill=(24, 18, 13))
        draw.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), fill=(tone, tone - 10, tone - 24))
        draw.ellipse(
            (x - r * 0.6, y - r * 0.6, x + r * 0.3, y), fill=(tone + 18, tone + 8, tone - 6)
        )
    for _ in range(60):
        x, y = rng.uniform(0, TILE_PX, 2)
        dx, dy = rng.normal(0, 22, 2)
        dry = float(rng.uniform(0.6, 1.1))
        draw.line((x, y, x + dx, y + dy), fill=tuple(int(v * dry) for v in (150, 122, 82)), width=2)
    return _as_field(image.filter(ImageFilter.GaussianBlur(0.8))) * _relief(crumbs, 0.10)


def grass(rng: np.random.Generator) -> Field:
    """Return a lawn seen from above: blades from dark, deep ones to light ones on top."""
    image = Image.new("RGB", (TILE_PX, TILE_PX), (30, 44, 18))
    draw = ImageDraw.Draw(image)
    count = 2600
    for i in range(count):
        x, y = rng.uniform(-20, TILE_PX + 20, 2)
        angle, length = rng.normal(-1.5, 0.75), rng.uniform(28, 75)
        width = rng.uniform(1.4, 3.2)
        tip = np.array([x + np.cos(angle) * length, y + np.sin(angle) * length])
        mid = np.array([x, y]) * 0.45 + tip * 0.55 + rng.normal(0, 5, 2)
        side = np.array([-np.sin(angle), np.cos(angle)]) * width
        depth = i / count
        tone = (0.35 + 0.75 * depth) * rng.uniform(0.8, 1.15)
        dry = rng.random() < 0.06
        colour = np.array((140, 126, 78) if dry else (80 + rng.uniform(-13, 18), 112, 48)) * tone
        points = [
            x - side[0],
            y - side[1],
            *(mid - side),
            *tip,
            *(mid + side),
            x + side[0],
            y + side[1],
        ]
        draw.polygon([float(p) for p in points], fill=tuple(int(min(255, c)) for c in colour))
    return _as_field(image.filter(ImageFilter.GaussianBlur(0.9)))


def wood(rng: np.random.Generator) -> Field:
    """Return weathered boards with grain, a few knots and dark joints."""
    y, x = np.mgrid[0:TILE_PX, 0:TILE_PX].astype(np.float32)
    board_px = int(rng.integers(130, 210))
    board = (y // board_px).astype(int)
    shift = rng.uniform(0, 900, board.max() + 1).astype(np.float32)[board]
    across = y + 14 * noise(rng, TILE_PX, 3, 2) + shift
    for _ in range(4):
        kx, ky = rng.uniform(0, TILE_PX, 2)
        gap = np.hypot((x - kx) / 2.2, y - ky)
        across += 26 * np.exp(-((gap / 20) ** 2)) * np.sign(y - ky + 0.01)
    fibre = np.asarray(
        Image.fromarray(rng.standard_normal((TILE_PX, 40)).astype(np.float32), mode="F").resize(
            (TILE_PX, TILE_PX), Image.Resampling.BICUBIC
        )
    )
    grain = 0.5 + 0.15 * np.sin(across * 0.33) + 0.09 * np.sin(across * 0.91) + 0.12 * fibre
    tone = rng.uniform(0.82, 1.1, board.max() + 1).astype(np.float32)[board]
    colour = mixed((98, 76, 56), (176, 146, 112), grain) * tone[..., None]
    joint = np.minimum(y % board_px, board_px - y % board_px)
    return np.asarray(np.clip(colour * (1 - 0.75 * np.exp(-((joint / 1.8) ** 2)))[..., None], 0, 1))


def stone(rng: np.random.Generator) -> Field:
    """Return grey paving slabs with specks, stains and sandy joints."""
    rough = noise(rng, TILE_PX, 60, 4)
    stain = noise(rng, TILE_PX, 5)
    slab = mixed((104, 103, 100), (176, 172, 164), 0.5 + 0.13 * stain + 0.14 * rough)
    y, x = np.mgrid[0:TILE_PX, 0:TILE_PX].astype(np.float32)
    wobble = 1.5 * noise(rng, TILE_PX, 12, 3)
    size = rng.uniform(230, 300)
    row = (y // size).astype(int)
    across, down = (x + row * size * 0.5 + wobble) % size, (y + wobble) % size
    near = np.minimum(np.minimum(across, size - across), np.minimum(down, size - down))
    joint = np.exp(-((near / 3.2) ** 2))[..., None]
    sand = np.array((0.24, 0.21, 0.17), np.float32)
    return np.asarray((slab + (sand - slab) * joint * 0.85) * _relief(rough, 0.05))


BACKGROUNDS: dict[str, Callable[[np.random.Generator], Field]] = {
    "paper": paper,
    "herbarium": herbarium,
    "soil": soil,
    "grass": grass,
    "wood": wood,
    "stone": stone,
}


def _relief(height: Field, strength: float) -> Field:
    slope = np.roll(height, 1, (0, 1)) - height
    return np.clip(1 - strength * slope, 0.4, 1.6)[..., None]


def _as_image(field: Field) -> Image.Image:
    return Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))


def _as_field(image: Image.Image) -> Field:
    return np.asarray(image, np.float32) / 255
