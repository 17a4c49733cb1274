"""The retrain page in a real browser: the theatre by keyboard, comparing, a promise and its look, no barrier."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.services.certificates.campaign import get_campaign, list_certificates
from core.services.workspace import Workspace, open_workspace
from core.store.tables import item_state, items
from tests.browser.conftest import serving
from tests.browser.test_axe import RULES, _is_streamlits
from tests.pages.house import House
from tests.trained import SLUG, make_trained

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
WAIT = 30_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, House, Workspace]]:
    """Serve two models of a project, half of whose items for training are open."""
    house = make_trained(tmp_path_factory.mktemp("retrain"))
    ws = open_workspace(house.ws.root)
    with ws.store.write() as connection:
        ids = connection.execute(
            select(items.c.id).where(items.c.project_id == 3, items.c.use == "train")
        ).scalars()
        some = sorted(ids)[::2]
        connection.execute(
            item_state.update()
            .where(item_state.c.item_id.in_(some))
            .values(state="open", final_seq=None)
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEBREAK_OFFLINE", "true")
        with serving(ws.root) as address:
            yield address, house, ws
    ws.store.close()


def test_dragging_the_target_by_keyboard_changes_the_scene_alone(place, visit: Visit) -> None:
    """Arrow keys move the target; only the theatre is drawn anew, and no look is spent."""
    address, _house, ws = place
    page = visit(f"{address}/", "mia")
    page.goto(f"{address}/retrain?project={SLUG}&view=certificate")
    expect(page.get_by_text("Risk against coverage")).to_be_visible(timeout=WAIT)
    # What lies outside the fragment keeps a mark of ours for as long as it is not drawn again.
    page.evaluate("document.querySelector('.tb-header').dataset.mine = 'kept'")
    target = page.get_by_role("slider", name="Labels that may be wrong, of those accepted")
    verdict = page.locator(".st-key-tb-theatre .tb-banner").first
    before = verdict.inner_text()
    target.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect(target).to_have_value("20")
    expect(verdict).not_to_have_text(before, timeout=WAIT)
    assert page.evaluate("document.querySelector('.tb-header').dataset.mine") == "kept"
    assert list_certificates(ws, _house.actor("mia"), SLUG) == []


def test_two_models_side_by_side(place, visit: Visit) -> None:
    """The paired difference stands there with its test, and the address keeps the choice."""
    address, _house, _ws = place
    page = visit(f"{address}/", "mia")
    page.goto(f"{address}/retrain?project={SLUG}")
    page.get_by_role("radio", name="Compare").or_(
        page.get_by_role("button", name="Compare")
    ).first.click()
    expect(page.get_by_text("Difference, paired")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("Exact McNemar test")).to_be_visible()
    assert "view=compare" in page.url


def test_a_promise_and_a_look_at_it(place, visit: Visit) -> None:
    """A promise with a reason stands; the look says in one sentence what it found."""
    address, house, ws = place
    page = visit(f"{address}/", "mia")
    page.goto(f"{address}/retrain?project={SLUG}&view=certificate")
    page.get_by_role("button", name="Make a promise").click()
    page.get_by_label("Why (required)").fill("to spare people")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Promise", exact=True).click()
    expect(page.get_by_text("At most 5.0 % of the accepted labels are wrong")).to_be_visible(
        timeout=WAIT
    )
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("Refused.").or_(page.get_by_text("Certified."))).to_be_visible(
        timeout=WAIT
    )
    promised = get_campaign(ws, house.actor("mia"), SLUG)
    assert promised is not None
    assert (promised.target, promised.looks) == (0.05, 1)


@pytest.mark.parametrize("view", ["models", "compare", "certificate", "next", "simulate"])
def test_no_view_has_a_serious_barrier(place, visit: Visit, view: str) -> None:
    """Axe finds nothing serious of ours in any view with models in it."""
    address, _house, _ws = place
    page = visit(f"{address}/", "mia")
    page.goto(f"{address}/retrain?project={SLUG}&view={view}")
    page.wait_for_selector(".tb-header")
    page.wait_for_timeout(3000)
    report = Axe().run(page, options=RULES).response
    found = [
        f"{fault['id']} {node['html'][:160]}"
        for fault in report["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
        if not _is_streamlits(fault["id"], node["html"])
    ]
    assert found == []
