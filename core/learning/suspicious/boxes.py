"""Suspicious regions (ObjectLab, Tkachenko et al. 2023): overlooked, badly located, of another class.

Labels are held against what a detector says of images it did not learn from. Where the paper calls
a prediction sure from 0.95 on, detectors differ in what their 0.95 is worth; here sure means
surer than the score from which its predictions agree with the labels 95 times of 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.labels.geometry import likeness
from core.labels.region import Region

AGREE = 0.95
"""From the score at which so many predictions agree with a label a prediction is sure."""
FEWEST = 20
"""Below so many sure predictions the paper's own 0.95 is kept."""
MIDDLING = 0.5
"""From this score on, or half the sure one, a prediction may say where a label belongs."""
_OVERLAP_WEIGHT = 0.9
_TOUCHING = 0.1
_ON_IT = 0.5
_TEMPERATURE = 0.1


class Fault(StrEnum):
    """What may be wrong with the regions of an image."""

    OVERLOOKED = "overlooked"
    BADLY_LOCATED = "badly located"
    SWAPPED = "swapped"


@dataclass(frozen=True, slots=True)
class FaultyRegion:
    """One doubtful region of an image.

    Attributes:
        fault: What may be wrong.
        score: 0 to 1, the higher the more doubtful.
        label: Index of the given region; -1 where it was overlooked.
        said: Index of the prediction that says so.
    """

    fault: Fault
    score: float
    label: int
    said: int


@dataclass(frozen=True, slots=True)
class DoubtedImage:
    """The doubtful regions of an image, the worst first, and the image's own score, 0 to 1."""

    score: float
    faults: tuple[FaultyRegion, ...]


def sure_from(given: Mapping[int, Sequence[Region]], said: Mapping[int, Sequence[Region]]) -> float:
    """Return the score from which predictions agree with the labels 95 times of 100, at least."""
    told: list[tuple[float, bool]] = []
    for item in given.keys() & said.keys():
        table = _overlap(given[item], said[item])
        for j, one in enumerate(said[item]):
            same = [i for i, r in enumerate(given[item]) if r.label == one.label]
            told.append((_score(one), bool(same) and float(table[same, j].max()) >= _ON_IT))
    if len(told) < FEWEST:
        return AGREE
    order = sorted(told, key=lambda t: -t[0])
    share = np.cumsum([hit for _, hit in order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share[FEWEST - 1 :] >= AGREE) + FEWEST - 1
    return min(order[int(good[-1])][0], AGREE) if len(good) else AGREE


def doubted_image(given: Sequence[Region], said: Sequence[Region], sure: float) -> DoubtedImage:
    """Hold the regions of one image against a detector that did not learn from it.

    Args:
        given: The label's regions.
        said: The detector's, with their scores.
        sure: From which score a prediction is sure, see `sure_from`.
    """
    table = _similarity(given, said)
    faults = [*_overlooked(given, said, sure, _overlap(given, said))]
    for i, region in enumerate(given):
        faults += _of_label(i, region, said, table[i], sure)
    faults.sort(key=lambda f: (-f.score, f.label, f.said))
    quality = [_quality(faults, fault, given) for fault in Fault]
    return DoubtedImage(1 - float(np.prod(quality) ** (1 / len(quality))), tuple(faults))


def _overlooked(
    given: Sequence[Region], said: Sequence[Region], sure: float, overlap: np.ndarray
) -> list[FaultyRegion]:
    """Return the sure predictions that touch no label of theirs; one thing said twice counts once."""
    found: list[FaultyRegion] = []
    taken: list[int] = []
    for j in sorted(range(len(said)), key=lambda j: -_score(said[j])):
        if _score(said[j]) < sure or (len(given) and overlap[:, j].max() >= _TOUCHING):
            continue
        if taken and _overlap([said[t] for t in taken], [said[j]]).max() >= _ON_IT:
            continue
        taken.append(j)
        found.append(FaultyRegion(Fault.OVERLOOKED, _score(said[j]), -1, j))
    return found


def _of_label(
    i: int, region: Region, said: Sequence[Region], near: np.ndarray, sure: float
) -> list[FaultyRegion]:
    """Return what is doubtful of one given region: its class, or else its place."""
    same = [j for j, s in enumerate(said) if s.label == region.label]
    other = [j for j, s in enumerate(said) if s.label != region.label and _score(s) >= sure]
    placed = max((float(near[j]) for j in same), default=0.0)
    swapped = max(other, key=lambda j: float(near[j]), default=-1)
    if swapped >= 0 and near[swapped] >= _ON_IT and near[swapped] > placed:
        score = float(near[swapped]) * _score(said[swapped])
        return [FaultyRegion(Fault.SWAPPED, score, i, swapped)]
    touching = [
        j for j in same if _score(said[j]) >= min(MIDDLING, sure / 2) and near[j] > _TOUCHING
    ]
    if not touching:
        return []
    best = max(touching, key=lambda j: float(near[j]))
    if near[best] >= _ON_IT:
        return []
    return [FaultyRegion(Fault.BADLY_LOCATED, 1 - float(near[best]), i, best)]


def _quality(faults: Sequence[FaultyRegion], fault: Fault, given: Sequence[Region]) -> float:
    """Pool the scores of one fault: the worst counts most, regions without it count as sound."""
    mine = [1 - f.score for f in faults if f.fault is fault]
    sound = max(len(given) - len(mine), 0) if fault is not Fault.OVERLOOKED else 0
    scores = np.array([*mine, *[1.0] * sound])
    if not mine:
        return 1.0
    weight = np.exp((scores.min() - scores) / _TEMPERATURE)
    return max(float(weight @ scores / weight.sum()), 1e-3)


def _similarity(given: Sequence[Region], said: Sequence[Region]) -> np.ndarray:
    """Return 0.9 of the overlap and 0.1 of how near the middles lie, shape (given, said)."""
    if not given or not said:
        return np.zeros((len(given), len(said)))
    a, b = (np.array([r.box for r in side]) for side in (given, said))
    middles = [np.stack([s[:, 0] + s[:, 2], s[:, 1] + s[:, 3]], axis=1) / 2 for s in (a, b)]
    apart = np.linalg.norm(middles[0][:, None] - middles[1][None], axis=2)
    low = np.minimum(a[:, None, :2], b[None, :, :2])
    high = np.maximum(a[:, None, 2:], b[None, :, 2:])
    across = np.maximum(np.linalg.norm(high - low, axis=2), 1e-9)
    near = 1 - np.minimum(apart / across, 1.0)
    return np.asarray(_OVERLAP_WEIGHT * _overlap(given, said) + (1 - _OVERLAP_WEIGHT) * near)


def _overlap(given: Sequence[Region], said: Sequence[Region]) -> np.ndarray:
    if not given or not said:
        return np.zeros((len(given), len(said)))
    return np.asarray(likeness(given, said))


def _score(region: Region) -> float:
    return 1.0 if region.confidence is None else region.confidence
