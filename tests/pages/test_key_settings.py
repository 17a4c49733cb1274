"""One's own keys: a preset, a field a command, a plain sentence on a conflict."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.services.accounts.keymap import LEFT
from core.services.accounts.preferences import Preferences, get_preferences
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_review import elements


@pytest.fixture
def page(house: House, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the settings as an expert sees them."""
    return Visit(house, monkeypatch, "ada").open("settings", project="leaves")


def write(page: AppTest, command: str, keys: str) -> None:
    """Write into the field of a command and save."""
    next(t for t in page.text_input if t.label == command).input(keys)
    next(b for b in page.button if b.label == "Save changed keys").click().run()
    assert not page.exception


def test_keys_of_ones_own_are_saved_and_taken_back(page: AppTest, house: House) -> None:
    """Only what differs from the preset is kept; the way back is one button."""
    write(page, "Flag for the lead", "j shift+j")
    mine = get_preferences(house.ws, house.actor("ada"))
    assert mine == Preferences(keys={"flag": ("J", "Shift+J")})
    page.button(key="me.keys.reset").click().run()
    assert get_preferences(house.ws, house.actor("ada")) == Preferences()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [("T", "'T' is wanted by two commands: 'Flag for the lead' and 'Comment'"),
     ("c", "'C' cannot be used: Streamlit has it"), ("ctrl+s", "Ctrl, Alt and Cmd")],
)  # fmt: skip
def test_what_cannot_be_is_said_plainly(
    page: AppTest, house: House, keys: str, sentence: str
) -> None:
    """The sentence names both commands or who has the key; nothing changes."""
    write(page, "Flag for the lead", keys)
    assert sentence in words(page).replace("\\", "")  # Markdown's escapes
    assert get_preferences(house.ws, house.actor("ada")) == Preferences()


def test_a_preset_is_one_click_and_reaches_the_deck(
    page: AppTest, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left hand: the fields show its keys, and the deck gets them."""
    page.button_group(key="me.keys.preset").set_value(LEFT).run()
    assert not page.exception
    assert get_preferences(house.ws, house.actor("ada")).preset == LEFT
    assert next(t for t in page.text_input if t.label == "Class 1").value == "Q 1"
    assert "The keys above are in force" in words(page)
    deck = Visit(house, monkeypatch, "ada").open("review", project="leaves")
    (found,) = elements(deck, "tiebreak_deck")
    assert found["keymap"]["accept"] == ["Space"]
    assert found["keymap"]["choose1"] == ["Q", "1"]
