"""The retrain page in a real browser: the theatre by keyboard, comparing, a promise and its look, no barrier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from core.services.certificates.campaign import get_campaign, list_certificates
from core.services.workspace import open_workspace
from tests.browser.conftest import serving
from tests.browser.test_axe import RULES, _is_streamlits
from tests.pages.campaign import SLUG, Campaign, draw_images, make_campaign, promise
from tests.screenshots import settle

pytestmark = pytest.mark.browser
WAIT = 30_000
DARK = "getComputedStyle(document.querySelector('.stApp')).backgroundColor != 'rgb(255, 255, 255)'"
VIEWS = ("models", "compare", "certificate", "next", "simulate")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Campaign]]:
    """Serve a project with two models, whose certify items have been checked."""
    root = tmp_path_factory.mktemp("retrain") / "workspace"
    made = make_campaign(open_workspace(root))
    promise(made, target=0.02)
    draw_images(root)
    with serving(root) as address:
        yield address, made
    made.house.ws.store.close()


@pytest.fixture(scope="module")
def page(place: tuple[str, Campaign], chromium: Browser) -> Iterator[Page]:
    """Give a page of a lead who signed in once; an error in the browser fails what comes after it."""
    address, _made = place
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(address)
    page.click("button[value=mia]")
    settle(page)
    yield page
    context.close()
    assert not troubles


def test_dragging_the_target_by_keyboard_changes_the_scene_alone(place, page: Page) -> None:
    """Arrow keys move the target; only the theatre is drawn anew, and no look is spent."""
    address, made = place
    page.goto(f"{address}/retrain?project={SLUG}&view=certificate")
    expect(page.get_by_text("Risk against coverage")).to_be_visible(timeout=WAIT)
    # What lies outside the fragment keeps a mark of ours for as long as it is not drawn again.
    page.evaluate("document.querySelector('.tb-header').dataset.mine = 'kept'")
    target = page.get_by_role("slider", name="Labels that may be wrong, of those accepted")
    verdict = page.locator(".st-key-tb-theatre .tb-banner").first
    before = verdict.inner_text()
    target.focus()
    for _ in range(36):
        page.keyboard.press("ArrowRight")
    expect(target).to_have_value("20")
    expect(verdict).not_to_have_text(before, timeout=WAIT)
    assert page.evaluate("document.querySelector('.tb-header').dataset.mine") == "kept"
    assert list_certificates(made.planted.ws, made.house.actor("mia"), SLUG) == []


def test_a_look_at_a_promise_and_another_promise(place, page: Page) -> None:
    """A look says in one sentence what it found; a promise with a reason takes the place of another."""
    address, made = place
    page.goto(f"{address}/retrain?project={SLUG}&view=certificate")
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("Refused.")).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Promise something else").click()
    page.get_by_role("spinbutton", name="Labels that may be wrong").fill("10")
    page.get_by_label("Why (required)").fill("to spare people")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Promise", exact=True).click()
    expect(page.get_by_text("At most 10.0 % of the accepted labels are wrong")).to_be_visible(
        timeout=WAIT
    )
    ws, mia = made.planted.ws, made.house.actor("mia")
    promised = get_campaign(ws, mia, SLUG)
    assert promised is not None
    assert (promised.target, promised.looks) == (0.1, 0)
    assert len(list_certificates(ws, mia, SLUG)) == 1


def test_two_models_side_by_side(place, page: Page) -> None:
    """The paired difference stands there with its test, and the address keeps the choice."""
    address, _made = place
    page.goto(f"{address}/retrain?project={SLUG}")
    compare = page.get_by_role("radio", name="Compare")
    compare.or_(page.get_by_role("button", name="Compare")).first.click()
    expect(page.get_by_text("Difference, paired")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("Exact McNemar test")).to_be_visible()
    assert "view=compare" in page.url


def test_no_view_has_a_serious_barrier(place, page: Page) -> None:
    """Axe finds nothing serious of ours in any view with models in it, light or dark."""
    address, _made = place
    found = []
    for view in VIEWS:
        page.emulate_media(color_scheme="light")
        page.goto(f"{address}/retrain?project={SLUG}&view={view}")
        settle(page)
        found += [f"light {view} {fault}" for fault in _serious(page)]
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(DARK)
        found += [f"dark {view} {fault}" for fault in _serious(page)]
    assert found == []


def _serious(page: Page) -> list[str]:
    report = Axe().run(page, options=RULES).response
    return [
        f"{fault['id']} {node['html'][:160]}"
        for fault in report["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
        if not _is_streamlits(fault["id"], node["html"])
    ]
