"""Answers of many rows as columns, taken apart where a value changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""Columns of one length by name; days are whole numbers."""


def parted(rows: pa.Table, *by: str) -> Iterator[tuple[Any, Columns]]:
    """Yield the parts of an answer that is in the order of some columns: their values, the others.

    Args:
        rows: The answer, its rows in the order of `by`.
        by: Columns in which no value is missing; of one column the value itself is given, of several a tuple.
    """
    others = {n: _array(rows[n]) for n in rows.column_names if n not in by}
    keys = [rows[n].combine_chunks().dictionary_encode() for n in by]
    keys = [k.combine_chunks() if isinstance(k, pa.ChunkedArray) else k for k in keys]
    codes = np.column_stack([k.indices.to_numpy(zero_copy_only=False) for k in keys])
    ends = np.flatnonzero(np.any(codes[1:] != codes[:-1], axis=1)) + 1
    names = [k.dictionary.to_pylist() for k in keys]
    for first, last in zip([0, *ends], [*ends, len(codes)], strict=True):
        if last > first:
            values = tuple(n[c] for n, c in zip(names, codes[first], strict=True))
            part = {n: column[first:last] for n, column in others.items()}
            yield values if len(by) > 1 else values[0], part


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    return np.asarray(column.to_numpy())
