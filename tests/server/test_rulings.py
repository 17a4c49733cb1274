"""A lead's ruling over HTTP: recorded once, over what was looked at, by whoever may."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from core.access import Role
from core.clock import new_uuid
from core.labels import Answer
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.items.why import explain
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.store.tables import decisions
from tests.pages.house import House
from tests.server.conftest import SAME_SITE, Enter


def flag(house: House, who: str, item_id: int) -> None:
    """Let somebody flag an item of the leaves."""
    base = open_item(house.ws, house.actor(who), "leaves", item_id).revision
    said = Submission(new_uuid(), item_id, "flag", reason="other: look", base_revision=base)
    submit(house.ws, house.actor(who), "leaves", said)


@pytest.fixture
def disputed(house: House) -> list[int]:
    """Give two items in dispute: ada answered oak, ivo flagged both."""
    ada, expert = house.actor("ada"), [(Role.EXPERT, None)]
    house.people["ivo"] = add_person(house.ws, operator(house.ws), "ivo", "Ivo", roles=expert)
    for item in claim_items(house.ws, ada, "leaves", 2).items:
        vote = Submission(new_uuid(), item.item_id, "vote", Answer({"label": "oak"}))
        submit(house.ws, ada, "leaves", vote)
        flag(house, "ivo", item.item_id)
    return [row.item_id for row in disputes(house.ws, house.actor("leo"), "leaves")]


def ruling(house: House, item_id: int, **other: Any) -> dict[str, Any]:
    """Return a ruling for birch over the votes as they are."""
    view = get_dispute(house.ws, house.actor("leo"), "leaves", item_id)
    return {
        "uuid": new_uuid(),
        "item_id": item_id,
        "kind": "decide",
        "answer": {"choices": {"label": "birch"}, "regions": []},
        "reason": "Clearly visible",
        "votes_seen": view.votes_seen,
        "newest_seq": view.newest_seq,
        "decision_seen": view.decision_seen,
        **other,
    }


def post(client: Any, sent: object, **headers: str) -> Any:
    """Send a ruling."""
    return client.post(
        "/files/ruling/leaves", json={"ruling": sent}, headers={**SAME_SITE, **headers}
    )


def test_a_ruling_sent_twice_counts_once(house: House, enter: Enter, disputed: list[int]) -> None:
    """The label stands with its reason; the second sending is told so; the other stays."""
    first, second = disputed
    client, sent = enter("leo"), ruling(house, disputed[0])
    assert post(client, sent).json()["receipt"]["status"] == "saved"
    assert post(client, sent).json()["receipt"]["status"] == "already-saved"
    why = explain(house.ws, house.actor("leo"), "leaves", first)
    assert why.label == "birch"
    assert any("Clearly visible" in s for s in why.sentences)
    assert [r.item_id for r in disputes(house.ws, house.actor("leo"), "leaves")] == [second]


def test_of_two_leads_the_first_one_counts_and_the_other_hears_of_it(
    house: House, enter: Enter, disputed: list[int]
) -> None:
    """A ruling over one that was not seen is refused; who has seen it may overturn it."""
    client = enter("leo")
    one, two = (ruling(house, disputed[0], reason=r) for r in ("first", "second"))
    assert post(client, one).status_code == 200
    reply = post(client, two)
    assert reply.status_code == 409
    assert "Another lead has ruled" in reply.json()["error"]["message"]
    assert post(client, ruling(house, disputed[0], reason="third")).status_code == 200
    with house.ws.store.read() as connection:
        said = connection.execute(select(decisions.c.reason).order_by(decisions.c.seq)).scalars()
        assert said.all() == ["first", "third"]


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "another"},
        {"kind": "discard", "answer": None},
        {"answer": {"choices": {"label": "oak"}}},
    ],
    ids=str,
)
def test_another_ruling_under_the_same_name_does_not_vanish(
    house: House, enter: Enter, disputed: list[int], change: dict[str, Any]
) -> None:
    """A copied tab sends another content under one UUID: it is told that nothing was recorded."""
    client, sent = enter("leo"), ruling(house, disputed[0])
    assert post(client, sent).status_code == 200
    reply = post(client, {**sent, **change})
    assert reply.status_code == 409
    assert "nothing was recorded now" in reply.json()["error"]["message"]


def test_what_cannot_be_seen_is_not_kept_of_a_reason(
    house: House, enter: Enter, disputed: list[int]
) -> None:
    """Control characters and turned text go; what joins letters stays."""
    sent = ruling(
        house, disputed[0], reason=" lo\x00bed\u202e \u0645\u06cc\u200c\u0634\u0648\u062f "
    )
    assert post(enter("leo"), sent).status_code == 200
    with house.ws.store.read() as connection:
        (kept,) = connection.execute(select(decisions.c.reason)).scalars().all()
    assert kept == "lobed \u0645\u06cc\u200c\u0634\u0648\u062f"


@pytest.mark.parametrize(
    ("kind", "state"), [("discard", "discarded"), ("neutral", "neutral"), ("send-back", "open")]
)
def test_an_item_may_be_ruled_on_without_a_label(
    house: House, enter: Enter, disputed: list[int], kind: str, state: str
) -> None:
    """Discard, no class fits and more votes need only the reason."""
    first, _second = disputed
    assert post(enter("leo"), ruling(house, first, kind=kind, answer=None)).status_code == 200
    assert explain(house.ws, house.actor("leo"), "leaves", first).state == state


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("withdraw", "votes changed while you looked"),
        ("vote", "changed or flagged their answer while you looked"),
    ],
)
def test_a_vote_cast_or_changed_meanwhile_stops_the_ruling(
    house: House, enter: Enter, disputed: list[int], change: str, said: str
) -> None:
    """F28: nothing is decided, the sentence says why."""
    item_id, ada = disputed[0], house.actor("ada")
    sent = ruling(house, item_id, kind="discard", answer=None)
    answer = Answer({"label": "birch"}) if change == "vote" else None
    base = open_item(house.ws, ada, "leaves", item_id).revision
    submit(
        house.ws, ada, "leaves", Submission(new_uuid(), item_id, change, answer, base_revision=base)
    )
    reply = post(enter("leo"), sent)
    assert reply.status_code == 409
    assert said in reply.json()["error"]["message"]
    assert explain(house.ws, house.actor("leo"), "leaves", item_id).state == "dispute"


BAD: list[Any] = [
    {"uuid": 7},
    {"uuid": "x"},
    {"item_id": "one"},
    {"item_id": None},
    {"item_id": True},
    {"item_id": 2**70},
    {"item_id": 999_999},
    {"kind": "shout"},
    {"kind": None},
    {"answer": None},
    {"answer": []},
    {"answer": {"choices": {"label": "wolf"}}},
    {"answer": {"choices": {}}},
    {"answer": {"choices": {"label": "oak"}, "regions": [{"label": "oak", "box": [0, 0, 5, 5]}]}},
    {"reason": ""},
    {"reason": " \u200b"},
    {"reason": 5},
    {"reason": "x" * 5000},
    {"votes_seen": -1},
    {"votes_seen": None},
    {"newest_seq": "now"},
    {"decision_seen": None},
    {"uuid": "\x00\u202e" * 8},
    {"answer": {"choices": {}, "regions": [{"label": "oak", "box": [0, 0, 1, 1]}] * 2001}},
]


@pytest.mark.parametrize("change", BAD, ids=lambda c: str(c)[:50])
def test_a_ruling_that_makes_no_sense_is_refused_in_a_sentence(
    house: House, enter: Enter, disputed: list[int], change: dict[str, Any]
) -> None:
    """Whatever a browser sends, the answer is JSON with a code and a sentence; nothing is decided."""
    reply = post(enter("leo"), {**ruling(house, disputed[0]), **change})
    assert reply.status_code in (404, 422)
    assert reply.json()["error"]["message"].endswith(".")
    assert [r.item_id for r in disputes(house.ws, house.actor("leo"), "leaves")] == disputed


@pytest.mark.parametrize("sent", [None, [], "decide", 5, {}])
def test_what_is_no_ruling_is_refused(enter: Enter, sent: object) -> None:
    """Not an object, or an empty one."""
    assert post(enter("leo"), sent).status_code == 422


def test_only_leads_rule_and_only_for_themselves(
    house: House, enter: Enter, disputed: list[int]
) -> None:
    """An expert, another account in this browser, another site and nobody are all refused."""
    sent = ruling(house, disputed[0])
    assert post(enter("ada"), sent).status_code in (403, 404)
    client = enter("leo")
    other = str(house.actor("ada").person_id)
    reply = post(client, sent, **{"Tiebreak-Person": other})
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "OTHER_PERSON")
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert (
        client.post("/files/ruling/leaves", json={"ruling": sent}, headers=cross).status_code == 403
    )
    client.cookies.clear()
    assert post(client, sent).status_code == 401
    assert explain(house.ws, house.actor("leo"), "leaves", disputed[0]).state == "dispute"
