"""The grid: how soon a tile toggles, how soon a page is painted, what it sends."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocket

from core.services.accounts.people import operator
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from tests.bench.ui.served import CLASSES, enter, figures, photos, project, workspace
from tests.browser.conftest import serving

TILES = 60
TOGGLES = 40
SWITCHES = 5
SHOWN = CLASSES[0]

_ROOT = "[document, ...[...document.querySelectorAll('*')].map((n) => n.shadowRoot).filter(Boolean)].find((r) => r.querySelector('.grid'))"
_PAINTED = f"""(tiles) => {{
  const root = {_ROOT}; if (!root) return false;
  const all = [...root.querySelectorAll('.tile img')];
  return all.length >= tiles && all.every((i) => i.complete && i.naturalWidth > 0);
}}"""
_WATCH = f"""() => {{
  window.toggled = [];
  addEventListener('keydown', (e) => {{
    const from = e.timeStamp, root = {_ROOT};
    const seen = new MutationObserver(() => {{
      seen.disconnect();
      const c = new MessageChannel();
      c.port1.onmessage = () => window.toggled.push(performance.now() - from);
      requestAnimationFrame(() => c.port2.postMessage(0));
    }});
    seen.observe(root.querySelector('.g-list'), {{ subtree: true, attributes: true, childList: true }});
  }}, {{ capture: true }});
}}"""


def furnished(
    folder: Path, count: int, precision: float = 0.95
) -> tuple[Workspace, dict[str, str]]:
    """Return a workspace of photos whose predictions are right so often, and the truth by file."""
    images = photos(folder / "photos", count, (800, 600))
    ws = workspace(folder / "workspace", 2)
    project(ws, "bench", images)
    chance = random.Random(11)
    truth: dict[str, str] = {}
    path = folder / "predictions.csv"
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["file", "label", "confidence"])
        for photo in sorted(images.glob("*.jpg")):
            right = chance.random() < precision
            truth[photo.name] = SHOWN if right else CLASSES[1]
            writer.writerow([photo.name, SHOWN, round(chance.uniform(0.5, 0.99), 3)])
    import_data(ws, operator(ws), "bench", path, ImportOptions("predictions"))
    return ws, truth


def run(folder: Path, chrome: Browser) -> dict[str, object]:
    """Return the times of toggling and of opening the page, and the websocket's bytes."""
    ws, _truth = furnished(folder, TILES * (SWITCHES + 3))
    ws.store.close()
    with serving(folder / "workspace") as address:
        page = enter(chrome, address, "p1")
        opened, sent = [], []
        for _ in range(SWITCHES + 1):  # the first one warms the app up
            took, size = _switch(page, address)
            opened.append(took)
            sent.append(size)
        page.evaluate(_WATCH)
        for _ in range(TOGGLES):
            page.keyboard.press("Space")
            page.wait_for_timeout(60)
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(60)
        toggles = list(page.evaluate("window.toggled"))[::2]
        page.context.close()
    return {
        "tiles": TILES,
        "toggle": figures(toggles),
        "page_switch": figures(opened[1:]),
        "websocket_bytes": max(sent),
    }


def _switch(page: Page, address: str) -> tuple[float, int]:
    """Go to the grid by the navigation, as a person does, and wait until every tile is painted."""
    page.goto(f"{address}/?project=bench")
    page.wait_for_selector(".tb-header")
    page.wait_for_timeout(1200)
    sizes: list[int] = []

    def count(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: sizes.append(len(data)))

    page.on("websocket", count)
    page.reload()
    page.wait_for_selector(".tb-header")
    page.wait_for_timeout(1500)
    before = sum(sizes)
    began = time.perf_counter()
    page.get_by_role("link", name="Grid").click()
    page.wait_for_function(f"() => {{ const r = {_ROOT}; return Boolean(r); }}")
    _choose_class(page)
    page.wait_for_function(_PAINTED, arg=TILES, timeout=30_000)
    took = (time.perf_counter() - began) * 1e3
    page.wait_for_timeout(500)
    page.remove_listener("websocket", count)
    return took, sum(sizes) - before


def _choose_class(page: Page) -> None:
    """Take the one class there is, where the grid asks which."""
    page.wait_for_function(
        f"() => {{ const r = {_ROOT}; return r && (r.querySelector('.g-class') || r.querySelector('.tile img')); }}"
    )
    button = page.locator(f".g-class[data-class={SHOWN}]")
    if button.count():
        button.click()
