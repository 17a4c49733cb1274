"""The frame: every role on every page sees content or a designed state, never an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.access import Role
from core.access.roles import MATRIX
from core.errors import DiskFull
from core.services.accounts.changing import set_active
from core.services.accounts.grants import revoke
from core.services.workspace import current_workspace
from core.ui import shell, states
from core.ui.shell import ENTRIES
from tests.pages.browser import Visit, words
from tests.pages.house import ROLES, House

MINE = ("home", "people", "datasets", "settings")
SIGN_IN = "Sign in to go on"
NOT_YOURS = "not part of your role"


@pytest.mark.parametrize("page", MINE)
@pytest.mark.parametrize("who", ["", *ROLES])
def test_every_role_sees_content_or_why_not(
    house: House, monkeypatch: pytest.MonkeyPatch, who: str, page: str
) -> None:
    """The page says what the role matrix says: content, "not your role", or "sign in"."""
    at = Visit(house, monkeypatch, who).open(page)
    said = words(at)
    assert not at.exception
    assert "went wrong" not in said
    action = next(e.action for e in ENTRIES if e.key == page)
    allowed = bool(who) and (action is None or ROLES[who] in MATRIX[action])
    assert (SIGN_IN in said) == (who == "")
    assert (NOT_YOURS in said) == (bool(who) and not allowed)
    if allowed:
        assert "<h1>" in said


def test_a_disabled_account_is_out_at_its_next_click(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is disabled while a page is open sees "sign in" instead of the page's content."""
    visit = Visit(house, monkeypatch, "mia")
    assert SIGN_IN not in words(visit.open("datasets"))
    set_active(house.ws, house.actor("kim"), house.people["mia"], False)
    assert SIGN_IN in words(visit.at.run())


def test_a_project_one_may_not_see_is_simply_not_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's project and one that does not exist give the same answer."""
    answers = []
    for slug in ("leaves", "nowhere"):
        at = Visit(house, monkeypatch, "eve").open("settings", project=slug)
        assert not at.exception
        answers.append(words(at).replace(slug, "X"))
    assert "This is not here" in answers[0]
    assert answers[0] == answers[1]


def test_the_project_is_kept_from_page_to_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project chosen on one page is the one the next page opens, and stands in the address."""
    visit = Visit(house, monkeypatch, "leo")
    at = visit.open("datasets", project="leaves")
    assert "Leaf species" in words(at)
    assert "Simulated data" in words(at)
    del at.query_params["project"]  # what a click in the navigation does
    at.switch_page("pages/settings.py").run()
    assert "Leaf species" in words(at)
    assert at.query_params["project"] == "leaves"


def test_without_a_role_one_is_told_whom_to_ask(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without any role sees why everything is empty."""
    revoke(house.ws, house.actor("kim"), house.people["eve"], Role.EXPERT, "cells")
    assert "in no project yet" in words(Visit(house, monkeypatch, "eve").open("review"))
    assert "No project yet" in words(Visit(house, monkeypatch, "eve").open("home"))


def test_a_brand_new_workspace_says_how_to_begin(
    tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody has an account there is no form to fail at, but the command to run."""
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(tmp_path / "new"))
    monkeypatch.setenv("TIEBREAK_DEMO", "false")
    current_workspace.cache_clear()
    said = words(Visit(house, monkeypatch, "").open("home"))
    assert "tiebreak user add" in said
    current_workspace().store.close()


def test_a_fault_of_ours_is_a_sentence_not_a_traceback(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the tree shows its sentence and advice; any other says that it is ours."""

    def full(*_: object, **_named: object) -> None:
        raise DiskFull("The disk is full.", "Free some space.")

    monkeypatch.setattr(shell, "list_projects", full)
    said = words(Visit(house, monkeypatch, "leo").open("home"))
    assert "The disk is full." in said
    assert "DISK_FULL" in said

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(shell, "list_projects", broken)
    said = words(Visit(house, monkeypatch, "leo").open("home"))
    assert "went wrong on our side" in said
    assert "secret detail" not in said


def test_text_of_people_is_shown_as_it_is_written() -> None:
    """An error's text is escaped for Markdown, so a class name cannot become a picture or a link."""
    hostile = "![x](https://evil.example/p.png) <b>:red[x]</b> $a$"
    shown = states.plain_markdown(hostile)
    assert "![" not in shown.replace("\\!\\[", "")
    assert "\\<b\\>" in shown
    assert "\\:red\\[" in shown


def test_every_role_has_a_name() -> None:
    """No role shows as its code."""
    assert set(shell.ROLE_NAMES) == set(Role)
