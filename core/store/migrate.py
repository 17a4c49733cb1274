"""Bring a record to today's schema, with a copy of the old file beside it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from core.errors import StoreUnavailable
from core.store.lock import become_the_writer

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Run the missing migrations in one transaction; two processes at once are safe.

    Raises:
        StoreUnavailable: The record was written by a newer version of Tiebreak.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    known = ScriptDirectory.from_config(config)
    head = known.get_current_head()
    with engine.connect() as connection:
        with connection.begin():
            found = MigrationContext.configure(connection).get_current_revision()
        if found == head:
            return
        _refuse_newer(found, known)
        exclusive = connection.execution_options(begin="IMMEDIATE")
        with exclusive.begin():
            become_the_writer(exclusive)
            _upgrade(exclusive, config, found)


def _upgrade(connection: Connection, config: Config, found: str | None) -> None:
    # Another process may have migrated while we waited for the lock; alembic looks again.
    if found is not None and connection.dialect.name == "sqlite":
        _keep_copy(Path(connection.engine.url.database or ""), found)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _keep_copy(database: Path, found: str) -> None:
    """Copy the record as it was last committed; its file alone would lack what is in the log."""
    part = database.with_name(f"{database.name}.{os.getpid()}.part")
    source, target = sqlite3.connect(database), sqlite3.connect(part)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    part.replace(database.with_name(f"{database.name}.before-{found}"))


def _refuse_newer(found: str | None, known: ScriptDirectory) -> None:
    revisions = {s.revision for s in known.walk_revisions()}
    if found is not None and found not in revisions:
        raise StoreUnavailable(
            f"The record has schema {found}, this Tiebreak knows up to {known.get_current_head()}; "
            "nothing was changed.",
            "Start the newer version, or restore a backup made with this one.",
        )
