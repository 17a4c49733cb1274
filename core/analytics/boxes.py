"""Figures about boxes: which true boxes were found, which drawn boxes are right.

Pairing boxes is not SQL's job. Nearly every box overlaps one candidate at most, so candidates
are found for all items at once; only items where a choice is to be made go through
`core.labels.geometry.match_regions`, which gives the same pairs for the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.analytics.asked import ALL, Against, Basis, Filters, comparison_values
from core.analytics.questions import Cell, ClassFigure, Confusion
from core.analytics.replica import Replica
from core.analytics.tally import Tally
from core.labels.geometry import match_regions
from core.labels.region import Region

IOU = 0.5

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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


@dataclass(frozen=True, slots=True)
class _Side:
    """Boxes of one side, sorted by pair: arrays of one length."""

    pair: Ints
    who: Ints
    label: Ints
    box: Floats

    def where(self, chosen: Bools) -> _Side:
        return _Side(self.pair[chosen], self.who[chosen], self.label[chosen], self.box[chosen])


@dataclass(frozen=True, slots=True)
class _Asked:
    basis: Basis
    left_out: int
    answers: int
    names: list[str]
    truth: _Side
    said: _Side
    item_of_pair: Ints


def box_accuracy(
    replica: Replica,
    project_id: int,
    whose: str,
    against: str,
    filters: Filters = ALL,
    iou_at_least: float = IOU,
) -> Detection:
    """Return how well the boxes of a reference are found; see `questions.per_class_accuracy`.

    A box is found when one of the same class pairs with it one to one at or above the IoU.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
    asked = _fetch(replica, project_id, whose, against, filters)
    t, s = match_sides(asked.truth, asked.said, iou_at_least, same_class=True)
    found, right = _flags(len(asked.truth.pair), t), _flags(len(asked.said.pair), s)
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
    asked = _fetch(replica, project_id, whose, against, filters)
    t, s = match_sides(asked.truth, asked.said, iou_at_least, same_class=False)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for truth, said in zip(
        asked.truth.label[t].tolist(), asked.said.label[s].tolist(), strict=True
    ):
        counts[truth, said] += 1
    for truth in asked.truth.label[~_flags(len(asked.truth.pair), t)].tolist():
        counts[truth, -1] += 1
    for said in asked.said.label[~_flags(len(asked.said.pair), s)].tolist():
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
    asked = _fetch(replica, project_id, whose, against, filters)
    t, s = match_sides(asked.truth, asked.said, iou_at_least, same_class=False)
    code = {name: i for i, name in enumerate(asked.names)}
    true, drawn = code.get(truth or "", -1), code.get(said or "", -1)
    if said is None:
        side, missed = asked.truth, ~_flags(len(asked.truth.pair), t)
        found = side.where(missed & (side.label == true))
    elif truth is None:
        side, extra = asked.said, ~_flags(len(asked.said.pair), s)
        found = side.where(extra & (side.label == drawn))
    else:
        paired = (asked.truth.label[t] == true) & (asked.said.label[s] == drawn)
        found = asked.truth.where(_flags(len(asked.truth.pair), t[paired]))
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
    asked = _fetch(replica, project_id, whose, against, filters)
    truth = asked.truth
    places, _ = match_sides(truth, asked.said, iou_at_least, same_class=True)
    key = truth.pair * max(len(asked.names), 1) + truth.label
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    hit = _flags(len(truth.pair), places)
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
    asked = _fetch(replica, project_id, whose, against, filters)
    truth = asked.truth
    places, _ = match_sides(truth, asked.said, iou_at_least, same_class=True)
    return TrueBoxes(
        asked.basis, asked.left_out, asked.item_of_pair[truth.pair], truth.label,
        tuple(asked.names), truth.box, _flags(len(truth.pair), places),
    )  # fmt: skip


def match_sides(
    truth: _Side, said: _Side, iou_at_least: float, same_class: bool
) -> tuple[Ints, Ints]:
    """Return the places of paired boxes in both sides, as `match_regions` pairs them item by item."""
    t, s = _candidates(truth.pair, said.pair)
    if same_class:
        kept = truth.label[t] == said.label[s]
        t, s = t[kept], s[kept]
    overlap = _iou(truth.box[t], said.box[s])
    kept = (overlap >= iou_at_least) & (overlap > 0)
    t, s = t[kept], s[kept]
    choice = (np.bincount(t, minlength=1)[t] > 1) | (np.bincount(s, minlength=1)[s] > 1)
    undecided = np.unique(truth.pair[t[choice]])
    easy = ~np.isin(truth.pair[t], undecided)
    pairs = [_matched(truth, said, p, iou_at_least, same_class) for p in undecided.tolist()]
    more_t = [i for pair in pairs for i, _ in pair]
    more_s = [j for pair in pairs for _, j in pair]
    return (
        np.concatenate([t[easy], np.array(more_t, dtype=np.int64)]),
        np.concatenate([s[easy], np.array(more_s, dtype=np.int64)]),
    )


