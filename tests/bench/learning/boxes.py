"""Boxes from few labelled images: mean average precision on `bccd` beside a plain Faster R-CNN.

Needs the shared data, and minutes of two cores, so what is measured is said by the environment:
BOXES_LABELS (images learnt from: 40), BOXES_MINUTES (5), BOXES_SEEDS (1), BOXES_REFERENCE (1: the
plain recipe too; 0: without it), BOXES_SEED (the first: 0). Wall time means little on a busy machine:
BOXES_CPU_SECONDS instead of BOXES_MINUTES lets the steps take so many seconds of the processor, on
one thread, because a second one burns time waiting for its turn.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from defusedxml.ElementTree import parse

from core.labels.region import Region, Shape
from core.learning.detect import DetectRequest, train_detector
from core.learning.values import ImageRef, RegionExample
from tests.conftest import SHARED

CLASSES = ("RBC", "WBC", "Platelets")
REFERENCE = "fasterrcnn_mobilenet_v2_fpn"
"""The plain recipe: an RoI detector on the same trunk, pyramid and size, without what makes ours quick."""


def run(folder: Path) -> dict[str, object]:
    """Return mAP at overlap 0.5 with its interval, for ours and the plain recipe, seed by seed."""
    data = SHARED / "datasets" / "bccd"
    if not data.is_dir():
        return {"skipped": "the shared datasets are not beside this checkout"}
    os.environ.setdefault("TORCH_HOME", str(SHARED / "weights"))
    labels, minutes, seeds = (
        int(os.environ.get("BOXES_LABELS", "40")),
        float(os.environ.get("BOXES_MINUTES", "5")),
        int(os.environ.get("BOXES_SEEDS", "1")),
    )
    first = int(os.environ.get("BOXES_SEED", "0"))
    processor = float(os.environ.get("BOXES_CPU_SECONDS", "0"))
    if processor:
        torch.set_num_threads(1)
    known = examples(data)
    detectors = ["mobilenet_v2"]
    if os.environ.get("BOXES_REFERENCE", "1") != "0":
        detectors.append(REFERENCE)
    spent = {"cpu_seconds": processor} if processor else {"minutes": minutes}
    doc: dict[str, object] = {"labels": labels, **spent, "images": len(known)}
    for name in detectors:
        doc[name] = [
            measured(folder / f"{name}-{seed}", name, known, labels, minutes, seed, processor)
            for seed in range(first, first + seeds)
        ]
    return doc


def examples(data: Path) -> list[RegionExample]:
    """Return the images with their boxes; the two boxes without an area are left out."""
    found = []
    for number, path in enumerate(sorted((data / "images").glob("*.jpg"))):
        regions = []
        for thing in parse(data / "voc_xml" / f"{path.stem}.xml").getroot().iter("object"):
            x1, y1, x2, y2 = (
                float(thing.findtext(f"bndbox/{e}")) for e in ("xmin", "ymin", "xmax", "ymax")
            )
            if x2 > x1 and y2 > y1:
                regions.append(Region(thing.findtext("name"), x1, y1, x2, y2))
        image = ImageRef(number, path.stem, path)
        found.append(RegionExample(image, tuple(regions), "evaluate"))
    return found


def measured(
    folder: Path,
    name: str,
    known: list[RegionExample],
    labels: int,
    minutes: float,
    seed: int,
    processor: float = 0.0,
) -> dict[str, object]:
    """Train on a seeded draw, judge on all others, and say what it took and under which load."""
    drawn = set(np.random.default_rng(seed).permutation(len(known))[:labels].tolist())
    request = DetectRequest(
        classes=CLASSES,
        examples=tuple(replace(e, use="train") if i in drawn else e for i, e in enumerate(known)),
        pool=tuple(e.image for e in known),
        detector=name,
        shape=Shape.BOX,
        seed=seed,
        folder=folder,
        cache=folder / "cache",
        judged_on="all others",
        budget_seconds=processor or 60 * minutes,
        size=320,
        any_way_up=False if name == REFERENCE else None,  # the plain recipe flips left and right
        offline=True,
        clock=time.process_time if processor else time.monotonic,
    )
    load, cpu, started = os.getloadavg()[0], time.process_time(), time.monotonic()
    report = train_detector(request)
    return {
        **asdict(report.eval),
        "per_class": {row.label: row.ap50 for row in report.per_class},
        "steps": report.steps,
        "images_per_second": report.images_per_second,
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.monotonic() - started,
        "load": [load, os.getloadavg()[0]],
        "items_right": report.right,
        "way_up": report.way_up,
    }
