"""The grid in a real browser: marks, one key for the rest, taking back, reloads, how fast it is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import open_workspace
from core.store.tables import annotation_log, overlook_probes
from tests.browser.conftest import serving
from tests.pages.house import House, furnish

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
IMAGES = 62
TEN = (
    "Bur oak", "Sugar maple", "Paper birch", "Silver birch", "European beech", "Norway spruce",
    "Scots pine", "Common hornbeam", "Black locust", "Horse chestnut",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A served workspace, and the same workspace seen from here."""

    address: str
    house: House

    def answers(self, who: str) -> Counter[tuple[str, str | None]]:
        """Count a person's answers on the record made in the grid, by kind and label."""
        with self.house.ws.store.read() as connection:
            rows = connection.execute(
                select(annotation_log.c.kind, annotation_log.c.label).where(
                    annotation_log.c.person_id == self.house.people[who],
                    annotation_log.c.via == "grid",
                )
            ).all()
        return Counter((r.kind, r.label) for r in rows)

    def planted(self) -> list[bool]:
        """Return of each planted tile whether it was noticed."""
        with self.house.ws.store.read() as connection:
            return list(connection.execute(select(overlook_probes.c.noticed)).scalars())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a server over leaves the model calls oak, some of them known to be maple."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=IMAGES)
    chance = random.Random(1)
    rows = [f"leaf{n}.png,oak,{chance.uniform(0.3, 0.99):.3f}" for n in range(IMAGES)]
    _table(house, tmp_path, "predictions", "file,label,confidence", rows)
    _table(house, tmp_path, "gold", "file,label", ["leaf60.png,maple", "leaf61.png,maple"])
    with serving(house.ws.root) as address:
        yield Place(address, house)
    house.ws.store.close()


