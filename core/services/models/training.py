"""Retraining: freeze the labels, start a worker, watch it, cancel it, promote what it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor, Resource, can, require_signed_in
from core.errors import (
    ConflictError,
    EmptyTrainingSet,
    InputError,
    NotFound,
    TiebreakError,
    WorkerDied,
)
from core.jobs.processes import is_alive, launch, process_started, stop
from core.jobs.rows import (
    Job,
    JobStatus,
    create_job,
    finish_job,
    read_job,
    read_jobs,
    update_job,
)
from core.labels.schema import Task
from core.services.models.datasets import freeze_labels
from core.services.projects.project import ProjectView, project_for
from core.services.steering.schemas import stale_because
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import (
    dataset_versions,
    final_labels,
    item_state,
    items,
    model_events,
    models,
)

TRAIN, PRELABEL = "train", "prelabel"
START_SECONDS = 120.0
"""A worker that has not reported by then never will (importing torch takes seconds)."""


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model version with its report.

    Attributes:
        schema_version: It was trained under.
        stale_because: What changed since about the classes it predicts, as a sentence; empty
            where nothing did. A class that was only renamed does not count.
    """

    id: int
    job_id: int
    backbone: str
    at: float
    promoted: bool
    report: Mapping[str, object]
    dataset_version: str
    schema_version: int = 1
    stale_because: str = ""

    @property
    def stale(self) -> bool:
        """Return whether classes it predicts were added, retired or merged since."""
        return bool(self.stale_because)


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


# --- starting and watching --------------------------------------------------------------------


def training_readiness(ws: Workspace, actor: Actor, slug: str) -> Readiness:
    """Return whether training could start now, and if not, why.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
    _bury_lost(ws, project)
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
    _bury_lost(ws, project)
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
    _bury_lost(ws, project)
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


def get_job(ws: Workspace, actor: Actor, job_id: int) -> Job:
    """Return a job as it stands; one whose worker has gone silent is marked lost.

    Raises:
        NotFound: There is none, or the actor may not see it.
    """
    require_signed_in(actor)
    with ws.store.read() as connection:
        job = _seen_job(connection, actor, job_id)
    return _buried(ws, job)


def list_jobs(ws: Workspace, actor: Actor, slug: str, kind: str | None = None) -> list[Job]:
    """Return a project's jobs, newest first.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        found = read_jobs(connection, project.id, kind)
    return [_buried(ws, j) for j in found]


def cancel_job(ws: Workspace, actor: Actor, job_id: int) -> Job:
    """Ask a job to stop; its worker notices within seconds and keeps what it has.

    Raises:
        NotFound: There is none, or the actor may not see it.
    """
    require_signed_in(actor)
    with ws.store.write() as connection:
        job = _seen_job(connection, actor, job_id)
        if job.status.active:
            update_job(connection, job_id, cancel_requested=True)
            append_audit(
                connection, ws.clock(), actor.name, "cancelled", f"job {job_id}", job.project_id
            )
    if job.status is JobStatus.QUEUED:  # nobody listens yet
        if _lives(job) and job.pid is not None:
            stop(job.pid)
        with ws.store.ephemeral() as connection:
            finish_job(connection, job_id, JobStatus.CANCELLED, ws.clock())
    return get_job(ws, actor, job_id)


def _seen_job(connection: Connection, actor: Actor, job_id: int) -> Job:
    """Return a job the actor may see; that one exists which they may not is not said.

    Raises:
        NotFound: There is none for the actor.
    """
    try:
        job = read_job(connection, job_id)
        if can(actor, Action.TRAIN, Resource(job.project_id)):
            return job
    except NotFound:
        pass
    raise NotFound(f"There is no job {job_id} for you.", "Choose one from the list.")


def _bury_lost(ws: Workspace, project: ProjectView) -> None:
    """Mark the lost jobs of a project, so that a dead worker never blocks the next."""
    with ws.store.read() as connection:
        found = read_jobs(connection, project.id)
    for job in found:
        _buried(ws, job)


def _buried(ws: Workspace, job: Job) -> Job:
    """Return the job, marked lost if its worker is gone or silent."""
    if not job.status.active or not _is_lost(ws, job):
        return job
    message = (
        "The worker stopped without saying why; its last words are in "
        f"{job.folder}/worker.log. What it had finished is kept."
    )
    if job.pid is not None and _lives(job):
        stop(job.pid)  # it hangs
    with ws.store.ephemeral() as connection:
        finish_job(connection, job.id, JobStatus.LOST, ws.clock(), error=message)
        return read_job(connection, job.id)


def _is_lost(ws: Workspace, job: Job) -> bool:
    if job.pid is not None and not _lives(job):
        return True
    limit = ws.settings.job_lost_seconds if job.heartbeat_at else START_SECONDS
    return ws.clock() - (job.heartbeat_at or job.at) > limit


def _lives(job: Job) -> bool:
    return job.pid is not None and is_alive(job.pid, job.pid_started)


# --- models -----------------------------------------------------------------------------------


def list_models(ws: Workspace, actor: Actor, slug: str) -> list[ModelView]:
    """Return a project's models, newest first.

    Raises:
        Forbidden: The actor may not train here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        current = promoted_model(connection, project.id)
        rows = connection.execute(
            select(models, dataset_versions.c.name.label("version"))
            .join(dataset_versions, dataset_versions.c.id == models.c.dataset_version_id)
            .where(models.c.project_id == project.id)
            .order_by(models.c.id.desc())
        ).all()
        return [_model_view(connection, project, r, current) for r in rows]


def _model_view(
    connection: Connection, project: ProjectView, row: Row, current: int | None
) -> ModelView:
    report = json.loads(row.report)
    return ModelView(
        row.id, row.job_id, row.backbone, row.at, row.id == current, report, row.version,
        row.schema_version, stale_because(connection, project, row.schema_version, report),
    )  # fmt: skip


def promoted_model(connection: Connection, project_id: int) -> int | None:
    """Return the model in force, or None."""
    return connection.execute(
        select(model_events.c.model_id)
        .where(model_events.c.project_id == project_id)
        .order_by(model_events.c.seq.desc())
        .limit(1)
    ).scalar()


def promote(ws: Workspace, actor: Actor, slug: str, model_id: int, reason: str) -> None:
    """Put a model in force; an earlier one can be put back the same way.

    Raises:
        InputError: There is no reason.
        NotFound: There is no such model in this project.
        Forbidden: The actor may not promote here.
    """
    if not reason.strip():
        raise InputError("A promotion needs a reason.", "Say in a few words why.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.PROMOTE)
        if (
            connection.execute(
                select(models.c.id).where(
                    models.c.id == model_id, models.c.project_id == project.id
                )
            ).first()
            is None
        ):
            raise NotFound(f"There is no model {model_id} in '{slug}'.")
        record_promotion(connection, project.id, model_id, reason.strip(), actor, ws.clock())


def record_promotion(
    connection: Connection, project_id: int, model_id: int, reason: str, actor: Actor, at: float
) -> None:
    """Write a promotion within the caller's record transaction."""
    connection.execute(
        model_events.insert(),
        {
            "project_id": project_id,
            "model_id": model_id,
            "what": "promoted",
            "reason": reason,
            "by_id": actor.person_id,
            "at": at,
        },
    )
    append_audit(
        connection, at, actor.name, "model promoted", f"model {model_id}", project_id,
        {"reason": reason},
    )  # fmt: skip
