"""Small image sets and weights made by code, so that these tests need neither network nor downloads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models

from core.learning import Example, ImageRef, TrainingRequest

CLASSES = ("blue", "green", "red")
BACKBONE = "mobilenet_v3_small"


def make_image(path: Path, label: str, seed: int) -> Path:
    """Write a noisy image tinted by its class."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 120, (40, 52, 3))
    pixels[..., ("red", "green", "blue").index(label)] += 90
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    return path


def ref(item_id: int, path: Path) -> ImageRef:
    """Return a reference keyed by the file's true hash."""
    return ImageRef(item_id, hashlib.sha256(path.read_bytes()).hexdigest(), path)


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> list[tuple[ImageRef, str]]:
    """Give 48 images of three classes with their labels."""
    folder = tmp_path_factory.mktemp("images")
    labels = [CLASSES[i % 3] for i in range(48)]
    return [(ref(i + 1, make_image(folder / f"{i}.png", c, i)), c) for i, c in enumerate(labels)]


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Give a file with untrained weights of a small torchvision network."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(models.get_model(BACKBONE).state_dict(), path)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """Give one embedding cache to all tests, as runs of a project share one."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def request_for(images, weights, cache, tmp_path):
    """Give a maker of training requests over the images."""

    def make(uses: dict[int, str] | None = None, **changes) -> TrainingRequest:
        default = {image.item_id: "train" for image, _ in images[:24]}
        chosen = default if uses is None else uses
        examples = tuple(
            Example(image, label, chosen[image.item_id])
            for image, label in images
            if image.item_id in chosen
        )
        values = {
            "classes": CLASSES,
            "examples": examples,
            "pool": tuple(image for image, _ in images),
            "backbone": BACKBONE,
            "seed": 1,
            "folder": tmp_path / "run",
            "cache": cache,
            "weights": weights,
            "offline": True,
        }
        return TrainingRequest(**(values | changes))

    return make
