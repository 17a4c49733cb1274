"""Images with their regions as tensors: read once, varied anew at every step, exactly alike by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 the name everybody uses

from core.errors import BadImage
from core.labels.region import Region, Shape
from core.labels.shapes import filled, mask_height, mask_pixels
from core.learning.backbones import MEAN
from core.learning.preprocess import quiet_decoding, upright_pixels
from core.learning.values import ImageRef

SIZES = (320, 416, 512, 640)
_LEAST_BOX_PX = 12.0
"""One in ten boxes may be thinner than this as the network sees them."""
_LEAST_LEFT = 0.35
"""Share of a box that must still be in the picture after it was moved."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is in one image, in pixels of the scaled image.

    Attributes:
        boxes: float32 (n, 4).
        kinds: int64 (n,), places in the classes.
        masks: uint8 (n, h, w), or None where no shapes are asked for.
        points: float32 (n, p, 3) as COCO has them, or None.
    """

    boxes: Tensor
    kinds: Tensor
    masks: Tensor | None = None
    points: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One image in memory: pixels uint8 (3, h, w), what is in it, and its size before it was scaled."""

    item_id: int
    pixels: Tensor
    target: Target
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Variation:
    """How images are varied. Chances and largest changes, as shares.

    Attributes:
        mirror: Whether left and right may change places.
        any_way_up: Whether images may be turned by quarters and put upside down.
        scale: Largest change of scale, 0.35 for a factor of 1.35 either way.
        light: Largest change of brightness and contrast.
        tint: Largest change of each colour.
        mosaic: Chance that four images are joined into one.
    """

    mirror: bool = True
    any_way_up: bool = False
    scale: float = 0.35
    light: float = 0.15
    tint: float = 0.1
    mosaic: float = 0.0


@dataclass(frozen=True, slots=True)
class Read:
    """Images that could be read, in the order given, and why others could not."""

    pictures: tuple[Picture, ...]
    skipped: dict[int, str] = field(default_factory=dict)


def chosen_size(regions: Sequence[tuple[Region, ...]], images: Sequence[ImageRef]) -> int:
    """Return the longer side to scale images to, so that few boxes become too thin to be seen."""
    thin = []
    for image, held in zip(images, regions, strict=True):
        if held and (longer := _longer_side(image)):
            thin += [min(r.x2 - r.x1, r.y2 - r.y1) / longer for r in held]
    if not thin:
        return SIZES[0]
    share = float(np.quantile(thin, 0.1))
    return next((s for s in SIZES if share * s >= _LEAST_BOX_PX), SIZES[-1])


def _longer_side(image: ImageRef) -> int:
    try:
        with Image.open(image.path) as opened:
            return max(opened.size)
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0


def read_pictures(
    images: Sequence[ImageRef],
    regions: Sequence[tuple[Region, ...]],
    classes: Sequence[str],
    shape: Shape,
    size: int,
) -> Read:
    """Return the images scaled so that their longer side is ``size``, with what is in them."""
    skipped: dict[int, str] = {}

    def read(i: int) -> Picture | None:
        try:
            return _picture(images[i], regions[i], classes, shape, size)
        except BadImage as error:
            skipped[images[i].item_id] = str(error)
            return None

    with quiet_decoding(), ThreadPoolExecutor() as threads:
        found = list(threads.map(read, range(len(images))))
    return Read(tuple(p for p in found if p is not None), skipped)


def _picture(
    image: ImageRef, regions: Sequence[Region], classes: Sequence[str], shape: Shape, size: int
) -> Picture:
    pixels, width, height = upright_pixels(image.path, size)
    h, w = pixels.shape[:2]
    known = [r for r in regions if r.label in classes and r.area > 0]
    boxes = torch.tensor([r.box for r in known], dtype=torch.float32).reshape(-1, 4)
    kinds = torch.tensor([classes.index(r.label) for r in known], dtype=torch.int64)
    boxes = boxes * torch.tensor([w / width, h / height] * 2)
    masks = points = None
    if shape in (Shape.MASK, Shape.POLYGON):
        masks = _masks(known, height, width, h, w)
    if shape is Shape.KEYPOINTS:
        count = max((len(r.points) for r in known), default=1)
        rows = [r.points for r in known]
        points = torch.tensor(rows, dtype=torch.float32).reshape(len(known), count, 3)
        points = points * torch.tensor([w / width, h / height, 1.0])
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()
    return Picture(image.item_id, tensor, Target(boxes, kinds, masks, points), height, width)


