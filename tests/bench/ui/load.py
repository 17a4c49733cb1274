"""25 people who each decide every two seconds: how soon are they acknowledged, is anything lost?"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import httpx
from sqlalchemy import func, select

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.services.workspace import open_workspace
from core.store.tables import annotation_log, item_state
from tests.bench.ui.served import figures, photos, project, workspace
from tests.browser.conftest import serving

PEOPLE = 25
PACE_S = 2.0
SECONDS = 60.0
ITEMS = 900
OVERLAP = 2


def run(folder: Path) -> dict[str, object]:
    """Return the acknowledgement times, and what the record holds against what was acknowledged."""
    images = photos(folder / "photos", ITEMS, (320, 240))
    ws = workspace(folder / "workspace", PEOPLE)
    policy = Policy(overlap=OVERLAP, on_disagreement=OnDisagreement.LEAD)
    project(ws, "bench", images, policy=policy)
    ws.store.close()
    with serving(folder / "workspace") as address:
        times, acknowledged, refused = asyncio.run(_everybody(address))
    return {
        "people": PEOPLE,
        "seconds": SECONDS,
        "acknowledged": {**figures(times)},
        "refused": refused,
        **_recount(folder / "workspace", acknowledged),
    }


async def _everybody(address: str) -> tuple[list[float], set[str], int]:
    times: list[float] = []
    acknowledged: set[str] = set()
    refusals = await asyncio.gather(
        *(_person(address, f"p{i}", i, times, acknowledged) for i in range(1, PEOPLE + 1))
    )
    return times, acknowledged, sum(refusals)


async def _person(
    address: str, name: str, number: int, times: list[float], acknowledged: set[str]
) -> int:
    chance, refused = random.Random(number), 0
    async with httpx.AsyncClient(
        base_url=address, timeout=30, headers={"Sec-Fetch-Site": "same-origin"}
    ) as client:
        await client.post("/account/demo", data={"name": name})
        await asyncio.sleep(chance.uniform(0, PACE_S))
        held: list[dict[str, object]] = []
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            if len(held) < 6:
                held += await _claim(client, held)
            if held:
                item = held.pop(0)
                await client.get(str(item["image"]), params={"w": 800})
                took, receipt = await _decide(client, item, chance)
                times.append(took)
                refused += receipt["status"] == "refused"
                if receipt["status"] != "refused":
                    acknowledged.add(receipt["uuid"])
            await asyncio.sleep(max(0.0, PACE_S - (time.monotonic() - began)))
    return refused


async def _claim(
    client: httpx.AsyncClient, held: list[dict[str, object]]
) -> list[dict[str, object]]:
    known = ",".join(str(item["item_id"]) for item in held)
    reply = await client.get("/files/queue/bench", params={"count": 10, "exclude": known})
    return list(reply.raise_for_status().json()["items"])


async def _decide(
    client: httpx.AsyncClient, item: dict[str, object], chance: random.Random
) -> tuple[float, dict[str, str]]:
    submission = {
        "uuid": new_uuid(), "item_id": item["item_id"], "kind": "vote",
        "answer": {"choices": {"label": chance.choice(["ash", "ash", "birch"])}, "regions": []},
        "base_revision": item["revision"], "active_seconds": PACE_S, "started_at": time.time(),
    }  # fmt: skip
    began = time.perf_counter()
    reply = await client.post("/files/decisions/bench", json={"submissions": [submission]})
    took = (time.perf_counter() - began) * 1e3
    return took, reply.raise_for_status().json()["receipts"][0]


def _recount(root: Path, acknowledged: set[str]) -> dict[str, int]:
    ws = open_workspace(root)
    with ws.store.read() as connection:
        stored = set(connection.execute(select(annotation_log.c.uuid)).scalars())
        most = connection.execute(select(func.max(item_state.c.votes))).scalar_one()
        voted_twice = connection.execute(
            select(func.count()).select_from(
                select(annotation_log.c.item_id)
                .group_by(annotation_log.c.item_id, annotation_log.c.person_id)
                .having(func.count() > 1)
                .subquery()
            )
        ).scalar_one()
    ws.store.close()
    return {
        "decisions": len(acknowledged),
        "lost": len(acknowledged - stored),
        "more_votes_than_places": max(0, most - OVERLAP),
        "voted_twice": voted_twice,
    }
