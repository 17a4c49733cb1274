"""A vote, acknowledged durably, beside a bare one-row commit of SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import select

from core.clock import new_uuid
from core.labels import Answer
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import items
from tests.bench.made import SLUG, photos, workspace
from tests.bench.timing import in_turn

ROUNDS = 300


def run(folder: Path) -> dict[str, object]:
    """Return the time of a vote (gate, free place, label derived, audit) against a bare commit."""
    ws, expert = workspace(folder, photos(folder, ROUNDS))
    with ws.store.read() as connection:
        ids = list(connection.execute(select(items.c.id)).scalars())
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE votes (id INTEGER PRIMARY KEY, label TEXT)")

    def vote(i: int) -> None:
        answer = Answer({"label": "a"})
        submit(ws, expert, SLUG, Submission(new_uuid(), ids[i], "vote", answer, active_seconds=1.0))

    voted = in_turn(vote, lambda _: bare.execute("INSERT INTO votes (label) VALUES ('a')"), ROUNDS)
    bare.close()
    ws.store.close()
    return {"vote_acknowledged": {**voted, "peer": "one-row SQLite commit, synchronous=FULL"}}
