"""The ways about the adjudication page: one's last rulings, past rulings, reasons, odd addresses."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import new_uuid
from core.labels import Answer
from core.services.review.disputes import get_dispute
from core.services.review.ruling import Ruling, decide
from core.services.review.rulings import rulings
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_adjudicate import dispute, disputed
from tests.pages.test_adjudicate_causes import camps, press
from tests.pages.test_adjudicate_causes import visit as visit_causes


def visit(house: House, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    """Open the page as the lead, in a browser of its own."""
    at = Visit(house, monkeypatch, "leo").open("adjudicate", project="leaves", **query)
    assert not at.exception
    return at


def ruled(house: House) -> tuple[int, int]:
    """Return an item ruled on before, and one still in dispute."""
    first, second = disputed(house)
    leo = house.actor("leo")
    seen = get_dispute(house.ws, leo, "leaves", first).votes_seen
    made = Ruling(new_uuid(), first, "decide", Answer({"label": "birch"}), "Clear", seen)
    decide(house.ws, leo, "leaves", made)
    return first, second


def test_the_last_ruling_is_there_in_another_browser(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the record: why the label is as it is, the way back to it, the way to all rulings."""
    first, second = ruled(house)
    at = visit(house, monkeypatch)
    assert dispute(at)["item_id"] == second
    said = words(at)
    assert "birch" in said
    assert "view=rulings" in said
    assert dispute(press(at, "Open again"))["item_id"] == first


def test_past_rulings_have_a_view_of_their_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ruling is overturned there, without the disputes by cause."""
    ruled(house)
    at = visit(house, monkeypatch, view="rulings")
    assert "Disputes by cause" not in words(at)
    at = press(at, "Overturn…")
    next(t for t in at.text_input if t.label.startswith("Reason (")).set_value("Not so").run()
    press(at, "Overturn 1 ruling")
    newest = rulings(house.ws, house.actor("leo"), "leaves").rows[0]
    assert (newest.kind, newest.reason) == ("send-back", "Not so")


def test_a_reason_for_many_is_asked_for_and_not_given(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is empty at first even where a clause would help; a template goes before own words."""
    camps(house)
    at = press(visit_causes(house, monkeypatch), "Settle all 4…")
    field = next(t for t in at.text_input if t.label.startswith("Reason ("))
    assert field.value == ""
    at = press(at, "Settle 4 disputes")
    assert "A decision needs a reason" in words(at)
    (templates,) = (b for b in at.button_group if b.label == "Reasons")
    templates.set_value("Gap in the guideline")
    next(t for t in at.text_input if t.label.startswith("Reason (")).set_value("see page 3").run()
    press(at, "Settle 4 disputes")
    found = rulings(house.ws, house.actor("leo"), "leaves").rows
    assert {r.reason for r in found} == {"Gap in the guideline: see page 3"}


def test_an_address_that_names_no_item_is_told_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first dispute is shown, and the address is said to name none."""
    disputed(house)
    assert "The address names no item" in words(visit(house, monkeypatch, item="<b>"))
    assert "The address names no item" not in words(visit(house, monkeypatch))


def test_an_address_that_names_nobody_is_told_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The team page shows everybody, and says whom it did not find."""
    told = "The address asks for a person who has no numbers"
    at = Visit(house, monkeypatch, "leo").open("team", project="leaves", person="9999")
    assert told in words(at)
    at = Visit(house, monkeypatch, "leo").open("team", project="leaves", person="ada")
    assert told not in words(at)
