"""Backbones: torchvision networks as image → feature vector, with weights found, fetched or refused.

Nothing here knows of labels.
"""

from __future__ import annotations

import copy
import socket
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision import models

from core.errors import InputError
from core.learning.checkpoints import load_into, read_weights, sha256_of
from core.learning.tiny import NAME, TinyNet

FEATURES = "head-stage-bands-2"
"""Names what `Extractor` returns in cache keys; change it with the procedure."""
TUNED = "fine-tuned"
"""The source of a backbone that was taught a project's classes."""
TUNED_FEATURES = "tuned-1"
"""Names what `TunedExtractor` returns; change it with the procedure."""

_CONNECT_SECONDS = 5.0
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
_BANDS = 3


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network ready to embed.

    Attributes:
        name: torchvision's name, or ``tiny`` for the self-trained one.
        network: The classifier with its weights, in evaluation mode, on the CPU.
        source: ``pretrained``, ``self-trained`` or ``fine-tuned``.
        weights_hash: SHA-256 of the weights file.
        size: Side of its square input in pixels.
        notice: What a person should know about the weights, or empty.
    """

    name: str
    network: nn.Module
    source: str
    weights_hash: str
    size: int
    notice: str = ""


class _Trace(threading.local):
    """What the hooks saw in this thread's pass; threads share the network."""

    def __init__(self) -> None:
        self.clear()

    def __deepcopy__(self, memo: object) -> _Trace:
        return _Trace()

    def clear(self) -> None:
        self.seen: list[Tensor] = []
        self.head: Tensor | None = None


