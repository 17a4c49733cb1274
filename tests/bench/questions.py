"""Analytics on the replica beside the same questions asked of the record itself."""

from __future__ import annotations

import random
from pathlib import Path

from sqlalchemy import text

from core.analytics.replica import Replica
from core.analytics.votes import vote_table
from core.analytics.work import throughput
from core.services.accounts.people import operator
from core.services.projects.project import get_project
from core.store.tables import annotation_log, item_state, items, people
from tests.bench.made import SLUG, workspace
from tests.bench.timing import in_turn

ITEMS, PEOPLE, VOTES_AN_ITEM = 40_000, 20, 3

_THROUGHPUT = """
SELECT date(at, 'unixepoch') AS day, person_id, count(*), sum(active_seconds)
FROM annotations WHERE project_id = 1 AND kind = 'vote' GROUP BY 1, 2
"""
_VOTES = """
SELECT item_id, person_id, label FROM annotations
WHERE seq IN (SELECT max(seq) FROM annotations WHERE project_id = 1 GROUP BY item_id, person_id)
AND kind = 'vote'
"""


def run(folder: Path) -> dict[str, object]:
    """Return how two dashboard questions fare on 120,000 votes, replica against record."""
    ws, _ = workspace(folder, None)
    project = get_project(ws, operator(ws), SLUG)
    _fill(ws, project.id)
    replica = Replica(ws.store)
    replica.catch_up()

    def ask(query: str) -> list[object]:
        with ws.store.read() as connection:
            return list(connection.execute(text(query)))

    daily = in_turn(lambda _: throughput(replica, project.id, "UTC"), lambda _: ask(_THROUGHPUT), 7)
    votes = in_turn(lambda _: vote_table(replica, project.id), lambda _: ask(_VOTES), 7)
    replica.close()
    ws.store.close()
    peer = "the same question in SQL on the SQLite record"
    return {
        "votes": ITEMS * VOTES_AN_ITEM,
        "throughput_per_person_and_day": {**daily, "peer": peer},
        "live_votes_as_arrays": {**votes, "peer": peer},
    }


def _fill(ws: object, project_id: int) -> None:
    rng = random.Random(3)
    with ws.store.write() as c:  # type: ignore[attr-defined]
        c.execute(people.insert(), [
            {"name": f"p{i}", "kind": "annotator", "simulated": True, "at": 0.0} for i in range(PEOPLE)
        ])  # fmt: skip
        who = [r.id for r in c.execute(people.select()) if r.name.startswith("p")]
        c.execute(items.insert(), [_item(project_id, i) for i in range(ITEMS)])
        ids = [r.id for r in c.execute(items.select())]
        c.execute(item_state.insert(), [_state(project_id, i) for i in ids])
        rows = [
            _vote(project_id, item, person, rng)
            for item in ids
            for person in rng.sample(who, VOTES_AN_ITEM)
        ]
        c.execute(annotation_log.insert(), rows)


def _item(project_id: int, i: int) -> dict[str, object]:
    return {
        "project_id": project_id, "content_hash": f"{i:064x}", "location": f"{i}.jpg",
        "width": 10, "height": 10, "orientation": 1, "format": "JPEG", "size_bytes": 1,
        "use": "train", "use_probability": 0.8, "at": 0.0,
    }  # fmt: skip


def _state(project_id: int, item: int) -> dict[str, object]:
    return {
        "item_id": item, "project_id": project_id, "state": "open", "votes": VOTES_AN_ITEM,
        "wanted": 3, "priority": 0.5, "updated_at": 0.0,
    }  # fmt: skip


def _vote(project_id: int, item: int, person: int, rng: random.Random) -> dict[str, object]:
    label = rng.choice("abc")
    return {
        "uuid": f"{item}-{person}", "project_id": project_id, "item_id": item, "person_id": person,
        "revision": 1, "kind": "vote", "label": label,
        "answer": f'{{"choices":{{"label":"{label}"}},"regions":[]}}', "reason": "",
        "schema_version": 1, "guideline_version": 1, "prelabel_shown": False,
        "active_seconds": rng.uniform(1, 9), "at": 1.7e9 + rng.uniform(0, 14 * 86400),
    }  # fmt: skip
