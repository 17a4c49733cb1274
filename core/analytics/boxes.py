"""Figures about boxes: which true boxes were found, which drawn boxes are right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from core.analytics.asked import ALL, Basis, Filters
from core.analytics.box_sides import (
    Bools,
    Compared,
    Floats,
    Ints,
    Side,
    compared,
    flags,
    match_sides,
)
from core.analytics.replica import Replica
from core.analytics.rightness import Cell, ClassFigure, Confusion
from core.analytics.tally import Tally

IOU = 0.5


@dataclass(frozen=True, slots=True)
class Kind:
    """So many clusters (items, or people) hold n boxes, of which so many were paired."""

    n: int
    correct: int
    clusters: int


_NONE = ClassFigure("", 0, 0)


@dataclass(frozen=True, slots=True)
class BoxFigure:
    """One class: how many of its true boxes were found, how many drawn ones were right.

    Attributes:
        name: The class.
        recall: n counts true boxes, correct those found.
        precision: n counts drawn boxes, correct those that are right.
        f1: n counts boxes of both sides, correct those of both that are paired.
        recall_kinds, precision_kinds, f1_kinds: The same by cluster, for an interval: boxes of one
            item (of one person, where people are looked at) are not independent.
    """

    name: str
    recall: ClassFigure
    precision: ClassFigure
    recall_kinds: tuple[Kind, ...]
    precision_kinds: tuple[Kind, ...]
    f1: ClassFigure = _NONE
    f1_kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """How well boxes are found, by class, and what it rests on.

    Attributes:
        basis: What the figures rest on.
        left_out: Pairs of answers left out because the truth rests on the statement.
        answers: Pairs of answers looked at.
        right_items: Of them, those with every true box found and none extra.
        classes: One figure a class that was drawn or true, by name.
    """

    basis: Basis
    left_out: int
    answers: int
    right_items: int
    classes: tuple[BoxFigure, ...]


def box_accuracy(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    filters: Filters = ALL,
    iou_at_least: float = IOU,
) -> Detection:
    """Return how well the boxes of a reference are found; see `rightness.per_class_accuracy`.

    A box is found when one of the same class pairs with it one to one at or above the IoU.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    asked = compared(replica, project_id, whose, against, filters)
    t, s = match_sides(asked.truth, asked.said, iou_at_least, same_class=True)
    found, right = flags(len(asked.truth.pair), t), flags(len(asked.said.pair), s)
    classes = tuple(
        _figure(asked, code, found, right, whose == "model") for code in range(len(asked.names))
    )
    wrong = np.union1d(asked.truth.pair[~found], asked.said.pair[~right])
    return Detection(
        asked.basis, asked.left_out, asked.answers, asked.answers - len(wrong), classes
    )


def box_confusion(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    filters: Filters = ALL,
    iou_at_least: float = IOU,
) -> Confusion:
    """Return which class was drawn where which class is true, missed and extra boxes included.

    Boxes pair by overlap alone, whatever their class.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    asked = compared(replica, project_id, whose, against, filters)
    t, s = match_sides(asked.truth, asked.said, iou_at_least, same_class=False)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for truth, said in zip(
        asked.truth.label[t].tolist(), asked.said.label[s].tolist(), strict=True
    ):
        counts[truth, said] += 1
    for truth in asked.truth.label[~flags(len(asked.truth.pair), t)].tolist():
        counts[truth, -1] += 1
    for said in asked.said.label[~flags(len(asked.said.pair), s)].tolist():
        counts[-1, said] += 1
    name = [*asked.names, None]  # -1 is the last
    cells = tuple(Cell(name[t], name[s], n) for (t, s), n in sorted(counts.items()))
    return Confusion(asked.basis, asked.left_out, cells)


def box_cases(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    truth: str | None,
    said: str | None,
    filters: Filters = ALL,
    iou_at_least: float = IOU,
) -> tuple[tuple[int, int | None], ...]:
    """Return item and speaker of every answer with a box in one cell of `box_confusion`, by item.

    Args:
        replica: Caught up.
        project_id: The project.
        whose, against, filters, iou_at_least: As of `box_confusion`.
        truth: The true class; None for boxes that are in no truth.
        said: The class drawn; None for true boxes nobody drew.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    asked = compared(replica, project_id, whose, against, filters)
    t, s = match_sides(asked.truth, asked.said, iou_at_least, same_class=False)
    code = {name: i for i, name in enumerate(asked.names)}
    true, drawn = code.get(truth or "", -1), code.get(said or "", -1)
    if said is None:
        side, missed = asked.truth, ~flags(len(asked.truth.pair), t)
        found = side.where(missed & (side.label == true))
    elif truth is None:
        side, extra = asked.said, ~flags(len(asked.said.pair), s)
        found = side.where(extra & (side.label == drawn))
    else:
        paired = (asked.truth.label[t] == true) & (asked.said.label[s] == drawn)
        found = asked.truth.where(flags(len(asked.truth.pair), t[paired]))
    pairs, first = np.unique(found.pair, return_index=True)
    who = found.who[first].tolist()
    items = asked.item_of_pair[pairs].tolist()
    return tuple((i, None if w < 0 else w) for i, w in sorted(zip(items, who, strict=True)))


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """The true boxes of each answer, by class: arrays of one length.

    Attributes:
        basis, left_out: What they rest on; see `Detection`.
        item, who: Of each answer; who is -1 for a model.
        label: Position of the class in `names`.
        boxes: True boxes of that class.
        found: How many of them were found.
    """

    basis: Basis
    left_out: int
    item: Ints
    who: Ints
    label: Ints
    names: tuple[str, ...]
    boxes: Ints
    found: Ints


