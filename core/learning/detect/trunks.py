"""Trunks: any classification network of torchvision cut where its maps are 1/8, 1/16 and 1/32 of the image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import InputError
from core.learning.backbones import Backbone, fused, pretrained
from core.learning.selftrained import NAME, TinyNet, self_trained
from core.learning.values import ImageRef, OnProgress, ShouldStop

_SIDE = 256
_ENDS = (4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Trunk:
    """A network in four parts, and where its weights are from.

    Attributes:
        stages: They end at strides 4, 8, 16 and 32, one after another.
        widths: Channels of the four maps.
        source: ``pretrained`` or ``self-trained``.
    """

    name: str
    stages: tuple[nn.Sequential, ...]
    widths: tuple[int, ...]
    source: str
    weights_hash: str
    notice: str


def found_trunk(
    name: str,
    images: Sequence[ImageRef],
    cache: Path,
    seed: int,
    progress: OnProgress,
    should_stop: ShouldStop,
    offline: bool = False,
    weights: Path | None = None,
    self_training_seconds: float = 75.0,
) -> Trunk:
    """Return the network with published weights, or one taught on the images where none are at hand.

    Raises:
        InputError: There is no such network, or it has no maps to find anything on.
        BadCheckpoint: A weights file is damaged or for another network.
        StopRequested: ``should_stop`` said so.
    """
    backbone = pretrained(name, offline, weights)
    if backbone is None:
        backbone = self_trained(images, cache, seed, progress, should_stop, self_training_seconds)
    return trunk_of(backbone)


def trunk_of(backbone: Backbone) -> Trunk:
    """Cut a network into its four parts, batch norms folded into the convolutions before them.

    Their statistics would stay as they are with few images; folded they cost nothing.

    Raises:
        InputError: It has no maps to find anything on.
    """
    stages, widths = _cut(fused(backbone.network.eval()), backbone.name)
    for stage in stages:
        _keep_whole(stage)
    return Trunk(
        backbone.name, stages, widths, backbone.source, backbone.weights_hash, backbone.notice
    )


class _Whole(nn.Conv2d):
    """A convolution in single precision whatever its surroundings compute in."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


def _keep_whole(network: nn.Module) -> None:
    """Have depthwise convolutions that halve the map computed whole.

    In half precision their way back takes a CPU fifteen times as long (torch 2.15, measured).
    """
    for child in network.children():
        if isinstance(child, nn.Conv2d) and child.groups > 1 and max(child.stride) > 1:
            child.__class__ = _Whole
        else:
            _keep_whole(child)


def empty_trunk(name: str) -> Trunk:
    """Return a trunk without weights, to load a model's own into.

    Raises:
        InputError: There is no such network.
    """
    if name == NAME:
        network: nn.Module = TinyNet()
    else:
        from core.learning.backbones import _empty_network

        network = _empty_network(name)
    return trunk_of(Backbone(name, network.eval(), "", "", _SIDE))


def _cut(network: nn.Module, name: str) -> tuple[tuple[nn.Sequential, ...], tuple[int, ...]]:
    layers = list(_layers(network))
    sizes = _sizes(layers, name)
    strides = [2 ** round(math.log2(_SIDE / side)) for _, side in sizes]
    ends = [max((i for i, s in enumerate(strides) if s == stride), default=-1) for stride in _ENDS]
    if min(ends[:3]) < 0:
        raise InputError(
            f"'{name}' has no feature maps to find anything on.",
            "Choose a convolutional network, mobilenet_v2 or resnet50 for example.",
        )
    if ends[3] < 0:  # it stops at 1/16: one pooling more
        layers = [*layers[: ends[2] + 1], nn.MaxPool2d(2)]
        sizes = [*sizes[: ends[2] + 1], (sizes[ends[2]][0], _SIDE // _ENDS[3])]
        ends[3] = len(layers) - 1
    if ends[3] > ends[2] + 1 and sizes[ends[3]][0] > 2 * sizes[ends[3] - 1][0]:
        ends[3] -= 1  # the last layer only widens for the classifier
    cuts = [0, *[e + 1 for e in ends]]
    stages = tuple(nn.Sequential(*layers[a:b]) for a, b in pairwise(cuts))
    return stages, tuple(sizes[e][0] for e in ends)


def _layers(network: nn.Module) -> Iterator[nn.Module]:
    """Yield what makes the maps, one layer after another, without the classifier."""
    features = getattr(network, "features", None)
    if isinstance(features, nn.Sequential):
        yield from features
        return
    for child in network.children():
        if isinstance(child, nn.Sequential) and any(
            isinstance(m, nn.Conv2d) for m in child.modules()
        ):
            yield from child
        else:
            yield child


@torch.inference_mode()
def _sizes(layers: list[nn.Module], name: str) -> list[tuple[int, int]]:
    """Return channels and side of each layer's map of a square image; stop where maps end."""
    x: Tensor = torch.zeros(1, 3, _SIDE, _SIDE)
    sizes: list[tuple[int, int]] = []
    for layer in layers:
        try:
            x = layer.eval()(x)
        except (RuntimeError, TypeError, ValueError, AttributeError, AssertionError):
            break
        if not isinstance(x, Tensor) or x.ndim != 4 or x.shape[2] != x.shape[3] or x.shape[2] < 2:
            break
        sizes.append((x.shape[1], x.shape[2]))
    return sizes
