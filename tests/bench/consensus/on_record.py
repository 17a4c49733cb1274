"""What a QA lead waits for on large records: agreement after a new vote, and a replay of policies.

Both go through the services the pages call, from the record (SQLite) and its replica.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np

from core.analytics.asked import ALL
from core.consensus.policy import Policy, Stop
from core.services.analytics import figures
from core.services.consensus.agreement import Scale
from core.services.consensus.replay import replay
from core.services.steering.rules import set_policy
from core.services.workspace import open_workspace
from tests.bench.consensus.one_vote import filled
from tests.record import vote

AGREEMENT_ITEMS, REPLAY_ITEMS = 24_000, 200_000
ROUNDS = 20
OTHERS = {
    "majority, once two ahead": Policy(stop=Stop.LEAD, max_votes=9),
    "dawid-skene, once 95 % sure": Policy(
        algorithm="dawid-skene", stop=Stop.POSTERIOR, max_votes=9
    ),
}


def agreement_page(folder: Path, _: str) -> dict[str, object]:
    """Return milliseconds of all figures of the agreement section, each time after one more vote."""
    ws = open_workspace(folder)
    world = filled(ws, AGREEMENT_ITEMS)
    set_policy(
        ws, world.cast.lead, world.slug, Policy(overlap=6, max_votes=9), "one more vote each"
    )
    late, took = world.cast.experts[-1], []
    for item in world.items[: ROUNDS + 1]:
        vote(world, late, item)
        start = time.perf_counter()
        found = figures.agreement(ws, world.cast.lead, world.slug, ALL, Scale.NAMES)
        took.append(1000 * (time.perf_counter() - start))
        assert found.together is not None, "people and pairs are part of what is measured"
    ws.store.close()
    return {
        "votes": AGREEMENT_ITEMS * 5,
        "n": ROUNDS,
        "first_ms": round(took[0]),
        "median_ms": round(median(took[1:])),
        "p95_ms": round(float(np.percentile(took[1:], 95))),
    }


def replay_in_the_record(folder: Path, _: str) -> dict[str, object]:
    """Return seconds of a replay beside the policy in force, the reading of a million votes included."""
    ws = open_workspace(folder)
    world = filled(ws, REPLAY_ITEMS)
    doc: dict[str, object] = {"votes": REPLAY_ITEMS * 5}
    for name, policy in OTHERS.items():
        start = time.perf_counter()
        replay(ws, world.cast.lead, world.slug, [policy])
        doc[name] = round(time.perf_counter() - start, 2)
    ws.store.close()
    return doc
