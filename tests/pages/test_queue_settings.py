"""The queue plan in settings, and lists made from what was found among the items."""

from __future__ import annotations

from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from core.services.items.lists import list_lists, make_list
from core.services.projects.queue_plans import get_queue_plan
from tests.pages.browser import Visit, words
from tests.pages.house import House

KEY = "queue.leaves.0"


@pytest.fixture
def page(house: House, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the page as the lead sees it."""
    return Visit(house, monkeypatch, "leo").open("settings", project="leaves")


def test_a_plan_is_previewed_and_put_in_force(page: AppTest, house: House) -> None:
    """The sentences change with the fields; adopting needs a reason and makes a version."""
    page.selectbox(key=f"{KEY}.order").select("most-disputed").run()
    page.slider(key=f"{KEY}.blind").set_value(20).run()
    assert "People see the items whose votes differ most first." in words(page)
    assert "20 % of the items are shown without what the model proposes." in words(page)
    page.button(key="queue.adopt").click().run()
    assert "needs a reason" in words(page)
    page.text_input(key="queue.leaves.reason").input("to measure the pull")
    page.button(key="queue.adopt").click().run()
    assert not page.exception
    view = get_queue_plan(house.ws, house.actor("leo"), "leaves")
    assert (view.version, view.plan.order, view.plan.blind_share) == (1, "most-disputed", 0.2)
    assert view.reason == "to measure the pull"


def test_gold_and_onboarding_are_set_in_words(page: AppTest, house: House) -> None:
    """Shares of gold and repeats and the onboarding are previewed and put in force."""
    page.slider(key=f"{KEY}.gold").set_value(10).run()
    page.slider(key=f"{KEY}.repeat").set_value(5).run()
    page.number_input(key=f"{KEY}.onboarding").set_value(20).run()
    page.slider(key=f"{KEY}.pass").set_value(90).run()
    page.toggle(key=f"{KEY}.feedback").set_value(True).run()
    said = unescape(words(page))
    assert "About 10 % of what a person is handed is gold" in said
    assert "begins with 20 gold items, is told the right answer after each" in said
    assert "with 90 % of them right" in said
    page.text_input(key="queue.leaves.reason").input("to know how right people are")
    page.button(key="queue.adopt").click().run()
    assert not page.exception
    plan = get_queue_plan(house.ws, house.actor("leo"), "leaves").plan
    assert (plan.gold_share, plan.repeat_share, plan.onboarding) == (0.1, 0.05, 20)
    assert (plan.pass_mark, plan.target, plan.feedback) == (0.9, 0.8, True)


def test_a_boost_is_added_previewed_and_published(page: AppTest, house: House) -> None:
    """What is moved forward is said in words before it is put in force."""
    name = str(page.selectbox(key=f"{KEY}.add.class").value)
    page.select_slider(key=f"{KEY}.add.level").set_value(5)
    page.button(key=f"{KEY}.add.go").click().run()
    assert f"Before all others (+5): items predicted '{name}'." in unescape(words(page))
    page.text_input(key="queue.leaves.reason").input("rare")
    page.button(key="queue.adopt").click().run()
    plan = get_queue_plan(house.ws, house.actor("leo"), "leaves").plan
    assert [(b.kind, b.value, b.level) for b in plan.boosts] == [("class", name, 5)]


def test_a_boost_that_will_not_do_is_said(page: AppTest) -> None:
    """Item numbers that are none give a sentence and change nothing."""
    page.selectbox(key=f"{KEY}.add.kind").select("items").run()
    page.text_input(key=f"{KEY}.add.items").input("twelve")
    page.button(key=f"{KEY}.add.go").click().run()
    assert not page.exception
    assert "Numbers are expected, found 'twelve'." in words(page)


def test_who_does_not_steer_reads_the_plan(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expert sees the sentences and no fields."""
    page = Visit(house, monkeypatch, "ada").open("settings", project="leaves")
    assert "People see the items the model is least sure of first." in words(page)
    assert not [b for b in page.selectbox if b.key == f"{KEY}.order"]


def test_a_lead_makes_a_list_of_what_was_found(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The items found become a list that the queue can be narrowed to; a taken name is refused."""
    page = Visit(house, monkeypatch, "leo").open("items", project="leaves")
    page.button(key="items.pick.all").click().run()
    page.text_input(key="items.list.name").input("look again")
    page.button(key="items.list.make").click().run()
    assert not page.exception
    (made,) = list_lists(house.ws, house.actor("leo"), "leaves")
    assert made.name == "look again"
    assert made.items > 0
    page.button(key="items.pick.all").click().run()
    page.text_input(key="items.list.name").input("look again")
    page.button(key="items.list.make").click().run()
    assert "There is a list 'look again' already" in words(page)


def test_an_expert_makes_no_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The action is for those who steer; the lists can be opened in review by everybody."""
    found = house.ws
    leo = house.actor("leo")
    from core.services.items.search import find_items

    make_list(found, leo, "leaves", "mine", [find_items(found, leo, "leaves")[0].item_id])
    page = Visit(house, monkeypatch, "ada").open("items", project="leaves")
    assert not [b for b in page.button if b.key == "items.list.make"]
    assert "mine" in words(page)
