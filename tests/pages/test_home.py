"""The first page."""

from __future__ import annotations

import pytest

from tests.pages.browser import Visit, words
from tests.pages.house import House


@pytest.mark.parametrize(
    ("who", "title", "button"),
    [
        ("ada", "4 images wait for your eyes", "Start reviewing"),
        ("leo", "6 images wait for your eyes", "Start reviewing"),
        ("mia", "Blood cells has no images yet", "Import"),
        ("kim", "Blood cells has no images yet", "Import"),
    ],
)
def test_each_role_is_told_what_to_do_next(
    house: House, monkeypatch: pytest.MonkeyPatch, who: str, title: str, button: str
) -> None:
    """There is one next step, by role and by what waits."""
    at = Visit(house, monkeypatch, who).open("home")
    assert title in words(at)
    assert at.button(key="home.next").label == button


def test_the_next_step_leads_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its button opens the page with the right project."""
    at = Visit(house, monkeypatch, "mia").open("home", project="leaves")
    at.button(key="home.next").click().run()
    assert not at.exception
    assert "<h1>Datasets</h1>" in words(at)
    assert "Blood cells" in words(at)


def test_only_ones_own_projects_are_shown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with a role in one project sees that one."""
    said = words(Visit(house, monkeypatch, "eve").open("home"))
    assert "Blood cells" in said
    assert "Leaf species" not in said