class Extractor(nn.Module):
    """Pixels to features: what the classifier's last layer sees, beside the stage before it.

    The early stage keeps what the ImageNet classes had no use for; on the real sets it adds
    one to two points where labels are few. It is given in three bands, top to bottom: where in
    the image something lies tells apart what has an up and a down, and costs no pass of its own.
    The mirror image is averaged in, so left and right do not matter.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self._trace = _Trace()
        for stage in stages_of(network):
            stage.register_forward_hook(self._see_stage)
        head = _head(network)
        if head is not None:
            head.register_forward_pre_hook(self._see_head)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features, float32 (n, width), of pixels, uint8 (n, 3, size, size)."""
        x = (pixels.float() / 255 - self.mean) / self.std
        precision = next(self.network.parameters()).dtype
        both = torch.cat([x, x.flip(3)]).to(precision, memory_format=torch.channels_last)
        parts = self._parts(both)
        n = len(pixels)
        return _unit(torch.cat([_unit(p[:n] + p[n:]) for p in parts], dim=1))

    def _parts(self, x: Tensor) -> list[Tensor]:
        trace = self._trace
        trace.clear()
        self.network(x)
        maps = [t for t in trace.seen if t.ndim == 4 and t.shape[1] > t.shape[2]]
        last = (
            trace.head.float().flatten(1)
            if trace.head is not None
            else maps[-1].float().mean((2, 3))
        )
        before = [m.float() for m in maps if m.shape[1] != maps[-1].shape[1]][-1:]
        trace.clear()
        return [_root(last), *[_bands(m) for m in before]]

    def _see_stage(self, module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            self._trace.seen.append(output)

    def _see_head(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._trace.head = inputs[0]


class TunedExtractor(Extractor):
    """Pixels to features of a network that was taught the classes: its last layer's input alone."""

    def _parts(self, x: Tensor) -> list[Tensor]:
        return [self.vectors(x)]

    def vectors(self, x: Tensor) -> Tensor:
        """Return unit vectors, float32 (n, width), of normalised images."""
        trace = self._trace
        trace.clear()
        self.network(x)
        if trace.head is not None:
            last = trace.head.float().flatten(1)
        else:
            last = [t for t in trace.seen if t.ndim == 4][-1].float().mean((2, 3))
        trace.clear()
        return _unit(last)


def extractor_of(backbone: Backbone) -> Extractor:
    """Return what makes features of a copy of the backbone's network, in evaluation mode."""
    kind = TunedExtractor if backbone.source == TUNED else Extractor
    return kind(copy.deepcopy(backbone.network)).eval()


def unwatched(network: nn.Module) -> nn.Module:
    """Return a copy of a network that no extractor looks into.

    An extractor hooks itself into its network. Wrapped a second time, the first would go on keeping
    what passes, gradients and all, and never look at it.
    """
    copied = copy.deepcopy(network)
    for module in copied.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
    return copied


def features_of(backbone: Backbone) -> str:
    """Return the name of the features `extractor_of` gives, for cache keys."""
    return TUNED_FEATURES if backbone.source == TUNED else FEATURES


def stages_of(network: nn.Module) -> list[nn.Module]:
    """Return the parts of a network in the order in which pixels pass through them."""
    features = getattr(network, "features", None)
    return list((features if isinstance(features, nn.Sequential) else network).children())


def _head(network: nn.Module) -> nn.Module | None:
    linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
    return linear[-1] if linear else None


def _root(x: Tensor) -> Tensor:
    """Damp the few strong channels: the square root, keeping the sign."""
    return x.sign() * x.abs().sqrt()


def _bands(x: Tensor) -> Tensor:
    """Return the means of the upper, middle and lower third, (n, 3 × channels), of (n, channels, h, w)."""
    return nn.functional.adaptive_avg_pool2d(x, (_BANDS, 1)).flatten(1)


def _unit(x: Tensor) -> Tensor:
    return nn.functional.normalize(x.float(), dim=1)


def known_backbones() -> list[str]:
    """Return the names of the classification networks torchvision offers."""
    return [n for n in models.list_models(module=models) if not n.startswith("inception")]


def pretrained(name: str, offline: bool = False, weights: Path | None = None) -> Backbone | None:
    """Return the network with published weights; None if none are at hand and none can be fetched.

    Looks in torch's own cache first, for any of the published versions.

    Raises:
        InputError: There is no such network.
        BadCheckpoint: A weights file is there but damaged or for another network.
    """
    if name not in known_backbones():
        raise InputError(
            f"Unknown backbone '{name}'.",
            "Choose a torchvision classification network, mobilenet_v2 for example.",
        )
    versions = _versions(name)
    path = weights or _cached(versions) or (None if offline else _download(versions[0]))
    if path is None:
        return None
    network = _empty_network(name)
    load_into(network, read_weights(path), path.name)
    size = _larger(network.eval(), _input_size(versions, path))
    return Backbone(name, network, "pretrained", sha256_of(path), size)


def tuned_backbone(config: Mapping[str, object], weights: Mapping[str, np.ndarray]) -> Backbone:
    """Return the network that a fine-tuned model kept.

    Raises:
        BadCheckpoint: The weights are for another network.
    """
    name = str(config["network"])
    network = TinyNet() if name == NAME else _empty_network(name)
    tensors = {k: torch.from_numpy(v.copy()) for k, v in weights.items()}
    load_into(network, tensors, "The model's network")
    size = int(str(config["size"]))
    return Backbone(name, network.eval(), TUNED, str(config["weights_hash"]), size)


def _versions(name: str) -> list[Any]:
    enum = models.get_model_weights(name)
    return [enum.DEFAULT, *[w for w in enum if w is not enum.DEFAULT]] if len(enum) else []


def _empty_network(name: str) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # googlenet warns of its slow start; we load at once
        return cast(nn.Module, models.get_model(name, weights=None))


def _file_of(version: Any) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(version.url).name


def _cached(versions: list[Any]) -> Path | None:
    return next((p for v in versions if (p := _file_of(v)).is_file()), None)


def _input_size(versions: list[Any], path: Path) -> int:
    for version in versions:
        if _file_of(version).name == path.name:
            return int(version.transforms().crop_size[0])
    return int(versions[0].transforms().crop_size[0]) if versions else 224


def _larger(network: nn.Module, size: int) -> int:
    """Return 9/7 of the size the weights were trained at, where the network takes it.

    Networks see objects smaller in whole images than in the crops they were trained on
    (Touvron et al. 2019); 288 instead of 224 was worth a point on the real sets.
    """
    larger = size * 9 // 7
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 3, larger, larger))
    except (RuntimeError, AssertionError, ValueError):
        return size  # a transformer has a place for each patch and takes no more
    return larger


def _download(version: Any) -> Path | None:
    """Fetch weights into torch's cache by torchvision's own loader; None on any failure."""
    if not _reachable(version.url):
        return None
    try:
        with _socket_timeout(3 * _CONNECT_SECONDS):
            version.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception:  # whatever goes wrong on the way, the fallback is the same
        return None
    path = _file_of(version)
    return path if path.is_file() else None


def _reachable(url: str) -> bool:
    """Say whether the server answers within seconds, name look-up included."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 torchvision's own address
            with urllib.request.urlopen(request, timeout=_CONNECT_SECONDS) as reply:  # noqa: S310
                answers.append(reply.status == 200)
        except (OSError, ValueError, urllib.error.URLError):
            answers.append(False)

    # A resolver without a network may hang for minutes and cannot be interrupted.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * _CONNECT_SECONDS)
    return bool(answers and answers[0])


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def fused(network: nn.Module) -> nn.Module:
    """Fold each batch norm into the convolution before it, in place; faster, same answers."""
    for parent in network.modules():
        children = list(parent.named_children())
        for (name, conv), (following, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                if conv.out_channels != norm.num_features:
                    continue
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, following, nn.Identity())
    return network


def device_at_hand() -> torch.device:
    """Return the GPU if one is there and answers, else the CPU."""
    try:
        if torch.cuda.is_available():
            torch.ones(1, device="cuda").sum().item()
            return torch.device("cuda")
    except (RuntimeError, AssertionError):
        pass  # a driver that does not fit its card must not stop the run
    return torch.device("cpu")
