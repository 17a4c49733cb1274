"""Threads on pages: an item's discussion, and what waits for one on the first page."""

from __future__ import annotations

import pytest

from core.clock import new_uuid
from core.services.items.search import find_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.talk.threads import item_threads
from core.services.talk.waiting import waiting_threads
from core.services.talk.writing import start_thread
from tests.pages.browser import Visit, words
from tests.pages.house import House


def test_a_thread_is_started_answered_and_closed_on_the_item_s_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed is on the record once, the field is empty again, and closing folds it."""
    lead = house.actor("leo")
    item = find_items(house.ws, lead, "leaves")[0].item_id
    page = Visit(house, monkeypatch, "leo").open("items", project="leaves", item=str(item))
    key = f"tb-talk.{item}.new"
    page.text_area(key=f"{key}.text").input("Oak, <b>surely</b>, @ada?").run()
    page.button(key=f"{key}.send").click().run()
    assert not page.exception
    thread = item_threads(house.ws, lead, "leaves", item)[0]
    assert [c.text for c in thread.comments] == ["Oak, <b>surely</b>, @ada?"]
    assert page.text_area(key=f"{key}.text").value == ""
    assert "Oak, &lt;b&gt;surely&lt;/b&gt;" in words(page)
    talk = f"tb-talk.{thread.thread}"
    page.text_area(key=f"{talk}.reply.text").input("No answer yet.").run()
    page.button(key=f"{talk}.reply.send").click().run()
    page.button(key=f"{talk}.close").click().run()
    assert not page.exception
    after = item_threads(house.ws, lead, "leaves", item)[0]
    assert [c.kind for c in after.comments] == ["comment", "comment", "resolve"]
    assert after.resolved


def test_a_refused_comment_stays_in_its_field(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says what was wrong and nothing is lost."""
    item = find_items(house.ws, house.actor("leo"), "leaves")[0].item_id
    page = Visit(house, monkeypatch, "leo").open("items", project="leaves", item=str(item))
    key = f"tb-talk.{item}.new"
    page.text_area(key=f"{key}.text").input("turn \u202e back").run()
    page.button(key=f"{key}.send").click().run()
    assert "direction marks" in words(page)
    assert page.text_area(key=f"{key}.text").value == "turn \u202e back"


def test_home_says_who_mentioned_one_and_where(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expert sees the mention with its permalink; the lead how many threads are open."""
    lead = house.actor("leo")
    item = find_items(house.ws, lead, "leaves")[0]
    assert "mentioned" not in words(Visit(house, monkeypatch, "ada").open("home"))
    start_thread(house.ws, lead, "leaves", item.item_id, "@ada look <i>here</i>", new_uuid())
    assert waiting_threads(house.ws, house.actor("ada")).mentions == 1
    said = words(Visit(house, monkeypatch, "ada").open("home"))
    assert "You were mentioned (1)" in said
    assert f"item={item.item_id}" in said
    assert "@ada look &lt;i&gt;here&lt;/i&gt;" in said
    theirs = words(Visit(house, monkeypatch, "leo").open("home"))
    assert "1 thread is open: <a " in theirs
    assert ">Leaf species 1</a>" in theirs


def test_the_adjudicator_has_the_discussion_beside_the_dispute(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag's comment is a thread there, its author an alias."""
    expert = house.actor("ada")
    item = find_items(house.ws, expert, "leaves")[4].item_id
    flag = Submission(new_uuid(), item, "flag", reason="class-missing: this is an ash")
    submit(house.ws, expert, "leaves", flag)
    page = Visit(house, monkeypatch, "leo").open("adjudicate", project="leaves", item=str(item))
    assert not page.exception
    assert "this is an ash" in words(page)
    assert "Discussion (1)" in [p.proto.popover.label for p in page.get("popover")]
    assert expert.display_name not in words(page)
