"""Asking torchvision's classifiers and detectors as they were published, heads and all."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torchvision import models

from core.errors import BadImage, InputError
from core.labels.region import Region, Shape
from core.learning.backbones import (
    MEAN,
    STD,
    _input_size,
    _versions,
    device_at_hand,
    known_backbones,
    pretrained,
)
from core.learning.checkpoints import load_into, read_weights
from core.learning.detect.models import Published, known_detectors
from core.learning.detect.predict import find_regions
from core.learning.detect.published import published_weights
from core.learning.general import Meanings, Sums
from core.learning.preprocess import load_pixels, quiet_decoding
from core.learning.values import ImageRef, OnProgress, Progress, ShouldStop, StopRequested

_BATCH = 16
_LARGEST = 1333
"""Longer side, pixels, at which torchvision's larger detectors see an image."""
_EXACT_NORMS = ("fasterrcnn", "maskrcnn", "keypointrcnn", "retinanet")
"""Their first ResNet-50 weights were trained with batch norms that add nothing to the variance."""


def categories_of(name: str, draws: bool) -> tuple[str, ...]:
    """Return the categories of a model that fits what is wanted.

    Raises:
        InputError: There is no such model, or it says something else.
    """
    fits, other = known_backbones(), known_detectors()
    example = "mobilenet_v2"
    if draws:
        fits, other, example = other, fits, "fasterrcnn_mobilenet_v3_large_320_fpn"
    if name not in fits:
        kind, wanted = ("detector", "classifier") if not draws else ("classifier", "detector")
        raise InputError(
            f"'{name}' is a {kind}; this project needs a {wanted}. Nothing was changed."
            if name in other
            else f"There is no general model '{name}'; nothing was changed.",
            f"Choose a {wanted} of torchvision, {example} for example.",
        )
    return tuple(_versions(name)[0].meta["categories"])


def weights_of(name: str, offline: bool, weights: Path | None) -> Path:
    """Return the file with the weights.

    Raises:
        InputError: There is none and none can be fetched.
        BadCheckpoint: The file given is damaged or for another network.
    """
    if weights is not None:
        if not weights.is_file():
            raise InputError(
                f"There is no weights file '{weights.name}'; nothing was changed.",
                "Give a .safetensors file or a state dict.",
            )
        _loaded(name, weights)
        return weights.resolve()
    found = published_weights(name, offline)
    if found is None:
        why = "the settings say offline" if offline else "none could be fetched"
        raise InputError(
            f"No weights of '{name}' are in torch's cache, and {why}; nothing was changed.",
            "Put them there (TORCH_HOME), or give a file with --weights.",
        )
    return found


def classified(
    name: str,
    weights: Path,
    meanings: Meanings,
    images: Sequence[ImageRef],
    progress: OnProgress,
    should_stop: ShouldStop,
) -> Sums:
    """Return the probabilities of each class, summed over its categories.

    Raises:
        BadCheckpoint: The weights are damaged or for another network.
        StopRequested: ``should_stop`` said so.
    """
    backbone = pretrained(name, offline=True, weights=weights)
    assert backbone is not None  # its weights are given
    device = device_at_hand()
    network = backbone.network.to(device)
    # Larger images, as for embedding, leave the published head far less sure than it is right.
    size = _input_size(_versions(name), weights)
    table = _table(categories_of(name, draws=False), meanings).to(device)
    ids: list[int] = []
    rows = [np.zeros((0, len(meanings)), dtype=np.float32)]
    skipped: dict[int, str] = {}
    started = time.monotonic()
    with quiet_decoding(), torch.inference_mode(), ThreadPoolExecutor() as threads:
        for at in range(0, len(images), _BATCH):
            if should_stop():
                raise StopRequested
            batch = images[at : at + _BATCH]
            read = list(threads.map(lambda i: _read(i, size), batch))
            pixels = [p for p in read if isinstance(p, np.ndarray)]
            for image, found in zip(batch, read, strict=True):
                if isinstance(found, str):
                    skipped[image.item_id] = found
                else:
                    ids.append(image.item_id)
            if pixels:
                rows.append((_probabilities(network, pixels, device) @ table).cpu().numpy())
            done = at + len(batch)
            left = (time.monotonic() - started) / done * (len(images) - done)
            progress(Progress("predict", done, len(images), left))
    return Sums(np.array(ids, dtype=np.int64), np.concatenate(rows), skipped)


def detected(
    name: str,
    weights: Path,
    images: Sequence[ImageRef],
    progress: OnProgress,
    should_stop: ShouldStop,
) -> tuple[dict[int, tuple[Region, ...]], dict[int, str]]:
    """Return the boxes of each image by category, surest first, and why others could not be read.

    Raises:
        BadCheckpoint: The weights are damaged or for another network.
        StopRequested: ``should_stop`` said so.
    """
    network = _loaded(name, weights).to(device_at_hand()).eval()
    own = getattr(getattr(network, "transform", None), "max_size", _LARGEST)
    with quiet_decoding():
        return find_regions(
            Published(network),
            images,
            categories_of(name, draws=True)[1:],  # the first means nothing is there
            Shape.BOX,
            min(int(own), _LARGEST),
            False,
            progress,
            should_stop,
        )


def _loaded(name: str, weights: Path) -> nn.Module:
    if name in known_backbones():
        found = pretrained(name, offline=True, weights=weights)
        assert found is not None
        return found.network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Without the second torchvision would fetch the trunk's weights, to be overwritten at once.
        network = cast(nn.Module, models.get_model(name, weights=None, weights_backbone=None))
    load_into(network, read_weights(weights), weights.name)
    if name in {f"{family}_resnet50_fpn" for family in _EXACT_NORMS}:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 0.0
    return network


def _table(categories: Sequence[str], meanings: Meanings) -> Tensor:
    """Return which category counts for which class, (categories, classes), zeros and ones."""
    rows = [[float(c in found) for found in meanings.values()] for c in categories]
    return torch.tensor(rows)


def _probabilities(
    network: nn.Module, pixels: Sequence[np.ndarray], device: torch.device
) -> Tensor:
    x = torch.from_numpy(np.stack(pixels)).to(device).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return torch.softmax(network((x - mean) / std), dim=1)


def _read(image: ImageRef, size: int) -> np.ndarray | str:
    try:
        return load_pixels(image.path, size)
    except BadImage as error:
        return error.message
