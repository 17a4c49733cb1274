"""The replica: an in-process DuckDB copy of the record's append-only tables.

It holds nothing of its own: it can be thrown away and rebuilt at any time. Each process owns
one; `catch_up` before reading, `query` from as many threads as you like.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from core.analytics import rollups
from core.analytics.answering import Answering, Edition
from core.analytics.copies import (
    MAGIC,
    Copy,
    State,
    first_line,
    in_its_place,
    opened,
)
from core.analytics.ledger import Ledger
from core.analytics.making import make_beside, make_there
from core.analytics.source import Snapshot, snapshot
from core.analytics.statements import run
from core.analytics.taking import (
    EVERY_PROJECT,
    Renamed,
    Taker,
    audit_hash,
    ends_of,
    last_audit,
    ledger_of,
    parts_beyond,
    write_state,
)
from core.errors import LimitExceeded
from core.store.store import Store

__all__ = ["MAGIC", "CaughtUp", "Edition", "Replica"]

QUERY_SECONDS = 10.0
REMEMBERED = 256  # answers kept until there is a new row: a page asks most of its questions again

SETTLE_ROWS = 1_000_000
"""Rows copied before they are packed: fresh rows take several times the memory of packed ones."""

MOST_ZONES = 4
"""Time zones whose days are kept added up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What one catch-up did.

    Attributes:
        rows: Rows read from the record.
        rebuilt: Whether the replica was emptied first, because the record is not the one it
            was made from (restored from a backup, say).
    """

    rows: int
    rebuilt: bool


class Replica(Answering):
    """A DuckDB copy of one record.

    Attributes:
        notice: A plain sentence where a replica file could not be used, else empty.
        edition: What the copy holds: another one after each catch-up that found anything new.
    """

    def __init__(
        self,
        store: Store,
        path: Path | None = None,
        *,
        memory_limit: str = "2GB",
        threads: int | None = None,
        seconds: float = QUERY_SECONDS,
        remembered: int = REMEMBERED,
    ) -> None:
        self._store = store
        self._path = path
        self._options = {"memory_limit": memory_limit, "threads": threads or min(4, _cores())}
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None  # filled from the copy where rows are to be followed
        self._loose = self._gained = 0
        self._tidying: threading.Thread | None = None
        self._zones: dict[str, Mapping[str, int]] = {}  # up to where their days are added up
        found = opened(path, self._options)
        self.notice, self._state = found.notice, found.state
        super().__init__(found.copy, seconds, remembered)

    def catch_up(self) -> CaughtUp:
        """Read what the record has gained since the last call, all of it or nothing.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        with self._lock, snapshot(self._store) as source:
            if self._broken:
                self._begin_again()
            try:
                return self._caught_up(source)
            except duckdb.Error as error:
                if not self._db.is_damage(error):
                    raise
                self._broken = first_line(error)
                self._begin_again()
                return replace(self._caught_up(source), rebuilt=True)

    def _caught_up(self, source: Snapshot) -> CaughtUp:
        ends, state = ends_of(source), self._state
        continued = _is_continued(source, ends, state)
        if not continued:
            log.warning("replica.rebuilt reason=record-is-another-one")
        if continued and any(state.copied.values()):
            rows = self._follow(source, ends, state)
        else:
            rows = self._make_anew(source, ends)
        self._rebuilt += not continued
        self.edition = (self._rebuilt, *ends.values())
        return CaughtUp(rows, not continued)

    def rebuild(self) -> CaughtUp:
        """Throw the copy away and read the whole record again; readers see the old one meanwhile.

        Raises:
            StoreUnavailable: The record cannot be reached.
            StoreCorrupt: The record is damaged.
        """
        with self._lock, snapshot(self._store) as source:
            ends = ends_of(source)
            rows = self._make_anew(source, ends)
            self._rebuilt += 1
            self.edition = (self._rebuilt, *ends.values())
            return CaughtUp(rows, True)

    def keep_days(self, tz: str) -> None:
        """Add up the days of a time zone, up to the last row copied; the latest few zones are kept.

        Raises:
            LimitExceeded: There is not enough memory.
        """
        with self._lock:
            if self._zones.get(tz) == self._state.copied:
                return
            with self._db.transaction() as cursor:
                for gone in list(self._zones)[: -MOST_ZONES + 1] if tz not in self._zones else ():
                    run(cursor, "DELETE FROM work_days WHERE tz = ?", [gone])
                    del self._zones[gone]
                nothing = dict.fromkeys(self._state.copied, 0)
                rollups.follow_days(cursor, tz, self._zones.get(tz, nothing))
            self._zones[tz] = self._state.copied

    def _follow(self, source: Snapshot, ends: Mapping[str, int], state: State) -> int:
        """Add the new rows in one transaction, so that readers see all of them or none."""
        parts, audit = parts_beyond(ends, state.copied), last_audit(source)
        if not parts and audit == state.audit_seq:
            return 0
        ledger, self._ledger = self._ledger, None  # one that took but part of the rows is useless
        touched = rollups.Touched()
        try:
            with self._db.transaction() as cursor:
                ledger = ledger or ledger_of(cursor)
                votes = ledger.votes.numbers.size
                taker = Taker(cursor, ledger, state.copied, touched)
                taker.take(source, parts, lambda rows: None)
                gained = rollups.roll_up(cursor, ledger, touched, votes)
                trail = audit_hash(source, audit)
                write_state(cursor, audit, trail, ends)
        except Renamed:
            return self._make_anew(source, ends)
        self._state, self._ledger = State(audit, trail, ends), ledger
        self._moves.update(taker.projects)
        self._loose += taker.rows
        self._gained += gained
        self._tidy_later()
        return taker.rows

    def _make_anew(self, source: Snapshot, ends: Mapping[str, int]) -> int:
        """Read everything: beside the old copy in memory, in its place in a file."""
        self._ledger = None  # the new one takes its room
        if self._db.packed:
            made = make_beside(source, self._options, ends, SETTLE_ROWS)
        else:
            made = make_there(source, self._db, ends)
        # Questions under way keep the old one until they are answered.
        self._db, self._ledger = made.copy, made.ledger
        self._state, self._zones = self._db.state(), {}
        self._moves[EVERY_PROJECT] += 1
        self._loose = self._gained = 0
        return made.rows

    def _tidy_later(self) -> None:
        """Begin to tidy up where there is much to tidy; readers have the new rows already."""
        much = self._loose >= SETTLE_ROWS or self._gained >= rollups.MOST_LOOSE_ROWS
        if much and not (self._tidying and self._tidying.is_alive()):
            self._tidying = threading.Thread(target=self._tidy, args=(self._db,), daemon=True)
            self._tidying.start()

    def _tidy(self, copy: Copy) -> None:
        """Put rows of equal keys together and pack what came in; neither changes any answer."""
        try:
            if self._gained >= rollups.MOST_LOOSE_ROWS:
                self._gained = 0
                with copy.transaction() as cursor:
                    rollups.put_all_together(cursor)
            if self._loose >= SETTLE_ROWS and copy.pack():
                self._loose = 0
        except (duckdb.Error, LimitExceeded) as error:
            log.warning("replica.not_tidied reason=%s", first_line(error))
            if isinstance(error, duckdb.Error) and copy.is_damage(error):
                self._broken = first_line(error)

    def _wait_for_tidying(self) -> None:
        if self._tidying:
            self._tidying.join()

    def close(self) -> None:
        """Close the copy; the record stays as it is."""
        with self._lock:
            self._wait_for_tidying()
            self._db.close()

    def _begin_again(self) -> None:
        """Put the file aside that turned out to be damaged, and begin another."""
        assert self._path is not None  # a copy in memory is never damaged
        self._wait_for_tidying()
        self._db.close()
        found = in_its_place(self._path, self._broken, self._options)
        self._db, self.notice, self._state = found.copy, found.notice, found.state
        self._ledger, self._broken, self._zones, self._loose, self._gained = None, "", {}, 0, 0
        self._rebuilt += 1


def _is_continued(source: Snapshot, ends: Mapping[str, int], state: State) -> bool:
    """Return whether the record still holds all that was copied: it may have been restored."""
    if state.audit_seq and audit_hash(source, state.audit_seq) != state.audit_hash:
        return False
    return all(ends[name] >= last for name, last in state.copied.items())


def _cores() -> int:
    return os.cpu_count() or 1