def _matched(
    truth: _Side, said: _Side, pair: int, iou_at_least: float, same_class: bool
) -> list[tuple[int, int]]:
    t0, t1 = np.searchsorted(truth.pair, [pair, pair + 1])
    s0, s1 = np.searchsorted(said.pair, [pair, pair + 1])
    found = match_regions(
        _regions(truth, t0, t1), _regions(said, s0, s1), iou_at_least, same_class
    )  # fmt: skip
    return [(int(t0) + i, int(s0) + j) for i, j, _ in found]


def _regions(side: _Side, start: int, end: int) -> Sequence[Region]:
    return [
        Region(str(label), *box)
        for label, box in zip(side.label[start:end], side.box[start:end].tolist(), strict=True)
    ]


def _candidates(a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Return all places (i, j) with a[i] == b[j]; both sorted."""
    start, end = np.searchsorted(b, a, "left"), np.searchsorted(b, a, "right")
    count = end - start
    i = np.repeat(np.arange(len(a)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    return i, np.repeat(start, count) + np.arange(len(i)) - first


def _iou(a: Floats, b: Floats) -> Floats:
    size = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    inter = size[:, 0] * size[:, 1]
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a + area_b - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0))


def _fetch(replica: Replica, project_id: int, whose: str, against: str, filters: Filters) -> _Asked:
    values = comparison_values(replica, project_id, whose, against, filters)
    table = replica.arrow("boxes", values)
    pair, own = _ints(table["pair"]), _bools(table["own"])
    answers = len(np.unique(pair))
    kept_answers = len(np.unique(pair[~own]))
    basis = Basis.RANDOM if against == Against.EVALUATE else Basis.INDEPENDENT
    if answers and not kept_answers:
        basis, kept_answers, own = Basis.REVIEWED, answers, np.zeros_like(own)
    encoded = table["label"].combine_chunks().dictionary_encode()
    found = encoded.dictionary.to_pylist()
    names = sorted(found)
    recode = np.array([names.index(n) for n in found], dtype=np.int64)
    code = np.array(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    drawn = (code >= 0) & ~own
    box = np.column_stack([_floats(table[c]) for c in ("x1", "y1", "x2", "y2")])
    label = np.append(recode, 0)[code]
    everything = _Side(pair, _ints(table["who"]), label, box)
    is_truth = _bools(table["is_truth"])
    used = np.unique(label[drawn])
    asked = _Asked(
        basis,
        answers - kept_answers,
        kept_answers,
        names,
        everything.where(drawn & is_truth),
        everything.where(drawn & ~is_truth),
        _item_of(pair, _ints(table["item_id"])),
    )
    return _only_used(asked, used)


def _item_of(pair: Ints, item: Ints) -> Ints:
    """Return the item of each pair, by the pair's number."""
    found = np.zeros(int(pair.max(initial=0)) + 1, dtype=np.int64)
    found[pair] = item
    return found


def _only_used(asked: _Asked, used: Ints) -> _Asked:
    """Drop the names of classes whose boxes were all left out."""
    place = np.zeros(len(asked.names) + 1, dtype=np.int64)
    place[used] = np.arange(len(used))
    return replace(
        asked,
        names=[asked.names[i] for i in used],
        truth=replace(asked.truth, label=place[asked.truth.label]),
        said=replace(asked.said, label=place[asked.said.label]),
    )


def _figure(asked: _Asked, code: int, found: Bools, right: Bools, is_model: bool) -> BoxFigure:
    name = asked.names[code]
    recall, recall_kinds = _counted(asked.truth, asked.truth.label == code, found, name, is_model)
    precision, kinds = _counted(asked.said, asked.said.label == code, right, name, is_model)
    both = _both(asked.truth, asked.said)
    hit = np.concatenate([found, right])
    f1, f1_kinds = _counted(both, both.label == code, hit, name, is_model)
    return BoxFigure(name, recall, precision, recall_kinds, kinds, f1, f1_kinds)


def _both(a: _Side, b: _Side) -> _Side:
    return _Side(
        np.concatenate([a.pair, b.pair]),
        np.concatenate([a.who, b.who]),
        np.concatenate([a.label, b.label]),
        np.concatenate([a.box, b.box]),
    )


def _counted(
    side: _Side, chosen: Bools, hit: Bools, name: str, is_model: bool
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


def _flags(length: int, places: Ints) -> Bools:
    flags = np.zeros(length, dtype=np.bool_)
    flags[places] = True
    return flags


def _ints(column: pa.ChunkedArray) -> Ints:
    filled = column.fill_null(-1).cast(pa.int64())
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _bools(column: pa.ChunkedArray) -> Bools:
    return np.asarray(column.to_numpy(), dtype=np.bool_)
