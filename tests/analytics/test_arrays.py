"""The arrays the ledger is made of: growing, getting wider, numbers by place, counting."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from core.analytics import arrays
from core.analytics.arrays import Column, Numbers, Tally, Words, grouped_maximum, narrowed


def test_a_column_grows_and_gets_wider_where_it_must():
    """Values that do not fit make it wider, negative ones too; places nobody wrote to are empty."""
    column = Column(np.int8, -1)
    column.add(np.array([1, 2]))
    column.grow(4)
    assert (column.all.dtype, column.all.tolist()) == (np.int8, [1, 2, -1, -1])
    column.put(np.array([2, 2]), np.array([200, 300]))
    column.add(np.array([-(2**40)]))
    assert column.all.tolist() == [1, 2, 300, -1, -(2**40)]
    column.reserve(100)
    assert column[np.array([4, 0])].tolist() == [-(2**40), 1]
    assert len(column) == 5


def test_numbers_know_their_places_over_gaps():
    """What came in any number of runs is found again, and nothing else is."""
    rng, numbers, all_of_them = random.Random(3), Numbers(), []
    assert numbers.places(np.array([7])).tolist() == [-1]
    last = 10
    for _ in range(6):
        batch = np.cumsum(np.array(rng.choices([1, 1, 1, 5], k=rng.randint(0, 9)), np.int64)) + last
        numbers.add(batch)
        all_of_them += batch.tolist()
        last = int(batch[-1]) if len(batch) else last
    places = {number: place for place, number in enumerate(all_of_them)}
    asked = np.arange(last + 20)
    assert numbers.places(asked).tolist() == [places.get(n, -1) for n in asked]
    assert numbers.at(np.arange(len(all_of_them))).tolist() == all_of_them


def test_words_keep_their_numbers():
    """A text has the same number in every batch; none has -1, and comes back as NULL."""
    words = Words("a")
    assert words.codes(pa.chunked_array([["b", "a", None], ["c", "b"]])).tolist() == [
        1,
        0,
        -1,
        2,
        1,
    ]
    assert words.codes(pa.chunked_array([[]], pa.string())).tolist() == []
    assert words.texts(np.array([2, -1, 0])).to_pylist() == ["c", None, "a"]


@pytest.mark.parametrize("most", [0, arrays.MOST_CELLS])
def test_a_tally_counts_what_comes_in_less_what_goes_out(monkeypatch, most):
    """However many combinations there may be, the counts are those of plain Python."""
    monkeypatch.setattr(arrays, "MOST_CELLS", most)
    rng = random.Random(5)
    tally, expected = Tally(3, 40, 2), Counter()
    for sign in (1, 1, -1):
        rows = [(rng.randrange(3), rng.randrange(40), rng.random() < 0.5) for _ in range(200)]
        tally.add(sign, *(np.array(column) for column in zip(*rows, strict=True)))
        for row in rows:
            expected[row] += sign
    columns, n = tally.found()
    got = dict(zip(zip(*(c.tolist() for c in columns), strict=True), n.tolist(), strict=True))
    assert got == {row: count for row, count in expected.items() if count}


@pytest.mark.parametrize("most", [0, arrays.MOST_CELLS])
def test_values_are_narrowed(monkeypatch, most):
    """The different values in order, and each one's place among them."""
    monkeypatch.setattr(arrays, "MOST_CELLS", most)
    found, place = narrowed(np.array([7, -3, 7, 900]))
    assert (found.tolist(), place.tolist()) == ([-3, 7, 900], [1, 0, 1, 2])
    assert [part.tolist() for part in narrowed(np.empty(0))] == [[], []]


def test_the_largest_so_far_within_each_group():
    """A group begins anew; equal and smaller values change nothing."""
    found = grouped_maximum(
        np.array([2.0, 1.0, 3.0, -1.0, -2.0, 9.0]), np.array([0, 0, 0, 1, 1, 2])
    )
    assert found.tolist() == [2.0, 2.0, 3.0, -1.0, -1.0, 9.0]
