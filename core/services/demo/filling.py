"""Filling one project of the demo: images, a first model, gold, then the work of two weeks."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from core.access import Actor
from core.errors import TrainingError
from core.jobs.rows import Job, JobStatus
from core.labels import Answer
from core.labels.schema import Task
from core.services.demo.checked import check_people
from core.services.demo.replay import at_time, replay, simulated_actors
from core.services.demo.steering import furnish, look_closer, show_examples
from core.services.demo.tables import write_answers, write_origins
from core.services.models.jobs import get_job
from core.services.models.training import queue_prelabel, queue_training
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project, load_project
from core.services.review.falling_short import judge_everybody
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from core.store.tables import item_names, item_state, predictions, projects
from data.people import SimulatedPerson
from data.project import DemoItem, DemoProject
from data.work import WorkPlan, simulate_work

DAYS = 14
DAY = 86400.0

Sink = Callable[[str, int, int], None]
"""Called with (phase, done, total)."""

CLASSES_PLAN = WorkPlan()
BOXES_PLAN = WorkPlan(decided_share=0.75)
SHAPES_PLAN = WorkPlan(worked_share=0.6, decided_share=0.25)
"""Of the images with outlines or points a large part is left untouched, there to be tried."""

COLD_START = 160
"""Leaves labelled by experts before the first model (O2)."""

GOLD_SHARE = 0.5
"""Share of the items with a known answer; who reviews them is not told."""

ASKED_SHARE = 0.8
"""Of those, how many are sure to be among what is worked on; the others are left to be mixed in."""


def fill_project(
    ws: Workspace,
    office: Actor,
    project: DemoProject,
    drawn: Path,
    seed: int,
    end: dt.datetime,
    team: Sequence[SimulatedPerson],
    sink: Sink,
) -> None:
    """Make one project and let two simulated weeks pass in it.

    Args:
        ws: The workspace, at its own time.
        office: Who makes and imports.
        project: What was drawn or read.
        drawn: Where it lies; tables are written beside it.
        seed: Draws what is random.
        end: When the work is to have ended.
        team: Who works.
        sink: Called with (phase, done, total).
    """
    then = at_time(ws, end.timestamp() - (DAYS + 1) * DAY)
    slug = project.slug
    _begin(then, office, project, drawn, sink)
    begun = (
        _cold_start(then, office, project, drawn, seed, sink)
        if project.schema.task is Task.CLASSIFICATION
        else _predict_from_file(then, office, project, drawn)
    )
    _import_gold(then, office, project, drawn, seed)
    actors = simulated_actors(ws)
    lead = next(actors[p.name] for p in team if p.role == "lead")
    show_examples(then, lead, slug, project.examples)
    gold = _gold_of(project, seed)
    known = frozenset(i.file for i in gold[: round(ASKED_SHARE * len(gold))])
    left = tuple(i for i in project.items if i.file not in begun)
    rest = replace(project, items=left, known=known)
    task = project.schema.task
    plan = {Task.CLASSIFICATION: CLASSES_PLAN, Task.BOXES: BOXES_PLAN}.get(task, SHAPES_PLAN)
    acts = simulate_work(rest, _prelabels(ws, slug), team, seed, end, plan)
    replay(ws, slug, acts, lambda d, t: sink(f"fourteen days of {project.title.lower()}", d, t))
    if task is Task.CLASSIFICATION:
        experts = [actors[p.name] for p in team if p.role == "expert"]
        furnish(ws, slug, experts, lead, seed, end.timestamp())
        check_people(ws, project, team, actors, _prelabels(ws, slug), seed, end.timestamp())
        with ws.store.read() as connection:
            made = load_project(connection, slug)
        judge_everybody(at_time(ws, end.timestamp()), made)
    look_closer(ws, lead, slug, task, end.timestamp())


def _begin(then: Workspace, office: Actor, project: DemoProject, drawn: Path, sink: Sink) -> None:
    """Make the project and import its images."""
    task, show = project.schema.task, f"importing {project.title.lower()}"
    new = NewProject(
        project.slug, task, title=project.title, guideline=project.guideline, simulated=True,
        schema=project.schema,
    )  # fmt: skip
    create_project(then, office, new)
    for origin in write_origins(project, drawn):
        import_data(
            then, office, project.slug, origin, ImportOptions("items"),
            lambda p: sink(show, p.done, p.total),
        )  # fmt: skip


def _cold_start(
    then: Workspace, office: Actor, project: DemoProject, drawn: Path, seed: int, sink: Sink
) -> set[str]:
    """Import a first random set of expert labels, train on it and pre-label the rest."""
    chosen = first_labelled(project, seed)
    table = drawn / project.slug / "cold-start.csv"
    write_answers(project, [(i.file, i.planted or i.answer) for i in chosen], table)
    import_data(then, office, project.slug, table, ImportOptions("labels"))
    _run(then, office, queue_training(then, office, project.slug), "training the first model", sink)
    _run(then, office, queue_prelabel(then, office, project.slug), "pre-labelling", sink)
    return {i.file for i in chosen}


def first_labelled(project: DemoProject, seed: int) -> list[DemoItem]:
    """Return the items experts labelled before there was a model, by chance.

    None with a known answer, which people are asked, and none that repeats another's bytes: a label of that
    would be the other's, who is still to be worked on.
    """
    gold = {i.file for i in _gold_of(project, seed)}
    others = sorted((i for i in project.items if i.file not in gold), key=lambda i: i.file)
    chosen = random.Random(f"{seed}/{project.slug}").sample(
        others, min(COLD_START, len(project.items) // 4)
    )
    return [i for i in chosen if i.file not in project.duplicates]


def _import_gold(
    then: Workspace, office: Actor, project: DemoProject, drawn: Path, seed: int
) -> None:
    """Give a random share of the items known answers, so that there is something to measure against."""
    chosen = _gold_of(project, seed)
    table = drawn / project.slug / "gold.csv"
    write_answers(project, [(i.file, i.answer) for i in chosen], table)
    import_data(then, office, project.slug, table, ImportOptions("gold"))


def _gold_of(project: DemoProject, seed: int) -> list[DemoItem]:
    known = [i for i in sorted(project.items, key=lambda i: i.file) if i.planted is None]
    chance = random.Random(f"gold/{seed}/{project.slug}")
    return chance.sample(known, round(GOLD_SHARE * len(known)))


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
    write_answers(project, sorted((project.predictions or {}).items()), table)
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
