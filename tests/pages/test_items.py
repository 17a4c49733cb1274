"""Finding an item and reading why it has its label."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import new_uuid
from core.services.items.lists import list_lists
from core.services.items.search import FoundItem, ItemSearch, find_items
from core.services.talk.writing import start_thread
from core.ui.item_search import ticked
from tests.pages.browser import Visit, words
from tests.pages.house import House


def test_a_part_of_the_name_finds_items(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list narrows with the text, case aside; nothing found is said."""
    page: AppTest = Visit(house, monkeypatch, "ada").open("items", project="leaves")
    assert "leaf0.png" in words(page)
    page.text_input(key="items.part").input("LEAF3").run()
    assert "leaf3.png" in words(page)
    assert "leaf0.png" not in words(page)
    page.text_input(key="items.part").input("%").run()
    assert "No image is like that" in words(page)


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


def files(page: AppTest) -> list[str]:
    """Return the files in the table one picks from."""
    return list(page.dataframe[0].value["file"])


def test_a_lead_picks_images_by_hand(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ticked is kept under a name, and its link stands below to be copied."""
    page = Visit(house, monkeypatch, "leo").open("items", project="leaves")
    assert len(files(page)) == 6
    assert page.dataframe[0].value["picture"][0].startswith("http")
    table = page.session_state["items.leaves.table"][0]
    page.session_state[table] = {
        "edited_rows": {1: {"pick": True}, 4: {"pick": True}},
        "added_rows": [],
        "deleted_rows": [],
    }
    page.run()
    assert "<b>2 picked</b>" in words(page)
    page.text_input(key="items.list.name").input("odd ones")
    page.button(key="items.list.make").click().run()
    assert not page.exception
    (made,) = list_lists(house.ws, house.actor("leo"), "leaves")
    assert (made.name, made.items) == ("odd ones", 2)
    assert [c for c in page.code if c.value.endswith(f"/review?project=leaves&list={made.id}")]
    assert "<b>0 picked</b>" in words(page)


def test_all_that_is_found_is_picked_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Picks add up over searches; none of them is taken back by the next search."""
    page = Visit(house, monkeypatch, "leo").open("items", project="leaves")
    page.text_input(key="items.part").input("leaf3").run()
    page.button(key="items.pick.all").click().run()
    page.text_input(key="items.part").input("leaf5").run()
    page.button(key="items.pick.all").click().run()
    assert "<b>2 picked</b>" in words(page)
    assert list(page.dataframe[0].value["pick"]) == [True]
    page.button(key="items.pick.none").click().run()
    assert "<b>0 picked</b>" in words(page)


def test_boxes_of_one_page_leave_the_others_alone(house: House) -> None:
    """What is picked elsewhere stays, what is unticked here goes."""
    here = find_items(house.ws, house.actor("leo"), "leaves")[:2]
    assert all(isinstance(f, FoundItem) for f in here)
    first, second = (f.item_id for f in here)
    assert ticked({first, 999}, here, [{"pick": False}, {"pick": True}]) == {second, 999}


def test_the_discussion_stands_at_the_top_where_it_is_asked_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mention's link, or an open thread, puts it before the reasons; without one it comes last."""
    item = find_items(house.ws, house.actor("leo"), "leaves")[0].item_id
    quiet = words(Visit(house, monkeypatch, "ada").open("items", project="leaves", item=str(item)))
    assert quiet.index("of 2 votes") < quiet.index("Discussion")
    thread = start_thread(house.ws, house.actor("leo"), "leaves", item, "@ada look", new_uuid())
    said = words(Visit(house, monkeypatch, "ada").open("home"))
    assert f"item={item}&amp;thread={thread.thread}" in said
    page = Visit(house, monkeypatch, "ada").open("items", project="leaves", item=str(item))
    assert words(page).index("Discussion") < words(page).index("of 2 votes")


def test_open_threads_are_a_link_to_their_items(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lead follows the count on the first page to the items that are talked about."""
    item = find_items(house.ws, house.actor("leo"), "leaves", ItemSearch("leaf2"))[0]
    start_thread(house.ws, house.actor("leo"), "leaves", item.item_id, "hm", new_uuid())
    said = words(Visit(house, monkeypatch, "leo").open("home"))
    assert "items?project=leaves&amp;talk=open" in said
    page = Visit(house, monkeypatch, "leo").open("items", project="leaves", talk="open")
    assert files(page) == ["leaf2.png"]
