"""What a lead says to a suspicion over HTTP: recorded once, refused in a sentence, for leads alone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from core.clock import new_uuid
from core.services.accounts.people import operator
from core.services.issues.material import looked_at
from core.services.projects.project import get_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.store.tables import acknowledgements, decisions, item_state
from tests.pages.house import House
from tests.server.conftest import SAME_SITE, Enter


@pytest.fixture
def labelled(house: House) -> tuple[int, int]:
    """Give an item with a label in force, and that label's number."""
    table = house.source / "labels.csv"
    table.write_text("file,label\nleaf3.png,oak\n")
    import_data(house.ws, operator(house.ws), "leaves", table, ImportOptions(what="labels"))
    table.unlink()
    project = get_project(house.ws, house.actor("leo"), "leaves")
    with house.ws.store.read() as connection:
        found = next(i for i in looked_at(connection, project) if i.final_seq)
    return found.id, found.final_seq


def answer(labelled: tuple[int, int], do: str, **other: Any) -> dict[str, Any]:
    """Return an answer to a suspicion of the label."""
    item, final_seq = labelled
    return {
        "uuid": new_uuid(), "do": do, "item_id": item, "kind": "label", "final_seq": final_seq,
        "reason": "Looks like birch", **other,
    }  # fmt: skip


def post(client: Any, sent: object, **headers: str) -> Any:
    """Send an answer."""
    return client.post(
        "/files/issue/leaves", json={"answer": sent}, headers={**SAME_SITE, **headers}
    )


def test_an_item_is_sent_back_once_however_often_it_is_sent(
    house: House, enter: Enter, labelled: tuple[int, int]
) -> None:
    """The receipt comes after the record: the item is open, one ruling is kept, a resend says so."""
    client, sent = enter("leo"), answer(labelled, "back")
    first = post(client, sent)
    assert (first.status_code, first.json()["receipt"]["status"]) == (200, "saved")
    assert post(client, sent).json()["receipt"]["status"] == "already-saved"
    other = post(client, answer(labelled, "back")).json()["receipt"]
    assert other["status"] == "already-open"
    with house.ws.store.read() as connection:
        state = select(item_state.c.state).where(item_state.c.item_id == labelled[0])
        ruled = select(func.count()).where(decisions.c.item_id == labelled[0])
        assert connection.execute(state).scalar() == "open"
        assert connection.execute(ruled).scalar() == 1


def test_a_label_is_called_right_and_that_is_taken_back(
    house: House, enter: Enter, labelled: tuple[int, int]
) -> None:
    """Both answers are kept; neither changes the label."""
    client = enter("leo")
    for do in ("right", "again"):
        assert post(client, answer(labelled, do)).json()["receipt"]["status"] == "saved"
    with house.ws.store.read() as connection:
        said = list(connection.execute(select(acknowledgements.c.said)).scalars())
        state = select(item_state.c.state).where(item_state.c.item_id == labelled[0])
        assert connection.execute(state).scalar() == "imported"
    assert said == ["right", "open"]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ("no object", 422, "not a JSON object"),
        ({"do": "shred"}, 422, "expected back, right or again"),
        ({"do": "right", "kind": "mood"}, 422, "Unknown kind"),
        ({"do": "right", "final_seq": 10**9}, 409, "changed since you looked"),
        ({"do": "right", "item_id": 10**9}, 404, "There is no item"),
        ({"do": "back", "reason": " "}, 422, ""),
        ({"do": "back", "uuid": "1"}, 422, ""),
        ({"do": "back", "item_id": "1; DROP"}, 422, "item_id"),
    ],
)
def test_what_no_page_of_ours_sends_is_refused_in_a_sentence(
    house: House, enter: Enter, labelled: tuple[int, int], sent: Any, status: int, said: str
) -> None:
    """Nothing is recorded, and the answer is a sentence, never a traceback."""
    whole = {**answer(labelled, "right"), **sent} if isinstance(sent, dict) else sent
    found = post(enter("leo"), whole)
    assert found.status_code == status
    assert said in found.text
    assert "Traceback" not in found.text
    with house.ws.store.read() as connection:
        for table in (acknowledgements, decisions):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0


@pytest.mark.parametrize("who", ["ada", "mia"])
def test_only_who_adjudicates_may_answer(enter: Enter, labelled: tuple[int, int], who: str) -> None:
    """An expert and a manager are refused, and so is a page of another site."""
    client = enter(who)
    assert post(client, answer(labelled, "right")).status_code == 403
    other = post(client, answer(labelled, "right"), **{"Sec-Fetch-Site": "cross-site"})
    assert other.status_code == 403
