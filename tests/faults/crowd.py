"""What the other processes of the kill and race tests do; imported there by name."""

from __future__ import annotations

import random
import resource
import signal
import threading
from pathlib import Path
from typing import Any

from core.clock import new_uuid
from core.errors import ConflictError, StorageError
from core.jobs.rows import read_job, update_job
from core.services.accounts.people import actor_of
from core.services.consensus.resolve import resolve
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.ruling import Ruling, decide
from core.services.review.submission import Submission
from core.services.review.submitting import submit, submit_batch
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from tests.record import say


def vote_until_killed(root: Path, slug: str, person_id: int, acknowledged: Any) -> None:
    """Submit one vote after another, sending each UUID once its receipt is there."""
    ws = open_workspace(root)
    actor = actor_of(ws, person_id)
    while True:
        for item in claim_items(ws, actor, slug, 5).items:
            uuid = new_uuid()
            submit(ws, actor, slug, Submission(uuid, item.item_id, "vote", say("cat")))
            acknowledged.send((uuid, item.item_id))


def race(root: Path, slug: str, people: list[int], gate: Any, told: Any) -> None:
    """Let each person of this process claim and vote on every item there is a place for."""
    ws = open_workspace(root)
    saved: list[str] = []
    threads = [threading.Thread(target=_race_one, args=(ws, slug, p, gate, saved)) for p in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.send(saved)


def _race_one(ws: Workspace, slug: str, person_id: int, gate: Any, saved: list[str]) -> None:
    actor, draw = actor_of(ws, person_id), random.Random(person_id)
    gate.wait(60)
    while True:
        found = claim_items(ws, actor, slug, draw.randint(1, 12)).items
        if not found:
            return
        sent = [
            Submission(new_uuid(), i.item_id, draw.choice(["vote", "vote", "skip"]), say("cat"))
            for i in found
        ]
        # Some work is sent for items whose place somebody else may have got.
        strays = [Submission(new_uuid(), found[0].item_id + 1, "vote", say("cat"))]
        for receipt in submit_batch(ws, actor, slug, [*sent, *strays]):
            if receipt.status == "saved":
                saved.append(receipt.uuid)


def review_all(root: Path, slug: str, person_id: int, told: Any) -> None:
    """Vote on everything; the label depends on the item, so all agree."""
    ws = open_workspace(root)
    actor = actor_of(ws, person_id)
    saved = []
    while found := claim_items(ws, actor, slug, 5).items:
        for item in found:
            label = "cat" if item.item_id % 2 else "dog"
            receipt = submit(
                ws, actor, slug, Submission(new_uuid(), item.item_id, "vote", say(label))
            )
            saved.append(receipt.uuid)
    told.send(saved)


def bring(root: Path, slug: str, person_id: int, folder: Path, told: Any) -> None:
    """Import a folder."""
    ws = open_workspace(root)
    told.send(import_data(ws, actor_of(ws, person_id), slug, folder).items)


def work(root: Path, job_id: int, steps: int, told: Any) -> None:
    """Write progress into a job's row, as a training worker does."""
    ws = open_workspace(root)
    for step in range(1, steps + 1):
        with ws.store.ephemeral() as connection:
            update_job(connection, job_id, done=step, heartbeat_at=ws.clock())
    with ws.store.read() as connection:
        told.send(read_job(connection, job_id).done)


def settle_again(root: Path, slug: str, person_id: int, rounds: int, told: Any) -> None:
    """Derive every label anew, again and again."""
    ws = open_workspace(root)
    actor = actor_of(ws, person_id)
    told.send(sum(resolve(ws, actor, slug).items > 0 for _ in range(rounds)))


def decide_when_told(
    root: Path, slug: str, person_id: int, item_id: int, gate: Any, told: Any
) -> None:
    """Rule on an item in the very moment that somebody else changes its votes."""
    ws = open_workspace(root)
    actor = actor_of(ws, person_id)
    seen = get_dispute(ws, actor, slug, item_id)
    ruling = Ruling(
        new_uuid(), item_id, "decide", say("cat"), "clear", seen.votes_seen, seen.newest_seq
    )
    gate.wait(60)
    try:
        told.send(decide(ws, actor, slug, ruling).status)
    except ConflictError as error:
        told.send(error.code)


def vote_until_full(root: Path, slug: str, person_id: int, spare_bytes: int, told: Any) -> None:
    """Vote where no file may grow by more than so many bytes, until the record says it cannot."""
    ws = open_workspace(root)
    actor = actor_of(ws, person_id)
    log = root / "tiebreak.db-wal"
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = log.stat().st_size + spare_bytes
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    saved: list[str] = []
    try:
        while found := claim_items(ws, actor, slug, 5).items:
            for item in found:
                uuid = new_uuid()
                submit(ws, actor, slug, Submission(uuid, item.item_id, "vote", say("cat")))
                saved.append(uuid)
        told.send((saved, "", ""))
    except StorageError as error:
        with ws.store.read() as connection:  # what was saved can still be read
            count = connection.exec_driver_sql("SELECT count(*) FROM annotations").scalar_one()
        told.send((saved, error.message, count))
