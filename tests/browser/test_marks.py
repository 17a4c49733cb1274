"""Clicks on charts in a real browser: a bar and a dot list the items behind them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def click(page: Page, mark: Locator) -> None:
    """Click the middle of a mark; Plotly takes the pointer, not the element."""
    mark.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # charts settle after they come into view
    box = mark.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_bar_and_a_dot_answer_a_click(server: str, visit: Visit) -> None:
    """Whose day it is stands in the address and in the head of the list; each item is a link."""
    page = visit(server, "mia")
    page.goto(f"{server}/throughput?project=leaves&tz=UTC")
    bar = page.locator(".js-plotly-plot .bars path").first
    expect(bar).to_be_visible(timeout=20_000)
    click(page, bar)
    expect(page.get_by_text("Behind: Ada Expert", exact=False)).to_be_visible(timeout=20_000)
    expect(page.locator("table a[href*='item=']").first).to_be_visible()
    assert "mark=throughput.votes" in page.url
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Behind:", exact=False)).to_have_count(0)
    page.goto(f"{server}/throughput?project=leaves&tz=UTC&view=pace&mark=throughput.paces~ada")
    expect(page.get_by_text("Behind: Ada Expert", exact=False)).to_be_visible(timeout=20_000)
