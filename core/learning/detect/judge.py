"""Average precision as COCO counts it, by pycocotools, with intervals over images. Free of torch."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.labels.likeness import OKS_SIGMA
from core.labels.region import Region, Shape
from core.labels.shapes import as_rle, filled, mask_height, run_lengths
from core.learning.detect.match import item_right
from core.learning.detect.values import BoxScore, ClassScore

REPLICATES = 1_000
MOST_OF_A_CLASS = 300
"""Regions of a class counted in one image, surest first."""
FEWEST_IMAGES = 10
"""Fewer judged images give no figure."""
_KIND = {Shape.BOX: "bbox", Shape.POLYGON: "segm", Shape.MASK: "segm", Shape.KEYPOINTS: "keypoints"}


@dataclass(frozen=True, slots=True)
class Judged:
    """How well regions were found: over all, and by class in schema order."""

    eval: BoxScore
    per_class: tuple[ClassScore, ...]


def judge(
    truth: Mapping[int, Sequence[Region]],
    said: Mapping[int, Sequence[Region]],
    classes: Sequence[str],
    shape: Shape,
    on: str,
    seed: int = 0,
) -> Judged:
    """Return the average precision of what was said of the items in both mappings."""
    items = sorted(truth.keys() & said.keys())
    if len(items) < FEWEST_IMAGES or not any(truth[i] for i in items):
        nothing = tuple(ClassScore(c, 0, None, None, None) for c in classes)
        return Judged(BoxScore("none", 0, None, None, None, None), nothing)
    found = _evaluated(items, truth, said, classes, shape)
    precision = found.eval["precision"][:, :, :, 0, -1]  # overlap, recall, class
    by_class = np.where(precision[0].max(0) > -1, precision[0].mean(0), np.nan)
    counts = np.array([sum(r.label == c for i in items for r in truth[i]) for c in classes])
    redrawn = _redrawn(found, len(items), len(classes), seed)
    low, high = np.zeros((2, len(classes)))
    there = counts > 0
    low[there], high[there] = np.nanquantile(redrawn[:, there], [0.025, 0.975], axis=0)
    over_all = np.nanquantile(np.nanmean(redrawn[:, there], axis=1), [0.025, 0.975])
    rows = tuple(
        ClassScore(c, int(n), float(ap), float(a), float(b))
        if n
        else ClassScore(c, 0, None, None, None)
        for c, n, ap, a, b in zip(classes, counts, by_class, low, high, strict=True)
    )
    every = precision[precision > -1]
    score = BoxScore(
        on,
        len(items),
        float(np.nanmean(by_class[there])),
        float(every.mean()),
        float(over_all[0]),
        float(over_all[1]),
    )
    return Judged(score, rows)


def best_threshold(
    truth: Mapping[int, Sequence[Region]], said: Mapping[int, Sequence[Region]]
) -> float:
    """Return the score from which proposing regions gives the best F1 at overlap 0.5."""
    from core.learning.detect.match import trade

    grid = [round(0.05 * i, 2) for i in range(2, 18)]
    items = sorted(truth.keys() & said.keys())
    rows = trade([truth[i] for i in items], [said[i] for i in items], grid)

    def f1(i: int) -> float:
        row = rows[i]
        wrong = row.duplicates + row.misplaced + row.confused + row.false + row.missed
        return 2 * row.hits / max(1, 2 * row.hits + wrong)

    return grid[max(range(len(grid)), key=f1)]


def items_right(
    truth: Mapping[int, Sequence[Region]],
    said: Mapping[int, Sequence[Region]],
    threshold: float,
    iou: float = 0.5,
) -> tuple[int, int]:
    """Return how many items are wholly right at a threshold, and of how many."""
    items = sorted(truth.keys() & said.keys())
    kept = {i: [r for r in said[i] if (r.confidence or 0.0) >= threshold] for i in items}
    return sum(item_right(truth[i], kept[i], iou) for i in items), len(items)


def _evaluated(
    items: Sequence[int],
    truth: Mapping[int, Sequence[Region]],
    said: Mapping[int, Sequence[Region]],
    classes: Sequence[str],
    shape: Shape,
) -> COCOeval:
    sizes = {i: _height_width([*truth[i], *said[i]]) for i in items}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells the time on stdout
        known, spoken = (
            _coco(items, side, classes, sizes, scored)
            for side, scored in ((truth, False), (said, True))
        )
        found = COCOeval(known, spoken, _KIND[shape])
        found.params.imgIds, found.params.catIds = list(items), list(range(1, len(classes) + 1))
        found.params.areaRng, found.params.areaRngLbl = [[0, 1e10]], ["all"]
        found.params.maxDets = [MOST_OF_A_CLASS]
        if shape is Shape.KEYPOINTS:
            points = max(len(r.points) for i in items for r in truth[i])
            found.params.kpt_oks_sigmas = np.full(points, OKS_SIGMA)
        found.evaluate()
        found.accumulate()
    return found


def _coco(
    items: Sequence[int],
    regions: Mapping[int, Sequence[Region]],
    classes: Sequence[str],
    sizes: Mapping[int, tuple[int, int]],
    scored: bool,
) -> COCO:
    number = {c: k for k, c in enumerate(classes, 1)}
    rows: list[dict[str, Any]] = []
    for i in items:
        for region in regions[i]:
            if region.label in number:
                row = _annotation(region, number[region.label], i, *sizes[i])
                if scored:
                    row["score"] = 1.0 if region.confidence is None else region.confidence
                rows.append({**row, "id": len(rows) + 1})
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i, "height": sizes[i][0], "width": sizes[i][1]} for i in items],
        "categories": [{"id": k, "name": c} for c, k in number.items()],
        "annotations": rows,
    }
    coco.createIndex()
    return coco


def _annotation(region: Region, kind: int, item: int, height: int, width: int) -> dict[str, Any]:
    x1, y1, x2, y2 = region.box
    row: dict[str, Any] = {
        "image_id": item,
        "category_id": kind,
        "iscrowd": 0,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": max(region.area, 1e-6),
    }
    if region.shape is Shape.MASK:
        row["segmentation"] = as_rle(region.rle, height, width)
    elif region.shape is Shape.POLYGON:
        row["segmentation"] = filled(region, height, width)
    elif region.shape is Shape.KEYPOINTS:
        row["keypoints"] = [v for point in region.points for v in point]
        row["num_keypoints"] = sum(1 for *_, v in region.points if v)
    return row


def _height_width(regions: Sequence[Region]) -> tuple[int, int]:
    """Return a grid that holds the regions of one image: that of its masks where there are any."""
    masks = [r for r in regions if r.shape is Shape.MASK]
    if masks:
        height = mask_height(masks)
        return height, sum(run_lengths(masks[0].rle)) // height
    return (
        int(max((r.y2 for r in regions), default=0)) + 1,
        int(max((r.x2 for r in regions), default=0)) + 1,
    )


def _redrawn(found: COCOeval, n: int, k: int, seed: int) -> np.ndarray:
    """Return average precision by class at overlap 0.5 with whole images drawn again, (draws, k)."""
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), REPLICATES)
    out = np.full((REPLICATES, k), np.nan)
    for c in range(k):
        rows = found.evalImgs[c * n : (c + 1) * n]
        image, score, hit = [np.zeros(0, int)], [np.zeros(0)], [np.zeros(0, bool)]
        truths = np.zeros(n)
        for i, row in enumerate(rows):
            if row is None:
                continue
            truths[i] = int((np.asarray(row["gtIgnore"]) == 0).sum())
            image.append(np.full(len(row["dtScores"]), i))
            score.append(np.asarray(row["dtScores"], dtype=float))
            hit.append(np.asarray(row["dtMatches"])[0] > 0)
        order = np.argsort(-np.concatenate(score), kind="mergesort")
        where, right = np.concatenate(image)[order], np.concatenate(hit)[order]
        for d, drawn in enumerate(draws):
            out[d, c] = _average_precision(drawn[where], right, float(drawn @ truths))
    return out


def _average_precision(weight: np.ndarray, hit: np.ndarray, truths: float) -> float:
    """Return the mean precision at 101 recalls, as COCO has it, of weighted detections."""
    if truths <= 0:
        return float("nan")
    right = np.cumsum(weight * hit)
    precision = right / np.maximum(np.cumsum(weight), 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / truths, np.linspace(0, 1, 101), side="left")
    return float(np.where(at < len(envelope), np.append(envelope, 0.0)[at], 0.0).mean())
