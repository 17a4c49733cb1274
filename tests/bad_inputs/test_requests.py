"""Hostile addresses (B100 to B105, B109, B110, A1): every page answers in words, no route breaks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.pages.browser import Visit, words
from tests.pages.conftest import furnished, house
from tests.pages.house import House
from tests.server.conftest import Enter, client, enter

__all__ = ["client", "enter", "furnished", "house"]

HOSTILE = (
    "../../etc/passwd",  # B100
    "99999999999999999999999",  # B103
    "-1",
    "1e9",
    "0",
    "sideways",  # B104
    "x" * 5000,  # B105
    "password_hash",  # B109
    "confidence desc; drop table items",  # B110
    "<script>alert(1)</script>",
    "a:b:c",
    "\u202e\u0000\ud7ff",
    "'; --",
    "",
)
PAGES = {
    "review": ("project", "item", "order", "class", "slice", "list", "queue"),
    "grid": ("project", "class", "n"),
    "adjudicate": ("project", "item"),
    "items": ("project", "item", "name"),
    "quality": (
        "project",
        "whose",
        "against",
        "one",
        "other",
        "days",
        "called",
        "guideline",
        "scale",
    ),
    "team": ("project", "person", "sort", "show"),
    "throughput": ("project", "person"),
    "bias": ("project", "whose", "column"),
    "retrain": ("project", "model"),
    "datasets": ("project", "tab"),
    "settings": ("project", "tab"),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_a_hostile_address_answers_in_words(
    house: House, monkeypatch: pytest.MonkeyPatch, page: str
):
    """Whatever a parameter holds, the page is drawn or says what is wrong; nothing is raised."""
    visit = Visit(house, monkeypatch, "leo")
    for address in addresses(PAGES[page]):
        at = visit.open(page, **address)
        assert not at.exception, f"{address}: {at.exception[0].value}"
        assert "went wrong on our side" not in words(at), address


def addresses(names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Give addresses in which every parameter holds each hostile value alone, and with others."""
    known = {"project": "leaves"}
    for name, value in itertools.product(names, HOSTILE):
        yield {name: value} if name == "project" else {**known, name: value}
    others = [n for n in names if n != "project"]
    for k in range(len(HOSTILE)):
        turned = {n: HOSTILE[(k + place) % len(HOSTILE)] for place, n in enumerate(others)}
        yield known | turned


QUEUE = ("count", "order", "exclude", "class", "slice", "list", "queue")


def test_the_queue_refuses_what_it_does_not_know(enter: Enter):
    """Every hostile value is taken as nothing, or refused with a code, a sentence and an advice."""
    browser = enter("ada")
    for name, value in itertools.product(QUEUE, HOSTILE):
        reply = browser.get("/files/queue/leaves", params={name: value})
        assert reply.status_code in (200, 404, 422), f"{name}={value[:40]!r}: {reply.text[:200]}"
        if reply.status_code != 200:
            error = reply.json()["error"]
            assert error["code"]
            assert error["message"].endswith((".", "?"))


PATHS = ("/files/open/{p}/{i}", "/files/item/{i}", "/files/about/{p}/{i}", "/files/crop/{i}")
FORGED = ("0", "999999", "99999999999999999999", "-5", "abc", "1%2F..%2F2")


@pytest.mark.parametrize("path", PATHS)
def test_a_forged_number_is_not_found(enter: Enter, path: str):
    """A number that is no item's, or no number, gets no page, no picture and no traceback."""
    browser = enter("ada")
    for item in FORGED:
        reply = browser.get(path.format(p="leaves", i=item))
        # What no route of ours takes falls to Streamlit, here a stand-in that says "page".
        assert reply.status_code in (404, 422) or reply.text == "page"


@pytest.mark.parametrize("path", PATHS)
def test_an_item_of_another_project_is_not_there(enter: Enter, house: House, path: str):
    """Eve works on another project: an item of this one is as absent as one that never was (A1, A23)."""
    browser = enter("eve")
    with house.ws.store.read() as connection:
        item = connection.exec_driver_sql("SELECT min(id) FROM items").scalar()
    mine = browser.get(path.format(p="leaves", i=item))
    none = browser.get(path.format(p="leaves", i=999999))
    assert mine.status_code == none.status_code == 404
    assert mine.json()["error"]["code"] == none.json()["error"]["code"]
