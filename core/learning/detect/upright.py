"""Whether images with boxes have a way up: their boxes' form first, then what the boxes show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody uses

from core.learning.backbones import MEAN, STD
from core.learning.detect.data import Picture
from core.learning.upright import WayUp, way_up

_PIECES = 80
"""Boxes looked at, and as many pieces of what is around them."""
_SIDE = 96
_AROUND = 1.4
"""Side of a piece over the longer side of its box."""
_LONG = 0.15
"""Mean log of width over height from which boxes of a class lie or stand."""
_FEWEST_BOXES = 8
_COVERED = 0.3
"""Share of a piece of background that a box may cover."""


def box_way_up(
    pictures: Sequence[Picture], stages: Sequence[nn.Module], classes: Sequence[str], seed: int
) -> WayUp:
    """Say whether what is in the boxes looks the same whichever way up, as far as a trunk sees."""
    held = [p for p in pictures if len(p.target.boxes)]
    if said := _lying(held, classes):
        boxes = sum(len(p.target.boxes) for p in held)
        return WayUp(False, boxes, len(held), why=said)
    rng = np.random.default_rng(seed)
    each = max(1, -(-_PIECES // max(1, len(held))))
    pieces, kinds, images = [], [], []
    for number, picture in enumerate(held[: 2 * _PIECES]):
        places = [
            (picture.target.boxes[j], int(picture.target.kinds[j]))
            for j in _some(picture, each, rng)
        ]
        places += [(box, len(classes)) for box in _background(picture, each, rng)]
        for box, kind in places:
            pieces.append(_piece(picture.pixels, box))
            kinds.append(kind)
            images.append(number)
    if not pieces:
        return WayUp(False, 0, 0)
    return way_up(
        torch.stack(pieces), torch.tensor(kinds), torch.tensor(images), lambda x: _seen(x, stages)
    )


def _lying(pictures: Sequence[Picture], classes: Sequence[str]) -> str:
    """Return a sentence on a class whose boxes lie or stand, or nothing: a turn would change them."""
    for kind, name in enumerate(classes):
        boxes = [p.target.boxes[p.target.kinds == kind] for p in pictures]
        sides = torch.cat([b[:, 2:] - b[:, :2] for b in boxes]) if boxes else torch.zeros(0, 2)
        if len(sides) < _FEWEST_BOXES:
            continue
        form = sides.clamp(min=1e-3).log() @ torch.tensor([1.0, -1.0])
        sure = abs(float(form.mean())) - 2 * float(form.std()) / math.sqrt(len(form))
        if sure > _LONG:
            times = math.exp(abs(float(form.mean())))
            wide, high = ("wide", "high") if form.mean() > 0 else ("high", "wide")
            return (
                f"Boxes of '{name}' are {times:.1f} times as {wide} as {high} (n = {len(form)}), so "
                "the images have a way up and were learnt as they stand."
            )
    return ""


def _some(picture: Picture, count: int, rng: np.random.Generator) -> list[int]:
    """Return places of so many boxes, the classes rarest in the image first."""
    kinds = picture.target.kinds.numpy()
    order = rng.permutation(len(kinds))
    return sorted(order.tolist(), key=lambda j: int((kinds == kinds[j]).sum()))[:count]


def _background(picture: Picture, count: int, rng: np.random.Generator) -> list[Tensor]:
    """Return up to so many boxes of the sizes there are on what is in no box."""
    boxes = picture.target.boxes
    h, w = picture.pixels.shape[1:]
    found: list[Tensor] = []
    for _ in range(20 * count):
        if len(found) == count:
            break
        wide, high = (boxes[int(rng.integers(len(boxes)))].reshape(2, 2).diff(dim=0)[0]).tolist()
        x, y = rng.uniform(0, max(1.0, w - wide)), rng.uniform(0, max(1.0, h - high))
        box = torch.tensor([x, y, x + wide, y + high], dtype=torch.float32)
        low, top = torch.maximum(boxes[:, :2], box[:2]), torch.minimum(boxes[:, 2:], box[2:])
        if float((top - low).clamp(min=0).prod(1).max()) < _COVERED * wide * high:
            found.append(box)
    return found


def _piece(pixels: Tensor, box: Tensor) -> Tensor:
    """Return the square around a box, uint8 (3, side, side); beyond the edge the image is mirrored."""
    h, w = pixels.shape[1:]
    middle, reach = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * _AROUND / 2
    x, y = middle.tolist()
    theta = torch.tensor(
        [[[2 * reach / w, 0.0, 2 * x / w - 1], [0.0, 2 * reach / h, 2 * y / h - 1]]]
    )
    grid = F.affine_grid(theta, [1, 3, _SIDE, _SIDE], align_corners=False)
    found = F.grid_sample(
        pixels[None].float(), grid, padding_mode="reflection", align_corners=False
    )
    return found[0].round().to(torch.uint8)


@torch.inference_mode()
def _seen(pixels: Tensor, stages: Sequence[nn.Module]) -> Tensor:
    """Return the mean of a trunk's last map, (b, width)."""
    device = next(stages[0].parameters()).device
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    x = (pixels.to(device).float() / 255 - mean) / std
    x = x.contiguous(memory_format=torch.channels_last)
    for stage in stages:
        x = stage(x)
    return x.mean((2, 3)).float().cpu()
