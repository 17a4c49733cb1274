"""Projects of every shape served to a browser, and the hand that draws in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from core.access import Role
from core.labels import Answer, LabelSchema
from core.labels.schema import Skeleton, Task, make_question
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.store.tables import annotation_log, drafts
from tests.browser.conftest import serving

Visit = Callable[..., Page]
SIZE = (600, 800)
"""Width and height of the upright image; the file lies on its side and says so in EXIF."""
NAMES = ("bird", "nest")
SKELETON = Skeleton(("head", "tail", "wing"), ((0, 1), (0, 2)))
HALF_PX = 0.5


def schema_of(task: Task, asks: bool = False) -> LabelSchema:
    """Return a schema of two classes, with or without a question about each region."""
    questions = (make_question("occluded", "Occluded?", ["yes", "no"]),) if asks else ()
    bones = SKELETON if task is Task.KEYPOINTS else Skeleton()
    return LabelSchema(task, (make_question("label", "Label", list(NAMES)),), questions, bones)


@dataclass(frozen=True)
class Place:
    """A served workspace with a project of each shape, and the same workspace seen from here."""

    address: str
    ws: Workspace
    people: dict[str, int]

    def vote(self, who: str, slug: str) -> Answer:
        """Return the answer of a person's newest vote in a project."""
        with self.ws.store.read() as connection:
            text = connection.scalar(
                select(annotation_log.c.answer)
                .where(annotation_log.c.person_id == self.people[who])
                .where(annotation_log.c.kind == "vote")
                .order_by(annotation_log.c.seq.desc())
            )
        assert text is not None
        return Answer.from_json(text)

    def draft(self, who: str) -> Answer:
        """Return a person's newest draft."""
        with self.ws.store.read() as connection:
            text = connection.scalar(
                select(drafts.c.doc)
                .where(drafts.c.person_id == self.people[who])
                .order_by(drafts.c.saved_at.desc())
            )
        return Answer.from_json(text) if text else Answer()


def _picture(path: Path, n: int) -> None:
    """Write a picture that is upright only with its EXIF orientation: 600 by 800 pixels."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    upright = np.stack([x % 256, y % 256, np.full_like(x, 40 * n % 256)], axis=-1)
    lying = Image.fromarray(upright.astype(np.uint8)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(path, quality=90, exif=exif)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give a server over projects of every shape, each with pictures lying on their side."""
    root = tmp_path_factory.mktemp("editor")
    ws = open_workspace(root / "workspace")
    office = operator(ws)
    for n, task in enumerate(t for t in Task if t.draws):
        folder = root / task.value
        folder.mkdir()
        for k in range(7):
            _picture(folder / f"{task.value}{k}.jpg", 10 * n + k)
        schema = schema_of(task, asks=task is Task.POLYGONS)
        create_project(ws, office, NewProject(task.value, task, schema=schema, simulated=True))
        import_data(ws, office, task.value, folder, ImportOptions("items"))
    for slug, names in (("many", [f"kind {n}" for n in range(1, 41)]), ("changing", NAMES)):
        schema = LabelSchema(Task.BOXES, (make_question("label", "Label", list(names)),))
        create_project(ws, office, NewProject(slug, Task.BOXES, schema=schema, simulated=True))
        _picture(root / f"{slug}.jpg", 5)
        import_data(ws, office, slug, root / f"{slug}.jpg", ImportOptions("items"))
    people = {
        name: add_person(
            ws, office, name, name.title(), roles=[(Role.EXPERT, None)], simulated=True
        )
        for name in ("ada", "ben", "cem", "dia")
    }
    with serving(ws.root) as address:
        yield Place(address, ws, people)
    ws.store.close()


def edit(
    visit: Visit,
    place: Place,
    who: str,
    slug: str,
    draft: Sequence[object] | None = None,
    **options: object,
) -> Page:
    """Open a project's next item in the editor, with a draft the server never checked."""

    def with_draft(route: Route) -> None:
        told = (reply := route.fetch()).json()
        for item in told["items"]:
            item["draft"] = {"choices": {}, "regions": draft}
        route.fulfill(response=reply, json=told)

    page = visit(f"{place.address}/", who, **options)
    if draft is not None:
        page.route("**/files/queue/**", with_draft)
    page.goto(f"{place.address}/review?project={slug}")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    editing = page.locator(".stage.editing")
    for _ in range(50):  # an image that is not decoded yet cannot be edited yet
        page.keyboard.press("e")
        if editing.count():
            return page
        page.wait_for_timeout(100)
    pytest.fail("the editor did not open")


def zoom(page: Page, scale: float) -> None:
    """Show so many CSS pixels for an image pixel, around a point in the upper left."""
    page.evaluate(
        """(scale) => {
          const root = [...document.querySelectorAll("*")].map((e) => e.shadowRoot).find((r) => r?.querySelector(".deck"));
          const stage = root.querySelector(".stage").getBoundingClientRect();
          window.whereabouts = () => {
            const group = root.querySelector(".drawing .shapes").getAttribute("transform");
            const [, left, top, k] = /translate\\(([-\\d.e]+) ([-\\d.e]+)\\) scale\\(([-\\d.e]+)\\)/.exec(group).map(Number);
            const border = root.querySelector(".stage");
            return { left: left + stage.left + border.clientLeft, top: top + stage.top + border.clientTop, scale: k };
          };
        }""",
        scale,
    )
    for _ in range(60):
        now = whereabouts(page)["scale"]
        if abs(now / scale - 1) < 0.02:
            return
        x, y = at(page, 60, 60)
        page.mouse.move(x, y)
        # The stage zooms by exp(-0.0016 a pixel of the wheel).
        page.mouse.wheel(0, -np.log(scale / now) / 0.0016)
        page.wait_for_timeout(60)
    pytest.fail(f"the scale is {now}, not {scale}")


def whereabouts(page: Page) -> dict[str, float]:
    """Return where the image lies in the window, as the drawing over it does."""
    found: dict[str, float] = page.evaluate("window.whereabouts()")
    return found


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return the window's point over an image point."""
    w = whereabouts(page)
    return w["left"] + x * w["scale"], w["top"] + y * w["scale"]


def press(page: Page, x: float, y: float) -> None:
    """Click on an image point."""
    page.mouse.click(*at(page, x, y))
    page.wait_for_timeout(30)


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Drag from image point to image point."""
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=6)
    page.mouse.up()
    page.wait_for_timeout(40)


def save(page: Page) -> None:
    """Save with S and wait until the record has it."""
    page.keyboard.press("s")
    expect(page.locator(".stage.editing")).to_have_count(0)
    expect(page.locator(".deck .saved")).to_have_text("Saved 1")


def near(found: object, wanted: object, reach: float = HALF_PX) -> bool:
    """Tell whether two lists of coordinates are the same to half a pixel."""
    return bool(np.allclose(np.array(found), np.array(wanted), atol=reach, rtol=0))
