"""The one writer: what every record transaction on PostgreSQL takes first."""

from __future__ import annotations

from sqlalchemy import Connection, text

ADVISORY_LOCK = 7_231_905
"""Any fixed number; it only has to be the same everywhere."""


def become_the_writer(connection: Connection) -> None:
    """Wait until no other record transaction runs; SQLite's BEGIN IMMEDIATE has done so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
