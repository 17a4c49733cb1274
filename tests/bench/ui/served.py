"""What the browser benchmarks stand on: a workspace of photos, a server, a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from core.access import Role
from core.labels.schema import Task
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from tests import chromium

SIZE = (1600, 1200)
CLASSES = ("ash", "birch", "cedar")


def photos(folder: Path, count: int, size: tuple[int, int] = SIZE) -> Path:
    """Write so many distinct JPEGs with the grain of a photo, and return their folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    grain = rng.normal(0, 6, (size[1], size[0], 1))
    for i in range(count):
        small = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        smooth = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        pixels = np.clip(np.asarray(smooth, dtype=np.float32) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:05d}.jpg", quality=85)
    return folder


def project(
    ws: Workspace, slug: str, images: Path, task: Task = Task.CLASSIFICATION, **options: object
) -> None:
    """Make a project and import its images."""
    office = operator(ws)
    create_project(ws, office, NewProject(slug, task, CLASSES, simulated=True, **options))  # type: ignore[arg-type]
    import_data(ws, office, slug, images, ImportOptions("items"))


def workspace(folder: Path, people: int = 1) -> Workspace:
    """Return a new workspace with so many simulated experts, p1, p2 …"""
    ws = open_workspace(folder)
    for i in range(1, people + 1):
        add_person(
            ws, operator(ws), f"p{i}", f"Person {i}", roles=[(Role.EXPERT, None)], simulated=True
        )
    return ws


def figures(values: list[float]) -> dict[str, float]:
    """Return n, median and 95th percentile of milliseconds."""
    p95 = quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
    return {"n": len(values), "p50_ms": round(median(values), 1), "p95_ms": round(p95, 1)}


@contextmanager
def browser() -> Iterator[Browser]:
    """Give the system's Chromium."""
    found = chromium.find()
    if found is None:
        raise SystemExit("No Chromium here; 'python tests/chromium.py' installs one.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=[*chromium.ARGUMENTS])
        yield opened
        opened.close()


def enter(chrome: Browser, address: str, who: str) -> Page:
    """Open a window of somebody who is signed in."""
    page = chrome.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(address)
    page.click(f"button[value={who}]")
    page.wait_for_selector(".tb-header, .tb-state")
    return page
