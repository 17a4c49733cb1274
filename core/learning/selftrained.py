"""A small network taught on the project's own images, for machines without published weights.

Self-supervised by VICReg (Bardes, Ponce and LeCun 2022): two random views of an image should get
the same vector, vectors should spread, and their parts should not repeat one another. No label
is used. It is far weaker than pretrained weights, and its notice says so.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as serialize
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody uses

from core.errors import BadImage, EmptyTrainingSet, TrainingError
from core.learning.backbones import MEAN, STD, Backbone, device_at_hand
from core.learning.checkpoints import load_into, read_weights, sha256_of
from core.learning.files import write_durably
from core.learning.preprocess import load_pixels, quiet_decoding
from core.learning.tiny import NAME, SIZE, TinyNet
from core.learning.values import ImageRef, OnProgress, Progress, ShouldStop, StopRequested

__all__ = [
    "NAME", "NOTICE", "SIZE", "TinyNet", "from_own_weights", "load_self_trained", "own_weights",
    "self_trained", "vicreg",
]  # fmt: skip

NOTICE = (
    "No pretrained weights were at hand, so a small network was taught on this project's own "
    "images. Expect clearly lower accuracy; place the weights in torch's cache or connect to "
    "the network once to do better."
)
_SECONDS = 75.0
_STEPS = 600
_BATCH = 64
_MAX_IMAGES = 4_000


def self_trained(
    images: Sequence[ImageRef],
    cache: Path,
    seed: int,
    progress: OnProgress,
    should_stop: ShouldStop,
    seconds: float = _SECONDS,
) -> Backbone:
    """Return a network taught on the images, the one in the cache if it was taught on most of them.

    Args:
        images: What may be learnt from; without those held out.
        cache: Where the network is kept from run to run.
        seed: Same images and seed, same network, unless time ran out first.
        progress: Called now and then.
        should_stop: Asked between steps.
        seconds: Time it may take.

    Raises:
        EmptyTrainingSet: Fewer than two images can be read.
        TrainingError: The loss became NaN.
        DiskFull: The network cannot be kept.
        StopRequested: ``should_stop`` said so.
    """
    kept = _kept(cache, images)
    if kept is not None:
        return load_self_trained(kept)
    pixels = _pixels(images, seed)
    network = _teach(pixels, seed, seconds, progress, should_stop)
    return load_self_trained(_keep(network, cache, images))


def load_self_trained(path: Path) -> Backbone:
    """Return the network from its weights file.

    Raises:
        BadCheckpoint: The file is damaged or for another network.
    """
    tensors = read_weights(path)
    network = TinyNet()
    load_into(network, tensors, path.name)
    return Backbone(NAME, network.eval(), "self-trained", sha256_of(path), SIZE, NOTICE)


def own_weights(backbone: Backbone) -> dict[str, np.ndarray]:
    """Return what a model must keep of its backbone: nothing of a published one, else all."""
    if backbone.source == "pretrained":
        return {}
    # The counters of batch norm are of no use here, and NumPy turns their () into (1,).
    return {k: v.numpy() for k, v in backbone.network.state_dict().items() if v.ndim}


def from_own_weights(weights: Mapping[str, np.ndarray], weights_hash: str) -> Backbone:
    """Return the network a model kept.

    Raises:
        BadCheckpoint: The weights are for another network.
    """
    network = TinyNet()
    tensors = {k: torch.from_numpy(v.copy()) for k, v in weights.items()}
    load_into(network, tensors, "The model's backbone")
    return Backbone(NAME, network.eval(), "self-trained", weights_hash, SIZE, NOTICE)


def _kept(cache: Path, images: Sequence[ImageRef]) -> Path | None:
    """Find a network taught on at least two thirds as many images, all of them still here."""
    current = _tags(images)
    for path in sorted((cache / "selftrained").glob("*.safetensors")):
        try:
            known = set(path.with_suffix(".txt").read_text().split())
            sound = sha256_of(path)[:32] == path.stem
        except OSError:
            continue
        if sound and known <= current and len(known) * 3 >= min(len(current), _MAX_IMAGES) * 2:
            return path
    return None


def _tags(images: Sequence[ImageRef]) -> set[str]:
    return {hashlib.blake2b(i.content_hash.encode(), digest_size=8).hexdigest() for i in images}


def _keep(network: nn.Module, cache: Path, images: Sequence[ImageRef]) -> Path:
    folder = cache / "selftrained"
    data = serialize({k: v.contiguous() for k, v in network.state_dict().items()})
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.safetensors"
    write_durably(path.with_suffix(".txt"), "\n".join(sorted(_tags(images))).encode())
    write_durably(path, data)
    return path


def _pixels(images: Sequence[ImageRef], seed: int) -> Tensor:
    """Return up to 4,000 images as uint8, shape (n, 3, 112, 112): a margin to crop from."""
    order = np.random.default_rng(seed).permutation(len(images))[:_MAX_IMAGES]
    with quiet_decoding(), ThreadPoolExecutor() as threads:
        read = list(threads.map(lambda i: _or_none(images[i].path), sorted(order.tolist())))
    good = [p for p in read if p is not None]
    if len(good) < 2:
        raise EmptyTrainingSet(
            f"{len(good)} of {len(images)} images could be read, at least 2 are needed.",
            "Import more images.",
        )
    return torch.from_numpy(np.stack(good)).permute(0, 3, 1, 2)


def _or_none(path: Path) -> np.ndarray | None:
    try:
        return load_pixels(path, SIZE + 16)
    except BadImage:
        return None


def _teach(
    pixels: Tensor, seed: int, seconds: float, progress: OnProgress, should_stop: ShouldStop
) -> TinyNet:
    device = device_at_hand()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TinyNet()
    network = network.to(device).to(memory_format=torch.channels_last).train()
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=_STEPS)
    started = time.monotonic()
    for step in range(_STEPS):
        batch = torch.randint(len(pixels), (min(_BATCH, len(pixels)),), generator=generator)
        views = [_view(pixels[batch], generator).to(device) for _ in range(2)]
        one, two = network(torch.cat(views)).chunk(2)
        loss = vicreg(one, two)
        if not bool(torch.isfinite(loss)):
            raise TrainingError(
                "Self-training diverged: the loss became NaN.", "Start the run again."
            )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        optimiser.step()
        schedule.step()
        used = time.monotonic() - started
        left = min(seconds - used, used / (step + 1) * (_STEPS - step - 1))
        progress(Progress("self-training", step + 1, _STEPS, max(0.0, left), {"loss": loss.item()}))
        if should_stop():
            raise StopRequested
        if used > seconds:
            break
    return network.cpu().eval()


def _view(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Return randomly cropped, mirrored, tinted copies, float32 normalised, (n, 3, 96, 96)."""
    n = len(pixels)
    x = pixels.float() / 255
    side = torch.rand(n, generator=generator) * 0.55 + 0.45
    at = (torch.rand(n, 2, generator=generator) * 2 - 1) * (1 - side)[:, None]
    mirror = (torch.rand(n, generator=generator) < 0.5) * -2.0 + 1.0
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0], affine[:, 1, 1], affine[:, :, 2] = side * mirror, side, at
    grid = F.affine_grid(affine, [n, 3, SIZE, SIZE], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    tint = torch.rand(n, 3, 1, 1, generator=generator) * 0.4 + 0.8
    light = torch.rand(n, 1, 1, 1, generator=generator) * 0.4 - 0.2
    x = (x * tint + light).clamp(0, 1)
    return ((x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)).contiguous(
        memory_format=torch.channels_last
    )


def vicreg(one: Tensor, two: Tensor) -> Tensor:
    """Return the loss of two views' vectors: 25 invariance + 25 variance + 1 covariance."""
    spread = [F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean() for z in (one, two)]
    return 25 * F.mse_loss(one, two) + 25 * sum(spread) / 2 + _overlap(one) + _overlap(two)


def _overlap(z: Tensor) -> Tensor:
    z = z - z.mean(0)
    covariance = z.T @ z / max(1, len(z) - 1)
    off = covariance - torch.diag(covariance.diag())
    return off.pow(2).sum() / z.shape[1]
