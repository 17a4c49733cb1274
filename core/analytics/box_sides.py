"""The boxes of two sides, and which of them are one.

Pairing boxes is not SQL's job. Nearly every box overlaps one candidate at most, so candidates
are found for all items at once; only items where a choice is to be made go through
`core.labels.geometry.match_regions`, which gives the same pairs for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.analytics.asked import Against, Basis, Filters, comparison_values
from core.analytics.replica import Replica
from core.labels.geometry import match_regions
from core.labels.region import Region

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Side:
    """Boxes of one side, sorted by pair: arrays of one length."""

    pair: Ints
    who: Ints
    label: Ints
    box: Floats

    def where(self, chosen: Bools) -> Side:
        """Return some of the boxes."""
        return Side(self.pair[chosen], self.who[chosen], self.label[chosen], self.box[chosen])


@dataclass(frozen=True, slots=True)
class Compared:
    """The boxes of all answers compared, on both sides.

    Attributes:
        basis: What a figure of them rests on.
        left_out: Pairs of answers left out because the truth rests on the statement.
        answers: Pairs of answers looked at.
        names: Classes that were drawn or true; boxes hold their places.
        truth, said: The two sides.
        item_of_pair: By the pair's number.
    """

    basis: Basis
    left_out: int
    answers: int
    names: list[str]
    truth: Side
    said: Side
    item_of_pair: Ints


def compared(
    replica: Replica, project_id: int, whose: str, against: str, filters: Filters
) -> Compared:
    """Return the boxes of a reference beside those of the statements compared with it.

    Raises:
        NotFound: A name is nobody's.
        InputError: `against` is no reference.
        LimitExceeded: It took too long.
    """
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
    everything = Side(pair, _ints(table["who"]), label, box)
    is_truth = _bools(table["is_truth"])
    used = np.unique(label[drawn])
    asked = Compared(
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


def _only_used(asked: Compared, used: Ints) -> Compared:
    """Drop the names of classes whose boxes were all left out."""
    place = np.zeros(len(asked.names) + 1, dtype=np.int64)
    place[used] = np.arange(len(used))
    return replace(
        asked,
        names=[asked.names[i] for i in used],
        truth=replace(asked.truth, label=place[asked.truth.label]),
        said=replace(asked.said, label=place[asked.said.label]),
    )


def match_sides(
    truth: Side, said: Side, iou_at_least: float, same_class: bool
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
    truth: Side, said: Side, pair: int, iou_at_least: float, same_class: bool
) -> list[tuple[int, int]]:
    t0, t1 = np.searchsorted(truth.pair, [pair, pair + 1])
    s0, s1 = np.searchsorted(said.pair, [pair, pair + 1])
    found = match_regions(
        _regions(truth, t0, t1), _regions(said, s0, s1), iou_at_least, same_class
    )  # fmt: skip
    return [(int(t0) + i, int(s0) + j) for i, j, _ in found]


def _regions(side: Side, start: int, end: int) -> Sequence[Region]:
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


def flags(length: int, places: Ints) -> Bools:
    """Return as many truth values, true in some places."""
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