def _masks(regions: Sequence[Region], height: int, width: int, h: int, w: int) -> Tensor:
    from pycocotools import mask as coco

    rows = np.zeros((len(regions), h, w), dtype=np.uint8)
    for i, region in enumerate(regions):
        if region.shape is Shape.MASK:
            if mask_height([region]) != height:
                continue  # of another image; its box alone is learnt
            whole = mask_pixels(region, height, width)
        else:
            whole = coco.decode(filled(region, height, width))
        grey = Image.fromarray(np.asarray(whole, dtype=np.uint8) * 255)
        rows[i] = np.asarray(grey.resize((w, h), Image.Resampling.BOX)) > 127
    return torch.from_numpy(rows)


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one size, uint8 (n, 3, h, w), and what is in them."""

    pixels: Tensor
    targets: list[Target]


def canvas_of(pictures: Sequence[Picture]) -> tuple[int, int]:
    """Return the height and width that hold every image."""
    return max(p.pixels.shape[1] for p in pictures), max(p.pixels.shape[2] for p in pictures)


def varied_batch(
    pictures: Sequence[Picture], count: int, variation: Variation, generator: torch.Generator
) -> Batch:
    """Return so many images drawn and varied at random, all on one canvas."""
    canvas = canvas_of(pictures)
    rows, targets = [], []
    for place in torch.randint(len(pictures), (count,), generator=generator).tolist():
        pixels, target = _varied(pictures[place], canvas, variation, generator)
        if variation.mosaic and _chance(generator) < variation.mosaic and target.masks is None:
            others = torch.randint(len(pictures), (3,), generator=generator).tolist()
            parts = [_varied(pictures[i], canvas, variation, generator) for i in others]
            pixels, target = _joined([(pixels, target), *parts], generator)
        rows.append(_lit(pixels, variation, generator))
        targets.append(target)
    return Batch(torch.stack(rows), targets)


def _chance(generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _varied(
    picture: Picture, canvas: tuple[int, int], variation: Variation, generator: torch.Generator
) -> tuple[Tensor, Target]:
    """Return the image turned, mirrored, scaled and moved onto the canvas; float (3, h, w)."""
    h, w = picture.pixels.shape[1:]
    matrix = _turn(variation, generator)
    factor = math.exp(_chance(generator, -1.0, 1.0) * math.log1p(variation.scale))
    matrix = matrix * factor
    wide, tall = (matrix.abs() @ torch.tensor([float(w), float(h)])).tolist()
    room = torch.tensor([max(abs(wide - canvas[1]), 0.1 * w), max(abs(tall - canvas[0]), 0.1 * h)])
    shift = (torch.rand(2, generator=generator) - 0.5) * room
    shift = shift + torch.tensor([canvas[1] / 2, canvas[0] / 2])
    middle = torch.tensor([w / 2, h / 2])
    grid = _grid(matrix, shift, middle, canvas)
    pixels = F.grid_sample(picture.pixels[None].float(), grid, align_corners=False)[0]
    covered = F.grid_sample(torch.ones(1, 1, h, w), grid, align_corners=False)[0]
    pixels = pixels + (1 - covered) * (torch.tensor(MEAN).view(3, 1, 1) * 255)
    return pixels, _moved(picture.target, matrix, shift, middle, grid, canvas)


def _turn(variation: Variation, generator: torch.Generator) -> Tensor:
    draws = (torch.rand(3, generator=generator) < 0.5).tolist()
    x = -1.0 if draws[0] and variation.mirror else 1.0
    y = -1.0 if draws[1] and variation.any_way_up else 1.0
    if draws[2] and variation.any_way_up:
        return torch.tensor([[0.0, y], [x, 0.0]])
    return torch.tensor([[x, 0.0], [0.0, y]])


def _grid(matrix: Tensor, shift: Tensor, middle: Tensor, canvas: tuple[int, int]) -> Tensor:
    """Return where each pixel of the canvas comes from, in the units of `grid_sample`."""
    half = torch.tensor([canvas[1] / 2, canvas[0] / 2])
    back = torch.linalg.inv(matrix)
    theta = torch.zeros(1, 2, 3)
    theta[0, :, :2] = back * half[None] / middle[:, None]
    theta[0, :, 2] = (back @ (half - shift)) / middle
    return F.affine_grid(theta, [1, 3, *canvas], align_corners=False)


def _moved(
    target: Target,
    matrix: Tensor,
    shift: Tensor,
    middle: Tensor,
    grid: Tensor,
    canvas: tuple[int, int],
) -> Target:
    corners = torch.stack([target.boxes[:, :2], target.boxes[:, 2:]], 1)
    corners = (corners - middle) @ matrix.T + shift
    whole = torch.cat([corners.amin(1), corners.amax(1)], 1)
    boxes, kept = _cut(whole, (0, 0, canvas[1], canvas[0]))
    masks = points = None
    if target.masks is not None:
        masks = target.masks[kept]
        if len(masks):
            masks = F.grid_sample(masks[None].float(), grid, mode="nearest", align_corners=False)[0]
            masks = masks.to(torch.uint8)
        else:
            masks = torch.zeros(0, *canvas, dtype=torch.uint8)
    if target.points is not None:
        points = target.points[kept].clone()
        points[..., :2] = (points[..., :2] - middle) @ matrix.T + shift
        inside = (points[..., :2] >= 0) & (points[..., :2] < torch.tensor([canvas[1], canvas[0]]))
        points[..., 2] *= inside.all(-1)
    return Target(boxes[kept], target.kinds[kept], masks, points)


def _cut(boxes: Tensor, frame: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Return the boxes cut to the frame, and which of them are still mostly there."""
    cut = boxes.clone()
    cut[:, 0::2] = cut[:, 0::2].clamp(frame[0], frame[2])
    cut[:, 1::2] = cut[:, 1::2].clamp(frame[1], frame[3])
    before, after = boxes[:, 2:] - boxes[:, :2], cut[:, 2:] - cut[:, :2]
    kept = (after.prod(1) > _LEAST_LEFT * before.prod(1)) & (after.amin(1) > 2)
    return cut, kept


