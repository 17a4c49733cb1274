"""Finding an item and reading why it has its label."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.services.items import find_items
from tests.pages.browser import Visit, words
from tests.pages.house import House


def test_a_part_of_the_name_finds_items(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list narrows with the text, case aside; nothing found is said."""
    page: AppTest = Visit(house, monkeypatch, "mia").open("items", project="leaves")
    assert "leaf0.png" in words(page)
    page.text_input(key="items.part").input("LEAF3").run()
    assert "leaf3.png" in words(page)
    assert "leaf0.png" not in words(page)
    page.text_input(key="items.part").input("%").run()
    assert "No image has such a name" in words(page)


@pytest.mark.parametrize("who", ["ada", "leo", "mia", "kim"])
def test_everybody_may_read_why(house: House, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """An item's page says how many votes it has, and names nobody while it is open."""
    item = find_items(house.ws, house.actor(who), "leaves")[0]
    page = Visit(house, monkeypatch, who).open("items", project="leaves", item=str(item.item_id))
    assert not page.exception
    assert item.name in words(page)
    assert "of 2 votes" in words(page)
    assert " said " not in words(page)


def test_an_item_of_another_project_is_not_found(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that belongs elsewhere, or to nothing, gives a sentence."""
    page = Visit(house, monkeypatch, "mia").open("items", project="leaves", item="999999")
    assert "no item 999999" in words(page)
