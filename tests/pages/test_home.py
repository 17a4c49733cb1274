"""The first page."""

from __future__ import annotations

import pytest

from core.services.review.admission import pause_person
from core.store.tables import item_state
from core.ui.weekly import page_of
from tests.pages.browser import Visit, words
from tests.pages.house import House


@pytest.mark.parametrize(
    ("who", "title", "button"),
    [
        ("ada", "4 images wait for your eyes", "Start reviewing"),
        ("leo", "6 images wait for your eyes", "Start reviewing"),
        ("mia", "Leaf species is 0 % settled", "See quality"),
        ("kim", "Leaf species is 0 % settled", "See quality"),
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
    assert "<h1>Quality</h1>" in words(at)
    assert "Leaf species" in words(at)


def test_an_empty_project_is_proposed_once_no_other_has_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every item of the leaves settled, blood cells asks for images."""
    with house.ws.store.write() as connection:
        connection.execute(item_state.update().values(state="agreed"))
    at = Visit(house, monkeypatch, "mia").open("home")
    assert "Blood cells has no images yet" in words(at)
    assert at.button(key="home.next").label == "Import"


def test_who_is_paused_and_the_lead_both_read_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paused person reads why, who steers how many wait, with the way to them."""
    leo = house.actor("leo")
    pause_person(house.ws, leo, "leaves", house.people["ada"], "ten answers to gold were wrong")
    assert "Reviewing is paused for you in this project" in words(
        Visit(house, monkeypatch, "ada").open("home")
    )
    at = Visit(house, monkeypatch, "mia").open("home")
    assert "1 person is paused or did not pass the onboarding" in words(at)
    at.button(key="home.leaves.team").click().run()
    assert not at.exception


def test_only_ones_own_projects_are_shown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with a role in one project sees that one."""
    said = words(Visit(house, monkeypatch, "eve").open("home"))
    assert "Blood cells" in said
    assert "Leaf species" not in said


def test_a_new_project_is_begun_at_the_top(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may make projects has a button above every card, which opens the form and closes it."""
    at = Visit(house, monkeypatch, "mia").open("home")
    assert [b.key for b in at.button if b.key != "login"].index("home.new") == 0
    assert not [t for t in at.text_input if t.key == "new.home.title"]
    assert not [m.value for m in at.markdown if "session" in m.value]
    at.button(key="home.new").click().run()
    at.text_input(key="new.home.title").input("Ferns").run()
    at.button(key="new.home.create").click().run()
    assert not at.exception
    assert "<h1>Datasets</h1>" in words(at)
    lead = Visit(house, monkeypatch, "leo").open("home")
    assert not [b for b in lead.button if b.key == "home.new"]


def test_the_advice_opens_the_project_it_names(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the sidebar stands on another one."""
    at = Visit(house, monkeypatch, "mia").open("home", project="cells")
    at.button(key="home.next").click().run()
    assert at.query_params["project"] in ("leaves", ["leaves"])
    assert at.session_state["tiebreak.project"] == "leaves"


def test_who_sees_figures_takes_the_weekly_report_home(house: House, monkeypatch) -> None:
    """A manager has the button on the project with images; an expert has none."""
    at = Visit(house, monkeypatch, "mia").open("home")
    assert not at.exception
    assert [b.label for b in at.get("download_button")] == ["Weekly report"]
    page = page_of(house.ws, house.actor("mia"), "leaves", "Asia/Seoul")
    assert "Leaf species" in page
    assert "Asia/Seoul" in page
    assert "There is no project" in page_of(house.ws, house.actor("mia"), "nowhere", "UTC")
    at = Visit(house, monkeypatch, "ada").open("home")
    assert not at.get("download_button")
