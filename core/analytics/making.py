"""Making a copy and its ledger from the whole record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.analytics import rollups
from core.analytics.copies import Copy, made, make_tables, memory_told
from core.analytics.ledger import Ledger
from core.analytics.source import Snapshot
from core.analytics.statements import run
from core.analytics.taking import Taker, audit_hash, last_audit, parts_beyond, write_state


@dataclass(frozen=True, slots=True)
class Made:
    """A copy with its ledger, and how many rows were read for it."""

    copy: Copy
    ledger: Ledger
    rows: int


def make_there(source: Snapshot, copy: Copy, ends: Mapping[str, int]) -> Made:
    """Fill a copy again in its place: readers see the old rows until all new ones are there.

    Raises:
        LimitExceeded: There is not enough memory.
    """
    ledger = _ledger(ends)
    with copy.transaction() as cursor:
        make_tables(cursor)
        taker = Taker(cursor, ledger, dict.fromkeys(ends, 0), None)
        taker.take(source, parts_beyond(ends, dict.fromkeys(ends, 0)), lambda rows: None)
        _finish(source, cursor, ledger, ends)
    return Made(copy, ledger, taker.rows)


def make_beside(
    source: Snapshot, options: Mapping[str, object], ends: Mapping[str, int], settle_rows: int
) -> Made:
    """Make another copy in memory, packed after every so many rows.

    Raises:
        LimitExceeded: There is not enough memory.
    """
    copy, ledger = made(options), _ledger(ends)
    loose = 0

    def settle(rows: int) -> None:
        nonlocal loose
        loose += rows
        if loose >= settle_rows:
            run(cursor, "COMMIT")
            copy.pack()
            run(cursor, "BEGIN")
            loose = 0

    with memory_told():
        cursor = copy.cursor()
        run(cursor, "BEGIN")
        taker = Taker(cursor, ledger, dict.fromkeys(ends, 0), None)
        taker.take(source, parts_beyond(ends, dict.fromkeys(ends, 0)), settle)
        settle(settle_rows)
        _finish(source, cursor, ledger, ends)
        run(cursor, "COMMIT")
        cursor.close()
        copy.pack()
    return Made(copy, ledger, taker.rows)


def _ledger(ends: Mapping[str, int]) -> Ledger:
    ledger = Ledger()
    ledger.reserve(ends["items"], ends["annotations"])
    return ledger


def _finish(source: Snapshot, cursor: Any, ledger: Ledger, ends: Mapping[str, int]) -> None:
    rollups.roll_up_all(cursor, ledger)
    audit = last_audit(source)
    write_state(cursor, audit, audit_hash(source, audit), ends)
