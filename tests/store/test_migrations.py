"""Migrations: from nothing, two at once, cut short, and refused when they go backwards."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect, text
from sqlalchemy.engine import Engine

from core.errors import StoreUnavailable
from core.store import migrate
from core.store.store import Store, open_store, sqlite_url
from core.store.tables import metadata
from tests.processes import ended, pipe, start

NOW, NEXT = "0008", "9000"
MORE = f"""
from alembic import op
revision, down_revision, branch_labels, depends_on = "{NEXT}", "{NOW}", None, None


def upgrade():
    op.execute("CREATE TABLE extra (a INTEGER)")
    op.execute("INSERT INTO extra VALUES (1)")
    op.execute("ALTER TABLE people ADD COLUMN nick TEXT")
"""

OLD_ROWS = (
    "INSERT INTO people (id, name, kind, simulated, at) VALUES (1, 'ann', 'person', 0, 1)",
    "INSERT INTO projects (id, slug, title, task, simulated, required_metadata, use_shares, at) "
    "VALUES (1, 'p', 'P', 'classification', 0, '[]', '[0.8,0.1,0.1]', 1)",
    "INSERT INTO guidelines (project_id, version, doc, reason, at) VALUES (1, 1, 'g', 'r', 1)",
    "INSERT INTO items (id, project_id, content_hash, location, width, height, orientation, format, "
    "size_bytes, use, use_probability, at) "
    "VALUES (1, 1, 'h', 'l', 2, 2, 1, 'PNG', 9, 'train', 0.8, 1)",
    "INSERT INTO item_state (item_id, project_id, state, votes, wanted, priority, updated_at) "
    "VALUES (1, 1, 'open', 1, 2, 0.5, 1)",
)


def open_counting(url: str, scripts: str, killed_at: int, told: Any) -> None:
    """Open a record, killed before the n-th statement; tell how many there were."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    if scripts:
        migrate.SCRIPTS = Path(scripts)
    open_store(url).close()
    told.send(seen)


def opened(url: str, scripts: Path | None = None, killed_at: int = 0) -> tuple[int, int]:
    """Open a record in another process; return its exit status and its statements."""
    hears, tells = pipe()
    process = start(open_counting, url, str(scripts or ""), killed_at, tells)
    status = ended(process)
    return status, hears.recv() if hears.poll(0) else 0


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Give the migrations with one more behind the last."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "9000_more.py").write_text(MORE)
    return scripts


def revision(database: Path) -> str | None:
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        tables = {r[0] for r in connection.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" not in tables:
            assert "items" not in tables
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert ("extra" in tables) == (found is not None and found[0] == NEXT)
        return found[0] if found else None


def test_an_empty_place_gets_the_whole_schema(tmp_path: Path, pg_url: str):
    """Migrating from nothing makes exactly the tables and columns the code knows, on both."""
    for url in (sqlite_url(tmp_path), pg_url):
        store = open_store(url)
        found = inspect(store.engine)
        for table in metadata.sorted_tables:
            columns = {c["name"]: c["nullable"] for c in found.get_columns(table.name)}
            assert columns == {c.name: c.nullable for c in table.columns}, table.name
            indexes = {i["name"] for i in found.get_indexes(table.name)}
            assert {i.name for i in table.indexes} <= indexes
        assert set(found.get_table_names()) - {"alembic_version"} == set(metadata.tables)
        store.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_newer_record_is_refused_with_both_versions_named(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
):
    """A record of a later schema is left as it is (F37)."""
    url = sqlite_url(tmp_path) if kind == "sqlite" else request.getfixturevalue("pg_url")
    store = open_store(url)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreUnavailable, match=rf"9999.*{NOW}"):
        open_store(url)
    plain = Store(url)
    with plain.read() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        )
    plain.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_migrate_at_once_all_succeed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
):
    """Four processes open a new record in the same instant: one migrates, all go on."""
    url = sqlite_url(tmp_path) if kind == "sqlite" else request.getfixturevalue("pg_url")
    _, tells = pipe()
    started = [start(open_counting, url, "", 0, tells) for _ in range(4)]
    assert [ended(p) for p in started] == [0, 0, 0, 0]
    store = open_store(url)
    assert "items" in inspect(store.engine).get_table_names()
    store.close()


