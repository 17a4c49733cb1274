"""A process killed while an answer to gold is taken in: saved once or not at all, then resent."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from core.clock import new_uuid
from core.queue.plan import QueuePlan
from core.services.accounts.people import actor_of
from core.services.projects.queue_plans import set_queue_plan
from core.services.review.claiming import claim_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import open_workspace
from core.store.tables import annotation_log, gold_answers, probe_leases, probe_votes
from tests.processes import ended, pipe, start
from tests.record import World, say


def answer(root: str, person_id: int, item_id: int, uuid: str, killed_at: int, told: Any) -> None:
    """Answer an item, killed before the n-th statement; tell how many there were."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    ws = open_workspace(Path(root))
    actor = actor_of(ws, person_id)
    event.listen(Engine, "before_cursor_execute", count)
    submit(ws, actor, "pets", Submission(uuid, item_id, "vote", say("dog")))
    told.send(seen)


@pytest.fixture
def gold_in_hand(world: World) -> tuple[World, int]:
    """Give a project and a gold item that the first expert holds."""
    with world.ws.store.write() as connection:
        rows = [
            {"project_id": world.project.id, "item_id": i, "label": "cat",
             "answer": say("cat").to_json(), "batch_id": None, "at": 1.0}
            for i in world.items
        ]  # fmt: skip
        connection.execute(gold_answers.insert(), rows)
    set_queue_plan(world.ws, world.cast.lead, world.slug, QueuePlan(onboarding=6), "all gold")
    claim_items(world.ws, world.cast.experts[0], world.slug, 6)
    with world.ws.store.read() as connection:
        held = connection.execute(select(probe_leases.c.item_id)).scalars().all()
    return world, held[0]


def test_it_is_kept_once_or_not_at_all(gold_in_hand: tuple[World, int]):
    """Killed at any statement nothing is half kept; the resend is saved, once."""
    world, item = gold_in_hand
    root, me = str(world.ws.root), world.cast.experts[0]
    uuid, at = new_uuid(), 1
    while True:
        hears, tells = pipe()
        status = ended(start(answer, root, me.person_id, item, uuid, at, tells))
        with world.ws.store.read() as connection:
            kept = connection.execute(select(func.count()).select_from(probe_votes)).scalar_one()
            votes = connection.execute(
                select(func.count()).select_from(annotation_log)
            ).scalar_one()
        assert votes == 0
        if status == 0:
            assert hears.recv() > 0
            break
        assert status == -signal.SIGKILL
        assert kept == 0
        at += 7
    assert kept == 1
    receipt = submit(world.ws, me, "pets", Submission(uuid, item, "vote", say("dog")))
    assert (receipt.status, receipt.revision) == ("already-saved", 1)
