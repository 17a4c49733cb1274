"""The demo workspace: drawn projects, simulated people, fourteen simulated days of work.

Everything goes in through the same services people use; only the clock is turned back. All of it
is marked as simulated.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import select

from core.access import Role
from core.errors import ConflictError
from core.services.accounts.changing import add_person
from core.services.accounts.people import operator
from core.services.demo.filling import DAY, DAYS, Sink, fill_project
from core.services.demo.replay import at_time
from core.services.workspace import Workspace, open_workspace
from core.settings import load_settings
from core.store.tables import projects
from data.landmarks import generate_landmarks
from data.leaves import generate_leaves
from data.people import default_people
from data.project import DemoProject, ignore_progress, write_truth
from data.real import read_real
from data.smear import generate_smear
from data.spots import generate_spots

Counts = tuple[int, int, int, int]
IMAGES: Counts = (1000, 150, 24, 12)
"""Leaves, blood smears, leaves with spots and leaves to be measured: how many are drawn."""

READY = "demo.json"

OFFICE = (("mona", "Mona Lindqvist", Role.MANAGER), ("ada", "Ada Brook", Role.ADMIN))
"""The people beside the experts and the lead."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo holds: project names, and the truth file of each."""

    projects: tuple[str, ...]
    truth: Mapping[str, Path]
    seed: int
    fresh: bool


def make_demo(
    folder: Path | None,
    seed: int,
    sink: Sink,
    sources: Sequence[Path] = (),
    images: Counts = IMAGES,
) -> Demo:
    """Prepare a demo workspace, or return the one that is there.

    A new one is built beside its place and moved there when it is whole, so that a start that
    was cut short leaves nothing half-made.

    Args:
        folder: The workspace; None takes the settings'.
        sources: Folders of real images to use instead of the drawn projects.
        images: How many images of each drawn project.

    Raises:
        ConflictError: The workspace holds something that is no demo.
    """
    root = load_settings(folder).workspace.expanduser().absolute()
    ready = root / READY
    if ready.exists():
        return _read(root, fresh=False)
    if (root / "tiebreak.db").exists():
        raise ConflictError(
            f"The workspace {root} holds projects that are no demo; nothing was changed.",
            "Choose another folder with --workspace.",
        )
    part = root.with_name(f"{root.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    ws = open_workspace(part)
    try:
        slugs = _fill(ws, seed, sink, sources, images)
        ready_text = json.dumps({"projects": slugs, "seed": seed})
        (part / READY).write_text(ready_text)
    finally:
        ws.store.close()
    if root.exists():
        shutil.rmtree(root)  # an empty shell: there is no record in it
    part.rename(root)
    return _read(root, fresh=True)


def reset_demo(folder: Path | None) -> Path | None:
    """Remove a demo workspace; one that holds somebody's own projects is moved aside instead.

    Returns:
        Where it was moved, or None.
    """
    root = load_settings(folder).workspace.expanduser().absolute()
    if not root.exists():
        return None
    if (root / "tiebreak.db").exists() and _holds_own_work(root):
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
        return root.rename(root.with_name(f"{root.name}-before-{stamp}"))
    shutil.rmtree(root)
    return None


def _holds_own_work(root: Path) -> bool:
    ws = open_workspace(root)
    try:
        with ws.store.read() as connection:
            found = connection.execute(
                select(projects.c.id).where(~projects.c.simulated).limit(1)
            ).first()
        return found is not None
    finally:
        ws.store.close()


def _read(root: Path, *, fresh: bool) -> Demo:
    doc = json.loads((root / READY).read_text())
    truth = {s: root / "demo" / f"{s}-truth.csv" for s in doc["projects"]}
    return Demo(tuple(doc["projects"]), truth, doc["seed"], fresh)


def _fill(
    ws: Workspace, seed: int, sink: Sink, sources: Sequence[Path], images: Counts
) -> list[str]:
    end = dt.datetime.fromtimestamp(ws.clock(), dt.UTC).replace(minute=0, second=0, microsecond=0)
    office = operator(ws)
    drawn = ws.root / "demo"
    drawn.mkdir(exist_ok=True)
    made = _generate(drawn, seed, sink, sources, images)
    then = at_time(ws, end.timestamp() - (DAYS + 1) * DAY)
    team = default_people()
    for person in team:
        add_person(
            then, office, person.name, person.display_name,
            roles=[(Role(person.role), None)], simulated=True,
        )  # fmt: skip
    for name, shown, role in OFFICE:
        add_person(then, office, name, shown, roles=[(role, None)], simulated=True)
    for project in made:
        fill_project(ws, office, project, drawn, seed, end, team, sink)
        write_truth(project, drawn / f"{project.slug}-truth.csv")
        shutil.rmtree(drawn / project.slug, ignore_errors=True)
    return [p.slug for p in made]


def _generate(
    drawn: Path, seed: int, sink: Sink, sources: Sequence[Path], images: Counts
) -> list[DemoProject]:
    if sources:
        return [
            read_real(path, seed, lambda d, t: sink("reading the images", d, t)) for path in sources
        ]
    # Two cores, two processes: the small projects are drawn beside the leaves.
    small = {
        "blood-smear": generate_smear,
        "leaf-spots": generate_spots,
        "leaf-points": generate_landmarks,
    }
    with ProcessPoolExecutor(1, get_context("spawn")) as beside:
        asked = [
            beside.submit(draw, drawn / slug, seed, ignore_progress, count)
            for (slug, draw), count in zip(small.items(), images[1:], strict=True)
        ]
        leaves = generate_leaves(
            drawn / "tree-leaves",
            seed,
            lambda d, t: sink("drawing tree leaves", d, t),
            images[0],
        )
        sink("drawing blood smears and leaf spots", 0, 0)
        return [leaves, *(one.result() for one in asked)]
