"""Drawn images of discs and squares with their regions, for tests of the detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from core.labels.region import Region, Shape
from core.labels.shapes import keypoints_region, mask_region, polygon_region
from core.learning.values import ImageRef, RegionExample

CLASSES = ("disc", "square")


def drawn_examples(
    folder: Path, count: int, seed: int = 0, shape: Shape = Shape.BOX, use: str = "train"
) -> list[RegionExample]:
    """Draw images of 128 × 96 px with one to three things each, none on another."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for n in range(count):
        image = Image.new("RGB", (128, 96), (200, 190, 195))
        draw = ImageDraw.Draw(image)
        regions = [
            _thing(draw, rng, slot, shape) for slot in rng.permutation(4)[: int(rng.integers(1, 4))]
        ]
        noisy = np.asarray(image, dtype=float) + rng.normal(0, 6, (96, 128, 3))
        path = folder / f"{use}-{n}.png"
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path)
        item = n + 1 + {"train": 0, "evaluate": 1000}[use]
        found.append(RegionExample(ImageRef(item, f"{use}{n}", path), tuple(regions), use))
    return found


def _thing(draw: ImageDraw.ImageDraw, rng: np.random.Generator, slot: int, shape: Shape) -> Region:
    side = int(rng.integers(22, 40))
    x = int(slot % 2 * 64 + rng.integers(0, 64 - side))
    y = int(slot // 2 * 48 + rng.integers(0, 48 - side))
    label = CLASSES[int(rng.integers(2))]
    box = (x, y, x + side - 1, y + side - 1)
    if label == "disc":
        draw.ellipse(box, fill=(150, 40, 90))
    else:
        draw.rectangle(box, fill=(40, 90, 160))
    corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
    if shape is Shape.POLYGON:
        return polygon_region(label, corners)
    if shape is Shape.KEYPOINTS:
        return keypoints_region(label, [(a, b, 2) for a, b in (corners[0], corners[2])])
    if shape is Shape.MASK:
        pixels = np.zeros((96, 128), dtype=bool)
        pixels[y : y + side, x : x + side] = True
        return mask_region(label, pixels)
    return Region(label, x, y, x + side, y + side)