@pytest.fixture
def ten(tmp_path: Path) -> Iterator[Place]:
    """Give a server over a project of ten classes with long names and a second question."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=30)
    new = NewProject("trees", Task.CLASSIFICATION, TEN, questions={"health": ("well", "ill")})
    create_project(house.ws, operator(house.ws), new)
    import_data(
        house.ws, operator(house.ws), "trees", house.source, ImportOptions("items", name="t")
    )
    rows = [f"leaf{n}.png,{TEN[0]},well,0.5" for n in range(30)]
    _table(house, tmp_path, "predictions", "file,label,health,confidence", rows, "trees")
    with serving(house.ws.root) as address:
        yield Place(address, house)
    house.ws.store.close()


def _table(
    house: House, folder: Path, what: str, head: str, rows: list[str], slug: str = "leaves"
) -> None:
    path = folder / f"{slug}-{what}.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    import_data(house.ws, operator(house.ws), slug, path, ImportOptions(what, name=what))


def grid(visit: Visit, place: Place, who: str = "leo", count: int = 24) -> Page:
    """Open the grid of the oaks as somebody and wait for every tile."""
    page = visit(f"{place.address}/", who)
    page.goto(f"{place.address}/grid?project=leaves&class=oak&n={count}")
    painted(page, count)
    return page


def painted(page: Page, count: int) -> None:
    """Wait until a page of so many tiles is painted."""
    expect(page.locator(".grid[data-painted]")).to_be_visible(timeout=20_000)
    expect(page.locator(".g-list [role=option]")).to_have_count(count)


def confirm(page: Page) -> None:
    """Confirm with Enter; a question whether one has looked is answered with yes."""
    before = page.locator("[data-index='0']").get_attribute("aria-label")
    page.keyboard.press("Enter")
    if page.locator(".g-notices .trouble").count():
        page.keyboard.press("Enter")
    expect(page.locator("[data-index='0']")).not_to_have_attribute("aria-label", before or "")


def test_mark_reassign_confirm_and_take_back_by_keyboard(place: Place, visit: Visit) -> None:
    """Space and digits mark, Enter says how many it confirms, Z takes the whole page back."""
    page = grid(visit, place)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    button = page.locator(".g-confirm")
    expect(button).to_contain_text("Confirm 22 as oak · 1 to another class · 1 to your deck")
    page.wait_for_timeout(1500)
    confirm(page)
    expect(page.locator(".saved")).to_have_text("Saved 23")
    planted = len(place.planted())
    found = place.answers("leo")
    assert planted == 1
    assert sum(found.values()) + planted in (23, 24)
    assert found["vote", "maple"] <= 1
    page.keyboard.press("z")
    expect(page.locator(".saved")).to_have_text("Saved 0")
    expect(button).to_contain_text("Confirm 22 as oak · 1 to another class · 1 to your deck")
    after = place.answers("leo")
    assert after["withdraw", None] == after["vote", "oak"] + after["vote", "maple"]


def test_marks_and_undo_survive_a_reload(place: Place, visit: Visit) -> None:
    """What was marked is marked again, and the last page can still be taken back."""
    page = grid(visit, place)
    page.locator("[data-index='4']").click()
    page.wait_for_timeout(400)
    page.reload()
    painted(page, 24)
    expect(page.locator("[data-index='4']")).to_have_attribute("aria-selected", "true")
    confirm(page)
    expect(page.locator(".saved")).to_have_text("Saved 23")
    page.wait_for_timeout(400)
    page.reload()
    expect(page.locator(".grid[data-painted]")).to_be_visible(timeout=20_000)
    page.keyboard.press("z")
    expect(page.locator(".saved")).to_have_text("Saved 0")
    expect(page.locator("[data-index='4']")).to_have_attribute("aria-selected", "true")


def test_a_confirm_nobody_can_have_looked_for_is_asked_about(place: Place, visit: Visit) -> None:
    """Enter at once asks; a second Enter means it."""
    page = grid(visit, place)
    page.evaluate(
        """() => new Promise((done) => {
          const root = document.querySelector('.grid') ?? [...document.querySelectorAll('*')]
            .map((n) => n.shadowRoot?.querySelector('.grid')).find(Boolean);
          const press = (key) => root.dispatchEvent(
            new KeyboardEvent('keydown', { key, bubbles: true, composed: true }));
          const look = new MutationObserver(() => root.dataset.painted && (press('Enter'), look.disconnect(), done()));
          look.observe(root, { attributes: true });
          press('-'); press('+');
        })"""
    )
    expect(page.locator(".g-notices")).to_contain_text("You have looked at 36 tiles")
    assert not place.answers("leo")


def test_mouse_drag_shift_and_double_click(place: Place, visit: Visit) -> None:
    """A double click is one toggle; Shift marks a range; dragging paints."""
    page = grid(visit, place)
    tile = lambda i: page.locator(f"[data-index='{i}']")  # noqa: E731
    tile(2).dblclick()
    expect(tile(2)).to_have_attribute("aria-selected", "true")
    tile(5).click(modifiers=["Shift"])
    expect(page.locator(".tile.wrong")).to_have_count(4)
    tile(7).hover()
    page.mouse.down()
    tile(8).hover()
    tile(9).hover()
    page.mouse.up()
    expect(page.locator(".tile.wrong")).to_have_count(7)
    page.keyboard.press("a")
    expect(page.locator(".tile.wrong")).to_have_count(24)
    page.keyboard.press("a")
    expect(page.locator(".tile.wrong")).to_have_count(0)


def test_a_picture_that_is_gone_is_not_confirmed(place: Place, visit: Visit) -> None:
    """It says so, and the count leaves it out."""
    page = visit(f"{place.address}/", "leo")
    seen: list[str] = []

    def refuse(route: object) -> None:
        url = route.request.url  # type: ignore[attr-defined]
        if not seen or url in seen:
            seen.append(url)
            route.fulfill(status=200, content_type="image/jpeg", body=b"")  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/files/item/**", refuse)
    page.goto(f"{place.address}/grid?project=leaves&class=oak&n=24")
    painted(page, 24)
    expect(page.locator(".tile.broken")).to_have_count(1)
    expect(page.locator(".g-confirm")).to_contain_text("Confirm 23 as oak · 1 without a picture")


def test_ten_classes_and_their_keys_are_in_sight(ten: Place, visit: Visit) -> None:
    """At 1280 × 720 every chip lies wholly on the screen, uncut, beside the confirm button."""
    page = visit(f"{ten.address}/", "leo")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{ten.address}/grid?project=trees&class={TEN[0].replace(' ', '+')}&n=24")
    painted(page, 24)
    chips = page.locator(".g-chip")
    expect(chips).to_have_count(10)
    expect(page.locator(".g-head .num")).to_contain_text("up to")
    for node in [*chips.all(), page.locator(".g-confirm")]:
        box = node.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= 720
        assert node.evaluate("n => n.scrollWidth <= n.clientWidth + 1")
    strip = page.locator(".g-chips").evaluate(
        "n => [n.scrollWidth - n.clientWidth, n.scrollHeight - n.clientHeight]"
    )
    assert max(strip) <= 1
    button = page.locator(".g-confirm").bounding_box()
    last = page.locator(".g-chip").last.bounding_box()
    assert button
    assert last
    assert last["x"] + last["width"] <= button["x"] or last["y"] + last["height"] <= button["y"]


def test_t_takes_the_other_answers_from_the_pre_label(ten: Place, visit: Visit) -> None:
    """The key turns the switch, answers the question on Enter, and stands in the help."""
    page = visit(f"{ten.address}/", "leo")
    page.goto(f"{ten.address}/grid?project=trees&class={TEN[0].replace(' ', '+')}&n=24")
    painted(page, 24)
    switch = page.locator(".g-switch input")
    expect(page.locator(".g-switch .cap")).to_have_text("T")
    page.keyboard.press("t")
    expect(switch).to_be_checked()
    page.keyboard.press("t")
    expect(switch).not_to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator(".g-notices .cap")).to_have_text("T")
    page.keyboard.press("t")
    expect(switch).to_be_checked()
    expect(page.locator(".g-notices .trouble")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("dialog .keys")).to_contain_text("Take the other answers")


def test_a_refused_tile_stays_with_its_sentence(place: Place, visit: Visit) -> None:
    """A vote made elsewhere meanwhile: that tile comes back and says so, the others are saved."""
    page = grid(visit, place)
    name = (page.locator("[data-index='3']").get_attribute("aria-label") or "").split(",")[0]
    other = page.context.new_page()
    other.goto(f"{place.address}/review?project=leaves")
    expect(other.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    for _ in range(30):
        if name in (other.locator(".deck .itemname").inner_text()):
            break
        other.keyboard.press("ArrowRight")
        other.wait_for_timeout(60)
    other.keyboard.press("2")
    expect(other.locator(".deck .saved")).to_have_text("Saved 1")
    page.bring_to_front()
    page.wait_for_timeout(1300)
    confirm(page)
    refused = page.locator(".tile.refused")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("already")
    expect(page.locator(".saved")).to_have_text("Saved 23")
