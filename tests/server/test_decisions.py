"""What the review deck asks and sends."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from core.services.review.recent import my_recent
from tests.pages.house import House
from tests.server.conftest import SAME_SITE, Enter


def _vote(item_id: int, **other: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()),
        "item_id": item_id,
        "kind": "vote",
        "answer": {"choices": {"label": "oak"}, "regions": []},
        "base_revision": 0,
        "active_seconds": 2.5,
        "started_at": 0,
        **other,
    }


def test_the_queue_hands_out_items_with_pictures(enter: Enter) -> None:
    """The queue leases items; each names a picture that the same person can then load."""
    client = enter("leo")
    body = client.get("/files/queue/leaves?count=3").json()
    assert len(body["items"]) == 3
    item = body["items"][0]
    assert (item["width"], item["height"], item["state"]) == (640, 480, "open")
    picture = client.get(item["image"] + "&w=400")
    assert picture.headers["content-type"].startswith("image/")
    assert picture.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert picture.headers["vary"] == "Cookie"
    again = client.get(item["image"] + "&w=400", headers={"If-None-Match": picture.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_items_already_held_are_not_sent_again(enter: Enter) -> None:
    """What the deck says it holds is left out of the next hand-out."""
    client = enter("leo")
    first = client.get("/files/queue/leaves?count=2").json()["items"]
    held = ",".join(str(i["item_id"]) for i in first)
    more = client.get(f"/files/queue/leaves?count=2&exclude={held}").json()["items"]
    assert not {i["item_id"] for i in first} & {i["item_id"] for i in more}


def test_a_decision_is_saved_once_however_often_it_is_sent(enter: Enter, house: House) -> None:
    """A resend is acknowledged as saved already and adds nothing."""
    client = enter("leo")
    item = client.get("/files/queue/leaves?count=1").json()["items"][0]
    sent = {"submissions": [_vote(item["item_id"])]}
    first = client.post("/files/decisions/leaves", json=sent, headers=SAME_SITE).json()
    again = client.post("/files/decisions/leaves", json=sent, headers=SAME_SITE).json()
    assert first["receipts"][0]["status"] == "saved"
    assert again["receipts"][0]["status"] == "already-saved"
    assert len(my_recent(house.ws, house.actor("leo"), "leaves")) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"answer": {"choices": {"label": "no such class"}}},
        {"answer": {"choices": {"label": 5}}},
        {"answer": "oak"},
        {"item_id": "x"},
        {"item_id": 10**30},
        {"item_id": True},
        {"active_seconds": "soon"},
        {"kind": "erase"},
        {"uuid": 7},
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_one_bad_row_stops_no_other(enter: Enter, bad: dict[str, Any]) -> None:
    """A row that cannot be read is refused with a sentence; the one beside it is saved."""
    client = enter("leo")
    first, second = client.get("/files/queue/leaves?count=2").json()["items"]
    rows = [{**_vote(first["item_id"]), **bad}, _vote(second["item_id"])]
    reply = client.post("/files/decisions/leaves", json={"submissions": rows}, headers=SAME_SITE)
    refused, saved = reply.json()["receipts"]
    assert (refused["status"], saved["status"]) == ("refused", "saved")
    assert refused["message"]


def test_a_draft_comes_back_with_its_item(enter: Enter) -> None:
    """Unsent work is kept and given back when the item is opened again."""
    client = enter("leo")
    item_id = client.get("/files/queue/leaves?count=1").json()["items"][0]["item_id"]
    answer = {"choices": {"label": "birch"}, "regions": []}
    sent = {"item_id": item_id, "answer": answer, "base_revision": 0}
    saved = client.post("/files/draft/leaves", json=sent, headers=SAME_SITE).json()
    item = client.get(f"/files/open/leaves/{item_id}").json()["item"]
    assert item["draft"] == answer
    assert item["draft_saved_at"] == saved["saved_at"]


def test_leases_are_renewed_and_given_back(enter: Enter) -> None:
    """A released item is in the queue again."""
    client = enter("leo")
    items = client.get("/files/queue/leaves?count=6").json()
    ids = {"item_ids": [i["item_id"] for i in items["items"]]}
    assert client.post("/files/renew/leaves", json=ids, headers=SAME_SITE).json() == {"ok": True}
    assert client.post("/files/release/leaves", json=ids, headers=SAME_SITE).json() == {"ok": True}
    after = client.get("/files/queue/leaves?count=0").json()
    assert after["waiting"] == len(ids["item_ids"])


@pytest.mark.parametrize(
    ("who", "path", "status", "code"),
    [
        ("ada", "/files/queue/nowhere", 404, "NOT_FOUND"),
        ("eve", "/files/queue/leaves", 404, "NOT_FOUND"),
        ("mia", "/files/queue/leaves", 403, "FORBIDDEN"),
        ("ada", "/files/queue/leaves?count=x", 422, "INPUT"),
        ("ada", "/files/queue/leaves?order=; DROP", 422, "INPUT"),
        ("ada", "/files/open/leaves/999999", 404, "NOT_FOUND"),
        ("eve", "/files/open/leaves/1", 404, "NOT_FOUND"),
        ("eve", "/files/item/1", 404, "NOT_FOUND"),
        ("ada", "/files/item/999999", 404, "NOT_FOUND"),
    ],
)
def test_refusals_are_json_with_a_code(
    enter: Enter, who: str, path: str, status: int, code: str
) -> None:
    """What one may not have and what is not there answer alike, as JSON, never cached."""
    reply = enter(who).get(path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/files/queue/leaves", "/files/open/leaves/1", "/files/item/1"])
def test_nobody_gets_nothing(client: Any, path: str) -> None:
    """Without a session every route answers 401."""
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"submissions": []}', {"Content-Type": "text/plain", **SAME_SITE}, 422),
        (b"{", {"Content-Type": "application/json", **SAME_SITE}, 422),
        (b"[" * 200_000, {"Content-Type": "application/json", **SAME_SITE}, 422),
        (b"[]", {"Content-Type": "application/json", **SAME_SITE}, 422),
        (b'{"submissions": 5}', {"Content-Type": "application/json", **SAME_SITE}, 422),
        (b'{"submissions": []}', {"Content-Type": "application/json"}, 403),
        (b'{"a": "' + b"x" * 8_000_001, {"Content-Type": "application/json", **SAME_SITE}, 413),
    ],
    ids=["plain text", "broken", "deep", "list", "number", "foreign", "huge"],
)
def test_hostile_bodies_are_refused(
    enter: Enter, body: bytes, headers: dict[str, str], status: int
) -> None:
    """A body that is no JSON object of ours, or comes from elsewhere, changes nothing."""
    reply = enter("leo").post("/files/decisions/leaves", content=body, headers=headers)
    assert reply.status_code == status


def test_a_lone_surrogate_is_read_as_a_question_mark(enter: Enter) -> None:
    """It is JSON, but no text that could be stored or answered; its row alone bears the harm."""
    client = enter("leo")
    item = client.get("/files/queue/leaves?count=1").json()["items"][0]["item_id"]
    body = '{"submissions": [{"uuid": "\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800\\ud800", "item_id": %d}]}'
    reply = client.post(
        "/files/decisions/leaves",
        content=body % item,
        headers={"content-type": "application/json", "sec-fetch-site": "same-origin"},
    )
    [receipt] = reply.json()["receipts"]
    assert (receipt["uuid"], receipt["status"]) == ("?" * 8, "refused")


def test_a_page_of_another_person_is_refused(enter: Enter, house: House) -> None:
    """Who signed in since the page was opened neither gets nor gives anything in its name."""
    client = enter("leo")
    mine = {"Tiebreak-Person": str(house.people["leo"])}
    item = client.get("/files/queue/leaves?count=1", headers=mine).json()["items"][0]
    theirs = {"Tiebreak-Person": str(house.people["ada"])}
    sent = {"submissions": [_vote(item["item_id"])]}
    refused = client.post("/files/decisions/leaves", json=sent, headers={**SAME_SITE, **theirs})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "OTHER_PERSON")
    saved = client.post("/files/decisions/leaves", json=sent, headers={**SAME_SITE, **mine})
    assert saved.json()["receipts"][0]["status"] == "saved"
