"""What stands beside the image, and what the deck says while the network is away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.services.items.lists import make_list
from core.services.workspace import open_workspace
from tests.browser.conftest import serving
from tests.pages.house import House, furnish

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, House]]:
    """Give a server over a workspace with thirty leaves."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=30)
    with serving(house.ws.root) as address:
        yield address, house
    house.ws.store.close()


def opened(page: Page, address: str, tail: str = "") -> Page:
    """Open the deck and wait for its first image."""
    page.goto(f"{address}/review?project=leaves{tail}")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    return page


def test_a_picture_that_waits_for_the_network_comes_by_itself(
    place: tuple[str, House], chromium: Browser
) -> None:
    """Offline no image is called broken, and back online it appears without a click."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(place[0])
    page.click("button[value=leo]")
    opened(page, place[0])
    page.wait_for_timeout(1500)
    context.set_offline(True)
    for _turn in range(14):
        page.keyboard.press("1")
        page.wait_for_timeout(120)
    expect(page.locator(".stage .away")).to_contain_text("on its way: no connection")
    expect(page.locator(".deck")).not_to_contain_text("cannot be shown")
    context.set_offline(False)
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=8_000)
    expect(page.locator(".deck .saved")).to_have_text(re.compile(r"Saved \d+$"), timeout=10_000)
    context.close()


def test_an_image_the_server_cannot_read_is_said_to_be_broken(
    place: tuple[str, House], chromium: Browser
) -> None:
    """A refusal of our own route is told as such, and skipping is offered."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(place[0])
    page.click("button[value=leo]")
    refusal = '{"error": {"code": "BAD_IMAGE", "message": "Gone.", "advice": "Skip it."}}'
    page.route(
        re.compile("/files/item/"),
        lambda route: route.fulfill(status=422, body=refusal, content_type="application/json"),
    )
    page.goto(f"{place[0]}/review?project=leaves")
    expect(page.locator(".stage .notice")).to_contain_text("cannot be shown", timeout=20_000)
    expect(page.locator(".stage .away")).to_have_count(0)
    context.close()


def test_the_guideline_leaves_image_and_keys_in_use(place: tuple[str, House], visit: Visit) -> None:
    """I opens it beside the image, deciding goes on, it stays for the next; Esc closes it."""
    page = opened(visit(place[0], "leo"), place[0])
    page.keyboard.press("i")
    guide, stage = page.locator(".guide"), page.locator(".stage")
    expect(guide).to_be_visible()
    page.wait_for_timeout(400)
    one, two = guide.bounding_box(), stage.bounding_box()
    assert one is not None
    assert two is not None
    assert one["x"] + one["width"] <= two["x"]
    assert two["width"] > 300
    before = stage.get_attribute("data-item") or ""
    page.keyboard.press("1")
    expect(stage).not_to_have_attribute("data-item", before)
    expect(guide).to_be_visible()
    page.reload()
    expect(guide).to_be_visible(timeout=20_000)
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()


def test_a_thread_fits_its_column_and_the_next_item_begins_at_the_top(
    place: tuple[str, House], visit: Visit
) -> None:
    """After sending, Reply and Resolve are whole, the field is in sight; the rail then goes back."""
    page = opened(visit(place[0], "leo", color_scheme="dark"), place[0])
    page.keyboard.press("t")
    box = page.locator(".talk textarea")
    expect(box).to_be_focused()
    page.keyboard.type("Is the brown rim a disease or only autumn? " * 3)
    page.keyboard.press("Enter")
    expect(page.locator(".thread")).to_have_count(1)
    assert page.evaluate(WIDER) == []
    assert page.evaluate(IN_SIGHT)
    assert page.evaluate(f"{SCROLL}.scrollTop") > 0
    page.keyboard.press("Escape")
    before = page.locator(".stage").get_attribute("data-item") or ""
    page.keyboard.press("1")
    expect(page.locator(".stage")).not_to_have_attribute("data-item", before)
    assert page.evaluate(f"{SCROLL}.scrollTop") == 0


def test_a_list_goes_by_its_name_and_says_why_fewer_wait(
    place: tuple[str, House], visit: Visit
) -> None:
    """The chip reads the list's name; its title says where the other items are."""
    address, house = place
    made = make_list(house.ws, house.actor("leo"), "leaves", "Rim or not", [1, 2, 3, 4])
    page = opened(visit(address, "leo"), address, f"&list={made.id}")
    expect(page.locator(".chip")).to_contain_text("List Rim or not")
    page.keyboard.press("1")
    page.wait_for_timeout(1200)
    page.reload()
    expect(page.locator(".chip")).to_have_attribute(
        "title", "List Rim or not: 1 of 4 is answered or held by others", timeout=20_000
    )


_FIND = """(s) => { const roots = [document];
  for (const r of roots) { const n = r.querySelector(s); if (n) return n;
    for (const e of r.querySelectorAll('*')) if (e.shadowRoot) roots.push(e.shadowRoot); } }"""
SCROLL = f"({_FIND})('.railscroll')"
WIDER = f"""(() => {{ const rail = {SCROLL}, edge = rail.getBoundingClientRect().right + 1;
  return [...rail.querySelectorAll('.talk *')]
    .filter((n) => n.getBoundingClientRect().right > edge).map((n) => n.className); }})()"""
IN_SIGHT = f"""(() => {{ const a = {SCROLL}.getBoundingClientRect();
  const b = ({_FIND})('.talk textarea').getBoundingClientRect();
  return b.top >= a.top - 1 && b.bottom <= a.bottom + 1; }})()"""
