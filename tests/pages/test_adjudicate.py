"""The adjudication page: names hidden, a reason required, the next dispute at once."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.clock import new_uuid
from core.labels import Answer, Region
from core.services.accounts.people import add_person, operator
from core.services.items.why import explain
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items, open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.ui import layers, ruling
from core.ui.layers import shared_boxes
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_review import elements


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test press at once what a person presses after having looked."""
    monkeypatch.setattr(ruling, "SEEING_SECONDS", 0)
    monkeypatch.setattr(ruling, "WAITING_SECONDS", 0)


def named(at: AppTest, name: str) -> str:
    """Return the key of a widget of the dispute in hand."""
    return at.session_state[ruling.DRAFT].key(name)


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
    said = words(at) + json.dumps(elements(at, "tiebreak_votes"))
    assert "leaf or bud?" in said
    assert "Reviewer 1" in said
    assert "ada" not in said.lower().replace("data", "")


def test_a_ruling_needs_an_answer_and_a_reason_then_the_next_opens(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decide says what it lacks until both are there; then the label stands with its reason."""
    first, second = disputed(house)
    at = visit(house, monkeypatch)
    at.button(key=named(at, "tb-rule-decide")).click().run()
    assert "Not decided: say why first." in words(at)
    at.button(key=named(at, "tb-own-label") + "-2").click().run()
    assert "Now say why: D, N, X and B need a reason" in words(at)
    at.button(key=named(at, "tb-why-G")).click().run()
    assert "need a reason" not in words(at)
    at.button(key=named(at, "tb-rule-decide")).click().run()
    assert not at.exception
    why = explain(house.ws, house.actor("leo"), "leaves", first)
    assert why.label == "birch"
    assert any("Guideline settles it" in s for s in why.sentences)
    assert [r.item_id for r in disputes(house.ws, house.actor("leo"), "leaves")] == [second]
    assert elements(at, "tiebreak_votes")[0]["image"].startswith(f"/files/item/{second}")
    assert at.text_input(key=at.session_state[ruling.DRAFT].field).value == ""


@pytest.mark.parametrize(
    ("kind", "state"), [("discard", "discarded"), ("neutral", "neutral"), ("send-back", "open")]
)
def test_an_item_may_be_ruled_on_without_a_label(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: str, state: str
) -> None:
    """Discard, no class fits and more votes need only the reason."""
    first, _second = disputed(house)
    at = visit(house, monkeypatch)
    at.text_input(key=at.session_state[ruling.DRAFT].field).set_value("half a leaf").run()
    at.button(key=named(at, f"tb-rule-{kind}")).click().run()
    assert not at.exception
    assert explain(house.ws, house.actor("leo"), "leaves", first).state == state


def test_one_may_not_decide_where_one_voted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence is shown and nothing can be pressed."""
    leo = house.actor("leo")
    item_id = claim_items(house.ws, leo, "leaves", 1).items[0].item_id
    vote = Submission(new_uuid(), item_id, "vote", Answer({"label": "oak"}))
    submit(house.ws, leo, "leaves", vote)
    flag(house, "ada", item_id)
    at = visit(house, monkeypatch)
    assert any("You voted on this item" in w.value for w in at.warning)
    assert all(
        at.button(key=named(at, f"tb-rule-{k}")).disabled
        for k in ("decide", "discard", "neutral", "send-back")
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("withdraw", None), "votes changed while you looked"),
        (("vote", Answer({"label": "birch"})), "changed or flagged their answer while you looked"),
    ],
)
def test_a_vote_cast_or_changed_meanwhile_stops_the_ruling(
    house: House, monkeypatch: pytest.MonkeyPatch, change: tuple[str, Answer | None], said: str
) -> None:
    """F28: the sentence is shown, nothing is decided, the reason is kept."""
    ada, boss = house.actor("ada"), operator(house.ws)
    item_id = claim_items(house.ws, ada, "leaves", 1).items[0].item_id
    vote = Submission(new_uuid(), item_id, "vote", Answer({"label": "oak"}))
    submit(house.ws, ada, "leaves", vote)
    house.people["ivo"] = add_person(house.ws, boss, "ivo", "Ivo", roles=[(Role.EXPERT, None)])
    flag(house, "ivo", item_id)
    at = visit(house, monkeypatch)
    at.button(key=named(at, "tb-why-V")).click().run()
    submit(house.ws, ada, "leaves", Submission(new_uuid(), item_id, *change, base_revision=1))
    at.button(key=named(at, "tb-rule-discard")).click().run()
    assert not at.exception
    assert said in words(at).replace("\\", "")
    assert explain(house.ws, house.actor("leo"), "leaves", item_id).state == "dispute"
    assert at.text_input(key=at.session_state[ruling.DRAFT].field).value == "Clearly visible"


