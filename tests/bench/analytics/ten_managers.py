"""One process: ten managers read the dashboard of a large project while 25 people review another."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import select

from core.access import Actor, Role
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.labels import Answer
from core.labels.schema import Task
from core.server.lifespan import take_short_turns
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.analytics import figures
from core.services.projects.project import NewProject, create_project
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.store.tables import items
from tests.bench.analytics._events import EVENTS, copy_of, laid_out
from tests.bench.made import SLUG, photos

REVIEWERS, MANAGERS = 25, 10
PACE_S, THINK_S, SECONDS = 2.0, 5.0, 40.0
REVIEWED = "reviewed"
ITEMS = 60

Revisions = dict[tuple[str, int], int]
"""How often each person has answered each item."""


def run(folder: Path) -> dict[str, object]:
    """Return the 95th percentile of a vote's acknowledgement without the managers, and with them."""
    take_short_turns()  # as the server does
    ws = open_workspace(copy_of(laid_out(min(EVENTS, 1_000_000)), folder))
    people, ids = _project(ws, folder)
    figures.quality(ws, operator(ws), SLUG)  # the copy is made before anybody waits for it
    revisions: Revisions = {}
    alone = _review(ws, people, ids, revisions)
    pages: list[float] = []
    done = threading.Event()
    with ExitStack() as stack:
        for number in range(MANAGERS):
            thread = threading.Thread(target=_manage, args=(ws, number, pages, done))
            thread.start()
            stack.callback(thread.join)
        stack.callback(done.set)
        beside = _review(ws, people, ids, revisions)
    ws.store.close()
    return {
        "events": min(EVENTS, 1_000_000), "reviewers": REVIEWERS, "managers": MANAGERS,
        "alone": _shown(alone), "with_managers": _shown(beside), "manager_page": _shown(pages),
        "p95_ratio": round(_p95(beside) / _p95(alone), 2),
        "p95_difference_ms": round(_p95(beside) - _p95(alone), 1),
    }  # fmt: skip


def _project(ws: Workspace, folder: Path) -> tuple[list[Actor], list[int]]:
    office = operator(ws)
    policy = Policy(overlap=2 * REVIEWERS, max_votes=2 * REVIEWERS)
    create_project(
        ws, office, NewProject(REVIEWED, Task.CLASSIFICATION, ("a", "b", "c"), policy=policy)
    )
    import_data(ws, office, REVIEWED, photos(folder, ITEMS), ImportOptions("items"))
    roles = [(Role.EXPERT, None)]
    people = [actor_of(ws, add_person(ws, office, f"r{i}", roles=roles)) for i in range(REVIEWERS)]
    with ws.store.read() as connection:
        found = select(items.c.id).order_by(items.c.id.desc()).limit(ITEMS)
        return people, list(connection.execute(found).scalars())


def _review(
    ws: Workspace, people: list[Actor], ids: list[int], revisions: Revisions
) -> list[float]:
    """Let everybody vote at their pace for a while and return how long each vote took in ms."""
    times: list[float] = []
    until = time.monotonic() + SECONDS

    def one(actor: Actor, number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.uniform(0, PACE_S))
        while time.monotonic() < until:
            began = time.perf_counter()
            _vote(ws, actor, chance, ids, revisions)
            took = time.perf_counter() - began
            times.append(took * 1e3)
            time.sleep(max(0.0, PACE_S - took))

    _all_of([lambda a=a, i=i: one(a, i) for i, a in enumerate(people)])
    return times


def _vote(
    ws: Workspace, actor: Actor, chance: random.Random, ids: list[int],
    revisions: Revisions,
) -> None:  # fmt: skip
    item = chance.choice(ids)
    base = revisions.get((actor.name, item), 0)
    answer = Answer({"label": chance.choice("abc")})
    submission = Submission(
        new_uuid(), item, "vote", answer, base_revision=base, active_seconds=1.0
    )
    submit(ws, actor, REVIEWED, submission)
    revisions[actor.name, item] = base + 1


def _manage(ws: Workspace, number: int, pages: list[float], done: threading.Event) -> None:
    office, chance = operator(ws), random.Random(number)
    asks: list[Callable[[], object]] = [
        lambda: figures.quality(ws, office, SLUG, "people", "gold"),
        lambda: figures.quality(ws, office, SLUG),
        lambda: figures.throughput(ws, office, SLUG),
        lambda: figures.stats(ws, office, REVIEWED),
    ]
    while not done.wait(chance.uniform(0, THINK_S)):
        began = time.perf_counter()
        chance.choice(asks)()
        pages.append((time.perf_counter() - began) * 1e3)


def _all_of(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def _shown(times: list[float]) -> dict[str, float]:
    return {
        "n": len(times), "p50_ms": round(median(times), 1), "p95_ms": round(_p95(times), 1),
    }  # fmt: skip
