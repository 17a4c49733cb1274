"""The audit trail: gapless numbers, each record sealed with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from sqlalchemy import Connection, select

from core.errors import StoreCorrupt
from core.store.tables import audit

GENESIS = "0" * 64


def append_audit(
    connection: Connection,
    at: float,
    actor: str,
    action: str,
    subject: str,
    project_id: int | None = None,
    doc: Mapping[str, object] | None = None,
) -> int:
    """Add one record within the caller's record transaction and return its number."""
    last = connection.execute(
        select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    row: dict[str, object] = {
        "seq": 1 if last is None else last.seq + 1,
        "at": float(at),
        "actor": actor,
        "action": action,
        "project_id": project_id,
        "subject": subject,
        "doc": json.dumps(dict(doc or {}), ensure_ascii=False, sort_keys=True),
        "previous_hash": GENESIS if last is None else last.hash,
    }
    connection.execute(audit.insert(), [{**row, "hash": seal(row)}])
    return int(str(row["seq"]))


def seal(row: Mapping[str, object]) -> str:
    """Return the SHA-256 that binds a record to its content and to the record before it."""
    fields = ("seq", "at", "actor", "action", "project_id", "subject", "doc", "previous_hash")
    text = json.dumps([row[f] for f in fields], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def verify_audit(connection: Connection) -> int:
    """Return how many records the trail holds, after checking each.

    Raises:
        StoreCorrupt: A number is missing, or a record was altered.
    """
    expected, previous = 1, GENESIS
    for found in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
        row = dict(found)
        if row["seq"] != expected or row["previous_hash"] != previous or row["hash"] != seal(row):
            raise StoreCorrupt(
                f"The audit trail is broken at record {expected}; nothing was changed.",
                "Compare with your last copy of the record; put that back if it differs.",
            )
        expected, previous = expected + 1, row["hash"]
    return expected - 1
