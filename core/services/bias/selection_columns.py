"""The columns two sets of pictures are compared by, coded over both: metadata, what was measured, looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from core.analytics.cells import Codes, Floats
from core.analytics.columns import Kind, read_metadata
from core.intake.measures import NAMES
from core.learning.clusters import grouped
from core.services.bias.reference_sets import TwoSets, metadata_of, vectors_of
from core.services.bias.slice_columns import LOOKS, MOST_GROUPS, RESERVED
from core.services.workspace import Workspace

LISTED_NUMBERS = 12
"""A column with up to so many different numbers is a list of values; a longer one is cut in fifths."""

FIFTHS = (0.2, 0.4, 0.6, 0.8)
FEWEST_BEHIND = 5
"""Pictures below which a value is neither compared nor missed."""

PICTURES_A_GROUP = 40
GIVES_AWAY = 0.95
"""Share of wrong guesses of a picture's side that a column does away with, from which on it tells nothing."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of both sets: a code a picture, -1 for none; numbers where it has any."""

    name: str
    kind: Kind
    codes: Codes
    values: tuple[tuple[str, float | None, float | None], ...]
    numbers: Floats | None = None


def coded_columns(
    ws: Workspace, sets: TwoSets, rows: Floats
) -> tuple[tuple[Coded, ...], tuple[str, ...]]:
    """Return every column both sides have, and what is to be said of those they have not.

    Args:
        ws: The workspace.
        sets: Both sides; too small ones have no columns.
        rows: What was measured of both, the project's first.
    """
    metadata, notes = _metadata(sets)
    if not sets.is_enough:
        return (), notes
    same = [c for c in metadata if sets.column and _gives_away(c.codes, sets.is_there)]
    notes = (*notes, *(_gave_away(c.name, sets.column) for c in same))
    free = [c for c in metadata if c not in same]
    return (*free, *_measured(rows, sets), *_looks(ws, sets)), notes


def _gives_away(codes: np.ndarray, is_there: np.ndarray) -> bool:
    """Return whether a column is nearly a function of the side a picture is on.

    Whoever guesses the side from the value is wrong on so few pictures, beside guessing the larger
    side for all (Goodman and Kruskal's lambda), that the column and the side are one thing.
    """
    known = codes >= 0
    there = np.bincount(codes[known & is_there])
    here = np.bincount(codes[known & ~is_there], minlength=len(there))
    there = np.pad(there, (0, len(here) - len(there)))
    fewer = min(int(here.sum()), int(there.sum()))
    return fewer > 0 and int(np.minimum(here, there).sum()) <= (1 - GIVES_AWAY) * fewer


def _gave_away(name: str, column: str) -> str:
    return (
        f"'{name}' was not compared: it tells '{column}' by itself, so the two are one thing here and "
        "nothing could be labelled to make up for it."
    )


def _metadata(sets: TwoSets) -> tuple[list[Coded], tuple[str, ...]]:
    """Return the metadata columns that both sides fill in, and what is to be said of the others."""
    ids = np.concatenate([sets.here.ids, sets.there.ids])
    order = np.argsort(ids)
    table = metadata_of(sets)
    read = read_metadata(table, ids[order], FEWEST_BEHIND, RESERVED)
    numbers = _numbers(table, ids[order])
    found, notes, seen = [], list(read.notes), set()
    for column in read.columns:
        if column.family == sets.column:
            continue
        codes = np.full(len(ids), -1, dtype=np.int32)
        codes[order] = column.codes
        names = [v.name for v in column.values]
        codes[np.isin(codes, [i for i, n in enumerate(names) if n is None])] = -1
        known = [int((codes[side] >= 0).sum()) for side in (~sets.is_there, sets.is_there)]
        if min(known) < sets.asked.fewest:
            notes += [_one_sided(column.name, *known)] if column.family not in seen else []
            seen.add(column.family)
        elif column.name in numbers:
            back = np.full(len(ids), np.nan)
            back[order] = numbers[column.name]
            found.append(_of_numbers(column.name, Kind.METADATA, back, sets.is_there))
        else:
            values = tuple(
                (n or "", v.low, v.high) for n, v in zip(names, column.values, strict=True)
            )
            found.append(Coded(column.name, Kind.METADATA, codes, values))
    return found, tuple(notes)


def _numbers(table: pa.Table, ids: np.ndarray) -> dict[str, Floats]:
    """Return the columns that hold numbers alone, one number an item."""
    keys = np.array(table["key"].to_pylist(), dtype=object)
    items, numbers = table["item_id"].to_numpy(), table["number"].to_numpy().astype(np.float64)
    found = {}
    for key in dict.fromkeys(keys.tolist()):
        own = keys == key
        if np.isfinite(numbers[own]).all():
            out = np.full(len(ids), np.nan)
            out[np.searchsorted(ids, items[own])] = numbers[own]
            found[key] = out
    return found


def _one_sided(name: str, here: int, there: int) -> str:
    return (
        f"'{name}' was not compared: {here:,} pictures of the project and {there:,} of the reference "
        "have a value that can be grouped."
    )


def _measured(rows: Floats, sets: TwoSets) -> Iterator[Coded]:
    for i, name in enumerate(NAMES):
        if len(np.unique(rows[np.isfinite(rows[:, i]), i])) > 1:
            yield _of_numbers(name, Kind.MEASURED, rows[:, i], sets.is_there)


def _looks(ws: Workspace, sets: TwoSets) -> Iterator[Coded]:
    """Yield the groups of pictures that look alike, made of both sides together."""
    vectors = vectors_of(ws, sets)
    if vectors is None:
        return
    groups = min(MOST_GROUPS, len(vectors.places) // PICTURES_A_GROUP)
    if groups < 2:
        return
    codes = np.full(len(sets.hashes), -1, dtype=np.int32)
    codes[vectors.places] = grouped(vectors.rows, groups, 0)
    values = tuple((f"group {i + 1}", None, None) for i in range(groups))
    yield Coded(LOOKS, Kind.LOOKS, codes, values)


def _of_numbers(name: str, kind: Kind, numbers: Floats, is_there: np.ndarray) -> Coded:
    """Return a column of numbers: few different ones by value, many in fifths of the reference."""
    known = np.isfinite(numbers)
    different = np.unique(numbers[known])
    codes = np.full(len(numbers), -1, dtype=np.int32)
    if len(different) <= LISTED_NUMBERS:
        codes[known] = np.searchsorted(different, numbers[known])
        return Coded(name, kind, codes, tuple((f"{v:.10g}", None, None) for v in different))
    inner = np.quantile(numbers[known & is_there], FIFTHS, method="inverted_cdf").tolist()
    ends = np.unique(np.array(inner)) if (known & is_there).any() else np.zeros(0)
    codes[known] = np.searchsorted(ends, numbers[known], side="left")
    return Coded(name, kind, codes, tuple(_bins(ends.tolist())), numbers)


def _bins(ends: Sequence[float]) -> Iterator[tuple[str, float | None, float | None]]:
    edges = [None, *ends, None]
    for low, high in pairwise(edges):
        if low is None:
            yield (f"up to {_short(high)}" if high is not None else "any", None, high)
        elif high is None:
            yield f"above {_short(low)}", low, None
        else:
            yield f"{_short(low)} to {_short(high)}", low, high


def _short(number: float | None) -> str:
    value = 0.0 if number is None else number
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
