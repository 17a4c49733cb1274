"""States nobody plans for, in a real browser: images gone, drafts spoilt, no canvas, fingers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, select

from core.store.tables import drafts, items
from tests.browser.drawing import Place, drag, near, place, save, zoom

__all__ = ["place"]

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]

GOOD = {"label": "bird", "box": [100, 100, 200, 200]}


def item_of(page: Page) -> int:
    """Return the number of the item on the stage."""
    return int(page.locator(".stage").get_attribute("data-item") or 0)


def opened(page: Page) -> None:
    """Wait for the image, then open the editor on it."""
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    for _ in range(50):  # an image that is not decoded yet cannot be edited yet
        page.keyboard.press("e")
        if page.locator(".stage.editing").count():
            return
        page.wait_for_timeout(100)
    pytest.fail("the editor did not open")


def enter(chromium: Browser, place: Place, who: str, **options: object) -> Page:
    """Sign in with a context whose console may complain: what fails here is meant to."""
    size = {"viewport": {"width": 1280, "height": 720}}
    page = chromium.new_context(**{**size, **options}).new_page()  # type: ignore[arg-type]
    page.goto(place.address)
    page.click(f"button[value={who}]")
    page.wait_for_selector(".tb-header, .tb-state")
    return page


def forget_pictures(page: Page) -> None:
    """Empty the browser's caches, which may show a picture for a year without asking for it again."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    for disabled in (True, False):  # becoming so also empties what the tab holds in memory
        session.send("Network.setCacheDisabled", {"cacheDisabled": disabled})
    session.detach()


def test_an_image_deleted_while_somebody_draws(place: Place, chromium: Browser) -> None:
    """The draft is kept; a reload says in words that the image is gone and the draft is not; it can be saved."""
    page = enter(chromium, place, "ada")
    page.goto(f"{place.address}/review?project=boxes")
    opened(page)
    item_id = item_of(page)
    with place.ws.store.read() as connection:
        row = connection.execute(select(items).where(items.c.id == item_id)).one()
    file = place.ws.root / row.location
    away = file.rename(file.with_suffix(".away"))
    shutil.rmtree(place.ws.cache / "pictures")
    zoom(page, 1)
    drag(page, (100, 100), (200, 220))
    page.keyboard.press("Escape")
    expect(page.locator(".deck .saved")).to_contain_text("Draft kept")
    forget_pictures(page)
    page.goto(f"{place.address}/review?project=boxes&item={item_id}")
    notice = page.locator(".stage .notice")
    expect(notice).to_contain_text("cannot be read", timeout=20_000)
    expect(notice).to_contain_text("Skip it with Space")
    expect(notice).to_contain_text("Your draft of it is kept.")
    page.keyboard.press("e")
    expect(page.locator(".stage.editing")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".stage")).not_to_have_attribute("data-item", str(item_id))
    page.keyboard.press("ArrowLeft")
    expect(notice).to_contain_text("Your draft of it is kept.")
    away.rename(file)
    page.get_by_text("Try again").click()
    expect(page.locator(".deck .picture img")).to_be_visible()
    opened(page)
    expect(page.locator(".regionrow")).to_have_count(1)
    away = file.rename(away)
    save(page)
    [box] = place.vote("ada", "boxes").regions
    assert near(box.box, (100, 100, 200, 220))
    away.rename(file)
    page.context.close()


def spoil(place: Place, who: str, item_id: int, doc: str) -> None:
    """Put a text in the place of somebody's draft, past every check."""
    person = place.people[who]
    row = {"item_id": item_id, "person_id": person, "doc": doc, "base_revision": 0, "saved_at": 1e9}
    with place.ws.store.ephemeral() as connection:
        connection.execute(delete(drafts).where(drafts.c.person_id == person))
        connection.execute(drafts.insert(), row)


POISON = {
    '{"regions": [{"label": "bird", "box": [NaN, 1, 2, 3]}, ' + json.dumps(GOOD) + "]}": (
        1,
        "1 of what was kept could not be read",
    ),
    json.dumps(
        {"regions": [GOOD, {**GOOD, "label": "once"}, {**GOOD, "shape": "star"}], "choices": 5}
    ): (2, "2 of what was kept could not be read"),
    json.dumps({"regions": [GOOD] * 10_000}): (2000, "8000 more than the 2000"),
    "{no draft at all": (0, "1 of what was kept could not be read"),
}


