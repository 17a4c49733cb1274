"""Kills and races: nothing acknowledged is lost, no place is given twice (F1 to F3, F12, F26, F28).

``TIEBREAK_TEST_ROUNDS`` multiplies the rounds.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.errors import ConflictError
from core.jobs.rows import create_job
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.audit import verify_audit
from core.store.tables import annotation_log, audit, final_labels, item_names
from tests.faults import crowd
from tests.processes import ROUNDS, barrier, ended, pipe, start
from tests.record import (
    World,
    draw_folder,
    live_leases,
    live_votes,
    make_world,
    say,
    state_of,
    vote,
)

Make = Callable[..., World]


def labels_of(world: World) -> dict[int, tuple]:
    """Return each item's state, label and votes."""
    return {i: state_of(world, i) for i in world.items}


def check_consistent(world: World) -> None:
    """Hold the trail, the votes and the derived state against one another."""
    from core.services.consensus.resolve import resolve

    with world.ws.store.read() as connection:
        verify_audit(connection)
        said = connection.execute(select(func.count()).select_from(annotation_log)).scalar_one()
        noted = connection.execute(
            select(func.count()).where(audit.c.action.in_(["vote", "skip", "flag", "withdraw"]))
        ).scalar_one()
    assert said == noted  # each action has its record and each record its action
    before = labels_of(world)
    assert resolve(world.ws, world.cast.lead, world.slug).changed == 0
    assert labels_of(world) == before


def test_a_killed_process_loses_no_acknowledged_vote(make: Make):
    """SIGKILL at random moments of a stream of votes: each one acknowledged is there, once."""
    world = make(n_items=400, n_experts=8, policy=Policy(overlap=8, max_votes=8))
    acknowledged: list[tuple[str, int]] = []
    for number in range(5 * ROUNDS):
        hears, tells = pipe()
        expert = world.cast.experts[number % 8]
        process = start(crowd.vote_until_killed, world.ws.root, world.slug, expert.person_id, tells)
        tells.close()
        assert hears.poll(60)
        time.sleep(0.02 + 0.037 * (number % 5))
        os.kill(process.pid or 0, signal.SIGKILL)
        assert ended(process) == -signal.SIGKILL
        while hears.poll(0):
            try:
                acknowledged.append(hears.recv())
            except EOFError:
                break
    with world.ws.store.read() as connection:
        rows = connection.execute(select(annotation_log.c.uuid, annotation_log.c.item_id)).all()
    stored = {r.uuid: r.item_id for r in rows}
    assert len(stored) == len(rows)
    assert len(acknowledged) >= 5 * ROUNDS
    assert [a for a in acknowledged if stored.get(a[0]) != a[1]] == []
    assert len(rows) - len(acknowledged) <= 5 * ROUNDS  # at most one a kill was not yet answered
    # What was acknowledged may be sent again by a client that never heard: nothing changes.
    uuid, item = acknowledged[0]
    again = submit(
        world.ws, world.cast.experts[0], world.slug, Submission(uuid, item, "vote", say("cat"))
    )
    assert again.status == "already-saved"
    check_consistent(world)


def test_two_processes_of_eight_threads_never_share_the_last_place(make: Make):
    """Sixteen people race for the places on 200 items: votes and leases never exceed the wanted."""
    world = make(n_items=200, n_experts=16, policy=Policy(overlap=2, max_votes=2))
    people = [e.person_id for e in world.cast.experts]
    gate, (hears, tells) = barrier(16), pipe()
    started = [
        start(crowd.race, world.ws.root, world.slug, people[half::2], gate, tells)
        for half in (0, 1)
    ]
    watched, worst = threading.Event(), []

    def watch() -> None:
        while not watched.is_set():
            with world.ws.store.read() as connection:
                worst.append(most_taken(world.ws, connection))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        saved = hears.recv() + hears.recv()
        assert [ended(p) for p in started] == [0, 0]
    finally:
        watched.set()
        watcher.join()
    assert max(worst) <= 2
    votes = live_votes(world.ws)
    counts = [len(votes.get(i, ())) for i in world.items]
    assert max(counts) == 2
    assert counts.count(2) > 150  # the rest were skipped by those who came last
    assert live_leases(world.ws) == {}
    with world.ws.store.read() as connection:
        stored = set(connection.execute(select(annotation_log.c.uuid)).scalars())
    assert len(saved) == len(set(saved))
    assert stored == set(saved)
    check_consistent(world)


def most_taken(ws: Workspace, connection) -> int:
    """Return the most votes and leases any item has, in one snapshot."""
    from sqlalchemy import text

    query = text(
        "SELECT COALESCE(MAX(taken), 0) FROM (SELECT COUNT(*) AS taken FROM ("
        "SELECT item_id, person_id FROM leases WHERE expires_at > :now UNION ALL "
        "SELECT item_id, person_id FROM annotations WHERE kind = 'vote') AS a GROUP BY item_id) AS b"
    )
    return connection.execute(query, {"now": ws.clock()}).scalar_one()


