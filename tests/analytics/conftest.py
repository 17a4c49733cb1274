"""Records to write rows into, and replicas of them."""

from __future__ import annotations

import shutil
import uuid

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from core.analytics.replica import Replica
from core.store.store import open_store, sqlite_url
from tests.analytics.recorded import Recorder
from tests.conftest import TEMPLATE


@pytest.fixture(scope="session")
def new_record(request, tmp_path_factory):
    """Give a maker of empty records, on SQLite or PostgreSQL, as copies of a template."""

    def made(dialect):
        if dialect == "postgresql":
            return open_store(_new_database(request.getfixturevalue("pg_server")))
        folder = tmp_path_factory.mktemp("record")
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "tiebreak.db")
        return open_store(sqlite_url(folder))

    return made


def _new_database(server: str) -> str:
    name = f"a{uuid.uuid4().hex[:12]}"
    admin = create_engine(
        make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    admin.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, new_record):
    """Give an empty record, once of each kind."""
    opened = new_record(request.param)
    yield opened
    opened.close()


@pytest.fixture
def recorder(store):
    """Give a writer of rows into the record."""
    return Recorder(store)


@pytest.fixture
def sqlite_recorder(new_record):
    """Give a writer into a record on SQLite, where the database does not matter."""
    opened = new_record("sqlite")
    yield Recorder(opened)
    opened.close()


@pytest.fixture
def replica(store):
    """Give a replica of the record, not yet caught up."""
    made = Replica(store)
    yield made
    made.close()
