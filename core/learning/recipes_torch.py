"""What a recipe does to pixels: whole batches at once, on any device, drawn from one generator.

Numbers are drawn for the whole batch before any pixel is touched, so several processes that
each take a part of a batch vary their images exactly as one process would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 the name everybody uses

from core.learning.backbones import MEAN, STD
from core.learning.recipes import Recipe

_HIDDEN = 0.4
"""Side of a blotted square as a share of the image's, or of a period of the grid."""
_LEAST_CROP = 0.08
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to each row of a batch; every tensor has one row an image.

    Attributes:
        affine: Output to input, shape (n, 2, 3).
        light: Added to all, (n, 1, 1, 1).
        contrast, saturation: Factors, (n, 1, 1, 1).
        tint: Factors by channel, (n, 3, 1, 1).
        hole: Centre x, centre y and side of a blank square in 0..1, side 0 for none, (n, 3).
        grid: Periods across, share blank, offset x, offset y; 0 periods for none, (n, 4).
        partner: The row each is mixed with, (n,).
        share: How much of the row itself is kept by mixup; 1 for all, (n,).
        box: Left, top, right, bottom in 0..1 of what is pasted from the partner, (n, 4).
    """

    affine: Tensor
    light: Tensor
    contrast: Tensor
    saturation: Tensor
    tint: Tensor
    hole: Tensor
    grid: Tensor
    partner: Tensor
    share: Tensor
    box: Tensor

    def rows(self, chosen: Tensor) -> Plan:
        """Return the plan of some rows; their partners still count in the whole batch."""
        return Plan(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def to(self, device: torch.device) -> Plan:
        """Return the plan on a device."""
        return Plan(*(getattr(self, f.name).to(device) for f in fields(self)))


def draw(recipe: Recipe, n: int, seed: tuple[int, ...]) -> Plan:
    """Return what happens to a batch of n images; the same seed gives the same plan."""
    g = torch.Generator().manual_seed(_mixed(seed))

    def uniform(*shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=g)

    def about(width: float, *shape: int) -> Tensor:
        return (uniform(*shape) * 2 - 1) * width

    affine = _affine(recipe, uniform, about)
    hole = torch.cat([uniform(2), _chance(uniform(1), recipe.cutout) * _HIDDEN], 1)
    grid = torch.cat(
        [
            _chance(uniform(1), recipe.gridmask) * (3 + (uniform(1) * 5).floor()),
            torch.full((n, 1), _HIDDEN),
            uniform(2),
        ],
        1,
    )
    partner = torch.randperm(n, generator=g)
    share, box = _mixing(recipe, n, uniform, seed)
    return Plan(
        affine, about(recipe.brightness, 1, 1, 1), 1 + about(recipe.contrast, 1, 1, 1),
        1 + about(recipe.colour, 1, 1, 1), 1 + about(recipe.colour / 2, 3, 1, 1),
        hole, grid, partner, share, box,
    )  # fmt: skip


def vary(pixels: Tensor, plan: Plan, size: int) -> Tensor:
    """Return varied images, float32 normalised (n, 3, size, size), of uint8 pixels (n, 3, h, w)."""
    x = pixels.float() / 255
    grid = F.affine_grid(plan.affine, [len(x), 3, size, size], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    x = x * plan.tint + plan.light
    weights = torch.tensor(_GREY, device=x.device).view(1, 3, 1, 1)
    grey = (x * weights).sum(1, keepdim=True)
    x = grey + (x - grey) * plan.saturation
    middle = x.mean((1, 2, 3), keepdim=True)
    x = (middle + (x - middle) * plan.contrast).clamp(0, 1)
    return normalised(x) * _seen(plan, size)


def mixed(x: Tensor, others: Tensor, plan: Plan) -> Tensor:
    """Return each image blended with its partner, or with a box of the partner's pasted in."""
    share = plan.share.view(-1, 1, 1, 1)
    inside = _inside(plan.box, x.shape[-1])
    return torch.where(inside, others, x * share + others * (1 - share))


def mixed_targets(targets: Tensor, others: Tensor, plan: Plan, size: int) -> Tensor:
    """Return the labels that belong to `mixed`: by share of the blend, by area of the box."""
    area = _inside(plan.box, size).float().mean((1, 2, 3)).view(-1, 1)
    share = plan.share.view(-1, 1) * (1 - area)
    return targets * share + others * (1 - share)


def plain(pixels: Tensor, size: int) -> Tensor:
    """Return unvaried images, float32 normalised (n, 3, size, size)."""
    x = pixels.float() / 255
    if x.shape[-1] != size:
        x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    return normalised(x)


