"""Accounts and roles."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.services.accounts.people import list_people
from core.services.accounts.teams import set_team, teams_of_people
from tests.pages.browser import Visit, words
from tests.pages.house import House


@pytest.fixture
def page(house: House, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the page as the admin sees it."""
    return Visit(house, monkeypatch, "kim").open("people")


def _person(house: House, name: str) -> object:
    return next(p for p in list_people(house.ws, house.actor("kim")) if p.name == name)


def _choose(at: AppTest, house: House, name: str) -> None:
    at.selectbox(key="people.chosen").select(house.people[name]).run()


def test_a_role_is_given_and_taken_away(page: AppTest, house: House) -> None:
    """Giving a role in one project, then taking it, leaves the person as before."""
    before = _person(house, "eve").roles  # type: ignore[attr-defined]
    _choose(page, house, "eve")
    key = f"people.{house.people['eve']}"
    page.selectbox(key=f"{key}.role").select(Role.LEAD)
    page.selectbox(key=f"{key}.scope").select("leaves")
    next(b for b in page.button if b.label == "Give this role").click().run()
    assert (Role.LEAD, "leaves") in _person(house, "eve").roles  # type: ignore[attr-defined]
    page.button(key=f"{key}.revoke.lead.leaves").click().run()
    assert _person(house, "eve").roles == before  # type: ignore[attr-defined]
    assert not page.exception


def test_the_last_admin_cannot_be_disabled(page: AppTest, house: House) -> None:
    """The page says why, and the account stays."""
    _choose(page, house, "kim")
    page.button(key=f"people.{house.people['kim']}.active").click().run()
    assert "no admin" in words(page)
    assert _person(house, "kim").active  # type: ignore[attr-defined]


def test_an_account_is_disabled_and_enabled(page: AppTest, house: House) -> None:
    """One button does either."""
    _choose(page, house, "eve")
    key = f"people.{house.people['eve']}.active"
    page.button(key=key).click().run()
    assert not _person(house, "eve").active  # type: ignore[attr-defined]
    page.button(key=key).click().run()
    assert _person(house, "eve").active  # type: ignore[attr-defined]


def test_a_short_password_is_refused_in_words(page: AppTest, house: House) -> None:
    """What is wrong with it is said, and nothing changes."""
    _choose(page, house, "eve")
    page.text_input(key=f"people.{house.people['eve']}.new_password").input("short")
    next(b for b in page.button if b.label == "Set password").click().run()
    assert "at least 8" in words(page)


def test_a_person_is_added(page: AppTest, house: House) -> None:
    """The form makes an account with its first role, and is empty again."""
    page.text_input(key="people.new.0.name").input("Uma")
    page.text_input(key="people.new.0.display").input("Uma New")
    page.text_input(key="people.new.0.password").input("a long password")
    next(b for b in page.button if b.label == "Add").click().run()
    assert not page.exception
    added = _person(house, "uma")
    assert added.roles == ((Role.EXPERT, None),)  # type: ignore[attr-defined]
    assert page.text_input(key="people.new.1.name").value == ""


def test_finding_narrows_the_list(page: AppTest) -> None:
    """What is typed is looked for in both names."""
    page.text_input(key="people.find").input("elsewhere").run()
    said = words(page)
    assert "Eve Elsewhere" in said
    assert "Mia Manager" not in said


def test_a_team_is_given(page: AppTest, house: House) -> None:
    """Choosing a team that is there, and saving, puts the person into it."""
    set_team(house.ws, house.actor("kim"), house.people["ada"], "North")
    page.run()
    page.selectbox(key="people.team.person").select(house.people["eve"]).run()
    page.selectbox(key=f"people.{house.people['eve']}.team").select("North").run()
    page.button(key=f"people.{house.people['eve']}.team.save").click().run()
    assert not page.exception
    teams = teams_of_people(house.ws, house.actor("kim"))
    assert teams[house.people["eve"]] == "North"