def test_a_ruling_pressed_before_its_reason_arrived_waits_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed fast, the browser may send the reason's key after the ruling's: it rules once both are there."""
    first, second = disputed(house)
    monkeypatch.setattr(ruling, "WAITING_SECONDS", 60)
    at = visit(house, monkeypatch)
    at.button(key=named(at, "tb-own-label") + "-2").click().run()
    at.button(key=named(at, "tb-rule-decide")).click().run()
    assert explain(house.ws, house.actor("leo"), "leaves", first).state == "dispute"
    at.button(key=named(at, "tb-why-G")).click().run()
    assert explain(house.ws, house.actor("leo"), "leaves", first).label == "birch"
    assert [r.item_id for r in disputes(house.ws, house.actor("leo"), "leaves")] == [second]


def test_a_ruling_pressed_long_before_its_reason_is_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was told that nothing is decided presses again."""
    first, _second = disputed(house)
    at = visit(house, monkeypatch)
    at.button(key=named(at, "tb-rule-discard")).click().run()
    assert "Not decided: say why first." in words(at)
    at.button(key=named(at, "tb-why-G")).click().run()
    assert "Not decided" not in words(at)
    assert explain(house.ws, house.actor("leo"), "leaves", first).state == "dispute"


def test_what_was_typed_for_one_dispute_cannot_reach_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every widget is named after its item and visit; what has just come up cannot be ruled on."""
    _first, second = disputed(house)
    at = visit(house, monkeypatch)
    names = ("tb-reason-0", "tb-rule-discard", "tb-why-G", "tb-own-label")
    before = {named(at, n) for n in names}
    at.text_input(key=at.session_state[ruling.DRAFT].field).set_value("half a leaf").run()
    monkeypatch.setattr(ruling, "SEEING_SECONDS", 60)
    at.session_state[ruling.DRAFT].seen_at -= 60
    at.button(key=named(at, "tb-rule-discard")).click().run()
    assert not before & {named(at, n) for n in names}
    assert at.text_input(key=at.session_state[ruling.DRAFT].field).value == ""
    at.button(key=named(at, "tb-why-G")).click().run()
    at.button(key=named(at, "tb-rule-discard")).click().run()
    assert "had only just come up" in words(at)
    assert explain(house.ws, house.actor("leo"), "leaves", second).state == "dispute"


def test_votes_that_changed_between_two_drawings_are_pointed_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ruling is over the votes that were looked at: the next key would have taken the new ones."""
    first, _second = disputed(house)
    at = visit(house, monkeypatch)
    expert = [(Role.EXPERT, None)]
    house.people["ivo"] = add_person(house.ws, operator(house.ws), "ivo", "Ivo", roles=expert)
    flag(house, "ivo", first, "other: blurred")
    monkeypatch.setattr(ruling, "SEEING_SECONDS", 60)
    at.button(key=named(at, "tb-why-G")).click().run()
    assert "The votes changed while you looked" in words(at)
    at.button(key=named(at, "tb-rule-discard")).click().run()
    assert explain(house.ws, house.actor("leo"), "leaves", first).state == "dispute"


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
