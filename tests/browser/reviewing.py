"""Leaves and cells served to a browser, and the deck opened on them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from core.consensus.policy import Policy
from core.labels.schema import LabelSchema
from core.services.accounts.people import operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import open_workspace
from core.store.tables import annotation_log
from tests.browser.conftest import serving
from tests.pages.house import House, furnish

Visit = Callable[..., Page]


@dataclass(frozen=True)
class Place:
    """A served workspace, and the same workspace seen from here."""

    address: str
    house: House

    def answers(self, who: str, slug: str = "leaves") -> list[tuple[str, str | None, int]]:
        """Return a person's answers on the record: kind, label, revision, oldest first."""
        project = {"leaves": 1, "cells": 2}[slug]
        with self.house.ws.store.read() as connection:
            rows = connection.execute(
                select(annotation_log.c.kind, annotation_log.c.label, annotation_log.c.revision)
                .where(
                    annotation_log.c.person_id == self.house.people[who],
                    annotation_log.c.project_id == project,
                )
                .order_by(annotation_log.c.seq)
            ).all()
        return [(r.kind, r.label, r.revision) for r in rows]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a server over a workspace with thirty leaves and three cell images."""
    house = furnish(open_workspace(tmp_path / "workspace"), tmp_path, images=30)
    cells = tmp_path / "cells"
    cells.mkdir()
    chance = random.Random(2)
    for n in range(3):
        colour = tuple(chance.randrange(256) for _ in range(3))
        Image.new("RGB", (640, 480), colour).save(cells / f"cell{n}.png")
    import_data(house.ws, operator(house.ws), "cells", cells, ImportOptions())
    with serving(house.ws.root) as address:
        yield Place(address, house)
    house.ws.store.close()


def review(visit: Visit, place: Place, who: str, slug: str = "leaves", **query: str) -> Page:
    """Open the deck as somebody and wait for its first image."""
    page = visit(f"{place.address}/", who)
    tail = "".join(f"&{k}={v}" for k, v in query.items())
    page.goto(f"{place.address}/review?project={slug}{tail}")
    expect(page.locator(".deck .picture img")).to_be_visible(timeout=20_000)
    return page


def press_on_next(page: Page, key: str) -> None:
    """Press a key and wait until another image is there."""
    before = page.locator(".stage").get_attribute("data-item")
    page.keyboard.press(key)
    expect(page.locator(".stage")).not_to_have_attribute("data-item", before or "")
    expect(page.locator(".deck .picture img")).to_be_visible()


def saved(page: Page) -> Locator:
    """Return what the deck says of what is on the record."""
    return page.locator(".deck .saved")


def add_project(place: Place, slug: str, schema: LabelSchema, policy: Policy | None = None) -> None:
    """Make a classification project over the place's images."""
    boss = operator(place.house.ws)
    new = NewProject(slug, schema.task, title=slug, schema=schema, policy=policy or Policy())
    create_project(place.house.ws, boss, new)
    import_data(place.house.ws, boss, slug, place.house.source, ImportOptions())
