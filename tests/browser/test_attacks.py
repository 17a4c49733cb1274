"""Attacks and bad luck in a real browser: what lies in the tab's store, what comes over the wire."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core.labels.schema import LabelSchema, Task, make_question
from tests.browser.reviewing import Place, add_project, place, press_on_next, review, saved
from tests.pages.house import CLASSES

__all__ = ["place"]

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

KEYS = (
    "tiebreak.outbox.{p}.leaves", "tiebreak.outbox.{p}.leaves.history", "tiebreak.outbox.{p}.leaves.recent",
    "tiebreak.grid.outbox.{p}.leaves", "tiebreak.grid.{p}.leaves", "tiebreak.view", "tiebreak.unsent.{p}.3",
)  # fmt: skip
GARBAGE = (
    '{"entries": 5, "page": {"data": {"units": [null]}}}',
    '{"entries": [null], "history": 7, "revisions": 1}',
    "null",
    '{"done": [{"submission": null}], "brightness": "x", "text": 5}',
)


def poison(page: Page, person: int) -> None:
    """Put garbage under every name the deck and the grid keep something under."""
    worst = zip(itertools.cycle(GARBAGE), KEYS, strict=False)
    pairs = {key.format(p=person): text for text, key in worst}
    page.evaluate(
        "pairs => Object.entries(pairs).forEach(p => sessionStorage.setItem(...p))", pairs
    )


def test_a_tampered_store_stops_neither_deck_nor_grid(place: Place, visit: Visit) -> None:
    """Whatever lies in the tab's store, the image comes up, a decision is saved, the grid opens."""
    page = visit(f"{place.address}/", "leo")
    for turn in range(2):
        poison(page, place.house.people["leo"])
        page.goto(f"{place.address}/review?project=leaves")
        expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
        press_on_next(page, "1")
        expect(saved(page)).to_have_text("Saved 1")
        page.keyboard.press("z")
        expect(saved(page)).to_have_text("Saved 0")
        assert len(place.answers("leo")) == 2 * (turn + 1)
    poison(page, place.house.people["leo"])
    page.goto(f"{place.address}/grid?project=leaves")
    expect(page.locator(".grid[data-state=classes]")).to_be_visible(timeout=20_000)


def test_without_a_store_a_decision_is_saved_all_the_same(place: Place, chromium: Browser) -> None:
    """A browser that forbids the tab's store: the deck works, and warns before work would be lost."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    context.add_init_script(
        "for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(window, name,"
        " {get() { throw new DOMException('denied', 'SecurityError'); }});"
    )
    page = context.new_page()
    page.goto(place.address)
    page.click("button[value=leo]")
    page.goto(f"{place.address}/review?project=leaves")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    press_on_next(page, "1")
    expect(saved(page)).to_have_text("Saved 1")
    context.close()


def test_no_answer_from_elsewhere_costs_a_decision(place: Place, chromium: Browser) -> None:
    """A proxy's pages, other servers' JSON, refusals, silence, cut lines: all is saved in the end, once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(place.address)
    page.click("button[value=leo]")
    page.goto(f"{place.address}/review?project=leaves")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    html = {"content_type": "text/html", "body": "<h1>nginx</h1>"}
    answers = iter(
        [
            {"status": 500, **html}, {"status": 404, **html}, {"status": 200, **html},
            {"status": 403, **html}, {"status": 401, **html}, {"status": 400, "body": ""},
            {"status": 200, "json": {"receipts": 5}}, {"status": 200, "json": {"receipts": [None]}},
            {"status": 200, "json": []}, {"status": 404, "json": {"detail": "Not Found"}},
            {"status": 503, "json": {"error": {"code": "DISK_FULL", "message": "The disk is full."}}},
        ]
    )  # fmt: skip
    seen = []

    def answer(route: Route) -> None:
        seen.append(len(json.loads(route.request.post_data or "{}")["submissions"]))
        found = next(answers, None)
        if found is None:
            route.continue_()
        else:
            route.fulfill(**found)

    page.route("**/files/decisions/**", answer)
    for key in ("1", "2", "3"):
        press_on_next(page, key)
    for _ in range(14):
        page.evaluate("window.dispatchEvent(new Event('online'))")
        page.wait_for_timeout(250)
    expect(saved(page)).to_have_text("Saved 3", timeout=40_000)
    assert len(seen) > 11
    assert page.locator(".refusal").count() == 0
    assert [a[:2] for a in place.answers("leo")] == [("vote", c) for c in CLASSES]
    context.close()


def test_the_way_back_and_a_mad_clock_lose_nothing(place: Place, visit: Visit) -> None:
    """Decide, go elsewhere, come back by the browser's button; the browser's clock a day ahead."""
    page = review(visit, place, "leo")
    page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 864e5; })()")
    press_on_next(page, "1")
    press_on_next(page, "2")
    page.goto(f"{place.address}/items?project=leaves")
    page.go_back()
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    press_on_next(page, "3")
    expect(saved(page)).to_have_text("Saved 3")
    assert [a[:2] for a in place.answers("leo")] == [("vote", c) for c in CLASSES]


NAMES = (
    "<img src=x onerror=\"document.title='taken'\">", "w" * 200, "اسم طويل من اليمين", "🦉" * 20, "{name} {n}",
)  # fmt: skip


def test_names_of_classes_are_text_and_fit(place: Place, visit: Visit) -> None:
    """Markup, 200 letters without a break, right to left, emoji, braces: shown as text, nothing overflows."""
    schema = LabelSchema(
        Task.CLASSIFICATION, (make_question("label", "Which <b>one</b>?", list(NAMES)),)
    )
    add_project(place, "names", schema)
    page = review(visit, place, "leo", "names")
    shown = page.locator(".rail .class")
    expect(shown).to_have_count(len(NAMES))
    for index, name in enumerate(NAMES):
        assert name in (shown.nth(index).text_content() or "")
    for key in "12345":
        press_on_next(page, key)
    expect(saved(page)).to_have_text("Saved 5")
    assert "taken" not in page.title()
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    rail = page.locator(".rail").bounding_box()
    assert rail is not None
    for index in range(len(NAMES)):
        box = shown.nth(index).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= rail["x"] + rail["width"] + 1


def test_a_queue_that_answers_nonsense_is_asked_again(place: Place, chromium: Browser) -> None:
    """JSON of somebody else for items and pages of tiles: a sentence and a button, then all is well."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(place.address)
    page.click("button[value=leo]")
    for kind in ("queue", "open", "grid"):
        page.route(
            f"**/files/{kind}/**", lambda route: route.fulfill(status=200, json={"items": 5})
        )
    page.goto(f"{place.address}/review?project=leaves&item=3")
    expect(page.locator(".deck")).to_contain_text("Reconnecting", timeout=20_000)
    page.goto(f"{place.address}/grid?project=leaves")
    expect(page.locator(".grid[data-state=trouble]")).to_be_visible(timeout=20_000)
    page.unroute_all()
    page.goto(f"{place.address}/review?project=leaves&item=3")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    assert faults == []
    context.close()
