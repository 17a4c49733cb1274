"""Masks and keypoints from few labelled images: real leaves, laid on sheets, so that the truth is known exactly.

The leaves are scanned silhouettes of the shared set; a sheet holds one to four of them, turned and
scaled by chance, each in its own green. Asked are the mask and the genus, or the two ends of the longest
axis. SHAPES_LABELS (sheets learnt from: 80), SHAPES_MINUTES (10).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from core.labels.region import Region, Shape
from core.labels.shapes import keypoints_region, mask_region
from core.learning.detect import DetectRequest, train_detector
from core.learning.values import ImageRef, RegionExample
from tests.conftest import SHARED

GENERA = {
    "maple": "Acer_*", "alder": "Alnus_*", "oak": "Quercus_[KC]*", "ginkgo": "Ginkgo_*",
    "redbud": "Cercis_*", "tulip tree": "Liriodendron_*",
}  # fmt: skip
SHEETS, SIDE = 200, 320
LONGEST = (90, 150)
TRIES = 30


def run(folder: Path) -> dict[str, object]:
    """Return mean average precision on the sheets not learnt from, for masks and for keypoints."""
    data = SHARED / "datasets" / "leaves" / "images"
    if not data.is_dir():
        return {"skipped": "the shared datasets are not beside this checkout"}
    os.environ.setdefault("TORCH_HOME", str(SHARED / "weights"))
    labels = int(os.environ.get("SHAPES_LABELS", "80"))
    minutes = float(os.environ.get("SHAPES_MINUTES", "10"))
    doc: dict[str, object] = {"sheets": SHEETS, "labels": labels, "minutes": minutes}
    for shape in (Shape.MASK, Shape.KEYPOINTS):
        examples = sheets(data, folder / shape.value, shape, labels)
        report = train_detector(
            DetectRequest(
                classes=tuple(sorted(GENERA)), examples=tuple(examples),
                pool=tuple(e.image for e in examples), detector="mobilenet_v2", shape=shape, seed=0,
                folder=folder / f"{shape.value}-run", cache=folder / "cache", judged_on="all others",
                budget_seconds=60 * minutes, size=SIDE, keypoints=2, offline=True,
            )
        )  # fmt: skip
        doc[shape.value] = {
            **asdict(report.eval), "steps": report.steps, "seconds": report.seconds,
            "load": os.getloadavg()[0],
        }  # fmt: skip
    return doc


def sheets(data: Path, folder: Path, shape: Shape, labels: int) -> list[RegionExample]:
    """Lay leaves on sheets, the first ones to learn from."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    leaves = {g: sorted(p for d in data.glob(w) for p in d.iterdir()) for g, w in GENERA.items()}
    found = []
    for n in range(SHEETS):
        pixels = np.full((SIDE, SIDE, 3), 240.0) + rng.normal(0, 5, (SIDE, SIDE, 1))
        taken = np.zeros((SIDE, SIDE), dtype=bool)
        regions = []
        for _ in range(int(rng.integers(1, 5))):
            genus = str(rng.choice(sorted(leaves)))
            path = leaves[genus][int(rng.integers(len(leaves[genus])))]
            mask = _placed(_turned(path, rng), taken, rng)
            if mask is not None:
                taken |= mask
                green = np.array([40, rng.integers(90, 150), rng.integers(30, 80)])
                pixels[mask] = green + rng.normal(0, 8, (int(mask.sum()), 1))
                regions.append(_region(genus, mask, shape))
        place = folder / f"{n}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place)
        use = "train" if n < labels else "evaluate"
        found.append(RegionExample(ImageRef(n, f"{shape.value}{n}", place), tuple(regions), use))
    return found


def _turned(path: Path, rng: np.random.Generator) -> np.ndarray:
    """Return a leaf's silhouette, scaled and turned, cut to its own box."""
    with Image.open(path) as opened:
        factor = int(rng.integers(*LONGEST)) / max(opened.size)
        size = (max(1, int(opened.width * factor)), max(1, int(opened.height * factor)))
        grey = opened.convert("L").resize(size, Image.Resampling.BOX)
    pixels = np.asarray(grey.rotate(float(rng.uniform(0, 360)), expand=True)) > 127
    rows, columns = np.nonzero(pixels)
    return np.asarray(pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])


def _placed(leaf: np.ndarray, taken: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Return where on the sheet the leaf lies, or None where no free place was found."""
    h, w = leaf.shape
    for _ in range(TRIES):
        y, x = int(rng.integers(0, SIDE - h)), int(rng.integers(0, SIDE - w))
        if not (taken[y : y + h, x : x + w] & leaf).any():
            whole = np.zeros_like(taken)
            whole[y : y + h, x : x + w] = leaf
            return whole
    return None


def _region(genus: str, mask: np.ndarray, shape: Shape) -> Region:
    if shape is Shape.MASK:
        return mask_region(genus, mask)
    rows, columns = np.nonzero(mask)
    places = np.stack([columns, rows], 1).astype(float)
    axis = np.linalg.svd(places - places.mean(0), full_matrices=False)[2][0]
    along = (places - places.mean(0)) @ axis
    ends = sorted([places[along.argmin()].tolist(), places[along.argmax()].tolist()])
    return keypoints_region(genus, [(x, y, 2.0) for x, y in ends])
