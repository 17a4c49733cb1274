"""A damaged SQLite record: refused with a sentence, and not touched (F5 to F7, F11)."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import StoreCorrupt, StoreUnavailable
from core.services.workspace import open_workspace
from core.store.store import open_store, sqlite_url
from tests.record import World, vote

Harm = Callable[[Path], None]
PAGE = 4096


def flip(path: Path, at: int, count: int = 1) -> None:
    data = bytearray(path.read_bytes())
    for i in range(at, at + count):
        data[i] ^= 0xFF
    path.write_bytes(data)


def fingerprint(folder: Path) -> dict[str, str]:
    """Return the hash of the record and its log; SQLite's index and an empty log are no content."""
    names = [p for p in folder.iterdir() if not p.name.endswith("-shm") and p.stat().st_size]
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in names}


@pytest.fixture
def left(world: World, tmp_path: Path) -> Path:
    """Give the files as a killed process leaves them: votes are in the log, nothing is folded in."""
    for expert in world.cast.experts[:2]:
        for item in world.items:
            vote(world, expert, item)
    folder = tmp_path / "left"
    folder.mkdir()
    for name in ("tiebreak.db", "tiebreak.db-wal"):
        shutil.copy(world.ws.root / name, folder / name)
    return folder


def count_votes(folder: Path) -> int:
    """Open a record and return how many votes it holds, whole by SQLite's own check."""
    store = open_store(sqlite_url(folder))
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        found = connection.exec_driver_sql("SELECT count(*) FROM annotations").scalar()
    store.close()
    return int(found or 0)


def test_files_left_by_a_killed_process_open(left: Path):
    """The undamaged files open, with every vote."""
    assert count_votes(left) == 12


def damage_head(folder: Path) -> None:
    (folder / "tiebreak.db-wal").unlink()  # the log holds a sound copy of the first page
    flip(folder / "tiebreak.db", 0, 100)


def damage_pages(folder: Path) -> None:
    (folder / "tiebreak.db-wal").unlink()
    for page in range(3, 40, 2):
        flip(folder / "tiebreak.db", page * PAGE, 200)


def damage_log(folder: Path) -> None:
    log = folder / "tiebreak.db-wal"
    flip(log, log.stat().st_size // 2)


def cut_file(folder: Path) -> None:
    (folder / "tiebreak.db-wal").unlink()
    database = folder / "tiebreak.db"
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


@pytest.mark.parametrize("harm", [damage_head, damage_pages, damage_log, cut_file])
def test_a_damaged_record_is_refused_and_left_as_it_is(left: Path, harm: Harm):
    """The sentence says that it is damaged and what to do; not a byte changes."""
    harm(left)
    before = fingerprint(left)
    with pytest.raises(StoreCorrupt) as refused:
        open_store(sqlite_url(left))
    assert "damaged" in refused.value.message
    assert "nothing was changed" in refused.value.message
    assert "put back" in refused.value.advice
    assert fingerprint(left) == before


def test_a_break_in_the_log_counts_what_is_behind_it(left: Path):
    """SQLite would pass over a flipped bit in silence and forget every later vote; we say so."""
    damage_log(left)
    with pytest.raises(StoreCorrupt, match=r"frame \d+ of its log .* \d+ saved transactions"):
        open_store(sqlite_url(left))


@pytest.mark.parametrize("cut", [1, 300, 5000])
def test_a_log_torn_at_its_end_opens(left: Path, cut: int):
    """A process killed while it wrote leaves a torn end, which nobody was told was saved."""
    log = left / "tiebreak.db-wal"
    log.write_bytes(log.read_bytes()[:-cut])
    assert 10 <= count_votes(left) <= 12  # of the last transactions at most


def test_an_empty_or_headless_log_opens(left: Path):
    """A log of no bytes, and one whose head was never written, are empty logs."""
    for content in (b"", bytes(5000)):
        (left / "tiebreak.db-wal").write_bytes(content)
        assert count_votes(left) <= 12


def test_a_workspace_that_cannot_be_made_is_named(tmp_path: Path):
    """Where a file stands in the folder's place, the sentence names the path (F11)."""
    (tmp_path / "ws").write_text("in the way")
    with pytest.raises(StoreUnavailable, match=str(tmp_path / "ws")):
        open_workspace(tmp_path / "ws")


def test_a_record_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path):
    """A folder in the record's place is something to mend, not to restore (F11)."""
    (tmp_path / "tiebreak.db" / "x").mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        open_store(sqlite_url(tmp_path))


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_a_lost_record_is_not_replaced_by_an_empty_one(tmp_path, how):
    """Images without their record are refused with a sentence, and stay as they are."""
    root = tmp_path / "ws"
    open_workspace(root).store.close()
    (root / "images" / "ab").mkdir()
    record = root / "tiebreak.db"
    for name in ("tiebreak.db", "tiebreak.db-wal", "tiebreak.db-shm"):
        (root / name).unlink(missing_ok=True)
    if how == "empty":
        record.touch()
    with pytest.raises(StoreCorrupt, match=how):
        open_workspace(root)
    assert not record.exists() or record.stat().st_size == 0
