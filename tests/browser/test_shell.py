"""The frame in a real browser: sign-in, deep links, sessions that end, base paths."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import serving
from tests.pages.house import House

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def test_the_very_first_visit_to_a_deep_link_gets_the_whole_app(server: str, visit: Visit) -> None:
    """Right after a start a deep link leads through sign-in to that page inside the shell."""
    page = visit(f"{server}/datasets?project=leaves", "leo")
    expect(page.locator("h1")).to_have_text("Datasets")
    assert page.url == f"{server}/datasets?project=leaves"
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page).to_have_title("Datasets · Tiebreak")


def test_navigation_keeps_the_project_and_shows_ones_own_pages(server: str, visit: Visit) -> None:
    """An expert sees only their pages; a click in the navigation keeps the project."""
    page = visit(f"{server}/?project=leaves", "ada")
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links.first).to_be_visible()
    assert [t.strip().split("\n")[-1] for t in links.all_inner_texts()] == [
        "Home",
        "Review",
        "Grid",
        "Items",
        "My numbers",
        "Settings",
    ]
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("h1")).to_have_text("Settings")
    page.wait_for_url("**/settings?project=leaves")


def test_the_start_page_is_found_by_its_name(server: str, visit: Visit) -> None:
    """An address that ends in /home opens the start page without complaint."""
    page = visit(f"{server}/home?project=leaves", "ada")
    expect(page.locator("h1")).to_have_text("Hello, Ada")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_signing_out_in_one_tab_ends_the_other(server: str, visit: Visit) -> None:
    """The other tab's next click shows "sign in", and the way back leads to the same page."""
    first = visit(f"{server}/datasets?project=leaves", "mia")
    second = first.context.new_page()
    second.goto(f"{server}/")
    second.get_by_role("button", name="Sign out").click()
    expect(second.locator("#name")).to_be_visible()
    first.get_by_test_id("stButton").get_by_role("button", name="Import", exact=True).click()
    expect(first.get_by_text("Sign in to go on")).to_be_visible()
    first.get_by_role("link", name="Sign in").click()
    first.click("button[value=mia]")
    expect(first.locator("h1")).to_have_text("Datasets")
    assert first.url == f"{server}/datasets?project=leaves"


def test_sign_in_works_by_keyboard_alone(server: str, visit: Visit) -> None:
    """A wrong password is announced and leaves the cursor where one types again."""
    page = visit(f"{server}/")
    page.fill("#name", "mia")
    page.fill("#password", "not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    assert page.evaluate("document.activeElement.id") == "password"


def test_small_replies_come_at_once(server: str, visit: Visit) -> None:
    """A kept-alive request waits for no delay timer (it was 44 ms with it)."""
    page = visit(f"{server}/", "ada")
    page.wait_for_timeout(1500)
    times = page.evaluate(
        """async () => { const t = []; for (let i = 0; i < 40; i++) { const a = performance.now();
        await (await fetch('/healthz')).json(); t.push(performance.now() - a); } return t; }"""
    )
    assert statistics.median(times) < 25


def test_a_picture_is_gone_after_signing_out(server: str, visit: Visit) -> None:
    """The browser's own cache does not show a picture to whoever comes after."""
    page = visit(f"{server}/?project=leaves", "leo")
    load = """async () => { const q = await (await fetch('/files/queue/leaves?count=1')).json();
        return q.items[0].image + '&w=400'; }"""
    image = page.evaluate(load)
    status = "async (u) => (await fetch(u)).status"
    assert page.evaluate(status, image) == 200
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#name")).to_be_visible()
    assert page.request.get(f"{server}{image}").status == 401


def test_everything_works_below_a_base_path(furnished: House, tmp_path: Path, visit: Visit) -> None:
    """Under /lab: the redirect, the cookie, the pages, the pictures and signing out."""
    shutil.copytree(furnished.ws.root, tmp_path / "workspace")
    with serving(tmp_path / "workspace", "lab") as address:
        page = visit(f"{address}/settings?project=leaves", "leo")
        expect(page.locator("h1")).to_have_text("Settings")
        status = "async () => (await fetch('/lab/files/queue/leaves?count=1')).status"
        assert page.evaluate(status) == 200
        page.goto(f"{address}/review?project=leaves")
        expect(page.locator(".deck .picture img")).to_be_visible()
        page.keyboard.press("1")
        expect(page.locator(".deck .saved")).to_have_text("Saved 1")
        page.keyboard.press("g")
        expect(page.locator(".grid")).to_be_visible()
        assert page.url.startswith(f"{address}/grid?project=leaves")
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("#name")).to_be_visible()
        assert page.url.startswith(f"{address}/account/login")
