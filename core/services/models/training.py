"""Retraining: freeze the labels, start a worker on them, or on pre-labels of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.errors import (
    ConflictError,
    EmptyTrainingSet,
    InputError,
    NotFound,
    TiebreakError,
    WorkerDied,
)
from core.jobs.processes import launch, process_started
from core.jobs.rows import Job, JobStatus, create_job, finish_job, read_job, read_jobs, update_job
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.models.datasets import freeze_labels
from core.services.models.jobs import bury_lost
from core.services.models.promotion import promoted_model
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, final_labels, item_state, items, models

TRAIN, PRELABEL = "train", "prelabel"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether there is enough to train on.

    Attributes:
        labels: Items with a final label that may be trained on.
        new_since_model: Of these, settled after the newest model's dataset version.
    """

    labels: int
    classes_with_labels: int
    new_since_model: int
    can_start: bool
    why_not: str


def training_readiness(ws: Workspace, actor: Actor, slug: str) -> Readiness:
    """Return whether training could start now, and if not, why.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
    bury_lost(ws, project)
    with ws.store.read() as connection:
        return _readiness(connection, project)


def _readiness(connection: Connection, project: ProjectView) -> Readiness:
    rows = connection.execute(
        select(final_labels.c.label, final_labels.c.at)
        .join(item_state, item_state.c.final_seq == final_labels.c.seq)
        .join(items, items.c.id == item_state.c.item_id)
        .where(
            items.c.project_id == project.id,
            items.c.use == "train",
            item_state.c.state != ItemState.AUTO_ACCEPTED.value,  # nothing a person said
            final_labels.c.label.is_not(None),
        )
    ).all()
    trained_at = connection.execute(
        select(func.max(dataset_versions.c.at))
        .join(models, models.c.dataset_version_id == dataset_versions.c.id)
        .where(models.c.project_id == project.id)
    ).scalar()
    classes = {r.label for r in rows}
    new = sum(trained_at is None or r.at > trained_at for r in rows)
    why_not = ""
    if project.task is not Task.CLASSIFICATION:
        why_not = (
            f"Tiebreak does not train detectors or segmenters yet, so none for {project.task.value}; "
            "their pre-labels are imported predictions."
        )
    elif project.schema.main.several:
        why_not = (
            "Tiebreak does not train on questions with several answers yet; their pre-labels are "
            "imported predictions."
        )
    elif len(classes) < 2:
        why_not = (
            f"Training needs final labels of at least two classes, found {len(classes)} "
            f"({len(rows)} labels)."
        )
    elif any(j.status.active for j in read_jobs(connection, project.id)):
        why_not = "A job of this project is running; wait for it or cancel it."
    return Readiness(len(rows), len(classes), new, not why_not, why_not)


def start_training(
    ws: Workspace, actor: Actor, slug: str, backbone: str | None = None, seed: int = 0
) -> Job:
    """Freeze the labels in force and start a worker process that trains on them.

    Raises:
        EmptyTrainingSet: There are too few labels.
        ConflictError: A job of this project is running.
        Forbidden: The actor may not train here.
    """
    return _launch(ws, queue_training(ws, actor, slug, backbone, seed))


def queue_training(
    ws: Workspace, actor: Actor, slug: str, backbone: str | None = None, seed: int = 0
) -> Job:
    """Freeze the labels in force and write the job; somebody must run it.

    Raises:
        EmptyTrainingSet: There are too few labels.
        ConflictError: A job of this project is running.
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
    bury_lost(ws, project)
    with ws.store.read() as connection:
        ready = _readiness(connection, project)
    if not ready.can_start:
        raise _cannot_start(project, ready)
    version = freeze_labels(ws, actor, slug)
    config = {
        "backbone": backbone or ws.settings.backbone,
        "seed": seed,
        "dataset_version_id": version.id,
        "dataset_version": version.name,
    }
    return _queue(ws, actor, project, TRAIN, config)


def _cannot_start(project: ProjectView, ready: Readiness) -> TiebreakError:
    if project.task is not Task.CLASSIFICATION:
        return InputError(ready.why_not, "'tiebreak import … --as predictions' takes them.")
    if ready.labels and ready.classes_with_labels > 1:
        return ConflictError(ready.why_not, "Then start again.")
    return EmptyTrainingSet(ready.why_not, "Import or settle more labels, then start again.")


def start_prelabel(ws: Workspace, actor: Actor, slug: str, model_id: int | None = None) -> Job:
    """Start a worker that lets a model predict what it was not trained on.

    Raises:
        NotFound: There is no such model, or none at all.
        ConflictError: A job of this project is running.
        Forbidden: The actor may not do this here.
    """
    return _launch(ws, queue_prelabel(ws, actor, slug, model_id))


def queue_prelabel(ws: Workspace, actor: Actor, slug: str, model_id: int | None = None) -> Job:
    """Write the job of predicting with a model, the promoted one by default.

    Raises:
        NotFound: There is no such model, or none at all.
        Forbidden: The actor may not do this here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        chosen = model_id if model_id is not None else promoted_model(connection, project.id)
        known = connection.execute(
            select(models.c.id).where(models.c.id == chosen, models.c.project_id == project.id)
        ).scalar()
    if known is None:
        raise NotFound(
            f"'{slug}' has no model{'' if model_id is None else f' {model_id}'} to predict with.",
            "Train one first.",
        )
    bury_lost(ws, project)
    return _queue(ws, actor, project, PRELABEL, {"model_id": known})


def _queue(
    ws: Workspace, actor: Actor, project: ProjectView, kind: str, config: Mapping[str, object]
) -> Job:
    with ws.store.write() as connection:
        if any(j.status.active for j in read_jobs(connection, project.id)):
            raise ConflictError(
                "A job of this project is running.", "Wait for it, or cancel it, then start again."
            )
        job_id = create_job(connection, project.id, kind, config, actor.person_id, ws.clock())
        folder = ws.runs / project.slug / f"{job_id:05d}"
        update_job(connection, job_id, folder=str(folder.relative_to(ws.root)))
        append_audit(
            connection,
            ws.clock(),
            actor.name,
            f"{kind} started",
            f"job {job_id}",
            project.id,
            config,
        )
        return read_job(connection, job_id)


def _launch(ws: Workspace, job: Job) -> Job:
    arguments = ["--workspace", str(ws.root), "--job", str(job.id)]
    log = ws.root / job.folder / "worker.log"
    try:
        pid = launch("core.services.models.worker", arguments, log, _environment(ws))
    except WorkerDied as error:
        with ws.store.ephemeral() as connection:
            finish_job(connection, job.id, JobStatus.FAILED, ws.clock(), error=str(error))
        raise
    with ws.store.ephemeral() as connection:
        try:
            update_job(connection, job.id, pid=pid, pid_started=process_started(pid))
        except OSError:
            update_job(connection, job.id, pid=pid)
        return read_job(connection, job.id)


def _environment(ws: Workspace) -> dict[str, str]:
    return {"TIEBREAK_WORKSPACE": str(ws.root), "PYTHONUNBUFFERED": "1"}
