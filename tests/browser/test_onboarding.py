"""The first items of a new expert: gold, with a word on each answer where the project gives one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from core.access import Role
from core.queue.plan import QueuePlan
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.projects.project import get_project
from core.services.projects.queue_plans import set_queue_plan
from core.services.workspace import open_workspace
from core.store.tables import annotation_log, items, probe_votes
from tests.browser.conftest import serving
from tests.pages.house import House, furnish
from tests.worked import know

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def school(tmp_path: Path) -> Iterator[tuple[str, House, set[int]]]:
    """Serve leaves of which some have a gold answer, oak; the first three of anybody are such."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=20)
    boss = operator(house.ws)
    add_person(house.ws, boss, "noa", "Noa New", roles=[(Role.EXPERT, None)], simulated=True)
    project = get_project(house.ws, boss, "leaves")
    with house.ws.store.read() as connection:
        here = select(items.c.id).where(items.c.project_id == project.id, items.c.use != "evaluate")
        gold = set(connection.execute(here.limit(6)).scalars())
    know(house.ws, project, dict.fromkeys(gold, "oak"))
    plan = QueuePlan(onboarding=3, pass_mark=0.6, feedback=True)
    set_queue_plan(
        house.ws, house.actor("leo"), "leaves", plan, "newcomers begin with what we know"
    )
    with serving(house.ws.root) as address:
        yield address, house, gold
    house.ws.store.close()


def begin(visit: Visit, address: str) -> Page:
    """Open the deck as the newcomer."""
    page = visit(f"{address}/", "noa")
    page.goto(f"{address}/review?project=leaves")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    return page


def answer(page: Page, key: str) -> int:
    """Answer the item in hand by a key, wait for the next one, and return which it was."""
    now = page.locator(".stage").get_attribute("data-item") or ""
    page.keyboard.press(key)
    expect(page.locator(".stage")).not_to_have_attribute("data-item", now, timeout=20_000)
    return int(now)


def card(page: Page) -> Locator:
    """Return the card that tells whether an answer was right."""
    return page.locator(".deck .elsewise:not(:has(button))")


def test_each_first_answer_is_told_and_then_work_begins(
    school: tuple[str, House, set[int]], visit: Visit
) -> None:
    """Right and wrong are told by name, the answer with it; the fourth item is like all that follow."""
    address, house, gold = school
    page = begin(visit, address)
    first = [answer(page, "2")]
    expect(card(page)).to_contain_text("that was right")
    first.append(answer(page, "1"))
    expect(card(page)).to_contain_text("not quite. The answer is: oak.")
    first.append(answer(page, "2"))
    expect(card(page)).to_contain_text("that was right")
    assert set(first) <= gold
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    expect(card(page)).to_be_hidden(timeout=12_000)
    answer(page, "3")
    expect(page.locator(".deck .saved")).to_contain_text("Saved 4")
    expect(card(page)).to_be_hidden()
    with house.ws.store.read() as connection:
        told = connection.execute(select(probe_votes.c.right).order_by(probe_votes.c.seq)).scalars()
        assert list(told) == [True, False, True]
        mine = select(annotation_log.c.label).order_by(annotation_log.c.seq.desc()).limit(1)
        assert connection.execute(mine).scalar() == "birch"


def test_who_does_not_pass_is_told_so(school: tuple[str, House, set[int]], visit: Visit) -> None:
    """After three wrong answers the deck says that the lead knows, and hands nothing out."""
    address, _, _ = school
    page = begin(visit, address)
    for _ in range(2):
        answer(page, "1")
    page.keyboard.press("1")
    told = page.locator(".deck p", has_text="too few answers were as they should be")
    expect(told).to_be_visible(timeout=20_000)
    expect(page.locator(".deck .picture img")).to_be_hidden()
