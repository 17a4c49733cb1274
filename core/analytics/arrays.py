"""Arrays that grow, numbers for what is no number, and counting by several columns at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Array = NDArray[Any]
Mask = NDArray[np.bool_]

MOST_CELLS = 5_000_000
"""Cells counted in one array; from here on only those that occur are."""

WORTH = 20
"""Cells for each row that are looked through in less time than it takes to sort the rows."""


class Column:
    """An array that grows at its end, and gets wider where a number does not fit in it.

    Args:
        kind: The narrowest type that may do.
        empty: What stands in a place nobody has written to.
    """

    def __init__(self, kind: type[Any], empty: float = 0) -> None:
        self._room: Array = np.empty(0, kind)
        self._empty = empty
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def all(self) -> Array:
        """Return the values, to be read only until the column grows again."""
        return self._room[: self._size]

    def __getitem__(self, places: Any) -> Array:
        found: Array = self._room[: self._size][places]
        return found

    def reserve(self, size: int) -> None:
        """Have room for so many values; what is not written to yet takes no memory."""
        if size > len(self._room):
            self._room = self._moved(size, self._room.dtype)

    def grow(self, size: int) -> None:
        """Have so many values in all; there are never fewer afterwards."""
        if size > len(self._room):
            self.reserve(max(size, 2 * len(self._room)))
        if size > self._size:
            self._room[self._size : size] = self._empty
            self._size = size

    def _moved(self, size: int, kind: Any) -> Array:
        room: Array = np.empty(size, kind)
        room[: self._size] = self.all
        return room

    def add(self, values: Array) -> None:
        """Write values behind the last one."""
        first = self._size
        self._fit(values)
        self.grow(first + len(values))
        self._room[first : self._size] = values

    def put(self, places: Array, values: Any) -> None:
        """Write values into places; where one is named twice, the later value stays."""
        if isinstance(values, np.ndarray):
            self._fit(values)
        self.all[places] = values

    def _fit(self, values: Array) -> None:
        if self._room.dtype.kind == "i" and len(values):
            here = np.iinfo(self._room.dtype)
            low, high = values.min(), values.max()
            if low < here.min or high > here.max:
                wider = np.promote_types(self._room.dtype, np.min_scalar_type(-abs(int(high)) - 1))
                wider = np.promote_types(wider, np.min_scalar_type(min(int(low), -1)))
                self._room = self._moved(len(self._room), wider)


class Numbers:
    """Places of numbers that come in rising order: runs of neighbours take one entry."""

    def __init__(self) -> None:
        self.size = 0
        self._firsts: Codes = np.empty(0, np.int64)  # of each run: its first number
        self._starts: Codes = np.empty(0, np.int64)  # and that number's place
        self._last = -1

    def add(self, numbers: Codes) -> None:
        """Give the numbers the next places; each is larger than all before."""
        if not len(numbers):
            return
        begins = np.concatenate(
            [[numbers[0] != self._last + 1 or not self.size], np.diff(numbers) != 1]
        )
        new = np.flatnonzero(begins)
        self._firsts = np.concatenate([self._firsts, numbers[new]])
        self._starts = np.concatenate([self._starts, new + self.size])
        self.size += len(numbers)
        self._last = int(numbers[-1])

    def places(self, numbers: Array) -> Codes:
        """Return the place of each number, -1 for one that never came."""
        numbers = numbers.astype(np.int64, copy=False)
        found: Array
        if not self.size:
            return np.full(len(numbers), -1, np.int64)
        ends = np.append(self._starts[1:], self.size)
        if len(self._firsts) == 1:
            found = numbers - int(self._firsts[0])
            found[(found < 0) | (found >= self.size)] = -1
            return found
        run = np.searchsorted(self._firsts, numbers, side="right") - 1
        found = (self._starts[run] + (numbers - self._firsts[run])).astype(np.int64)
        found[(run < 0) | (found >= ends[run])] = -1
        return found

    def at(self, places: Array) -> Codes:
        """Return the number in each place."""
        places = places.astype(np.int64, copy=False)
        found: Array
        if len(self._firsts) == 1:
            found = places + int(self._firsts[0])
            return found
        run = np.searchsorted(self._starts, places, side="right") - 1
        return (self._firsts[run] + (places - self._starts[run])).astype(np.int64)


class Words:
    """Texts, numbered in the order they came; -1 is none."""

    def __init__(self, *known: str) -> None:
        self.all: list[str] = list(known)
        self._codes = {word: i for i, word in enumerate(known)}

    def code(self, word: str) -> int:
        """Return the number of a text; one not known yet gets the next."""
        found = self._codes.get(word)
        if found is None:
            found = self._codes[word] = len(self.all)
            self.all.append(word)
        return found

    def codes(self, column: pa.ChunkedArray) -> Codes:
        """Return the number of each text."""
        parts = [self._coded(chunk) for chunk in column.chunks]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _coded(self, chunk: pa.Array) -> Codes:
        encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        codes = np.array([*map(self.code, encoded.dictionary.to_pylist()), -1], np.int64)
        found: Codes = codes[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
        return found

    def texts(self, codes: Array) -> pa.Array:
        """Return the text of each number, NULL for -1."""
        return pa.array([*self.all, None], pa.string()).take(
            pa.array(np.where(codes < 0, len(self.all), codes))
        )


class Tally:
    """How often each combination of small numbers comes in, less how often it goes out.

    Args:
        sizes: How many different numbers each column has; they are from 0 on.
    """

    def __init__(self, *sizes: int) -> None:
        self._sizes = sizes
        self._keys: list[Codes] = []
        self._signs: list[int] = []

    def add(self, sign: int, *columns: Any) -> None:
        """Count rows: 1 for what comes in, -1 for what goes out."""
        key = np.array(columns[0], dtype=np.int64)
        for size, column in zip(self._sizes[1:], columns[1:], strict=True):
            key *= size
            key += column
        self._keys.append(key)
        self._signs.append(sign)

    def found(self) -> tuple[list[Codes], Codes]:
        """Return the columns of the combinations whose number changes, and by how much."""
        keys, n = self._summed()
        columns = []
        for size in reversed(self._sizes[1:]):
            keys, column = np.divmod(keys, size)
            columns.append(column)
        return [keys, *reversed(columns)], n

    def _summed(self) -> tuple[Codes, Codes]:
        cells = int(np.prod([float(s) for s in self._sizes]))
        many = max(1000, sum(map(len, self._keys)) * WORTH)
        if cells <= min(MOST_CELLS, many):
            total = np.zeros(cells, np.int64)
            for key, sign in zip(self._keys, self._signs, strict=True):
                total += sign * np.bincount(key, minlength=cells)
            found = np.flatnonzero(total)
            return found, total[found]
        found, place = narrowed(np.concatenate(self._keys or [np.empty(0, np.int64)]))
        n = np.zeros(len(found), np.int64)
        start = 0
        for key, sign in zip(self._keys, self._signs, strict=True):
            part = place[start : start + len(key)]
            n += sign * np.bincount(part, minlength=len(found))
            start += len(key)
        return found[n != 0], n[n != 0]


def narrowed(values: Array) -> tuple[Codes, Codes]:
    """Return the different values in order, and the place of each among them; unsorted if it can."""
    if not len(values):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low = int(values.min())
    size = int(values.max()) - low + 1
    if size > min(MOST_CELLS, max(1000, len(values) * WORTH)):
        found, place = np.unique(values, return_inverse=True)
        return found.astype(np.int64), place
    there = np.zeros(size, dtype=np.bool_)
    shifted = values.astype(np.int64) - low
    there[shifted] = True
    return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[shifted]


def integers(column: pa.ChunkedArray, none: int = -1) -> Codes:
    """Return the whole numbers of a column; `none` where there is none."""
    filled = column.fill_null(none) if column.null_count else column
    found: Codes = filled.cast(pa.int64()).to_numpy()
    return found


def floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the numbers of a column."""
    found: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    return found


def truths(column: pa.ChunkedArray) -> Mask:
    """Return whether each value is true; NULL is not."""
    filled = column.fill_null(False) if column.null_count else column
    found: Mask = filled.cast(pa.bool_()).to_numpy()
    return found


def grouped_maximum(values: NDArray[np.float64], group: Codes) -> NDArray[np.float64]:
    """Return the largest value so far within each group; groups lie together, in rising order."""
    order, rank = np.unique(values, return_inverse=True)
    reached = np.maximum.accumulate(group * len(order) + rank) - group * len(order)
    found: NDArray[np.float64] = order[reached]
    return found
