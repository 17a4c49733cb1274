"""Asking a detector: images to regions, mirrored views asked as well and all answers fused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.labels.region import Region, Shape
from core.labels.shapes import keypoints_region, mask_region, polygon_region
from core.learning.detect.data import Picture, original, read_pictures
from core.learning.detect.folder import load_detector
from core.learning.detect.models import Detector, Found
from core.learning.detect.values import RegionPredictions
from core.learning.values import (
    ImageRef,
    OnProgress,
    Progress,
    ShouldStop,
    StopRequested,
    never_stop,
    no_progress,
)

_BATCH = 8
_CHUNK = 64
_SAME = 0.55
"""Boxes of one class that overlap so much in two views are one box."""
_VIEWS: tuple[tuple[int, ...], ...] = ((), (3,), (2,), (2, 3))
"""Axes flipped: as it is, mirrored, and for images without a way up the same upside down."""
_MOST = 100
"""Regions kept of an image where shapes are asked for."""


def predict_regions(
    folder: Path,
    images: Sequence[ImageRef],
    progress: OnProgress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> RegionPredictions:
    """Return what a stored detector says of the images, unreadable ones left out.

    Raises:
        BadCheckpoint: The model's folder is missing, changed or damaged.
        StopRequested: ``should_stop`` said so.
    """
    stored = load_detector(folder)
    regions, skipped = find_regions(
        stored.detector,
        images,
        stored.classes,
        stored.shape,
        stored.size,
        stored.any_way_up,
        progress,
        should_stop,
    )
    return RegionPredictions(regions, stored.threshold, skipped)


def find_regions(
    detector: Detector,
    images: Sequence[ImageRef],
    classes: Sequence[str],
    shape: Shape,
    size: int,
    any_way_up: bool,
    progress: OnProgress,
    should_stop: ShouldStop,
) -> tuple[dict[int, tuple[Region, ...]], dict[int, str]]:
    """Return the regions of each image that could be read, and why others could not.

    Raises:
        StopRequested: ``should_stop`` said so.
    """
    regions: dict[int, tuple[Region, ...]] = {}
    skipped: dict[int, str] = {}
    done = 0
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        read = read_pictures(chunk, [()] * len(chunk), classes, shape, size)
        skipped |= read.skipped
        for alike in _alike(read.pictures):
            if should_stop():
                raise StopRequested
            for picture, found in zip(
                alike, _asked(detector, alike, shape, any_way_up), strict=True
            ):
                regions[picture.item_id] = _regions(found, picture, classes, shape)
            done += len(alike)
            progress(Progress("predict", done, len(images)))
    return {i: regions[i] for i in sorted(regions)}, skipped


def _alike(pictures: Sequence[Picture]) -> Iterator[list[Picture]]:
    """Yield batches of images of one size."""
    by_size: dict[tuple[int, ...], list[Picture]] = {}
    for picture in pictures:
        by_size.setdefault(tuple(picture.pixels.shape), []).append(picture)
    for group in by_size.values():
        yield from (group[i : i + _BATCH] for i in range(0, len(group), _BATCH))


def _asked(
    detector: Detector, pictures: Sequence[Picture], shape: Shape, any_way_up: bool
) -> list[Found]:
    pixels = torch.stack([p.pixels for p in pictures])
    if shape is not Shape.BOX:
        return detector.detect(pixels)
    views = []
    for flipped in _VIEWS if any_way_up else _VIEWS[:2]:
        said = detector.detect(pixels.flip(flipped))
        views.append([_turned_back(found, pixels.shape[2:], flipped) for found in said])
    return [fused_boxes(said) for said in zip(*views, strict=True)]


def _turned_back(found: Found, size: torch.Size, flipped: tuple[int, ...]) -> Found:
    boxes = found.boxes.clone()
    for dim in flipped:
        low, high = (1, 3) if dim == 2 else (0, 2)
        boxes[:, low], boxes[:, high] = (
            size[dim - 2] - boxes[:, high],
            size[dim - 2] - boxes[:, low],
        )
    return found._replace(boxes=boxes)


def fused_boxes(views: Sequence[Found]) -> Found:
    """Return what several views of an image say together (weighted boxes fusion, Solovyev et al. 2021).

    Boxes of one class that overlap are averaged by their scores; what fewer views saw is less sure.
    """
    boxes = np.concatenate([v.boxes.numpy() for v in views])
    scores = np.concatenate([v.scores.numpy() for v in views])
    kinds = np.concatenate([v.kinds.numpy() for v in views])
    view = np.concatenate([np.full(len(v.boxes), i) for i, v in enumerate(views)])
    order = np.argsort(-scores, kind="stable")
    boxes, scores, kinds, view = boxes[order], scores[order], kinds[order], view[order]
    together = _overlap(boxes, boxes) * (kinds[:, None] == kinds[None])
    free = np.ones(len(boxes), dtype=bool)
    rows: list[tuple[np.ndarray, float, int]] = []
    for i in range(len(boxes)):
        if not free[i]:
            continue
        group = [i]
        for v in range(len(views)):  # the best of every other view, and no second of one
            if v != view[i]:
                near = np.where(free & (view == v), together[i], 0.0)
                if near.size and near.max() >= _SAME:
                    group.append(int(near.argmax()))
        free[group] = False
        weight = scores[group]
        rows.append(
            (np.average(boxes[group], axis=0, weights=weight), float(weight.sum()) / len(views), int(kinds[i]))
        )  # fmt: skip
    rows.sort(key=lambda row: -row[1])
    return Found(
        torch.tensor(np.array([r[0] for r in rows]).reshape(-1, 4), dtype=torch.float32),
        torch.tensor([r[1] for r in rows], dtype=torch.float32),
        torch.tensor([r[2] for r in rows], dtype=torch.int64),
    )


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(2)
    areas = [(x[:, 2:] - x[:, :2]).prod(1) for x in (a, b)]
    union = areas[0][:, None] + areas[1][None] - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0))


def _regions(
    found: Found, picture: Picture, classes: Sequence[str], shape: Shape
) -> tuple[Region, ...]:
    boxes = original(found.boxes, picture)
    rows = []
    for i, (box, score, kind) in enumerate(
        zip(boxes.tolist(), found.scores.tolist(), found.kinds.tolist(), strict=True)
    ):
        if box[2] - box[0] < 1 or box[3] - box[1] < 1 or kind >= len(classes):
            continue
        label, sure = classes[kind], round(float(score), 4)
        region: Region | None = Region(label, *_edges(box), sure)
        if shape is Shape.KEYPOINTS and found.points is not None:
            region = _skeleton(found.points[i], picture, label, sure)
        elif found.masks is not None:
            region = _shape(found.masks[i], picture, label, sure, shape)
        if region is not None:
            rows.append(region)
        if shape is not Shape.BOX and len(rows) == _MOST:
            break
    return tuple(rows)


def _edges(box: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(v, 2) for v in box)
    return (x1, y1, x2, y2)


def _skeleton(points: Tensor, picture: Picture, label: str, sure: float) -> Region:
    h, w = picture.pixels.shape[1:]
    places = points.clone()
    places[:, 0] = (places[:, 0] * picture.width / w).clamp(0, picture.width)
    places[:, 1] = (places[:, 1] * picture.height / h).clamp(0, picture.height)
    return keypoints_region(label, [(x, y, 2.0) for x, y, _ in places.tolist()], sure)


def _shape(mask: Tensor, picture: Picture, label: str, sure: float, shape: Shape) -> Region | None:
    whole = torch.nn.functional.interpolate(
        mask[None, None], size=(picture.height, picture.width), mode="bilinear"
    )[0, 0]
    pixels = (whole > 0.5).numpy()
    if not pixels.any():
        return None
    if shape is Shape.MASK:
        return mask_region(label, pixels, sure)
    ring = outline(pixels)
    return polygon_region(label, ring, sure) if len(ring) >= 3 else None


def outline(pixels: np.ndarray) -> list[tuple[float, float]]:
    """Return the outer ring of the largest piece of a mask, in pixels, with few corners.

    Rays from the middle of the piece: what lies behind a dent of the shape is taken in.
    """
    from scipy.ndimage import center_of_mass, label

    pieces, count = label(pixels)
    if not count:
        return []
    piece = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    rows, columns = np.nonzero(piece)
    middle = center_of_mass(piece)
    turn = np.arctan2(rows - middle[0], columns - middle[1])
    reach = np.hypot(rows - middle[0], columns - middle[1])
    rays = 48
    which = ((turn + np.pi) / (2 * np.pi) * rays).astype(int) % rays
    ring = []
    for ray in range(rays):
        mine = np.flatnonzero(which == ray)
        if len(mine):
            far = mine[reach[mine].argmax()]
            ring.append((float(columns[far]) + 0.5, float(rows[far]) + 0.5))
    return ring
