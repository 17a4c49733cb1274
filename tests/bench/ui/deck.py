"""Key to next image painted in the review deck, beside a plain fragment in the same run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, Page

from tests.bench.ui.network import delayed
from tests.bench.ui.served import enter, figures, photos, project, workspace
from tests.browser.conftest import serving

KEYS = 40
BETWEEN_MS = 500
DELAY_S = 0.05
"""Each way, so that a round trip takes 100 ms more."""

# From the key press to the frame after the one that shows another, decoded image.
_WATCH = """([where, seen]) => {
  window.pressed = null; window.painted = [];
  addEventListener("keydown", (e) => { window.pressed = e.timeStamp; }, { capture: true });
  const find = () => {
    const roots = [document, ...[...document.querySelectorAll("*")].map((n) => n.shadowRoot).filter(Boolean)];
    for (const root of roots) { const img = root.querySelector(where); if (img) return img; }
    return null;
  };
  let last = find()?.currentSrc;
  const look = () => {
    const img = find();
    if (img && img.currentSrc && img.currentSrc !== last && img.complete && img.naturalWidth) {
      last = img.currentSrc;
      const from = window.pressed;
      const tell = () => { const c = new MessageChannel(); c.port1.onmessage = () => window.painted.push(performance.now() - from); c.port2.postMessage(0); };
      if (from !== null) requestAnimationFrame(tell);
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def run(folder: Path, chrome: Browser) -> dict[str, object]:
    """Return the times of both, in turn, and ours again with 100 ms of network in between."""
    images = photos(folder / "photos", KEYS * 3)
    ws = workspace(folder / "workspace")
    project(ws, "bench", images)
    ws.store.close()
    with serving(folder / "workspace") as ours, _plain(images) as peer:
        deck, fragment = _deck(chrome, ours), _fragment(chrome, peer)
        mine, other = [], []
        for _ in range(4):  # in turn, so that both meet the same moments of the machine
            mine += _press(deck, KEYS // 4)
            other += _press(fragment, KEYS // 4)
        fragment.context.close()
        deck.context.close()
        with delayed(ours, DELAY_S) as far:
            slow = _deck(chrome, far)
            late = _press(slow, KEYS)
            slow.context.close()
    found, plain = figures(mine), figures(other)
    return {
        "ours": found,
        "ours_100_ms_network": figures(late),
        "peer": {**plain, "what": "st.fragment, st.image(bytes), st.button(shortcut)"},
        "ratio_p50": round(found["p50_ms"] / plain["p50_ms"], 3),
    }


def _deck(chrome: Browser, address: str) -> Page:
    page = enter(chrome, address, "p1")
    page.goto(f"{address}/review?project=bench")
    page.wait_for_selector(".deck .picture img")
    page.wait_for_timeout(3000)  # the coming images arrive while a person looks at the first
    page.evaluate(_WATCH, [".picture img", None])
    return page


def _fragment(chrome: Browser, address: str) -> Page:
    page = chrome.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(address)
    page.wait_for_selector("[data-testid=stImage] img")
    page.wait_for_timeout(2000)
    page.evaluate(_WATCH, ["[data-testid=stImage] img", None])
    return page


def _press(
    page: Page, count: int, key: Callable[[int], str] = lambda i: str(i % 3 + 1)
) -> list[float]:
    """Press so many keys at a person's pace and return the milliseconds until each was painted."""
    page.bring_to_front()
    page.wait_for_timeout(300)
    before = page.evaluate("window.painted.length")
    for i in range(count):
        page.keyboard.press(key(i))
        page.wait_for_function(
            "n => window.painted.length >= n", arg=before + i + 1, timeout=20_000
        )
        page.wait_for_timeout(BETWEEN_MS)
    return list(page.evaluate("n => window.painted.slice(n)", before))


@contextmanager
def _plain(images: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("plain.py")
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
         "--server.address", "127.0.0.1", "--server.headless", "true"],
        env={**os.environ, "TIEBREAK_BENCH_PHOTOS": str(images)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urlopen(f"{address}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)
