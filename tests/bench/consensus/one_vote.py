"""One new vote on a project of 300,000: its provisional label, the whole submit, and the full resolve.

The kernel alone is `truth.one_new_vote`; here the evidence is read from the record (SQLite, durable
writes) and the last fit from the workspace's cache, as the app does it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import select

from core.consensus.policy import Policy
from core.services.consensus.resolve import gather, outcome_of, resolve
from core.services.projects.project import ProjectView, get_project
from core.services.steering.rules import set_policy
from core.services.workspace import Workspace, open_workspace
from core.store.tables import annotation_log, item_state, items
from tests.record import CLASSES, World, make_cast, make_project, say, vote

ITEMS, VOTES, PEOPLE = 60_000, 5, 20
TIMED = 200
POLICY = Policy(overlap=VOTES, max_votes=VOTES + 4, algorithm="dawid-skene")
ROWS = 20_000


def run(folder: Path, _: str) -> dict[str, object]:
    """Return milliseconds of one vote's label and of the whole submit, and seconds of a full resolve."""
    ws = open_workspace(folder)
    world = filled(ws)
    lead = world.cast.lead
    set_policy(ws, lead, world.slug, POLICY, "measured")
    start = time.perf_counter()
    first = resolve(ws, lead, world.slug)
    full = time.perf_counter() - start
    assert first.changed == 0, "a second full resolve changed something"
    waiting = _open(ws, world.project)
    project = get_project(ws, lead, world.slug)
    label = _timed(lambda item: _label(ws, project, item), waiting)
    late = world.cast.experts[PEOPLE]
    whole = _timed(lambda item: vote(world, late, item), waiting)
    ws.store.close()
    return {
        "items": ITEMS, "votes": ITEMS * VOTES,
        "label_ms": label, "submit_ms": whole, "full_resolve_s": round(full, 1),
    }  # fmt: skip


def _label(ws: Workspace, project: ProjectView, item: int) -> None:
    with ws.store.read() as connection:
        found = gather(connection, [item], project.schema)
    outcome_of(ws, project, item, found[item])


def _timed(work: Callable[[int], object], asked: Sequence[int]) -> dict[str, float]:
    took = []
    for item in asked[:TIMED]:
        start = time.perf_counter()
        work(item)
        took.append(1000 * (time.perf_counter() - start))
    return {
        "first": round(took[0], 2),
        "median": round(float(np.median(took)), 2),
        "p95": round(float(np.percentile(took, 95)), 2),
    }


def filled(ws: Workspace, size: int = ITEMS) -> World:
    """Return a project of so many items, each with five seeded votes of twenty people."""
    project = make_project(ws, policy=Policy(overlap=VOTES, max_votes=VOTES))
    cast = make_cast(ws, project.slug, PEOPLE + 1)
    row = {
        "project_id": project.id, "width": 64, "height": 64, "orientation": 1, "format": "PNG",
        "size_bytes": 100, "use": "train", "use_probability": 0.8, "at": 1.0,
    }  # fmt: skip
    names = [{**row, "content_hash": f"{n:064d}", "location": f"{n}.png"} for n in range(size)]
    with ws.store.write() as connection:
        connection.execute(items.insert(), names)
        ids = list(connection.execute(select(items.c.id).order_by(items.c.id)).scalars())
        said = _said(project, [e.person_id for e in cast.experts[:PEOPLE]], ids)
        for first in range(0, len(said), ROWS):
            connection.execute(annotation_log.insert(), said[first : first + ROWS])
    return World(ws, project, ids, cast)


def _said(project: ProjectView, people: list[int], ids: list[int]) -> list[dict[str, object]]:
    """Return seeded votes of people who are right between half and nearly all of the time."""
    draw = np.random.default_rng(7)
    skill, answers = np.linspace(0.5, 0.95, PEOPLE), [say(c).to_json() for c in CLASSES]
    shared = {
        "project_id": project.id, "revision": 1, "kind": "vote", "reason": "", "schema_version": 1,
        "guideline_version": 1, "prediction_seq": None, "prelabel_shown": False,
        "active_seconds": 1.0, "started_at": None, "via": "deck", "queue": "", "batch_id": None,
        "at": 1.0,
    }  # fmt: skip
    rows: list[dict[str, object]] = []
    for item in ids:
        truth = int(draw.integers(len(CLASSES)))
        for who in draw.choice(PEOPLE, VOTES, replace=False).tolist():
            told = truth if draw.random() < skill[who] else int(draw.integers(len(CLASSES)))
            rows.append({
                **shared, "uuid": f"{item:08d}-{who:08d}", "item_id": item,
                "person_id": people[who], "label": CLASSES[told], "answer": answers[told],
            })  # fmt: skip
    return rows


def _open(ws: Workspace, project: ProjectView) -> list[int]:
    waiting = select(item_state.c.item_id).where(
        item_state.c.project_id == project.id, item_state.c.state == "open"
    )
    with ws.store.read() as connection:
        return list(connection.execute(waiting.order_by(item_state.c.item_id)).scalars())
