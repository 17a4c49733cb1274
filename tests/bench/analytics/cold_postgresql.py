"""The copy made from a record on PostgreSQL: cold, and after a thousand and a tenth more events."""

from __future__ import annotations

import json
from pathlib import Path

from core.analytics.replica import Replica
from core.services.workspace import open_workspace
from tests.bench.analytics._events import EVENTS, add_votes, lay_out
from tests.bench.analytics._postgres import server
from tests.bench.analytics._timed import timed
from tests.bench.analytics.catch_up import COLD, python

NEW = (1_000, 1_000, 1_000, EVENTS // 10)


def run(folder: Path) -> dict[str, object]:
    """Return what a cold rebuild takes, and catching up; CPU seconds are this side's alone."""
    with server() as url:
        root = lay_out(folder, EVENTS, url)
        cold = json.loads(python(COLD, str(root)))
        ws = open_workspace(root)
        replica = Replica(ws.store, seconds=600)
        replica.catch_up()
        at, rounds = EVENTS, []
        for new in NEW:
            add_votes(root, EVENTS, at, at + new, url)
            at += new
            rounds.append({"new": new, **timed(replica.catch_up, rounds=1, warm=0)})
        replica.close()
        ws.store.close()
    return {"events": EVENTS, "cold": cold, "new_events": rounds}
