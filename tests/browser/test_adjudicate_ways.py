"""The ways about the adjudication page in a real browser: its two views, its keys, its past rulings."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from core.access import Role
from core.clock import new_uuid
from core.labels import Answer, Region
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.review.claiming import claim_items
from core.services.review.leases import open_item
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from tests.browser.reviewing import Place, Visit, place
from tests.browser.test_ruling import adjudicate, dispute

__all__ = ["place"]

pytestmark = pytest.mark.browser


def _by_cause(page: Page) -> None:
    expect(page.get_by_role("heading", name="Disputes by cause")).to_be_visible(timeout=20_000)
    expect(page).to_have_url(re.compile("view=causes"))


def _one_by_one(page: Page) -> None:
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    expect(page).not_to_have_url(re.compile("view="))


def test_the_views_are_opened_from_the_page(place: Place, visit: Visit) -> None:
    """By cause and back again, with the mouse and with the keyboard alone."""
    dispute(place, "leaves", 2)
    page = adjudicate(visit, place)
    ways = page.get_by_role("radio")
    page.get_by_role("radio", name="By cause").click()
    _by_cause(page)
    page.get_by_role("radio", name="One by one").click()
    _one_by_one(page)
    page.wait_for_timeout(500)
    for name, arrived in (("By cause", _by_cause), ("One by one", _one_by_one)):
        ways.filter(has_text=name).focus()
        page.keyboard.press("Enter")
        arrived(page)
        page.wait_for_timeout(500)
    page.reload()
    _one_by_one(page)


def test_every_key_is_told_and_own_words_follow_a_template(place: Place, visit: Visit) -> None:
    """The question mark opens the keys; a template and what is typed after it stay apart."""
    dispute(place, "leaves", 2)
    page = adjudicate(visit, place)
    expect(page.get_by_text("G V H T U: reason")).to_be_in_viewport(ratio=1)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog")
    for words in ("Guideline settles it", "Settled cases like it", "More votes", "Own words"):
        expect(sheet.get_by_text(words)).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.keyboard.type("gs")
    page.keyboard.type("nope")
    reason = page.get_by_role("textbox", name="Reason")
    expect(reason).to_have_value("Guideline settles it: nope")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    expect(reason).to_have_value("Clearly visible: nope")
    expect(page.get_by_role("button", name="Clearly visible")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_tags_leave_small_boxes_in_sight(place: Place, visit: Visit) -> None:
    """A tag for each spot, however many drew it, over none of them; pointing at it names the classes."""
    ws = place.house.ws
    spots = [(100 + 70 * n, 120 + 40 * (n % 2)) for n in range(5)]
    item = claim_items(ws, place.house.actor("ada"), "cells", 1).items[0].item_id
    ivo = add_person(ws, operator(ws), "ivo", "Ivo", roles=[(Role.EXPERT, None)])
    place.house.people["ivo"] = ivo
    for who, off, some in (("ada", 0, spots), ("eve", 10, spots[1:]), ("ivo", 11, spots[:4])):
        actor = place.house.actor(who)
        open_item(ws, actor, "cells", item)
        regions = tuple(Region("neutrophil", x + off, y, x + 18, y + 16) for x, y in some)
        vote = Submission(new_uuid(), item, "vote", Answer({}, regions))
        submit(ws, actor, "cells", vote)
    page = adjudicate(visit, place, "cells")
    tags = page.locator(".votes .tags .tag")
    expect(tags).to_have_count(5)
    expect(page.locator(".votes .overlay .chip")).to_have_count(0)
    corners = "ns => ns.map(n => { const r = n.getBoundingClientRect(); return [r.x, r.y, r.right, r.bottom]; })"
    laid, drawn = tags.evaluate_all(corners), page.locator(".votes g.region").evaluate_all(corners)
    for i, tag in enumerate(laid):
        for other in laid[:i] + drawn:
            apart = tag[2] <= other[0] + 2 or other[2] <= tag[0] + 2
            assert apart or tag[3] <= other[1] + 3 or other[3] <= tag[1] + 3
    tags.nth(4).hover()
    expect(tags.nth(4).locator(".full")).to_be_visible()
    expect(tags.nth(4).locator(".full")).to_contain_text("neutrophil")
    page.keyboard.press("p")
    expect(page.locator(".votes .overlay .chip").first).to_contain_text("neutrophil")
