"""A small lived-in workspace for the tests of pages and routes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from core.access import Actor, Role
from core.clock import new_uuid
from core.labels import Answer
from core.labels.schema import Task
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.projects.project import NewProject, create_project
from core.services.review.claiming import claim_items
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace

CLASSES = ["maple", "oak", "birch"]
ROLES = {"ada": Role.EXPERT, "leo": Role.LEAD, "mia": Role.MANAGER, "kim": Role.ADMIN}
PASSWORD = "a long enough password"


@dataclass(frozen=True, slots=True)
class House:
    """The workspace, its people by name, and where its images came from."""

    ws: Workspace
    people: dict[str, int]
    source: Path

    def actor(self, name: str) -> Actor:
        """Return a person with the roles of this moment."""
        return actor_of(self.ws, self.people[name])


def furnish(ws: Workspace, folder: Path, images: int = 6) -> House:
    """Fill a new workspace: one person a role, a project with images and votes, one without."""
    op = operator(ws)
    create_project(
        ws,
        op,
        NewProject("leaves", Task.CLASSIFICATION, CLASSES, title="Leaf species", simulated=True),
    )
    create_project(ws, op, NewProject("cells", Task.BOXES, ["neutrophil"], title="Blood cells"))
    people = {
        name: add_person(ws, op, name, f"{name.title()} {role.title()}", PASSWORD, [(role, None)], simulated=True)
        for name, role in ROLES.items()
    }  # fmt: skip
    people["eve"] = add_person(ws, op, "eve", "Eve Elsewhere", PASSWORD, [(Role.EXPERT, "cells")])
    house = House(ws, people, _pictures(folder, images))
    import_data(ws, op, "leaves", house.source, ImportOptions(what="items"))
    actor = house.actor("ada")
    for item in claim_items(ws, actor, "leaves", 2).items:
        submit(
            ws, actor, "leaves",
            Submission(new_uuid(), item.item_id, "vote", Answer({"label": "oak"}), active_seconds=3),
        )  # fmt: skip
    return house


def _pictures(folder: Path, count: int) -> Path:
    source = folder / "leaves"
    source.mkdir()
    chance = random.Random(5)
    for number in range(count):
        colour = tuple(chance.randrange(256) for _ in range(3))
        Image.new("RGB", (640, 480), colour).save(source / f"leaf{number}.png")
    return source
