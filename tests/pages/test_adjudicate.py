"""The adjudication page: names hidden, a reason required, the next dispute at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import new_uuid
from core.labels import Answer, Region
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.disputes import get_dispute
from core.services.review.leases import open_item
from core.services.review.ruling import Ruling, decide
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.review.vote_weights import VoteWeight
from core.stats import wilson
from core.ui import layers
from core.ui.layers import shared_boxes
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_review import elements


def dispute(at: AppTest) -> dict[str, Any]:
    """Return what the page handed to the ruling beside the votes."""
    (data,) = elements(at, "tiebreak_dispute")
    return data["dispute"]


def flag(
    house: House, who: str, item_id: int, reason: str = "guideline-unclear: leaf or bud?"
) -> None:
    """Let somebody flag an item of the leaves."""
    actor = house.actor(who)
    base = open_item(house.ws, actor, "leaves", item_id).revision
    flagged = Submission(new_uuid(), item_id, "flag", reason=reason, base_revision=base)
    submit(house.ws, actor, "leaves", flagged)


def disputed(house: House) -> list[int]:
    """Return two items in dispute: flagged by ada, who answered neither."""
    for item in claim_items(house.ws, house.actor("ada"), "leaves", 2).items:
        flag(house, "ada", item.item_id)
    return [row.item_id for row in disputes(house.ws, house.actor("leo"), "leaves")]


def visit(house: House, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    """Open the page as the lead."""
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project="leaves", **query)
    assert not at.exception
    return at


def test_nothing_in_dispute_is_a_state(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says when something would come."""
    assert "No item is in dispute" in words(visit(house, monkeypatch))


def test_a_dispute_shows_why_and_no_names(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """People are Reviewer 1 and so on until it is decided."""
    disputed(house)
    at = visit(house, monkeypatch)
    said = words(at) + json.dumps(elements(at, "tiebreak_dispute"))
    assert "leaf or bud?" in said
    assert "Reviewer 1" in said
    assert "ada" not in said.lower().replace("data", "")


def test_the_page_follows_the_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next dispute is there once one is ruled on; a permalink still opens the other."""
    first, second = disputed(house)
    at = visit(house, monkeypatch)
    assert dispute(at)["item_id"] == first
    view = get_dispute(house.ws, house.actor("leo"), "leaves", first)
    decided = Ruling(
        new_uuid(), first, "decide", Answer({"label": "birch"}), "Clear", view.votes_seen
    )
    decide(house.ws, house.actor("leo"), "leaves", decided)
    at.run()
    assert dispute(at)["item_id"] == second
    assert elements(at, "tiebreak_dispute")[0]["image"].startswith(f"/files/item/{second}")
    assert dispute(visit(house, monkeypatch, item=str(first)))["item_id"] == first


def test_one_may_not_decide_where_one_voted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence is shown and nothing can be pressed."""
    leo = house.actor("leo")
    item_id = claim_items(house.ws, leo, "leaves", 1).items[0].item_id
    vote = Submission(new_uuid(), item_id, "vote", Answer({"label": "oak"}))
    submit(house.ws, leo, "leaves", vote)
    flag(house, "ada", item_id)
    shown = dispute(visit(house, monkeypatch))
    assert not shown["may"]
    assert "You voted on this item" in shown["mayNot"]


def test_an_expert_is_told_it_is_not_theirs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only leads adjudicate."""
    at = Visit(house, monkeypatch, "ada").open("adjudicate", project="leaves")
    assert "not part of your role" in words(at)


def test_boxes_that_all_voters_share_are_told_apart() -> None:
    """Shared means: right class and enough overlap in every vote; with one vote nothing is."""
    a = Answer({}, (Region("x", 0, 0, 10, 10), Region("x", 50, 50, 60, 60)))
    b = Answer({}, (Region("x", 0, 0, 10, 11), Region("y", 50, 50, 60, 60)))
    assert shared_boxes(a, [a, b], 0.5) == (True, False)
    assert shared_boxes(a, [a], 0.5) == (False, False)


def test_each_party_has_its_own_look() -> None:
    """Hue and dash differ between any two, so that hue is never the only sign."""
    looks = [*layers._LOOKS, layers._MODEL_LOOK]
    assert len({hue for hue, _ in looks}) == len({dash for _, dash in looks}) == len(looks)


# --- filters ------------------------------------------------------------------------------------


def test_filters_stand_in_the_address_and_say_how_many(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picked reason goes into the address, "n of m" follows, and taking it away brings all back."""
    first, second = disputed(house)
    at = visit(house, monkeypatch)
    assert "1 of 2" in words(at)
    assert not at.checkbox(key="tb-filter-flagged").value
    at.selectbox(key="tb-filter-reason").select("flagged").run()
    assert at.query_params["reason"] == "flagged"
    assert "(2 in all)" in words(at)
    assert dispute(at)["item_id"] in (first, second)
    at.button(key="tb-filter-none").click().run()
    assert "reason" not in at.query_params
    assert at.selectbox(key="tb-filter-reason").value is None


def test_an_address_narrows_the_list_and_names_what_leaves_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What empties it is told with a way out for each part; the way out works."""
    disputed(house)
    at = visit(house, monkeypatch, reason="flagged", pair="elm:oak")
    said = words(at)
    assert "No dispute meets this filter" in said
    assert "elm / oak" in said
    assert "There are 2 disputes in all." in said
    assert at.button(key="tb-less-pair").label == "Without Classes: 2"
    assert at.button(key="tb-less-reason").disabled
    at.button(key="tb-less-pair").click().run()
    assert "pair" not in at.query_params
    assert dispute(at)["item_id"]


def test_an_address_nobody_can_read_is_told_and_shows_all(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spoilt part of it is named; the disputes are still there."""
    first, _second = disputed(house)
    at = visit(house, monkeypatch, person="ada")
    assert "named by their number" in words(at).replace("\\", "")
    assert dispute(at)["item_id"] == first


def test_the_person_filter_names_people_and_the_dispute_does_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever voted or flagged can be asked for; what the browser gets of a dispute has no name."""
    disputed(house)
    at = visit(house, monkeypatch)
    ada = house.actor("ada")
    box = at.selectbox(key="tb-filter-person")
    assert any(ada.display_name in option for option in box.options)
    at = visit(house, monkeypatch, person=str(ada.person_id))
    assert "1 of 2" in words(at)
    data = json.dumps(elements(at, "tiebreak_dispute"))
    assert ada.display_name not in data


def test_a_reviewer_without_a_record_is_said_to_have_none() -> None:
    """With one, share, interval, number and evidence stand in a line, the fit's weight before them."""
    assert "No record" in layers.weight_words(VoteWeight("", "oak", 0, wilson(0, 0)))[0]
    (told,) = layers.weight_words(VoteWeight("settled", "oak", 9, wilson(9, 10), 0.87))
    assert told == "Weight 0.87 · oak: right 90 % (60–98), n\u00a0=\u00a010 as settled"
    (gold,) = layers.weight_words(VoteWeight("gold", "", 5, wilson(5, 5)))
    assert gold == "right 100 % (57–100), n\u00a0=\u00a05 on gold"
    assert layers.weight_words(None) == ()
