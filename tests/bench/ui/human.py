"""Items an hour in the grid against one at a time: a fixed human, the tool's own delays decide.

The human looks for 0.8 s at a single item and then presses a key; in the grid 0.2 s at each tile,
and 0.8 s for each one that has to be marked. The model is right in 95 % of the items.
"""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.bench.ui.grid import _PAINTED, _ROOT, SHOWN, TILES, _choose_class, furnished
from tests.bench.ui.served import CLASSES, enter
from tests.browser.conftest import serving

LOOK_S, TILE_S, MARK_S = 0.8, 0.2, 0.8
SINGLE = 60
PAGES = 2


def run(folder: Path, chrome: Browser) -> dict[str, object]:
    """Return items per hour both ways, and their ratio."""
    ws, truth = furnished(folder, TILES * (PAGES + 1) + SINGLE + 20)
    ws.store.close()
    with serving(folder / "workspace") as address:
        single = _one_by_one(enter(chrome, address, "p1"), address, truth)
        grid, marks = _by_pages(enter(chrome, address, "p2"), address, truth)
    return {
        "items_per_hour_single": round(single),
        "items_per_hour_grid": round(grid),
        "ratio": round(grid / single, 2),
        "marked": marks,
        "human": {"single_s": LOOK_S, "tile_s": TILE_S, "mark_s": MARK_S, "precision": 0.95},
    }


def _one_by_one(page: Page, address: str, truth: dict[str, str]) -> float:
    page.goto(f"{address}/review?project=bench")
    page.wait_for_selector(".deck .picture img")
    page.wait_for_timeout(2000)
    name = page.locator(".deck .itemname")
    began = time.perf_counter()
    for _ in range(SINGLE):
        page.wait_for_timeout(LOOK_S * 1000)
        shown = name.inner_text()
        page.keyboard.press(str(CLASSES.index(truth[shown]) + 1))
        page.wait_for_function(
            "(old) => { for (const n of document.querySelectorAll('*')) { const s = n.shadowRoot?.querySelector('.itemname'); if (s) return s.textContent !== old; } }",
            arg=shown,
        )
    took = time.perf_counter() - began
    page.context.close()
    return SINGLE / took * 3600


def _by_pages(page: Page, address: str, truth: dict[str, str]) -> tuple[float, int]:
    page.goto(f"{address}/grid?project=bench&n={TILES}&class={SHOWN}")
    page.wait_for_function(f"() => Boolean({_ROOT})")
    _choose_class(page)
    page.wait_for_function(_PAINTED, arg=TILES)
    page.wait_for_timeout(2000)
    began, marks, done = time.perf_counter(), 0, 0
    for _ in range(PAGES):
        page.wait_for_function(_PAINTED, arg=1)
        names = _names(page)
        for place, shown in enumerate(names):
            page.wait_for_timeout(TILE_S * 1000)
            if truth.get(shown, SHOWN) != SHOWN:
                page.wait_for_timeout(MARK_S * 1000)
                page.keyboard.press("Space")
                page.keyboard.press(str(CLASSES.index(truth[shown]) + 1))
                marks += 1
            if place < len(names) - 1:
                page.keyboard.press("ArrowRight")
        before = names[0]
        page.keyboard.press("Enter")
        done += len(names)
        page.wait_for_function(
            f"(old) => {{ const t = {_ROOT}.querySelector('.tile'); return t && !(t.ariaLabel ?? old).startsWith(old) && t.querySelector('img').naturalWidth > 0; }}",
            arg=before,
            timeout=30_000,
        )
    took = time.perf_counter() - began
    page.context.close()
    return done / took * 3600, marks


def _names(page: Page) -> list[str]:
    script = f"() => [...{_ROOT}.querySelectorAll('.tile')].map((t) => t.ariaLabel.split(',')[0])"
    return list(page.evaluate(script))
