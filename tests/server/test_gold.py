"""Gold over the wire: the JSON of a gold item, of its receipt and of what is known of it."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from core.access import Role
from core.labels import Answer
from core.queue.plan import QueuePlan
from core.services.accounts.grants import grant
from core.services.projects.queue_plans import set_queue_plan
from core.store.tables import gold_answers, items, probe_leases, probe_votes
from tests.pages.house import House
from tests.server.conftest import SAME_SITE, Enter

OF_ITEM = {"item_id", "name", "image", "metadata", "prelabel", "width", "height"}


def plant(house: House, **plan: Any) -> None:
    """Give half of the items gold, and put a plan in force that plants it at known places."""
    (house.ws.root / "secret").write_bytes(b"the same in each of these tests!")
    with house.ws.store.write() as connection:
        found = connection.execute(
            select(items.c.id, items.c.project_id)
            .where(items.c.use != "evaluate")
            .order_by(items.c.id)
        ).all()
        rows = [
            {"project_id": r.project_id, "item_id": r.id, "label": "oak",
             "answer": Answer({"label": "oak"}).to_json(), "batch_id": None, "at": 1.0}
            for r in found[::2]
        ]  # fmt: skip
        connection.execute(gold_answers.insert(), rows)
    set_queue_plan(house.ws, house.actor("leo"), "leaves", QueuePlan(**plan), "for a test")


def send(client: Any, item_id: int, label: str = "oak") -> dict[str, Any]:
    row = {
        "uuid": str(uuid.uuid4()), "item_id": item_id, "kind": "vote",
        "answer": {"choices": {"label": label}, "regions": []}, "base_revision": 0,
        "active_seconds": 2.5, "started_at": 0,
    }  # fmt: skip
    reply = client.post("/files/decisions/leaves", json={"submissions": [row]}, headers=SAME_SITE)
    found: dict[str, Any] = reply.json()["receipts"][0]
    return found


def test_no_field_tells_gold_from_others(enter: Enter, house: House) -> None:
    """Items, receipts and what is known of them have the same fields with the same kinds of values."""
    plant(house, gold_share=0.5)
    client = enter("ada")
    sent = client.get("/files/queue/leaves?count=10").json()["items"]
    with house.ws.store.read() as connection:
        planted = set(connection.execute(select(probe_leases.c.item_id)).scalars())
    gold = [i for i in sent if i["item_id"] in planted]
    real = [i for i in sent if i["item_id"] not in planted]
    assert gold
    assert real
    assert {frozenset(i) for i in sent} == {frozenset(sent[0])}
    for one in gold:
        plain = {k: v for k, v in one.items() if k not in OF_ITEM}
        assert plain == {k: v for k, v in real[0].items() if k not in OF_ITEM}
        assert (one["prelabel"] is None) == (real[0]["prelabel"] is None)
    receipts = [send(client, i["item_id"]) for i in (gold[0], real[0])]
    bare = [{k: v for k, v in r.items() if k not in ("uuid", "item_id")} for r in receipts]
    assert bare[0] == bare[1]
    opened = [
        client.get(f"/files/open/leaves/{i['item_id']}").json()["item"] for i in (gold[0], real[0])
    ]
    assert len({i["state"] for i in opened}) == 1
    assert len({(i["revision"], i["mine_kind"], i["can_vote"]) for i in opened}) == 1


def test_onboarding_tells_the_answer_over_the_wire(enter: Enter, house: House) -> None:
    """With feedback the receipt of a new expert's first items says whether they were right."""
    plant(house, onboarding=2, feedback=True)
    grant(house.ws, house.actor("kim"), house.people["eve"], Role.EXPERT, "leaves")
    client = enter("eve")
    sent = client.get("/files/queue/leaves?count=10").json()["items"]
    assert len(sent) == 2
    receipt = send(client, sent[0]["item_id"], "oak")
    assert (receipt["right"], receipt["truth"]) == (True, "oak")
    with house.ws.store.read() as connection:
        assert connection.execute(select(probe_votes.c.purpose)).scalars().all() == ["onboarding"]