def test_a_poisoned_draft_on_the_record_opens_with_what_is_good(place: Place, visit: Visit) -> None:
    """NaN, a shape nobody knows, a class that is gone, 10,000 regions, no JSON: a sentence, the rest stays."""
    page = visit(f"{place.address}/", "dia")
    page.goto(f"{place.address}/review?project=boxes")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    item_id = item_of(page)
    for doc, (rows, sentence) in POISON.items():
        spoil(place, "dia", item_id, doc)
        page.goto(f"{place.address}/review?project=boxes&item={item_id}")
        opened(page)
        expect(page.locator(".editpanel [role=alert]")).to_contain_text(sentence)
        expect(page.locator(".regionrow")).to_have_count(rows)


@pytest.mark.parametrize(("slug", "numbers"), [("boxes", True), ("polygons", False)])
def test_a_canvas_whose_files_do_not_come_says_what_to_do(
    place: Place, chromium: Browser, slug: str, numbers: bool
) -> None:
    """No stack of Streamlit's: a sentence, the numbers for boxes, and the way back to the deck (F41)."""
    page = enter(chromium, place, "ben")
    page.route("**/bidi-components/streamlit-drawable-canvas**", lambda route: route.abort())
    page.goto(f"{place.address}/review?project={slug}")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    page.keyboard.press("Shift+E")
    sentence = page.locator(".tb-canvas-failed")
    expect(sentence).to_be_visible(timeout=15_000)
    expect(sentence).to_contain_text("could not be loaded")
    expect(page.get_by_text("BidiComponent Error")).not_to_be_visible()
    if numbers:
        page.get_by_role("button", name="Numbers").click()
        expect(page.locator("[data-testid=stDataFrame]").first).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Back")).to_be_visible()  # drawn after the sentence
    page.keyboard.press("Escape")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=15_000)
    opened(page)
    page.context.close()


def fingers(page: Page, *steps: tuple[str, list[tuple[float, float]]]) -> None:
    """Put fingers on the screen, move and lift them, as the browser's own input does."""
    session = page.context.new_cdp_session(page)
    for kind, points in steps:
        at = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        page.wait_for_timeout(30)


@pytest.mark.parametrize("size", [(1024, 768), (820, 1180)])
def test_a_tablet_draws_with_one_finger_and_zooms_with_two(
    place: Place, chromium: Browser, size: tuple[int, int]
) -> None:
    """Buttons by taps, a box by one finger, pinch and pan by two, and nothing drawn by those two."""
    view = {"width": size[0], "height": size[1]}
    page = enter(chromium, place, "cem", viewport=view, has_touch=True)
    page.goto(f"{place.address}/review?project=boxes")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(500)
    page.locator(".rail:not(.editpanel) .action", has_text="Edit").tap()
    expect(page.locator(".stage.editing")).to_be_visible()
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    x, y = (
        stage["x"] + stage["width"] / 2,
        stage["y"] + min(stage["height"], size[1] - stage["y"]) / 2,
    )
    near_by = [(x - 30, y), (x + 30, y)]
    apart = [[(x - 30 - 12 * n, y), (x + 30 + 12 * n, y)] for n in range(1, 6)]
    readout = page.locator(".zoombar .readout")
    before = readout.text_content()
    fingers(page, ("touchStart", near_by[:1]), ("touchStart", near_by),
            *(("touchMove", p) for p in apart), ("touchEnd", []))  # fmt: skip
    expect(readout).not_to_have_text(before or "")
    expect(page.locator(".regionrow")).to_have_count(0)
    path = [(x - 40 + 16 * n, y - 30 + 12 * n) for n in range(6)]
    fingers(
        page, ("touchStart", path[:1]), *(("touchMove", [p]) for p in path[1:]), ("touchEnd", [])
    )
    expect(page.locator(".regionrow")).to_have_count(1)
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    page.wait_for_timeout(200)
    page.locator(".editclasses .class").nth(1).tap()
    expect(page.locator(".regionrow")).to_contain_text("nest")
    page.locator(".editpanel .action.strong").tap()
    expect(page.locator(".deck .saved")).to_have_text("Saved 1")
    assert place.vote("cem", "boxes").regions[0].label == "nest"
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    assert stage["height"] > size[1] * 0.5
    page.context.close()