def normalised(x: Tensor) -> Tensor:
    """Return images in 0..1 as ImageNet's networks expect them."""
    mean = torch.tensor(MEAN, device=x.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=x.device).view(1, 3, 1, 1)
    return (x - mean) / std


def _mixed(seed: tuple[int, ...]) -> int:
    """Fold several numbers into one seed; neighbours must not give related streams."""
    folded = 0x9E3779B97F4A7C15
    for part in seed:
        folded = ((folded ^ (part + 0x7F4A7C15)) * 0xBF58476D1CE4E5B9) % 2**64
        folded ^= folded >> 31
    return folded % 2**63


def _chance(uniform: Tensor, chance: float) -> Tensor:
    return (uniform < chance).float()


def _affine(recipe: Recipe, uniform, about) -> Tensor:  # type: ignore[no-untyped-def]
    """Return crop, flip, turn and stretch as one map from output to input."""
    least = max(_LEAST_CROP, recipe.crop)
    side = (least + uniform(1) * (1 - least)).sqrt()
    stretch = (about(1.0, 1) * math.log(1 + recipe.resize) / 2).exp()
    wide, high = (side * stretch).clamp(max=1.0), (side / stretch).clamp(max=1.0)
    at = about(1.0, 2) * torch.cat([1 - wide, 1 - high], 1)
    angle = about(recipe.rotate * math.pi, 1)
    across = 1 - 2 * _chance(uniform(1), recipe.flip)
    down = 1 - 2 * _chance(uniform(1), recipe.upside_down)
    cos, sin = angle.cos(), angle.sin()
    row_x = torch.cat([wide * cos * across, -wide * sin * down, at[:, :1]], 1)
    row_y = torch.cat([high * sin * across, high * cos * down, at[:, 1:]], 1)
    return torch.stack([row_x, row_y], 1)


def _mixing(recipe: Recipe, n: int, uniform, seed: tuple[int, ...]) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
    """Return what mixup keeps and the box that CutMix pastes; where both are on, one or the other."""
    import numpy as np  # Beta, which torch cannot draw from a generator

    rng = np.random.default_rng([abs(s) for s in seed] + [5])
    share, box = torch.ones(n), torch.zeros(n, 4)
    pick = uniform(1).squeeze(1)
    centre = uniform(2)
    cut = (pick < (0.5 if recipe.mixup else 1.0)) if recipe.cutmix else torch.zeros(n, dtype=bool)  # type: ignore[call-overload]
    if recipe.mixup:
        blend = torch.from_numpy(rng.beta(recipe.mixup, recipe.mixup, n)).float()
        share = torch.where(cut, share, torch.maximum(blend, 1 - blend))
    if recipe.cutmix:
        kept = torch.from_numpy(rng.beta(recipe.cutmix, recipe.cutmix, n)).float()
        half = ((1 - kept).sqrt() / 2).unsqueeze(1)
        found = torch.cat([(centre - half).clamp(0, 1), (centre + half).clamp(0, 1)], 1)
        box = torch.where(cut.unsqueeze(1), found, box)
    return share, box


def _places(size: int, device: torch.device) -> Tensor:
    return (torch.arange(size, device=device) + 0.5) / size


def _inside(box: Tensor, size: int) -> Tensor:
    """Return which pixels lie in each box, bool (n, 1, size, size)."""
    at = _places(size, box.device)
    left, top, right, bottom = (box[:, i].view(-1, 1) for i in range(4))
    across, down = (at > left) & (at < right), (at > top) & (at < bottom)
    return (down.unsqueeze(2) & across.unsqueeze(1)).unsqueeze(1)


def _seen(plan: Plan, size: int) -> Tensor:
    """Return 1 where a pixel stays and 0 where a square or the grid blanks it, (n, 1, size, size)."""
    half = plan.hole[:, 2:] / 2
    box = torch.cat([plan.hole[:, :2] - half, plan.hole[:, :2] + half], 1)
    seen = (~_inside(box, size)).float()
    at = _places(size, box.device)
    periods, blank = plan.grid[:, :1], plan.grid[:, 1:2]
    across = ((at * periods + plan.grid[:, 2:3]) % 1) < blank
    down = ((at * periods + plan.grid[:, 3:4]) % 1) < blank
    squares = (down.unsqueeze(2) & across.unsqueeze(1)).unsqueeze(1)
    squares = squares & (periods > 0).view(-1, 1, 1, 1)
    return seen * (~squares).float()
