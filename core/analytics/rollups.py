"""Keeping the roll-ups: narrow tables of changes, from what some items add now and added before.

New rows touch some items. What those items had added is taken out again and what they add now is put
in, so nothing but these items is looked at. Made anew, everything is rolled up stretch by stretch of
items, by the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from core.analytics.arrays import Codes, Column, narrowed
from core.analytics.changes import changes
from core.analytics.entries import References
from core.analytics.ledger import Ledger
from core.analytics.statements import run, run_file

STRETCH = 125_000  # items rolled up at a time, by each thread
ABREAST = 2  # threads that do so

Stretch = tuple[Codes, References | None]
"""Places of items, and what was true of them before; None where nothing was counted."""

SUMMED = {
    "pair_counts": "n", "live_counts": "n", "agreement_counts": "items", "done_paces": "n",
    "state_moves": "change",
}  # fmt: skip
"""The roll-ups and what is summed up over rows of equal keys."""

MOST_LOOSE_ROWS = 100_000
"""Rows a roll-up may gain before rows of equal keys are put together."""

FEW = 1_000
"""Rows that are named one by one in a statement: blocks that hold none of them are not read."""

_STRUCK = {
    "annotations": "UPDATE annotations SET superseded = true",
    "predictions": "UPDATE predictions SET newest = false",
    "gold_answers": "UPDATE gold_answers SET newest = false",
    "final": "DELETE FROM final",
}
"""What is done to rows that stand no longer."""


class Touched:
    """The items new rows are about, and what was true of them before the first of these rows."""

    def __init__(self) -> None:
        self._there = Column(np.bool_)
        self._items: list[Codes] = []
        self._before: list[References] = []

    def note(self, ledger: Ledger, items: Codes) -> None:
        """Take items by their places, before anything new is held to be true of them."""
        self._there.grow(ledger.items.numbers.size)
        new = items[~self._there[items]]
        if len(new):
            self._there.put(new, True)
            new = narrowed(new)[0]
            self._items.append(new)
            self._before.append(ledger.references(new))

    def parts(self, size: int) -> list[tuple[Codes, References]]:
        """Return the items and what was true of them, so many at a time."""
        if not self._items:
            return []
        items = np.concatenate(self._items)
        whole = [
            np.concatenate([getattr(part, field.name) for part in self._before])
            for field in fields(References)
        ]
        return [
            (items[a : a + size], References(*(column[a : a + size] for column in whole)))
            for a in range(0, len(items), size)
        ]


def roll_up_all(cursor: Any, ledger: Ledger) -> None:
    """Fill the empty roll-ups from a ledger that holds every row."""
    n = ledger.items.numbers.size
    parts = [(np.arange(a, min(a + STRETCH, n)), None) for a in range(0, n, STRETCH)]
    _write(cursor, ledger, parts, 0)
    _finish(cursor, ledger)
    put_all_together(cursor)


def roll_up(cursor: Any, ledger: Ledger, touched: Touched, seen: int) -> int:
    """Write the changes that touched items make; return how many rows they are.

    Args:
        cursor: In a transaction, the new rows copied.
        ledger: With the new rows taken.
        touched: The items they are about.
        seen: How many votes there were before.
    """
    rows = _write(cursor, ledger, touched.parts(STRETCH), seen)
    return rows + _finish(cursor, ledger)


def _write(cursor: Any, ledger: Ledger, parts: Sequence[Stretch], seen: int) -> int:
    """Write what parts of the items change, counted side by side: numpy works without Python's lock."""
    rows = 0
    with ThreadPoolExecutor(ABREAST) as pool:
        side_by_side = pool.map if len(parts) > 1 else map
        for found, gone in side_by_side(lambda p: changes(ledger, p[0], p[1], seen), parts):
            if len(gone):
                ledger.stale.setdefault("annotations", []).append(ledger.votes.numbers.at(gone))
            rows += sum(insert(cursor, table, some) for table, some in found.items())
    return rows


def _finish(cursor: Any, ledger: Ledger) -> int:
    rows = insert(cursor, "state_moves", ledger.moves())
    for table, parts in ledger.stale.items():
        _strike(cursor, _STRUCK[table], parts)
    ledger.forget_changes()
    return rows


def _strike(cursor: Any, what: str, parts: Sequence[Codes]) -> None:
    seqs = np.concatenate(parts)
    if len(seqs) <= FEW:
        run(cursor, f"{what} WHERE seq IN ({', '.join(map(str, seqs))})")
        return
    cursor.register("struck", pa.table({"seq": seqs}))
    run(cursor, f"{what} WHERE seq IN (SELECT seq FROM struck)")  # noqa: S608 ours
    cursor.unregister("struck")


def insert(cursor: Any, table: str, rows: pa.Table | Mapping[str, pa.Array]) -> int:
    """Write rows into a table, column by column of the same name; return how many."""
    found = rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
    if found.num_rows:
        cursor.register("made", found)
        run(cursor, f"INSERT INTO {table} BY NAME FROM made")
        cursor.unregister("made")
    return int(found.num_rows)


def put_all_together(cursor: Any) -> None:
    """Sum up the rows of every roll-up that have equal keys."""
    for table, summed in SUMMED.items():
        put_together(cursor, table, summed)


def put_together(cursor: Any, table: str, summed: str) -> None:
    """Sum up the rows of a roll-up that have equal keys."""
    run(
        cursor,
        f"CREATE OR REPLACE TEMP TABLE together AS "  # noqa: S608 names are ours
        f"SELECT * EXCLUDE ({summed}), sum({summed})::BIGINT AS {summed} "
        f"FROM {table} GROUP BY ALL HAVING {summed} <> 0",
    )
    run(cursor, f"DELETE FROM {table}")  # noqa: S608
    run(cursor, f"INSERT INTO {table} BY NAME FROM together")
    run(cursor, "DROP TABLE together")


def follow_days(cursor: Any, tz: str, seen: Mapping[str, int]) -> None:
    """Add up the days of one time zone that rows beyond `seen` fall on."""
    run_file(cursor, "redone", {**seen, "tz": tz})
    [(first, last)] = run(
        cursor, "SELECT epoch(min(day)) - 86400, epoch(max(day)) + 172800 FROM redone"
    )
    if first is not None:
        run_file(cursor, "work_days", {"tz": tz, "first": first, "last": last})
