"""Whether images have a way up: asked of the images themselves, not of belief."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.learning.backbones import MEAN, STD

FEWEST = 8
_TOLD = 0.65
"""Share told right from which the images have a way up; by chance it is one half."""
_MOST = 64


@torch.inference_mode()
def no_way_up(pixels: Sequence[Tensor], stages: Sequence[nn.Module]) -> bool:
    """Say whether a trunk cannot tell images from the same images put upside down.

    Its maps, pooled, are told apart by ridge regression, each image judged by a fit that has seen
    neither way of it. With fewer than eight images nothing is concluded.
    """
    if len(pixels) < FEWEST:
        return False
    chosen = pixels[:: max(1, len(pixels) // _MOST)][:_MOST]
    up = torch.stack([_pooled(p, stages) for p in chosen])
    down = torch.stack([_pooled(p.flip(1, 2), stages) for p in chosen])
    return told_apart(up, down) < _TOLD


def told_apart(one: Tensor, other: Tensor) -> float:
    """Return the share of rows told right, each pair judged by a fit without it.

    Args:
        one: float32 (n, width), row by row the counterpart of `other`.
        other: float32 (n, width).
    """
    n = len(one)
    x = torch.cat([one, other]).double()
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    y = torch.cat([torch.ones(n), -torch.ones(n)]).double()
    gram = x @ x.T
    hat = gram @ torch.linalg.inv(gram + x.shape[1] * torch.eye(2 * n, dtype=torch.float64))
    right = 0.0
    for i in range(n):  # leaving out both rows of a pair in one small system
        pair = torch.tensor([i, n + i])
        rest = torch.eye(2, dtype=torch.float64) - hat[pair][:, pair]
        residual = torch.linalg.solve(rest, y[pair] - (hat @ y)[pair])
        right += float(((y[pair] - residual).sign() == y[pair].sign()).double().mean())
    return right / n


def _pooled(pixels: Tensor, stages: Sequence[nn.Module]) -> Tensor:
    """Return the mean of the upper and of the lower half of the last map, and of the image."""
    device = next(stages[0].parameters()).device
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    x = (pixels[None].to(device).float() / 255 - mean) / std
    for stage in stages:
        x = stage(x)
    half = max(1, x.shape[2] // 2)
    halves = [x[0, :, :half].mean((1, 2)), x[0, :, half:].mean((1, 2))]
    return torch.cat(halves).float().cpu()
