"""How many of the others said the same, by person: counted over arrays of votes.

As SQL this took four times as long: every vote had to find its item's, and its label's, counts again.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int64]

MOST_CELLS = 50_000_000
"""Cells counted in one array; from here on only those that occur are."""


def agreement_changes(votes: pa.Table) -> pa.Table:
    """Return what comes into the roll-up less what goes out: rows of ``agreement_counts``.

    Args:
        votes: All votes with a label on some items: project_id, item_id, person_id, label, and
            whether each counted before (``was``) and counts now (``stands``).
    """
    item, _ = _codes(votes["item_id"])
    label, labels = _codes(votes["label"])
    person, people = _codes(votes["person_id"])
    project, projects = _codes(votes["project_id"])
    cell = _narrow(item * len(labels) + label)
    who = project * len(people) + person
    was, stands = (np.asarray(votes[name]) for name in ("was", "stands"))
    before, now = (_others(item, cell, mask) for mask in (was, stands))
    most = 1 + max([0, *(others.max(initial=0) for others, _ in (before, now))])
    code, n = _net(_keys(who, before, was, most), _keys(who, now, stands, most))
    seat, (others, same) = code // most**2, (code // most % most, code % most)
    return pa.table({
        "project_id": projects[seat // len(people)] if len(code) else seat,
        "person_id": people[seat % len(people)] if len(code) else seat,
        "others": others, "same": same, "items": n,
    })  # fmt: skip


def _codes(column: pa.ChunkedArray) -> tuple[Codes, NDArray[np.object_]]:
    """Return dense numbers for the values of a column, and the values."""
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_numpy(zero_copy_only=False)
    return encoded.indices.to_numpy().astype(np.int64), values


def _narrow(cells: Codes) -> Codes:
    """Return cells numbered densely where their numbers are too far apart to count in an array."""
    return cells if cells.max(initial=0) < MOST_CELLS else _narrowed(cells)[1]


def _others(item: Codes, cell: Codes, mask: NDArray[np.bool_]) -> tuple[Codes, Codes]:
    """Return, for each vote that counts, how many others there are, and how many say the same."""
    item, cell = item[mask], cell[mask]
    return np.bincount(item)[item] - 1, np.bincount(cell)[cell] - 1


def _keys(who: Codes, found: tuple[Codes, Codes], mask: NDArray[np.bool_], most: int) -> Codes:
    others, same = found
    keys = (who[mask] * most + others) * most + same
    return keys[others > 0]


def _net(out: Codes, into: Codes) -> tuple[Codes, Codes]:
    """Return the keys whose number changes, and by how much."""
    found, place = _narrowed(np.concatenate([out, into]))
    n = np.bincount(place[len(out) :], minlength=len(found)) - np.bincount(
        place[: len(out)], minlength=len(found)
    )
    return found[n != 0], n[n != 0]


def _narrowed(keys: Codes) -> tuple[Codes, Codes]:
    """Return the different keys in order, and the place of each among them; without sorting if it can."""
    size = int(keys.max(initial=0)) + 1
    if size > MOST_CELLS // 10:
        found, place = np.unique(keys, return_inverse=True)
        return found, place
    there = np.zeros(size, dtype=np.bool_)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]