def test_a_first_migration_that_is_killed_leaves_all_or_nothing(tmp_path: Path):
    """Killed before one statement or another, the record is empty, and opens on the next try."""
    for at in (5, 40, 90):
        folder = tmp_path / str(at)
        folder.mkdir()
        assert opened(sqlite_url(folder), killed_at=at) == (-signal.SIGKILL, 0)
        assert revision(folder / "tiebreak.db") is None
        open_store(sqlite_url(folder)).close()
        assert revision(folder / "tiebreak.db") == NOW


def test_a_later_migration_that_is_killed_leaves_old_or_new(
    tmp_path: Path, second: Path, monkeypatch: pytest.MonkeyPatch
):
    """At each statement: the schema is the old or the new one, and the rows are there (F36)."""
    old = tmp_path / "old"
    old.mkdir()
    store = open_store(sqlite_url(old))
    with store.write() as connection:
        connection.execute(
            text("INSERT INTO people (name, kind, simulated, at) VALUES ('ann', 'person', 0, 1)")
        )
    store.close()
    status, total = opened(sqlite_url(old), second)
    assert status == 0
    assert revision(old / "tiebreak.db") == NEXT
    before = old / f"tiebreak.db.before-{NOW}"
    results = set()
    for at in range(total - 6, total + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        shutil.copy(before, folder / "tiebreak.db")
        opened(sqlite_url(folder), second, killed_at=at)
        found = revision(folder / "tiebreak.db")
        results.add(found)
        assert found in {NOW, NEXT}
        with sqlite3.connect(folder / "tiebreak.db") as connection:
            assert connection.execute("SELECT name FROM people").fetchall() == [("ann",)]
        monkeypatch.setattr(migrate, "SCRIPTS", second)
        open_store(sqlite_url(folder)).close()
        assert revision(folder / "tiebreak.db") == NEXT
    assert NOW in results


def test_the_copy_beside_it_holds_what_is_still_in_the_log(
    tmp_path: Path, second: Path, monkeypatch: pytest.MonkeyPatch
):
    """The copy made before a migration has the last commits, though they are only in the log."""
    store = open_store(sqlite_url(tmp_path))
    with store.write() as connection:
        connection.execute(
            text("INSERT INTO people (name, kind, simulated, at) VALUES ('ann', 'person', 0, 1)")
        )
    monkeypatch.setattr(migrate, "SCRIPTS", second)
    open_store(sqlite_url(tmp_path)).close()  # the first store still holds the log open
    store.close()
    with sqlite3.connect(tmp_path / f"tiebreak.db.before-{NOW}") as copy:
        assert copy.execute("SELECT name FROM people").fetchall() == [("ann",)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (NOW,)


def test_a_record_of_part_one_is_brought_along_with_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A record of schema 0001 with people in it opens under today's, its rows complete."""
    first = tmp_path / "first"
    shutil.copytree(migrate.SCRIPTS, first, ignore=shutil.ignore_patterns("__pycache__"))
    for later in (first / "versions").glob("0*.py"):
        if not later.name.startswith("0001"):
            later.unlink()
    with monkeypatch.context() as then:
        then.setattr(migrate, "SCRIPTS", first)
        store = open_store(sqlite_url(tmp_path))
        with store.write() as connection:
            for statement in OLD_ROWS:
                connection.execute(text(statement))
        store.close()
    store = open_store(sqlite_url(tmp_path))
    with store.read() as connection:
        assert connection.execute(text("SELECT channels FROM items")).scalars().all() == ["[]"]
        assert connection.execute(text("SELECT examples FROM guidelines")).scalar() == "[]"
        assert connection.execute(text("SELECT state, votes FROM item_state")).all() == [
            ("open", 1)
        ]
    store.close()


def test_an_address_that_is_none_is_refused_in_words():
    """A malformed database URL gives a sentence."""
    with pytest.raises(StoreUnavailable, match="no database URL"):
        open_store("not a url")


def test_a_server_that_is_not_there_is_named():
    """Where nobody listens, the record cannot be reached."""
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_store("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")


def test_engines_of_ours_have_the_pragmas_that_make_commits_durable(tmp_path: Path):
    """Votes are written with synchronous=FULL in WAL mode; only leases go with NORMAL."""
    store = open_store(sqlite_url(tmp_path))
    with store.write() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    with store.ephemeral() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
    store.close()
