"""Workspaces for the benchmarks, made by code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.access import Actor, Role
from core.labels.schema import Task
from core.services.accounts.changing import add_person
from core.services.accounts.people import actor_of, operator
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace

SLUG = "bench"


def photos(folder: Path, count: int, side_px: int = 24) -> Path:
    """Write so many distinct JPEGs of random blocks and return their folder."""
    root = folder / "photos"
    root.mkdir()
    rng = np.random.default_rng(1)
    for i in range(count):
        small = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((side_px, side_px), Image.Resampling.BICUBIC)
        picture.save(root / f"{i:05d}.jpg", quality=88)
    return root


def workspace(folder: Path, images: Path | None) -> tuple[Workspace, Actor]:
    """Return a workspace with one project, its images if given, and an expert."""
    ws = open_workspace(folder / "workspace")
    office = operator(ws)
    create_project(ws, office, NewProject(SLUG, Task.CLASSIFICATION, ("a", "b", "c")))
    if images is not None:
        import_data(ws, office, SLUG, images, ImportOptions("items"))
    person = add_person(ws, office, "expert", roles=[(Role.EXPERT, None)])
    return ws, actor_of(ws, person)
