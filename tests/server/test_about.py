"""What the deck asks and says beside a vote, over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from core.labels import Answer
from core.queue.plan import QueuePlan
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import load_project
from core.services.projects.queue_plans import set_queue_plan
from tests.pages.house import House
from tests.server.conftest import SAME_SITE, Enter


def _said(item_id: int, text: str = "Which ears?", **other: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()),
        "kind": "comment",
        "item_id": item_id,
        "thread": None,
        "text": text,
        **other,
    }


def _item(client: Any) -> dict[str, Any]:
    return client.get("/files/queue/leaves?count=1").json()["items"][0]


def test_a_thread_over_the_wire(enter: Enter) -> None:
    """A comment comes back with the item's threads, markup as text; about tells the same."""
    client = enter("leo")
    item_id = _item(client)["item_id"]
    hostile = "<img src=x onerror=alert(1)>"
    sent = _said(item_id, hostile)
    for _ in range(2):  # a resend
        reply = client.post("/files/comment/leaves", json=sent, headers=SAME_SITE)
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "application/json"
    threads = reply.json()["threads"]
    assert [c["text"] for c in threads[0]["comments"]] == [hostile]
    again = _said(item_id, "", kind="resolve", thread=threads[0]["thread"])
    closed = client.post("/files/comment/leaves", json=again, headers=SAME_SITE).json()
    assert closed["threads"][0]["resolved"]
    about = client.get(f"/files/about/leaves/{item_id}").json()
    assert about["threads"] == closed["threads"]
    assert [r["kind"] for r in about["history"]] == ["imported"]
    assert (about["neighbours"], about["embedded"]) == ([], False)
    assert {"ada", "leo"} <= {p["name"] for p in about["people"]}
    assert set(about["people"][0]) == {"name", "display_name"}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "resolve"},
        {"kind": "shout", "thread": 1},
        {"item_id": "one"},
        {"item_id": None},
        {"item_id": 2**70},
        {"text": 5},
        {"text": ""},
        {"text": "x" * 5000},
        {"uuid": 7},
        {"uuid": "x"},
        {"thread": "abc"},
        {"thread": -1},
        {"thread": True},
        {"thread": 10**9},
    ],
    ids=str,
)
def test_a_comment_that_makes_no_sense_is_refused_in_a_sentence(
    enter: Enter, change: dict[str, Any]
) -> None:
    """Whatever a browser sends, the answer is JSON with a code and a sentence; nothing is written."""
    client = enter("leo")
    item_id = _item(client)["item_id"]
    reply = client.post(
        "/files/comment/leaves", json={**_said(item_id), **change}, headers=SAME_SITE
    )
    assert reply.status_code in (404, 422)
    assert reply.json()["error"]["message"]
    assert client.get(f"/files/about/leaves/{item_id}").json()["threads"] == []


def test_other_sites_and_strangers_say_and_read_nothing(enter: Enter, house: House) -> None:
    """Not from another site, not without a session, not without a role in the project."""
    client = enter("eve")
    for path in ("/files/about/leaves/1", "/files/about/leaves/999999"):
        assert client.get(path).status_code == 404
    reply = client.post("/files/comment/leaves", json=_said(1), headers=SAME_SITE)
    assert reply.status_code == 404
    client = enter("leo")
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/files/comment/leaves", json=_said(1), headers=cross).status_code == 403
    client.cookies.clear()
    assert client.get("/files/about/leaves/1").status_code == 401
    assert client.post("/files/comment/leaves", json=_said(1), headers=SAME_SITE).status_code == 401


def test_the_wire_tells_no_blind_item_from_one_without_a_pre_label(
    enter: Enter, house: House
) -> None:
    """Same keys, same order, pre-label null; about says nothing of a model."""
    client = enter("ada")
    ids = [i["item_id"] for i in client.get("/files/queue/leaves?count=10").json()["items"]]
    with house.ws.store.write() as connection:
        project = load_project(connection, "leaves")
        rows = [Prediction(i, Answer({"label": "oak"}), 0.9) for i in ids[1:]]
        store_predictions(connection, project, rows, "model 1", house.ws.clock())
    before = client.get("/files/queue/leaves?count=10").json()
    assert sum(i["prelabel"] is not None for i in before["items"]) == len(ids) - 1
    client.post("/files/release/leaves", json={"item_ids": ids}, headers=SAME_SITE)
    set_queue_plan(house.ws, house.actor("leo"), "leaves", QueuePlan(blind_share=1.0), "measure")
    after = client.get("/files/queue/leaves?count=10").json()
    assert [i["item_id"] for i in after["items"]] == [i["item_id"] for i in before["items"]]
    assert [list(i) for i in after["items"]] == [list(i) for i in before["items"]]
    assert all(i["prelabel"] is None for i in after["items"])
    assert "blind" not in str(after).lower()
    assert {len(client.get(f"/files/about/leaves/{i}").json()["history"]) for i in ids} == {1}