def test_app_command_line_and_worker_share_one_workspace(make: Make):
    """Two reviewers, an import, a worker's progress and full resolves at once: all of it holds (F12)."""
    world = make(n_items=25)
    ws, slug = world.ws, world.slug
    folder = draw_folder(ws.root / "incoming" / "more", 15)
    with ws.store.write() as connection:
        by = world.cast.manager.person_id
        job = create_job(connection, world.project.id, "train", {}, by, ws.clock())
    one, two = (e.person_id for e in world.cast.experts[:2])
    pipes = [pipe() for _ in range(5)]
    tells = [p[1] for p in pipes]
    started = [
        start(crowd.review_all, ws.root, slug, one, tells[0]),
        start(crowd.review_all, ws.root, slug, two, tells[1]),
        start(crowd.bring, ws.root, slug, by, folder, tells[2]),
        start(crowd.work, ws.root, job, 60, tells[3]),
        start(crowd.settle_again, ws.root, slug, by, 5, tells[4]),
    ]
    heard = [p[0].recv() for p in pipes]
    assert [ended(p) for p in started] == [0] * 5
    with ws.store.read() as connection:
        stored = set(connection.execute(select(annotation_log.c.uuid)).scalars())
        names = connection.execute(select(func.count()).select_from(item_names)).scalar_one()
    assert stored == set(heard[0] + heard[1])
    assert (heard[2], names, heard[3], heard[4]) == (15, 40, 60, 5)
    for item in world.items:
        assert state_of(world, item)[:3] == ("agreed", "cat" if item % 2 else "dog", 2)
    check_consistent(world)


def test_two_people_submit_the_same_last_place_at_once(make: Make):
    """Again and again the same instant: one vote is in, the other refused and kept (F26)."""
    world = make(n_items=10 * ROUNDS, policy=Policy(overlap=1, max_votes=1))
    one, two = world.cast.experts[:2]
    for item in world.items:
        gate, said = threading.Barrier(2), []

        def send(expert, item=item, gate=gate, said=said) -> None:
            gate.wait(10)
            try:
                said.append(vote(world, expert, item).status)
            except ConflictError as error:
                said.append(error.code)

        threads = [threading.Thread(target=send, args=(e,)) for e in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said) == ["ITEM_CLOSED", "saved"]
        assert len(live_votes(world.ws)[item]) == 1


def test_a_resend_from_many_threads_is_one_vote(make: Make):
    """A client that gave up waiting sends again while the first is under way (F3)."""
    world = make(n_items=1)
    uuid, said = new_uuid(), []
    threads = [
        threading.Thread(
            target=lambda: said.append(
                vote(world, world.cast.experts[0], world.items[0], uuid=uuid).status
            )
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["already-saved"] * 5 + ["saved"]


@pytest.mark.parametrize("round_", range(3 * ROUNDS))
def test_a_ruling_and_a_changed_vote_at_once_come_one_after_the_other(make: Make, round_: int):
    """Either the ruling came first and the change is refused, or the ruling is stale (F28)."""
    world = make(n_items=1, policy=Policy(on_disagreement=OnDisagreement.LEAD))
    item = world.items[0]
    vote(world, world.cast.experts[0], item, "cat")
    vote(world, world.cast.experts[1], item, "dog")
    gate, (hears, tells) = barrier(2), pipe()
    lead = world.cast.lead.person_id
    process = start(crowd.decide_when_told, world.ws.root, world.slug, lead, item, gate, tells)
    gate.wait(60)
    time.sleep(0.001 * round_)
    try:
        changed = vote(world, world.cast.experts[0], item, "owl", base=1).status
    except ConflictError as error:
        changed = error.code
    ruled = hears.recv()
    assert ended(process) == 0
    assert (changed, ruled) in {("ITEM_CLOSED", "saved"), ("saved", "STALE_VERSION")}
    with world.ws.store.read() as connection:
        states = connection.execute(select(final_labels.c.state)).scalars().all()
    assert states[-1] == ("adjudicated" if ruled == "saved" else "dispute")


def test_a_full_disk_refuses_the_vote_and_keeps_what_was_saved(sqlite_ws: Workspace):
    """When nothing more can be written the record says so, and holds exactly the saved votes (F9)."""
    world = make_world(sqlite_ws, n_items=300, policy=Policy(overlap=1, max_votes=1))
    hears, tells = pipe()
    expert = world.cast.experts[0].person_id
    process = start(crowd.vote_until_full, sqlite_ws.root, world.slug, expert, 400_000, tells)
    saved, message, count = hears.recv()
    assert ended(process) == 0
    assert message.endswith("what was saved before is safe.")
    assert 0 < len(saved) < 300
    assert count == len(saved)
    with sqlite_ws.store.read() as connection:
        stored = set(connection.execute(select(annotation_log.c.uuid)).scalars())
    assert stored == set(saved)
    check_consistent(world)
