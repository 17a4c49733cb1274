"""No serious fault for people with a screen reader or a keyboard alone (axe-core), in what is ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import serving
from tests.browser.lab import LEAVES, SMEAR, furnish_lab
from tests.screenshots import settle

pytestmark = pytest.mark.browser

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],
}
SCHEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 29)"}
STREAMLITS_OWN = {
    # (rule, a piece of the element): listed with their effect in docs/accessibility.md
    ("list", "stSidebarNavItems"),
    ("listitem", '<li class="st-emotion-'),
}
STATES = (
    ("nora", f"home?project={LEAVES}", ""),
    ("nora", f"review?project={LEAVES}", ""),
    ("nora", f"review?project={LEAVES}", "?"),
    ("nora", f"review?project={LEAVES}", "f"),
    ("nora", f"review?project={LEAVES}", "x"),
    ("nora", f"review?project={LEAVES}", "b"),
    ("nora", f"review?project={LEAVES}", "t"),
    ("nora", f"review?project={SMEAR}", ""),
    ("nora", f"review?project={SMEAR}", "e"),
    ("nora", f"grid?project={LEAVES}", ""),
    ("nora", f"settings?project={LEAVES}", ""),
    ("lena", f"adjudicate?project={LEAVES}", ""),
    ("lena", f"adjudicate?project={LEAVES}", "l"),
    ("lena", f"adjudicate?project={LEAVES}", "f"),
    ("lena", f"adjudicate?project={LEAVES}&view=causes", ""),
    ("lena", f"items?project={LEAVES}", ""),
    ("lena", f"quality?project={LEAVES}", ""),
    ("lena", f"team?project={LEAVES}", ""),
    ("nora", f"team?project={LEAVES}", ""),
    ("lena", f"throughput?project={LEAVES}", ""),
    ("lena", f"throughput?project={LEAVES}&view=pace", ""),
    ("lena", f"throughput?project={LEAVES}&view=cost", ""),
    ("lena", f"bias?project={LEAVES}", ""),
    ("lena", f"retrain?project={LEAVES}", ""),
    ("lena", f"datasets?project={LEAVES}", ""),
    ("lena", f"settings?project={LEAVES}", ""),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server over the lab."""
    folder = tmp_path_factory.mktemp("axe")
    made = furnish_lab(folder / "workspace", folder / "drawn")
    made.ws.store.close()
    with serving(folder / "workspace") as address:
        yield address


def test_axe_finds_no_serious_fault_in_what_is_ours(lab: str, chromium: Browser) -> None:
    """Every page and main state, light and dark, as expert and lead: nothing serious but Streamlit's own."""
    found: list[str] = []
    for who in dict.fromkeys(state[0] for state in STATES):
        context = chromium.new_context(viewport={"width": 1280, "height": 720})
        page = context.new_page()
        page.goto(lab)
        page.click(f"button[value={who}]")
        settle(page)
        for path, key in ((p, k) for w, p, k in STATES if w == who):
            page.emulate_media(color_scheme="light")
            page.goto(f"{lab}/{path}")
            settle(page)
            if key:
                page.keyboard.press(key)
                page.wait_for_timeout(500)
            for scheme, background in SCHEMES.items():
                _turn(page, scheme, background)
                found += [f"{path} {key} {scheme}: {fault}" for fault in _serious(page)]
        context.close()
    assert found == []


def _turn(page: Page, scheme: str, background: str) -> None:
    """Turn a page light or dark, as a reader's evening does, and wait until it is."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.wait_for_function(
        "(colour) => getComputedStyle(document.querySelector('.stApp')).backgroundColor === colour",
        arg=background,
    )
    page.wait_for_timeout(300)  # components are told after the page


def _serious(page: Page) -> list[str]:
    report = Axe().run(page, options=RULES).response
    return [
        f"{fault['id']} {node['html'][:160]}"
        for fault in report["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
        if not _is_streamlits(fault["id"], node["html"])
    ]


def _is_streamlits(rule: str, html: str) -> bool:
    return any(rule == known and piece in html for known, piece in STREAMLITS_OWN)