def _joined(
    parts: Sequence[tuple[Tensor, Target]], generator: torch.Generator
) -> tuple[Tensor, Target]:
    """Join four images around a random middle, each keeping its own quarter."""
    h, w = parts[0][0].shape[1:]
    x, y = int(w * _chance(generator, 0.3, 0.7)), int(h * _chance(generator, 0.3, 0.7))
    frames = ((0, 0, x, y), (x, 0, w, y), (0, y, x, h), (x, y, w, h))
    pixels = parts[0][0].clone()
    boxes, kinds = [], []
    for (picture, target), frame in zip(parts, frames, strict=True):
        left, top, right, bottom = frame
        pixels[:, top:bottom, left:right] = picture[:, top:bottom, left:right]
        cut, kept = _cut(target.boxes, frame)
        boxes.append(cut[kept])
        kinds.append(target.kinds[kept])
    return pixels, Target(torch.cat(boxes), torch.cat(kinds))


def _lit(pixels: Tensor, variation: Variation, generator: torch.Generator) -> Tensor:
    """Return the image in another light, uint8."""
    tint = 1 + (torch.rand(3, 1, 1, generator=generator) * 2 - 1) * variation.tint
    bright = 1 + _chance(generator, -1.0, 1.0) * variation.light
    contrast = 1 + _chance(generator, -1.0, 1.0) * variation.light
    middle = pixels.mean()
    changed = ((pixels - middle) * contrast + middle) * bright * tint
    return changed.clamp(0, 255).round().to(torch.uint8)


def original(boxes: Tensor, picture: Picture) -> Tensor:
    """Return boxes of the scaled image in original pixels, cut to the image."""
    h, w = picture.pixels.shape[1:]
    scaled = boxes * torch.tensor([picture.width / w, picture.height / h] * 2)
    limit = torch.tensor([picture.width, picture.height] * 2, dtype=torch.float32)
    return torch.minimum(scaled.clamp(min=0), limit)
