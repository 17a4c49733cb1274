"""A project of the demo's leaves that has two models and a campaign, for pictures of the retrain page."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select

from core.access import Actor
from core.clock import new_uuid
from core.consensus.policy import Policy
from core.jobs.rows import Job
from core.labels import Answer
from core.labels.schema import Task
from core.services.accounts.people import actor_of, operator
from core.services.certificates.accept import accept
from core.services.certificates.campaign import certify_now, open_campaign
from core.services.certificates.evidence import in_arm
from core.services.consensus.draws import Arm
from core.services.consensus.resolve import resolve_items
from core.services.models.jobs import cancel_job, list_jobs
from core.services.models.promotion import list_models, promote
from core.services.models.training import queue_training
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, ProjectView, create_project, load_project
from core.services.projects.training_rules import TrainingRules, set_training_rules
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.store.tables import annotation_log, item_names, items, people, projects

SLUG, TITLE = "leaf-species", "Leaf species"
SHARES = (0.7, 0.22, 0.08)
FIRST, LATER = 50, 140
"""Labels that the first and the second model learn from."""
SECONDS = 6.5
PATIENCE = 60.0
TARGET, DELTA = 0.15, 0.1


def rehearse(workspace: Path) -> None:
    """Add the project to a demo workspace, where it is not: labels, two models, a promise and a look."""
    ws = open_workspace(workspace)
    try:
        if SLUG in _slugs(ws):
            return
        lead = _person(ws, "ruth")
        truth = _truth(workspace)
        project = _project(ws, workspace, truth)
        of_use = _by_use(ws, project)
        known = _answers(ws, project, truth)
        _vote(ws, project, known, [*of_use["train"][:FIRST], *of_use["evaluate"]])
        _train(ws, lead, "first")
        _vote(ws, project, known, of_use["train"][FIRST:LATER])
        _train(ws, lead, "more labels")
        rules = TrainingRules(wage_per_hour=40.0, currency="EUR")
        set_training_rules(ws, lead, SLUG, rules, "what an expert costs")
        open_campaign(ws, lead, SLUG, TARGET, DELTA, reason="Experts are needed elsewhere")
        with ws.store.read() as connection:
            order = in_arm(connection, project.id, Arm.CERTIFY)
        _vote(ws, project, known, order)
        newest = list_models(ws, lead, SLUG)[0].id
        found = certify_now(ws, lead, SLUG, newest)
        if found.certified:
            accept(ws, lead, SLUG, found.id, "The look says so")
    finally:
        ws.store.close()


def end_runs(workspace: Path) -> None:
    """Stop what still runs in a workspace and wait until it has."""
    ws = open_workspace(workspace)
    try:
        until = time.monotonic() + PATIENCE
        while (jobs := _active(ws)) and time.monotonic() < until:
            for job in jobs:
                if not job.cancel_requested:
                    cancel_job(ws, operator(ws), job.id)
            time.sleep(0.5)
    finally:
        ws.store.close()


def _active(ws: Workspace) -> list[Job]:
    return [j for s in _slugs(ws) for j in list_jobs(ws, operator(ws), s) if j.status.active]


def _slugs(ws: Workspace) -> list[str]:
    with ws.store.read() as connection:
        return list(connection.execute(select(projects.c.slug)).scalars())


def _truth(workspace: Path) -> dict[str, str]:
    with (workspace / "demo" / "tree-leaves-truth.csv").open(newline="") as f:
        return {row["file"]: row["label"] for row in csv.DictReader(f)}


def _project(ws: Workspace, workspace: Path, truth: Mapping[str, str]) -> ProjectView:
    office = operator(ws)
    classes = tuple(sorted(set(truth.values())))
    new = NewProject(
        SLUG, Task.CLASSIFICATION, classes, title=TITLE, policy=Policy(overlap=1),
        use_shares=SHARES, simulated=True,
    )  # fmt: skip
    create_project(ws, office, new)
    with ws.store.read() as connection:
        rows = connection.execute(
            select(items.c.location, item_names.c.name).join(
                item_names, item_names.c.item_id == items.c.id
            )
        ).all()
    with tempfile.TemporaryDirectory(dir=workspace) as folder:
        for row in rows:
            if row.name in truth:
                _put(workspace / row.location, Path(folder) / row.name)
        import_data(ws, office, SLUG, Path(folder), ImportOptions())
    with ws.store.read() as connection:
        return load_project(connection, SLUG)


def _put(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _by_use(ws: Workspace, project: ProjectView) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {"train": [], "certify": [], "evaluate": []}
    with ws.store.read() as connection:
        rows = connection.execute(
            select(items.c.id, items.c.use)
            .where(items.c.project_id == project.id)
            .order_by(items.c.content_hash)
        )
        for row in rows:
            found[row.use].append(row.id)
    return found


def _answers(ws: Workspace, project: ProjectView, truth: Mapping[str, str]) -> dict[int, str]:
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_names.c.item_id, item_names.c.name).where(
                item_names.c.project_id == project.id
            )
        )
        return {r.item_id: truth[r.name] for r in rows}


def _vote(
    ws: Workspace, project: ProjectView, known: Mapping[int, str], ids: Sequence[int]
) -> None:
    """Let an expert answer items truly, each at about the same pace."""
    person, key = _person(ws, "ingrid").person_id, project.schema.main.key
    rows = [
        {
            "uuid": new_uuid(), "project_id": project.id, "item_id": i, "person_id": person,
            "revision": 1, "kind": "vote", "label": known[i],
            "answer": Answer(choices={key: known[i]}).to_json(), "reason": "", "schema_version": 1,
            "guideline_version": 1, "prelabel_shown": False,
            "active_seconds": SECONDS + (i % 7) / 2, "at": ws.clock(),
        }
        for i in ids
    ]  # fmt: skip
    with ws.store.write() as connection:
        connection.execute(annotation_log.insert(), rows)
        resolve_items(connection, project, list(ids), ws.clock())


def _train(ws: Workspace, lead: Actor, why: str) -> None:
    run_job(ws, queue_training(ws, lead, SLUG).id)
    newest = list_models(ws, lead, SLUG)[0]
    if not newest.promoted:  # the first one is put in force by itself
        promote(ws, lead, SLUG, newest.id, why)


def _person(ws: Workspace, name: str) -> Actor:
    with ws.store.read() as connection:
        number = connection.execute(select(people.c.id).where(people.c.name == name)).scalar_one()
    return actor_of(ws, number)
