"""The grid's page: who may open it, what it sends, what the address asks."""

from __future__ import annotations

import json

import pytest

from core.ui.grid import known_count
from core.ui.shell import ENTRIES
from tests.pages.browser import Visit, words
from tests.pages.house import House

Monkey = pytest.MonkeyPatch


def test_an_expert_gets_the_element_with_a_small_configuration(house: House, monkeypatch: Monkey) -> None:  # fmt: skip
    """The page mounts without an error, and what goes over the websocket stays small."""
    at = Visit(house, monkeypatch, "ada").open("grid", project="leaves", n="36")
    assert not at.exception
    [element] = at.get("bidi_component")
    sent = json.loads(element.proto.json)
    assert (sent["slug"], sent["count"], sent["shown"]) == ("leaves", 36, "")
    assert len(element.proto.json) < 8000


def test_a_manager_is_told_the_page_is_not_theirs(house: House, monkeypatch: Monkey) -> None:
    """Managers look at figures and vote on nothing."""
    at = Visit(house, monkeypatch, "mia").open("grid", project="leaves")
    assert not at.get("bidi_component")
    assert "not part of your role" in words(at)


def test_the_navigation_has_it_behind_review() -> None:
    """It is the next way of doing the same work."""
    keys = [e.key for e in ENTRIES]
    assert keys[keys.index("review") + 1] == "grid"


@pytest.mark.parametrize(
    ("asked", "count"),
    [("", 60), ("24", 24), ("30", 24), ("99999", 100), ("-5", 60), ("x", 60), ("²", 60)],
)
def test_the_address_asks_for_one_of_four_sizes(asked: str, count: int) -> None:
    """Anything may stand there."""
    assert known_count(asked) == count
