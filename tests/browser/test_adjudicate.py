"""The adjudication page in a real browser: filters, parties in turn, settled cases, all by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from core.clock import new_uuid
from core.consensus.policy import OnDisagreement, Policy
from core.labels import Answer, Region
from core.services.accounts.people import operator
from core.services.review.adjudication import disputes
from core.services.review.claiming import claim_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.steering.rules import set_policy
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import open_workspace
from tests.browser.conftest import serving
from tests.pages.house import House, furnish

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, House]]:
    """Give a server over leaves, and over a picture of cells whose disputes go to a lead at once."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=12)
    boss = operator(house.ws)
    cells = tmp_path / "cells"
    cells.mkdir()
    Image.new("RGB", (640, 480), (200, 120, 130)).save(cells / "cell.png")
    import_data(house.ws, boss, "cells", cells, ImportOptions())
    set_policy(house.ws, boss, "cells", Policy(on_disagreement=OnDisagreement.LEAD), "at once")
    with serving(house.ws.root) as address:
        yield address, house
    house.ws.store.close()


def flag(house: House, slug: str, number: int) -> list[int]:
    """Let ada flag items of a project; return them in the lead's order."""
    ada = house.actor("ada")
    for item in claim_items(house.ws, ada, slug, number).items:
        flagged = Submission(new_uuid(), item.item_id, "flag", reason="other: look")
        submit(house.ws, ada, slug, flagged)
    return [r.item_id for r in disputes(house.ws, house.actor("leo"), slug)]


def test_a_lead_narrows_looks_and_goes_on_without_a_mouse(
    place: tuple[str, House], visit: Visit
) -> None:
    """F opens the filters, L the settled cases; both stay, and the ways to rule stay in sight."""
    address, house = place
    flag(house, "leaves", 3)
    page = visit(f"{address}/", "leo")
    page.goto(f"{address}/adjudicate?project=leaves&reason=flagged")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(600)
    expect(page.get_by_text("(3 in all)")).to_be_visible()

    toggle = page.get_by_role("button", name="Settled cases like it")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("l")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".cases")).to_contain_text("Known after the first training")

    before = page.locator(".stage").get_attribute("data-item") or ""
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("2 of 3", exact=True)).to_be_visible()
    expect(page.locator(".stage")).not_to_have_attribute("data-item", before)
    expect(toggle).to_have_attribute("aria-expanded", "true")
    assert "reason=flagged" in page.url

    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Show all disputes")).to_be_visible()
    page.get_by_role("button", name="Show all disputes").press("Enter")
    page.wait_for_url(lambda url: "reason" not in url)
    page.keyboard.press("Escape")

    for name in ("Decide", "No class fits", "Discard", "More votes"):
        found = page.locator(".ruling").get_by_role("button", name=name).bounding_box()
        assert found is not None
        assert found["y"] + found["height"] <= 720, name
    head = [page.get_by_text(t).first.bounding_box() for t in ("Filter", "Next →")]
    assert all(head)
    assert abs(head[0]["y"] - head[1]["y"]) < 8  # type: ignore[index]


def test_parties_take_turns_over_the_image(place: tuple[str, House], visit: Visit) -> None:
    """What both drew is there once and faint; P shows one party alone, then the next, then all."""
    address, house = place
    item = claim_items(house.ws, house.actor("ada"), "cells", 1).items[0].item_id
    both, lone = Region("neutrophil", 10, 10, 60, 60), Region("neutrophil", 100, 100, 160, 160)
    for who, regions in (("ada", (both,)), ("eve", (both, lone))):
        vote = Submission(new_uuid(), item, "vote", Answer(regions=regions))
        submit(house.ws, house.actor(who), "cells", vote)
    page = visit(f"{address}/", "leo")
    page.goto(f"{address}/adjudicate?project=cells&item={item}")
    expect(page.locator(".votes .picture img")).to_be_visible(timeout=20_000)
    drawn, faint = page.locator(".overlay .region"), page.locator(".overlay .region.faint")
    expect(drawn).to_have_count(2)
    expect(faint).to_have_count(1)
    page.keyboard.press("p")
    expect(drawn).to_have_count(1)
    expect(faint).to_have_count(0)
    expect(page.locator(".vote.alone")).to_contain_text("Reviewer 1")
    page.keyboard.press("p")
    expect(drawn).to_have_count(2)
    expect(page.locator(".vote.alone")).to_contain_text("Reviewer 2")
    page.keyboard.press("Shift+P")
    expect(page.locator(".vote.alone")).to_contain_text("Reviewer 1")
