"""The demo workspace: drawn projects, simulated people, fourteen simulated days of work.

Everything goes in through the same services people use; only the clock is turned back. All of it
is marked as simulated.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import select

from core.access import Actor, Role
from core.errors import ConflictError, TiebreakError, TrainingError
from core.formats.columns import BOX_COLUMNS, REGION_COLUMNS
from core.formats.region_cells import region_cells
from core.jobs.rows import Job, JobStatus
from core.labels import Answer
from core.labels.schema import Task
from core.services.accounts.changing import add_person
from core.services.accounts.people import load_actor, operator
from core.services.demo.steering import furnish, show_examples
from core.services.models.jobs import get_job
from core.services.models.training import queue_prelabel, queue_training
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project
from core.services.review.adjudication import Ruling, decide
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.settings import load_settings
from core.store.tables import item_names, item_state, people, predictions, projects
from data.landmarks import generate_landmarks
from data.leaves import generate_leaves
from data.people import SimulatedPerson, default_people
from data.project import DemoProject, ignore_progress, write_truth
from data.real import read_real
from data.smear import generate_smear
from data.spots import generate_spots
from data.work import SimulatedAct, WorkPlan, simulate_work

Counts = tuple[int, int, int, int]
IMAGES: Counts = (1000, 150, 24, 12)
"""Leaves, blood smears, leaves with spots and leaves to be measured: how many are drawn."""

SHAPES_WORKED = 0.4
"""Share of the images with outlines or points that is worked on: the rest is there to be tried."""

COLD_START = 160
"""Leaves labelled by experts before the first model (O2)."""

GOLD_SHARE = 0.25
"""Share of the items with a known answer; who reviews them is not told."""

DAYS = 14
READY = "demo.json"
DAY = 86400.0

OFFICE = (("mona", "Mona Lindqvist", Role.MANAGER), ("ada", "Ada Brook", Role.ADMIN))
"""The people beside the experts and the lead."""

Sink = Callable[[str, int, int], None]
"""Called with (phase, done, total)."""


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


# --- filling ----------------------------------------------------------------------------------


def _fill(
    ws: Workspace, seed: int, sink: Sink, sources: Sequence[Path], images: Counts
) -> list[str]:
    end = dt.datetime.fromtimestamp(ws.clock(), dt.UTC).replace(minute=0, second=0, microsecond=0)
    office = operator(ws)
    drawn = ws.root / "demo"
    drawn.mkdir(exist_ok=True)
    made = _generate(drawn, seed, sink, sources, images)
    then = _at(ws, end.timestamp() - (DAYS + 1) * DAY)
    team = default_people()
    for person in team:
        add_person(
            then, office, person.name, person.display_name,
            roles=[(Role(person.role), None)], simulated=True,
        )  # fmt: skip
    for name, shown, role in OFFICE:
        add_person(then, office, name, shown, roles=[(role, None)], simulated=True)
    for project in made:
        _load(ws, office, project, drawn, seed, end, team, sink)
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


def _load(
    ws: Workspace,
    office: Actor,
    project: DemoProject,
    drawn: Path,
    seed: int,
    end: dt.datetime,
    team: Sequence[SimulatedPerson],
    sink: Sink,
) -> None:
    then = _at(ws, end.timestamp() - (DAYS + 1) * DAY)
    slug = project.slug
    create_project(
        then,
        office,
        NewProject(
            slug,
            project.schema.task,
            title=project.title,
            guideline=project.guideline,
            simulated=True,
            schema=project.schema,
        ),
    )
    show = f"importing {project.title.lower()}"
    for origin in _origins(project, drawn):
        import_data(
            then, office, slug, origin, ImportOptions("items"),
            lambda p: sink(show, p.done, p.total),
        )  # fmt: skip
    begun = (
        _cold_start(then, office, project, drawn, seed, sink)
        if project.schema.task is Task.CLASSIFICATION
        else _predict_from_file(then, office, project, drawn)
    )
    _import_gold(then, office, project, drawn, seed)
    actors = _actors(ws)
    lead = next(actors[p.name] for p in team if p.role == "lead")
    show_examples(then, lead, slug, project.examples)
    rest = replace(project, items=tuple(i for i in project.items if i.file not in begun))
    task = project.schema.task
    tried = task not in (Task.CLASSIFICATION, Task.BOXES)
    plan = WorkPlan(worked_share=SHAPES_WORKED) if tried else WorkPlan()
    acts = simulate_work(rest, _prelabels(ws, slug), team, seed, end, plan)
    _replay(ws, slug, acts, lambda d, t: sink(f"fourteen days of {project.title.lower()}", d, t))
    if task is Task.CLASSIFICATION:
        experts = [actors[p.name] for p in team if p.role == "expert"]
        furnish(ws, slug, experts, lead, seed, end.timestamp())


def _origins(project: DemoProject, drawn: Path) -> list[Path]:
    """Return what to import: the real folder, if it is one, and a table with the metadata."""
    table = _write_items(project, drawn / project.slug)
    return [table] if project.root is None else [project.root, table]


def _write_items(project: DemoProject, root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    table = root / "items.csv"
    columns = sorted({k for i in project.items for k in i.metadata})
    with table.open("w", newline="", encoding="utf-8") as sink:
        rows = csv.writer(sink)
        rows.writerow(["file", *(f"meta:{c}" for c in columns)])
        for item in project.items:
            rows.writerow([item.file, *(item.metadata.get(c, "") for c in columns)])
    return table


def _cold_start(
    then: Workspace, office: Actor, project: DemoProject, drawn: Path, seed: int, sink: Sink
) -> set[str]:
    """Import a first random set of expert labels, train on it and pre-label the rest."""
    chosen = random.Random(f"{seed}/{project.slug}").sample(
        sorted(project.items, key=lambda i: i.file), min(COLD_START, len(project.items) // 4)
    )
    table = drawn / project.slug / "cold-start.csv"
    _write_answers(project, [(i.file, i.planted or i.answer) for i in chosen], table)
    import_data(then, office, project.slug, table, ImportOptions("labels"))
    _run(then, office, queue_training(then, office, project.slug), "training the first model", sink)
    _run(then, office, queue_prelabel(then, office, project.slug), "pre-labelling", sink)
    return {i.file for i in chosen}


def _import_gold(
    then: Workspace, office: Actor, project: DemoProject, drawn: Path, seed: int
) -> None:
    """Give a random share of the items known answers, so that there is something to measure against."""
    known = [i for i in sorted(project.items, key=lambda i: i.file) if i.planted is None]
    chosen = random.Random(f"gold/{seed}/{project.slug}").sample(
        known, round(GOLD_SHARE * len(known))
    )
    table = drawn / project.slug / "gold.csv"
    _write_answers(project, [(i.file, i.answer) for i in chosen], table)
    import_data(then, office, project.slug, table, ImportOptions("gold"))


def _write_answers(
    project: DemoProject, answers: Sequence[tuple[str, Answer]], table: Path
) -> None:
    """Write answers as a table the import reads."""
    boxes = project.schema.task.draws
    rich = REGION_COLUMNS if boxes and project.schema.task is not Task.BOXES else ()
    keys = [q.key for q in project.schema.item_questions]
    with table.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        edges = [*BOX_COLUMNS[0], "confidence", *rich] if boxes else []
        rows.writerow(["file", "label", *keys[1:], *edges])
        for file, answer in answers:
            if not boxes:
                rows.writerow([file, *(answer.choices[k] for k in keys)])
            elif not answer.regions:
                rows.writerow([file] + [""] * (1 + len(edges)))
            else:
                rows.writerows(
                    [file, r.label, *r.box, r.confidence, *(region_cells(r)[c] for c in rich)]
                    for r in answer.regions
                )


def _run(ws: Workspace, office: Actor, job: Job, phase: str, sink: Sink) -> None:
    """Do a job here instead of in a process of its own: the clock is turned back only here."""
    run_job(ws, job.id, lambda p: sink(f"{phase} ({p.phase})", p.done, p.total))
    ended = get_job(ws, office, job.id)
    if ended.status is not JobStatus.DONE:
        raise TrainingError(ended.error or f"The demo's job ended as {ended.status}.", "Try again.")


def _predict_from_file(
    then: Workspace, office: Actor, project: DemoProject, drawn: Path
) -> set[str]:
    table = drawn / project.slug / "predictions.csv"
    _write_answers(project, sorted((project.predictions or {}).items()), table)
    options = ImportOptions("predictions", name="earlier model (simulated)")
    import_data(then, office, project.slug, table, options)
    return set()


def _prelabels(ws: Workspace, slug: str) -> dict[str, tuple[Answer, float]]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_names.c.name, predictions.c.answer, predictions.c.confidence)
            .join(item_state, item_state.c.item_id == item_names.c.item_id)
            .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
            .join(projects, projects.c.id == item_state.c.project_id)
            .where(projects.c.slug == slug)
        ).all()
    return {r.name: (Answer.from_json(r.answer), r.confidence or 0.0) for r in rows}


# --- replaying --------------------------------------------------------------------------------


def _replay(
    ws: Workspace, slug: str, acts: Sequence[SimulatedAct], progress: Callable[[int, int], None]
) -> None:
    """Let the simulated people act through the services, each act at its own time."""
    items, shown = _items_by_name(ws, slug)
    actors = _actors(ws)
    votes: dict[int, int] = {}
    for done, act in enumerate(acts, 1):
        item_id = items[act.file]
        key = str(uuid.uuid5(_ACTS, f"{slug}/{done}/{act.person}/{act.file}/{act.at}"))
        now = _at(ws, act.at)
        try:
            if act.kind in ("vote", "skip", "flag"):
                _submit(now, actors[act.person], slug, key, item_id, act, shown.get(item_id))
                votes[item_id] = votes.get(item_id, 0) + (act.kind == "vote")
            else:
                ruling = Ruling(
                    key, item_id, act.kind, act.answer, act.reason, votes.get(item_id, 0)
                )
                decide(now, actors[act.person], slug, ruling)
        except TiebreakError as error:
            raise ConflictError(
                f"Simulated act {done} ({act.kind} by {act.person} on {act.file}) was refused: "
                f"{error.message}"
            ) from error
        progress(done, len(acts))


_ACTS = uuid.UUID("0b0f8a52-93c1-4d9e-8b0a-1d2f6f7b6a10")


def _submit(
    now: Workspace,
    actor: Actor,
    slug: str,
    key: str,
    item_id: int,
    act: SimulatedAct,
    prelabel_seq: int | None,
) -> None:
    submit(
        now,
        actor,
        slug,
        Submission(
            uuid=key,
            item_id=item_id,
            kind=act.kind,
            answer=act.answer,
            reason=act.reason,
            prelabel_seq=prelabel_seq,
            prelabel_shown=act.prelabel_shown,
            active_seconds=act.active_seconds,
            started_at=act.at - act.active_seconds,
        ),
    )


def _items_by_name(ws: Workspace, slug: str) -> tuple[dict[str, int], dict[int, int]]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_names.c.name, item_names.c.item_id, item_state.c.prediction_seq)
            .join(item_state, item_state.c.item_id == item_names.c.item_id)
            .join(projects, projects.c.id == item_state.c.project_id)
            .where(projects.c.slug == slug)
        ).all()
    shown = {r.item_id: r.prediction_seq for r in rows if r.prediction_seq is not None}
    return {r.name: r.item_id for r in rows}, shown


def _actors(ws: Workspace) -> dict[str, Actor]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(people.c.id, people.c.name).where(people.c.simulated)
        ).all()
        return {r.name: load_actor(connection, r.id) for r in rows}


def _at(ws: Workspace, seconds: float) -> Workspace:
    """Return the same workspace at another time."""
    return replace(ws, clock=lambda: seconds)
