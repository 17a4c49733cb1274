"""What a detector says beside what is true: one item's verdict, and what a threshold trades. Free of torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.labels.geometry import likeness
from core.labels.region import Region

NEAR = 0.1
"""A box overlapping a true one by this much, and by less than is asked, is misplaced, not false."""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """What a detection threshold gives: counts of regions over all items judged.

    Attributes:
        threshold: Regions surer than this are kept.
        hits: True regions found.
        duplicates: Further regions on one that is found already.
        misplaced: Of the right class near a true one, overlapping it too little.
        confused: Well placed and of the wrong class.
        false: On nothing.
        missed: True regions not found.
    """

    threshold: float
    hits: int
    duplicates: int
    misplaced: int
    confused: int
    false: int
    missed: int


def item_right(truth: Sequence[Region], said: Sequence[Region], iou: float = 0.5) -> bool:
    """Say whether an item is wholly right: every true region found once, none besides.

    Regions pair one to one within a class where they overlap by ``iou`` or more; no regions
    on both sides is right.
    """
    if len(truth) != len(said):
        return False
    if not truth:
        return True
    fits = _overlaps(truth, said, same_class=True) >= iou
    rows, columns = linear_sum_assignment(fits, maximize=True)
    return bool(fits[rows, columns].all())


def trade(
    truth: Sequence[Sequence[Region]],
    said: Sequence[Sequence[Region]],
    thresholds: Sequence[float],
    iou: float = 0.5,
) -> list[TradeRow]:
    """Return what each detection threshold trades, item by item, in the order given.

    Surer regions choose first, as COCO counts hits.
    """
    tables = [
        (_overlaps(t, s, same_class=True), _overlaps(t, s, same_class=False), _confidence(s))
        for t, s in zip(truth, said, strict=True)
    ]
    rows = []
    for threshold in thresholds:
        counts = np.zeros(6, dtype=int)
        for same, anyone, sure in tables:
            counts += _counted(same, anyone, sure, threshold, iou)
        hits, duplicates, misplaced, confused, false, missed = counts.tolist()
        rows.append(TradeRow(threshold, hits, duplicates, misplaced, confused, false, missed))
    return rows


def _counted(
    same: np.ndarray, anyone: np.ndarray, sure: np.ndarray, threshold: float, iou: float
) -> np.ndarray:
    found = np.zeros(same.shape[0], dtype=bool)
    hits = duplicates = misplaced = confused = false = 0
    for j in np.argsort(-sure, kind="stable"):
        if sure[j] < threshold:
            break
        free = np.where(found, -1.0, same[:, j])
        best = int(free.argmax()) if len(free) else -1
        if best >= 0 and free[best] >= iou:
            found[best] = True
            hits += 1
        elif same[:, j].max(initial=0.0) >= iou:
            duplicates += 1
        elif anyone[:, j].max(initial=0.0) >= iou:
            confused += 1
        elif same[:, j].max(initial=0.0) >= NEAR:
            misplaced += 1
        else:
            false += 1
    missed = len(found) - int(found.sum())
    return np.array([hits, duplicates, misplaced, confused, false, missed])


def _overlaps(truth: Sequence[Region], said: Sequence[Region], same_class: bool) -> np.ndarray:
    if not truth or not said:
        return np.zeros((len(truth), len(said)))
    table = np.array(likeness(truth, said))
    if same_class:
        kinds = (np.array([r.label for r in side], dtype=object) for side in (truth, said))
        a, b = kinds
        table = np.where(a[:, None] == b[None, :], table, 0.0)
    return table


def _confidence(said: Sequence[Region]) -> np.ndarray:
    return np.array([1.0 if r.confidence is None else r.confidence for r in said])
