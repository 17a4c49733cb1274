"""The quick detector: a classification trunk, a slim feature pyramid, one head that says every box at once.

For few images and few cores. Anchor-free (Tian et al. 2019); which cells answer for a box is
decided by how well they already do (task-aligned assignment, Feng et al. 2021), and a score is
taught to be the overlap its box reaches, so that sure boxes are well placed ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 the name everybody uses
from torchvision.ops import batched_nms, generalized_box_iou_loss

from core.learning.backbones import MEAN, STD

STRIDES = (8, 16, 32)
_CANDIDATES = 10
"""Cells that answer for one box."""
_LARGEST = 300
"""Boxes kept of one image."""


class Cells(NamedTuple):
    """What the head says of every cell, all levels one after another.

    Attributes:
        scores: Logits, (n, cells, classes).
        boxes: x1, y1, x2, y2 in input pixels, (n, cells, 4).
        centres: x, y in input pixels, (cells, 2).
        strides: Side of each cell in input pixels, (cells,).
    """

    scores: Tensor
    boxes: Tensor
    centres: Tensor
    strides: Tensor


class QuickDetector(nn.Module):
    """Pixels, uint8 (n, 3, h, w), to `Cells`.

    Args:
        stages: Parts of the trunk; they end at strides 4, 8, 16 and 32.
        widths: Channels of these four maps.
        classes: Number of classes.
        typical_px: Typical side of a box at each stride, input pixels: where learning starts.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        stages: Sequence[nn.Sequential],
        widths: Sequence[int],
        classes: int,
        typical_px: Sequence[float],
        width: int = 96,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.split = widths[1]
        # The finest map goes in as four channels for one: where edges are, at a quarter of the cost.
        seen = (4 * widths[0] + widths[1], *widths[2:])
        self.lateral = nn.ModuleList([_conv(w, width, 1) for w in seen])
        self.merge = nn.ModuleList([_separable(width) for _ in seen])
        self.tower = _separable(width)
        self.score_tower, self.box_tower = _separable(width), _separable(width)
        self.score = nn.Conv2d(width, classes, 1)
        self.box = nn.Conv2d(width, 4, 1)
        starts = [math.log(max(0.25, t / 2 / s)) for t, s in zip(typical_px, STRIDES, strict=True)]
        self.start = nn.Parameter(torch.tensor(starts))
        for conv in (self.score, self.box):
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type] # made with a bias
        nn.init.constant_(self.score.bias, -math.log(99))  # type: ignore[arg-type]
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Cells:
        """Return what the head says of every cell."""
        return self.after(self.first(pixels))

    def first(self, pixels: Tensor) -> Tensor:
        """Return the maps of the first two stages as one; these may be frozen and their maps kept."""
        x = (pixels.float() / 255 - self.mean) / self.std
        fine = self.stages[0](x.contiguous(memory_format=torch.channels_last))
        coarse = self.stages[1](fine)
        h, w = coarse.shape[2:]
        fine = F.pixel_unshuffle(
            F.pad(fine, (0, 2 * w - fine.shape[3], 0, 2 * h - fine.shape[2])), 2
        )
        return torch.cat([coarse, fine], 1)

    def after(self, x: Tensor) -> Cells:
        """Return what the head says of every cell, given the maps of the first two stages."""
        maps = [self.lateral[0](x)]
        x = x[:, : self.split]
        for stage, lateral in zip(self.stages[2:], self.lateral[1:], strict=True):
            x = stage(x)
            maps.append(lateral(x))
        return self._said(self._pyramid(maps))

    def _pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        for i in range(len(maps) - 2, -1, -1):
            maps[i] = maps[i] + F.interpolate(maps[i + 1], size=maps[i].shape[2:], mode="nearest")
        return [merge(m) for merge, m in zip(self.merge, maps, strict=True)]

    def _said(self, maps: list[Tensor]) -> Cells:
        scores, boxes, centres, strides = [], [], [], []
        for i, (m, stride) in enumerate(zip(maps, STRIDES, strict=True)):
            middle = _centres(m, stride)
            m = self.tower(m)  # noqa: PLW2901 the level as both towers see it
            reach = (self.box(self.box_tower(m)) + self.start[i]).clamp(-4, 6).exp() * stride
            reach = reach.flatten(2).transpose(1, 2)
            scores.append(self.score(self.score_tower(m)).flatten(2).transpose(1, 2))
            boxes.append(torch.cat([middle - reach[..., :2], middle + reach[..., 2:]], dim=2))
            centres.append(middle)
            strides.append(torch.full((len(middle),), float(stride), device=m.device))
        return Cells(
            torch.cat(scores, 1), torch.cat(boxes, 1), torch.cat(centres), torch.cat(strides)
        )


