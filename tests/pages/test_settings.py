"""Policy, guideline, classes, and what is one's own."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.consensus.policy import OnDisagreement
from core.services.projects import get_project
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.pages.test_review import elements


@pytest.fixture
def page(house: House, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the page as the lead sees it."""
    return Visit(house, monkeypatch, "leo").open("settings", project="leaves")


def test_a_policy_is_previewed_and_put_in_force(page: AppTest, house: House) -> None:
    """The sentence changes with the fields; adopting needs a reason and makes a version."""
    page.selectbox(key="policy.leaves.1.rule").select(OnDisagreement.LEAD).run()
    assert "If any two differ, a lead decides." in words(page)
    button = next(b for b in page.button if b.label == "Put in force")
    button.click().run()
    assert "needs a reason" in words(page)
    page.text_input(key="policy.leaves.reason").input("too many third votes")
    next(b for b in page.button if b.label == "Put in force").click().run()
    project = get_project(house.ws, house.actor("leo"), "leaves")
    assert (project.policy_version, project.policy.on_disagreement) == (2, OnDisagreement.LEAD)


def test_an_impossible_policy_is_said_not_raised(page: AppTest) -> None:
    """More votes needed than allowed shows a sentence and offers nothing to adopt."""
    page.number_input(key="policy.leaves.1.overlap").set_value(5).run()
    assert not page.exception
    assert "most votes lie between" in words(page).lower()
    assert not [b for b in page.button if b.label == "Put in force"]


def test_a_guideline_gets_a_new_version(page: AppTest, house: House) -> None:
    """Publishing keeps the text; the preview is drawn by what draws it in the review deck."""
    page.text_area(key="guideline.leaves.1.text").input(
        "Look ![x](https://evil.example/p.png)"
    ).run()
    (preview,) = elements(page, "tiebreak_prose")
    assert preview["text"] == "Look ![x](https://evil.example/p.png)"
    assert preview["module"].endswith("/prose.js")
    assert "evil.example" not in words(page)
    page.text_input(key="guideline.leaves.1.reason").input("first words")
    page.button(key="guideline.publish").click().run()
    assert get_project(house.ws, house.actor("leo"), "leaves").guideline_version == 2


def test_an_expert_reads_but_does_not_steer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expert sees the policy in words and the classes, and no field to change them."""
    at = Visit(house, monkeypatch, "ada").open("settings", project="leaves")
    assert "people vote on each item" in words(at)
    assert "maple" in words(at)
    assert not at.number_input
    assert not at.text_area


def test_two_different_passwords_change_nothing(page: AppTest) -> None:
    """A slip while typing does not lock a person out."""
    page.text_input(key="me.password.first").input("a new password")
    page.text_input(key="me.password.again").input("a mew password")
    next(b for b in page.button if b.label == "Change password").click().run()
    assert "differ" in words(page)
