"""What the grid asks and sends, and crops over HTTP."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.services.accounts.people import operator
from core.services.pictures.crops import crop_path
from core.services.review.recent import my_recent
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from tests.pages.house import House
from tests.server.conftest import SAME_SITE, Enter


@pytest.fixture
def oaks(house: House, tmp_path: Path) -> House:
    """Give the house after a model called every leaf an oak."""
    table = tmp_path / "said.csv"
    table.write_text(
        "file,label,confidence\n" + "".join(f"leaf{n}.png,oak,0.{n + 1}\n" for n in range(6))
    )
    import_data(
        house.ws, operator(house.ws), "leaves", table, ImportOptions("predictions", name="m")
    )
    return house


def tile(page: dict[str, Any], unit: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()), "item_id": unit["item_id"], "page": page["page"], "seq": unit["seq"],
        "shown": page["class"], "token": unit["token"], "kind": "vote", "marks": {}, "tiles": 6,
        "base_revision": unit["revision"], "active_seconds": 0.2, "started_at": 1.0, **other,
    }  # fmt: skip


def send(client: TestClient, tiles: object) -> Any:
    return client.post("/files/grid/leaves", json={"tiles": tiles}, headers=SAME_SITE)


def test_a_page_is_confirmed_and_taken_back(enter: Enter, oaks: House) -> None:
    """A page comes with its pictures; every tile gets a receipt; withdrawing works the same way."""
    client = enter("leo")
    page = client.get("/files/grid/leaves?class=oak&count=60&classes=1").json()
    assert page["classes"][0]["name"] == "oak"
    units = page["units"]
    assert len(units) == 6
    assert client.get(units[0]["tiles"][0]["image"] + "&w=200").status_code == 200
    sent = [tile(page, u) for u in units]
    sent[1]["marks"] = {"0": "birch"}
    reply = send(client, sent).json()
    assert {r["status"] for r in reply["receipts"]} == {"saved"}
    assert reply["attention"]["n"] == 0
    labels = [r.label for r in my_recent(oaks.ws, oaks.actor("leo"), "leaves")]
    assert sorted(labels) == ["birch", *["oak"] * 5]
    back = [tile(page, u, kind="withdraw", base_revision=1) for u in units]
    assert {r["status"] for r in send(client, back).json()["receipts"]} == {"saved"}
    assert client.post("/files/grid/leaves/hold", json={"item_ids": [units[0]["item_id"]]}, headers=SAME_SITE).status_code == 200  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [{"item_id": "x"}, {"marks": {"0": 5}}, {"marks": [1]}, {"marks": {"-1": "oak"}}, {"token": 7},
     {"token": "é"}, {"seq": None}, {"active_seconds": "1"}, {"base_revision": 2**70}, {"marks": {"0": "cow"}}],
)  # fmt: skip
def test_a_bad_tile_is_refused_with_a_sentence_and_stops_no_other(
    enter: Enter, oaks: House, bad: dict[str, Any]
) -> None:
    """The good tile beside it is saved."""
    client = enter("leo")
    page = client.get("/files/grid/leaves?class=oak").json()
    one, two = page["units"][:2]
    receipts = send(client, [tile(page, one, **bad), tile(page, two)]).json()["receipts"]
    assert [r["status"] for r in receipts] == ["refused", "saved"]
    assert receipts[0]["message"]


def test_what_is_no_list_of_tiles_is_refused(enter: Enter, oaks: House) -> None:
    """Neither text nor thousands at once."""
    client = enter("leo")
    assert send(client, "tiles").status_code == 422
    assert send(client, [{}] * 201).status_code == 422
    assert client.get("/files/grid/leaves?class=oak&count=x").status_code == 422
    assert client.get("/files/grid/nowhere").status_code == 404


def test_who_may_not_vote_gets_no_page(enter: Enter, oaks: House) -> None:
    """A manager is told so, and a stranger to the project that there is none."""
    assert enter("mia").get("/files/grid/leaves").status_code == 403
    assert enter("eve").get("/files/grid/leaves").status_code == 404


def test_crops_are_cached_and_guarded_like_images(enter: Enter, oaks: House, client: TestClient) -> None:  # fmt: skip
    """Same headers, same answer to a browser that holds it, nothing for strangers."""
    assert client.get("/files/crop/1?box=0,0,9,9").status_code in (401, 303)
    entered = enter("leo")
    path = crop_path(oaks.ws, 1, "0" * 64, (10.5, 20, 200, 220.2))
    reply = entered.get(path + "&w=200")
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert reply.headers["vary"] == "Cookie"
    again = entered.get(path + "&w=200", headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert entered.get("/files/crop/1?box=9,9,1,1").status_code == 422
    assert entered.get("/files/crop/999?box=0,0,9,9").status_code == 404
    assert enter("eve").get(path).status_code == 404
