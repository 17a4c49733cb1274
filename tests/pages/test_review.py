"""The review page: what it hands to the deck, and boxes on the canvas."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.labels import Answer, Region
from core.services.accounts.people import operator
from core.services.review.claiming import claim_items
from core.services.review.drafts import save_draft
from core.services.review.leases import open_item
from core.services.review.recent import my_recent
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.ui import box_editor
from core.ui.deck import texts
from tests.pages.browser import Visit, words
from tests.pages.house import CLASSES, House


def elements(at: AppTest, name: str) -> list[dict[str, Any]]:
    """Return the data of our own elements of one kind on the page."""
    found = [e.proto for e in at.get("bidi_component")]
    return [json.loads(p.json) for p in found if p.component_name == name]


def deck_data(at: AppTest) -> dict[str, Any]:
    """Return what the review page handed to the deck."""
    (data,) = elements(at, "tiebreak_deck")
    return data


def test_the_deck_gets_what_it_needs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions with classes, colours and keys, addresses, texts; no item and nobody's vote."""
    at = Visit(house, monkeypatch, "leo").open("review", project="leaves")
    assert not at.exception
    data = deck_data(at)
    assert [c["name"] for c in data["questions"][0]["classes"]] == CLASSES
    assert [c["key"] for c in data["questions"][0]["classes"]] == ["1", "2", "3"]
    assert data["person"] == house.people["leo"]
    assert data["urls"]["decisions"] == "/files/decisions/leaves"
    assert data["module"].startswith("/files/deck/")
    assert data["idleSeconds"] == house.ws.settings.idle_seconds
    assert texts.deck_texts().items() <= data["texts"].items()
    assert data["editing"] is None
    assert "oak" not in json.dumps(
        {k: v for k, v in data.items() if k not in ("questions", "asked")}
    )


@pytest.mark.parametrize(
    ("item", "first"), [("3", 3), ("../../etc", None), ("-1", None), ("9" * 40, None), ("٣", None)]
)
def test_a_permalink_names_the_first_item(
    house: House, monkeypatch: pytest.MonkeyPatch, item: str, first: int | None
) -> None:
    """Whatever is no number names none."""
    at = Visit(house, monkeypatch, "ada").open("review", project="leaves", item=item)
    assert not at.exception
    assert deck_data(at)["firstId"] == first


@pytest.mark.parametrize("who", ["mia", "kim"])
def test_who_may_not_vote_is_told_so(
    house: House, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Managers and admins see a state, not a deck."""
    at = Visit(house, monkeypatch, who).open("review", project="leaves")
    assert not elements(at, "tiebreak_deck")
    assert "not part of your role" in words(at)


def with_cells(house: House) -> int:
    """Give the box project an image, and return it with a draft of one box by ada."""
    import_data(house.ws, operator(house.ws), "cells", house.source, ImportOptions())
    ada = house.actor("ada")
    item = claim_items(house.ws, ada, "cells", 1).items[0]
    draft = Answer({}, (Region("neutrophil", 10, 10, 60, 60),))
    save_draft(house.ws, ada, "cells", item.item_id, draft)
    return item.item_id


def on_the_canvas(house: House, monkeypatch: pytest.MonkeyPatch) -> tuple[AppTest, int]:
    """Open the review page with an item on the canvas, as if E had been pressed."""
    item_id = with_cells(house)
    visit = Visit(house, monkeypatch, "ada")
    visit.open("review", project="cells")
    item = open_item(house.ws, house.actor("ada"), "cells", item_id)
    assert item.draft is not None
    schema = house_schema(house)
    visit.at.session_state["tb-review-editing"] = box_editor.start(
        item_id, (item.width, item.height), item.draft.regions, schema
    )
    visit.at.session_state["tb-review-item"] = (item, 1.0)
    return visit.at.run(), item_id


def house_schema(house: House) -> Any:
    """Return the schema of the box project."""
    from core.services.projects.project import get_project

    return get_project(house.ws, house.actor("ada"), "cells").schema


def test_boxes_saved_on_the_canvas_are_a_vote(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draft is what one starts from; the deck learns what was recorded, so that Z undoes it."""
    at, item_id = on_the_canvas(house, monkeypatch)
    assert not at.exception
    assert deck_data(at)["editing"] == item_id
    at.button(key="tb-save").click().run()
    assert not at.exception
    mine = open_item(house.ws, house.actor("ada"), "cells", item_id).mine
    assert mine is not None
    assert mine.regions == (Region("neutrophil", 10, 10, 60, 60),)
    data = deck_data(at)
    assert data["editing"] is None
    assert data["outcome"]["submission"]["item_id"] == item_id
    assert data["outcome"]["revision"] == 1


def test_leaving_the_canvas_keeps_the_draft(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back is no vote, and nothing drawn is lost."""
    at, item_id = on_the_canvas(house, monkeypatch)
    at.button(key="tb-back").click().run()
    item = open_item(house.ws, house.actor("ada"), "cells", item_id)
    assert item.mine is None
    assert item.draft is not None
    assert deck_data(at)["outcome"]["draft"]["regions"][0]["box"] == [10, 10, 60, 60]


def test_a_removed_box_is_autosaved(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change reaches the draft without being asked for."""
    at, item_id = on_the_canvas(house, monkeypatch)
    at.button(key="tb-box-N").click().run()
    at.button(key="tb-box-Delete").click().run()
    assert not at.exception
    item = open_item(house.ws, house.actor("ada"), "cells", item_id)
    assert item.draft is not None
    assert item.draft.regions == ()


def test_a_refused_save_keeps_the_canvas_and_says_why(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The item was answered elsewhere meanwhile: the sentence is shown, the boxes stay."""
    at, item_id = on_the_canvas(house, monkeypatch)
    from core.clock import new_uuid
    from core.services.review.submission import Submission
    from core.services.review.submitting import submit

    ada = house.actor("ada")
    submit(house.ws, ada, "cells", Submission(new_uuid(), item_id, "vote", Answer({}, ())))
    at.button(key="tb-save").click().run()
    assert not at.exception
    assert "answered this item already" in words(at)
    assert deck_data(at)["editing"] == item_id
    assert len(my_recent(house.ws, ada, "cells")) == 1


def test_the_canvas_notices_who_was_disabled(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """F33: the next action asks to sign in; the draft is kept."""
    from core.services.accounts.changing import set_active

    at, item_id = on_the_canvas(house, monkeypatch)
    at.button(key="tb-box-N").click().run()
    set_active(house.ws, operator(house.ws), house.people["ada"], False)
    at.button(key="tb-box-Delete").click().run()
    assert not at.exception
    assert "Sign in" in words(at)
    set_active(house.ws, operator(house.ws), house.people["ada"], True)
    assert open_item(house.ws, house.actor("ada"), "cells", item_id).draft is not None
