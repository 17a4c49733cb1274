"""Two models on the same labelled images: who is right more often, where, and on which images they differ.

Free of torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import InputError
from core.labels.region import Region
from core.learning.detect.match import item_right
from core.learning.values import Predictions
from core.stats.intervals import Estimate, wilson
from core.stats.multiple import benjamini_hochberg
from core.stats.paired import compare_paired

Side = Literal["first", "second", "neither"]


@dataclass(frozen=True, slots=True)
class Gap:
    """How two models do on the same images.

    Attributes:
        label: The true class; empty for all images together.
        first: Share the first model has right, 95 % Wilson interval.
        second: Share the second has right.
        difference: First minus second, paired interval.
        p: Exact McNemar test; None without images. Of a class: adjusted over all classes.
        both: Images both have right.
        only_first: Only the first.
        only_second: Only the second.
        neither: None of them.
    """

    label: str
    first: Estimate
    second: Estimate
    difference: Estimate
    p: float | None
    both: int
    only_first: int
    only_second: int
    neither: int


@dataclass(frozen=True, slots=True)
class Apart:
    """An image on which two models say different things.

    Attributes:
        right: Who is right: ``first``, ``second`` or ``neither``.
        truth, first, second: The label and what each said, in a word; of regions how many.
        first_sure, second_sure: From 0 to 1; of regions the least sure one's.
    """

    item_id: int
    right: Side
    truth: str
    first: str
    first_sure: float
    second: str
    second_sure: float


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models side by side.

    Attributes:
        overall: On all images.
        classes: One row a class that has images, in the order given.
        apart: Images on which they differ, those where one is right first, surest mistakes first.
        left_out: Labelled images that either model has no answer for.
    """

    overall: Gap
    classes: tuple[Gap, ...]
    apart: tuple[Apart, ...]
    left_out: int


def compare_models(
    truth: Mapping[int, str], first: Predictions, second: Predictions, classes: Sequence[str]
) -> ModelComparison:
    """Return how two models do on the images both have an answer for.

    Class by class the p-values are adjusted (Benjamini and Hochberg 1995): among many classes some
    differ by chance.

    Args:
        truth: Image to its label; none of them may have taught either model.
        first: What the first model says.
        second: What the second says.
        classes: Of the rows, in their order.

    Raises:
        InputError: A label is no class.
    """
    unknown = sorted(set(truth.values()) - set(classes))
    if unknown:
        raise InputError(f"The label '{unknown[0]}' is no class of this comparison.")
    one, other = _said(first), _said(second)
    ids = sorted(i for i in truth if i in one and i in other)
    rows = [(i, truth[i], *one[i], *other[i]) for i in ids]
    a = np.array([r[2] == r[1] for r in rows], dtype=bool)
    b = np.array([r[4] == r[1] for r in rows], dtype=bool)
    label = np.array([r[1] for r in rows], dtype=object)
    apart = [
        Apart(r[0], _side(x, y), *r[1:])
        for r, x, y in zip(rows, a.tolist(), b.tolist(), strict=True)
        if r[2] != r[4]
    ]
    return ModelComparison(
        _gap("", a, b),
        _adjusted([_gap(c, a[label == c], b[label == c]) for c in classes if (label == c).any()]),
        tuple(sorted(apart, key=_rank)),
        len(truth) - len(ids),
    )


def compare_regions(
    truth: Mapping[int, Sequence[Region]],
    first: Mapping[int, Sequence[Region]],
    second: Mapping[int, Sequence[Region]],
    classes: Sequence[str],
    iou: float,
) -> ModelComparison:
    """Return how two detectors do on the images both have looked at: an image is right or not.

    It is right where every true region is found, class and place, and nothing else is. Of a class
    the images count that show it or on which a detector says it, by its regions alone.

    Args:
        truth: Image to its regions; none of them may have taught either detector.
        first: What the first proposes.
        second: What the second proposes.
        classes: Of the rows, in their order.
        iou: From which overlap on a region is in its place.
    """
    ids = sorted(i for i in truth if i in first and i in second)

    def rights(said: Mapping[int, Sequence[Region]], of: Sequence[int], label: str) -> np.ndarray:
        return np.array(
            [item_right(_only(truth[i], label), _only(said[i], label), iou) for i in of], dtype=bool
        )

    a, b = rights(first, ids, ""), rights(second, ids, "")
    rows = []
    for label in classes:
        of = [i for i in ids if any(_only(side[i], label) for side in (truth, first, second))]
        if of:
            rows.append(_gap(label, rights(first, of, label), rights(second, of, label)))
    apart = [
        Apart(
            i, _side(x, y), _many(truth[i]), _many(first[i]), _least(first[i]), _many(second[i]),
            _least(second[i]),
        )
        for i, x, y in zip(ids, a.tolist(), b.tolist(), strict=True)
        if x != y or (not x and not item_right(first[i], second[i], iou))
    ]  # fmt: skip
    return ModelComparison(
        _gap("", a, b), _adjusted(rows), tuple(sorted(apart, key=_rank)), len(truth) - len(ids)
    )


def _only(regions: Sequence[Region], label: str) -> list[Region]:
    return [r for r in regions if label in ("", r.label)]


def _many(regions: Sequence[Region]) -> str:
    return f"{len(regions)} region{'' if len(regions) == 1 else 's'}"


def _least(regions: Sequence[Region]) -> float:
    return min((1.0 if r.confidence is None else r.confidence for r in regions), default=1.0)


def _side(first: bool, second: bool) -> Side:
    if first == second:
        return "neither"
    return "first" if first else "second"


def _said(found: Predictions) -> dict[int, tuple[str, float]]:
    sure = found.confidence.tolist()
    return dict(zip(found.item_ids.tolist(), zip(found.top1, sure, strict=True), strict=True))


def _gap(label: str, a: np.ndarray, b: np.ndarray) -> Gap:
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    found = compare_paired(both, only_a, only_b, neither)
    n = len(a)
    return Gap(
        label, wilson(int(a.sum()), n), wilson(int(b.sum()), n), found.difference, found.p,
        both, only_a, only_b, neither,
    )  # fmt: skip


def _adjusted(rows: list[Gap]) -> tuple[Gap, ...]:
    adjusted = benjamini_hochberg([r.p for r in rows])
    return tuple(
        Gap(r.label, r.first, r.second, r.difference, p, r.both, r.only_first, r.only_second,
            r.neither)
        for r, p in zip(rows, adjusted, strict=True)
    )  # fmt: skip


def _rank(one: Apart) -> tuple[bool, float, int]:
    """Order by what teaches most: one of them right, the other wrong and sure of it."""
    wrong = {"first": one.second_sure, "second": one.first_sure, "neither": 0.0}[one.right]
    return (one.right == "neither", -wrong, one.item_id)