def found_boxes(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    filters: Filters = ALL,
    iou_at_least: float = IOU,
) -> FoundBoxes:
    """Return how many true boxes of each class were found, answer by answer; see `box_accuracy`.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    asked = compared(replica, project_id, whose, against, filters)
    truth = asked.truth
    places, _ = match_sides(truth, asked.said, iou_at_least, same_class=True)
    key = truth.pair * max(len(asked.names), 1) + truth.label
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    hit = flags(len(truth.pair), places)
    return FoundBoxes(
        asked.basis,
        asked.left_out,
        asked.item_of_pair[truth.pair[first]],
        truth.who[first],
        truth.label[first],
        tuple(asked.names),
        np.bincount(group, minlength=len(first)),
        np.bincount(group[hit], minlength=len(first)),
    )


@dataclass(frozen=True, slots=True)
class TrueBoxes:
    """Every true box, and whether it was found: arrays of one length.

    Attributes:
        basis, left_out: What they rest on; see `Detection`.
        item: The item of each.
        label: Position of the class in `names`.
        box: x1, y1, x2, y2 in pixels, shape (n, 4).
        found: Whether it was.
    """

    basis: Basis
    left_out: int
    item: Ints
    label: Ints
    names: tuple[str, ...]
    box: Floats
    found: Bools


def true_boxes(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    filters: Filters = ALL,
    iou_at_least: float = IOU,
) -> TrueBoxes:
    """Return every true box of the answers compared, and whether it was found; see `box_accuracy`.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    asked = compared(replica, project_id, whose, against, filters)
    truth = asked.truth
    places, _ = match_sides(truth, asked.said, iou_at_least, same_class=True)
    return TrueBoxes(
        asked.basis, asked.left_out, asked.item_of_pair[truth.pair], truth.label,
        tuple(asked.names), truth.box, flags(len(truth.pair), places),
    )  # fmt: skip


def _figure(asked: Compared, code: int, found: Bools, right: Bools, is_model: bool) -> BoxFigure:
    name = asked.names[code]
    recall, recall_kinds = _counted(asked.truth, asked.truth.label == code, found, name, is_model)
    precision, kinds = _counted(asked.said, asked.said.label == code, right, name, is_model)
    both = _both(asked.truth, asked.said)
    hit = np.concatenate([found, right])
    f1, f1_kinds = _counted(both, both.label == code, hit, name, is_model)
    return BoxFigure(name, recall, precision, recall_kinds, kinds, f1, f1_kinds)


def _both(a: Side, b: Side) -> Side:
    return Side(
        np.concatenate([a.pair, b.pair]),
        np.concatenate([a.who, b.who]),
        np.concatenate([a.label, b.label]),
        np.concatenate([a.box, b.box]),
    )


def _counted(
    side: Side, chosen: Bools, hit: Bools, name: str, is_model: bool
) -> tuple[ClassFigure, tuple[Kind, ...]]:
    cluster = side.pair if is_model else side.who
    ids, place = np.unique(cluster[chosen], return_inverse=True)
    n = np.bincount(place, minlength=len(ids))
    correct = np.bincount(place, weights=hit[chosen], minlength=len(ids)).astype(np.int64)
    kinds, repeats = np.unique(np.column_stack([n, correct]), axis=0, return_counts=True)
    people = [] if is_model else zip(ids.tolist(), n.tolist(), correct.tolist(), strict=True)
    figure = ClassFigure(
        name, int(n.sum()), int(correct.sum()), tuple(Tally(*person) for person in people)
    )
    return figure, tuple(
        Kind(int(k[0]), int(k[1]), int(r)) for k, r in zip(kinds, repeats, strict=True)
    )
