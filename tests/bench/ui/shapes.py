"""Opening an item with 20 pre-drawn boxes: in the deck's own editor, and on the drawing canvas."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import Browser, Page

from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from tests.bench.ui.served import CLASSES, SIZE, enter, figures, photos, project, workspace
from tests.browser.conftest import serving

ROUNDS = 20
BOXES = 20

_ROOTS = (
    "[document, ...[...document.querySelectorAll('*')].map((n) => n.shadowRoot).filter(Boolean)]"
)
# All boxes in the editor's drawing, and a frame later the browser has painted them.
_EDITOR = """(count) => new Promise((done) => {
  const began = window.pressed;
  const look = () => {
    for (const root of ROOTS) {
      if (root.querySelectorAll('.editing .shapes > *').length >= count) {
        const c = new MessageChannel(); c.port1.onmessage = () => done(performance.now() - began);
        requestAnimationFrame(() => c.port2.postMessage(0)); return;
      }
    }
    requestAnimationFrame(look);
  };
  look();
})""".replace("ROOTS", _ROOTS)
# The canvas has drawn its objects once pixels of a class' colour are on it.
_CANVAS = """() => new Promise((done) => {
  const began = window.pressed;
  const drawn = (canvas) => {
    const { width, height } = canvas;
    if (!width || !height) return false;
    const found = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    for (let i = 3; i < found.length; i += 4) if (found[i]) return true;
    return false;
  };
  const look = () => {
    for (const root of ROOTS) {
      const canvas = root.querySelector('canvas.lower-canvas');
      if (canvas && drawn(canvas)) return requestAnimationFrame(() => done(performance.now() - began));
    }
    requestAnimationFrame(look);
  };
  look();
})""".replace("ROOTS", _ROOTS)


def run(folder: Path, chrome: Browser) -> dict[str, object]:
    """Return the milliseconds from the key until the boxes can be edited, both ways."""
    images = photos(folder / "photos", ROUNDS + 4)
    ws = workspace(folder / "workspace")
    project(ws, "boxes", images, Task.BOXES)
    import_data(ws, operator(ws), "boxes", _predicted(folder, images), ImportOptions("predictions"))
    ws.store.close()
    with serving(folder / "workspace") as address:
        page = enter(chrome, address, "p1")
        page.goto(f"{address}/review?project=boxes")
        page.wait_for_selector(".deck .picture img")
        page.wait_for_timeout(3000)
        page.evaluate(
            "addEventListener('keydown', (e) => { window.pressed = e.timeStamp; }, {capture: true})"
        )
        editor = [_open(page, "e", _EDITOR, BOXES) for _ in range(ROUNDS)]
        page.wait_for_timeout(1000)
        canvas = [_on_canvas(page) for _ in range(ROUNDS)]
        page.context.close()
    return {
        "boxes": BOXES,
        "editor": figures(editor),
        "canvas_first_ms": round(canvas[0], 1),
        "canvas": figures(canvas[1:]),
    }


def _open(page: Page, key: str, script: str, count: int) -> float:
    page.keyboard.press(key)
    took = float(page.evaluate(script, count))
    page.wait_for_timeout(200)
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    return took


def _on_canvas(page: Page) -> float:
    page.keyboard.press("Shift+E")
    took = float(page.evaluate(_CANVAS))
    page.wait_for_timeout(1500)
    page.keyboard.press("Escape")
    page.locator(".deck .picture img").wait_for()
    page.wait_for_timeout(500)
    return took


def _predicted(folder: Path, images: Path) -> Path:
    path = folder / "predictions.csv"
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["file", "label", "x1", "y1", "x2", "y2", "confidence"])
        for photo in sorted(images.glob("*.jpg")):
            for i in range(BOXES):
                x, y = 40 + i % 5 * (SIZE[0] // 5), 40 + i // 5 * (SIZE[1] // 4)
                writer.writerow([photo.name, CLASSES[i % 3], x, y, x + 220, y + 200, 0.8])
    return path