def _conv(inputs: int, outputs: int, side: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, padding=side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _separable(width: int) -> nn.Sequential:
    """See five by five pixels: two small filters cost a tenth of one large one's way back."""
    first = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
    return nn.Sequential(first, _conv(width, width, 3, width), _conv(width, width, 1))


def _centres(level: Tensor, stride: int) -> Tensor:
    h, w = level.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(h, device=level.device), torch.arange(w, device=level.device), indexing="ij"
    )
    return (torch.stack([x, y], 2).reshape(-1, 2).float() + 0.5) * stride


class Loss(NamedTuple):
    """The parts of the loss of a batch, scalars."""

    score: Tensor
    box: Tensor

    @property
    def total(self) -> Tensor:
        """Return what is minimised."""
        return self.score + 2.0 * self.box


def loss_of(
    cells: Cells,
    boxes: Sequence[Tensor],
    classes: Sequence[Tensor],
    class_weights: Tensor | None = None,
) -> Loss:
    """Return the loss of a batch against its boxes, (b, 4) px, and their classes, (b,)."""
    wanted = torch.zeros_like(cells.scores)
    targets: list[Tensor] = []
    weights, said, true = [], [], []
    for i, (mine, kinds) in enumerate(zip(boxes, classes, strict=True)):
        if not len(mine):
            continue
        cell, box, target = _assigned(cells, i, mine, kinds)
        wanted[i, cell, kinds[box]] = target
        weights.append(target if class_weights is None else target * class_weights[kinds[box]])
        targets.append(target)
        said.append(cells.boxes[i, cell])
        true.append(mine[box])
    total = torch.cat(targets).sum().clamp(min=1.0) if targets else cells.scores.new_ones(())
    certainty = cells.scores.detach().sigmoid()
    # A cell without a box counts by how sure it is (Zhang et al. 2021), one with by its target.
    heed = torch.where(wanted > 0, 0.25 + wanted, certainty.pow(1.5))
    if class_weights is not None:
        heed = heed * class_weights
    score = F.binary_cross_entropy_with_logits(cells.scores, wanted, heed, reduction="sum")
    if not weights:
        return Loss(score / total, cells.boxes.sum() * 0)
    misplaced = generalized_box_iou_loss(torch.cat(said), torch.cat(true))
    return Loss(score / total, (misplaced * torch.cat(weights)).sum() / total)


@torch.no_grad()
def _assigned(cells: Cells, i: int, boxes: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the cells that answer for a box, the box each answers for, and the score to reach."""
    overlap = _iou(boxes, cells.boxes[i])
    likely = cells.scores[i].sigmoid()[:, kinds].T
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    half = (boxes[:, None, 2:] - boxes[:, None, :2]) / 2
    reach = torch.maximum(half, 1.5 * cells.strides[None, :, None])
    inside = ((cells.centres[None] - middle).abs() < reach).all(2)
    fit = likely.sqrt() * overlap.pow(4)
    fit = torch.where(inside, fit + 1e-9, 0.0)
    best = fit.topk(min(_CANDIDATES, fit.shape[1]), dim=1)
    chosen = torch.zeros_like(inside).scatter_(1, best.indices, best.values > 0)
    overlap = torch.where(chosen, overlap, -1.0)
    owner = overlap.argmax(0)
    cell = chosen.any(0).nonzero().squeeze(1)
    box = owner[cell]
    share = fit[box, cell] / fit.masked_fill(~chosen, 0).amax(1)[box].clamp(min=1e-9)
    most = overlap.amax(1).clamp(min=0)[box]
    return cell, box, (share * most).clamp(0, 1)


def _iou(a: Tensor, b: Tensor) -> Tensor:
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clamp(min=0).prod(2)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).clamp(min=0).prod(1) for x in (a, b))
    return inter / (area_a[:, None] + area_b[None] - inter).clamp(min=1e-6)


def boxes_of_cells(
    cells: Cells, i: int, least: float = 0.02, overlap: float = 0.5
) -> tuple[Tensor, Tensor, Tensor]:
    """Return one image's boxes (b, 4) px, scores and classes, surest first, doubles removed."""
    scores = cells.scores[i].sigmoid()
    cell, kind = (scores > least).nonzero(as_tuple=True)
    sure, boxes = scores[cell, kind], cells.boxes[i, cell]
    keep = batched_nms(boxes, sure, kind, overlap)[:_LARGEST]
    return boxes[keep], sure[keep], kind[keep]
