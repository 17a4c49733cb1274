"""Retraining: freeze the labels, start a worker on them, or on pre-labels of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from core.access import Action, Actor
from core.errors import (
    ConflictError,
    EmptyTrainingSet,
    InputError,
    NotFound,
    TiebreakError,
    WorkerDied,
)
from core.jobs.processes import Rendezvous, gpus_here, launch, process_started
from core.jobs.rows import Job, JobStatus, create_job, finish_job, read_job, read_jobs, update_job
from core.labels import Answer
from core.labels.state import LABELLED, ItemState
from core.services.models.datasets import freeze_labels
from core.services.models.jobs import bury_lost
from core.services.models.options import TrainingOptions
from core.services.models.promotion import promoted_model
from core.services.models.stored import version_row
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, final_labels, item_state, items, models

TRAIN, PRELABEL = "train", "prelabel"
LARGEST_SEED = 2**32 - 1
"""What every generator of random numbers that a run uses can begin with."""
CHECKPOINT = "run/state.json"
"""Names a checkpoint within a question's folder of a run."""


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
        select(final_labels.c.label, final_labels.c.answer, final_labels.c.at)
        .join(item_state, item_state.c.final_seq == final_labels.c.seq)
        .join(items, items.c.id == item_state.c.item_id)
        .where(
            items.c.project_id == project.id,
            items.c.use == "train",
            item_state.c.state != ItemState.AUTO_ACCEPTED.value,  # nothing a person said
            item_state.c.state.in_([s.value for s in LABELLED]),
        )
    ).all()
    said = [(r, _classes_said(project, r)) for r in rows]
    if not (project.task.draws or project.schema.main.several):
        said = [(r, found) for r, found in said if found]
    trained_at = connection.execute(
        select(func.max(dataset_versions.c.at))
        .join(models, models.c.dataset_version_id == dataset_versions.c.id)
        .where(models.c.project_id == project.id)
    ).scalar()
    classes = {c for _, found in said for c in found}
    new = sum(trained_at is None or r.at > trained_at for r, _ in said)
    fewest = 1 if project.task.draws or project.schema.main.several else 2
    why_not = ""
    if len(classes) < fewest:
        needed = "two classes" if fewest == 2 else "one class"
        why_not = (
            f"Training needs final labels of at least {needed}, found {len(classes)} "
            f"({len(said)} labels)."
        )
    elif any(j.status.active for j in read_jobs(connection, project.id)):
        why_not = "A job of this project is running; wait for it or cancel it."
    return Readiness(len(said), len(classes), new, not why_not, why_not)


def _classes_said(project: ProjectView, row: Row) -> frozenset[str]:
    """Return the classes a final label names: of its regions, its several answers or its one."""
    if project.task.draws:
        return frozenset(r.label for r in Answer.from_json(row.answer).regions)
    if project.schema.main.several:
        return frozenset(Answer.from_json(row.answer).multi.get(project.schema.main.key, ()))
    return frozenset() if row.label is None else frozenset([row.label])


def start_training(
    ws: Workspace,
    actor: Actor,
    slug: str,
    backbone: str | None = None,
    seed: int | None = None,
    options: TrainingOptions | None = None,
) -> Job:
    """Freeze the labels in force, or take a version, and start worker processes that train on it.

    Raises:
        EmptyTrainingSet: There are too few labels.
        ConflictError: A job of this project is running.
        NotFound: There is no such version, or nothing to resume.
        Forbidden: The actor may not train here.
    """
    return launch_job(ws, queue_training(ws, actor, slug, backbone, seed, options))


def queue_training(
    ws: Workspace,
    actor: Actor,
    slug: str,
    backbone: str | None = None,
    seed: int | None = None,
    options: TrainingOptions | None = None,
) -> Job:
    """Freeze the labels in force, or take a version, and write the job; somebody must run it.

    Raises:
        EmptyTrainingSet: There are too few labels.
        ConflictError: A job of this project is running.
        NotFound: There is no such version, or nothing to resume.
        InputError: What is asked for cannot be done, or differs from the run to resume.
        Forbidden: The actor may not train here.
    """
    chosen = options or TrainingOptions()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
    bury_lost(ws, project)
    with ws.store.read() as connection:
        ready = _readiness(connection, project)
    if not ready.can_start:
        raise _cannot_start(project, ready)
    asked = chosen.config() | ({} if backbone is None else {"backbone": backbone})
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise InputError(
            f"A seed lies between 0 and {LARGEST_SEED}, found {seed}.",
            "Choose a smaller one; nothing was started.",
        )
    asked |= {} if seed is None else {"seed": seed}
    if chosen.resume is not False:
        return queue_job(ws, actor, project, TRAIN, _resumed(ws, project, chosen, asked))
    if project.task.draws:
        asked.setdefault("mode", "fine-tune")  # a probe does not say where
    if asked.get("mode", "probe") == "probe":
        _check_probe(chosen)
    version_id, name = _version(ws, actor, project, chosen.version)
    config = {
        "backbone": ws.settings.backbone,
        "seed": 0,
        "mode": "probe",
        "processes": ws.settings.processes or max(1, gpus_here()),
        **asked,
        "dataset_version_id": version_id,
        "dataset_version": name,
    }
    if config["mode"] == "probe" or project.task.draws:
        config["processes"] = 1  # seconds of work: more would only wait; detectors take one
    return queue_job(ws, actor, project, TRAIN, config)


def _check_probe(options: TrainingOptions) -> None:
    """Refuse what a probe would pass over in silence.

    Raises:
        InputError: Something is asked for that only a network's own learning has.
    """
    asked = {
        "recipe": options.recipe is not None,
        "search": bool(options.search_minutes),
        "several processes": (options.processes or 1) > 1,
    }
    if given := [name for name, is_asked in asked.items() if is_asked]:
        raise InputError(
            f"A probe learns from images as they are, in one process and without a search; asked "
            f"for: {', '.join(given)}. Nothing was started.",
            "Choose the mode fine-tune or student for it, or leave it out.",
        )


def _version(
    ws: Workspace, actor: Actor, project: ProjectView, name: str | None
) -> tuple[int, str]:
    """Return the dataset version to learn from, frozen now where none is named."""
    if name is None:
        made = freeze_labels(ws, actor, project.slug)
        return made.id, made.name
    with ws.store.read() as connection:
        row = version_row(connection, project, name)
    return int(row.id), str(row.name)


def _resumed(
    ws: Workspace, project: ProjectView, options: TrainingOptions, asked: Mapping[str, object]
) -> dict[str, object]:
    """Return the settings of the run to go on with.

    Raises:
        NotFound: No run of this project can be resumed, or that one cannot.
        InputError: Something asked for differs from that run.
    """
    with ws.store.read() as connection:
        jobs = read_jobs(connection, project.id, TRAIN)
    found = _unfinished(resumable(ws, jobs), jobs)
    if options.resume is not True:
        found = [j for j in found if j.id == options.resume]
    if not found:
        which = "has no run" if options.resume is True else f"has no job {options.resume}"
        raise NotFound(
            f"'{project.slug}' {which} that was broken off and left a checkpoint.",
            "Start a new run.",
        )
    config = dict(found[0].config)
    if options.version is not None:
        asked = {**asked, "dataset_version": options.version}
    other = [
        k for k, v in asked.items() if config.get(k) != v and k not in ("minutes", "processes")
    ]
    if other:
        raise InputError(
            f"Job {found[0].id} had another {', '.join(other)}; nothing was started.",
            "Resume it as it was, or start a new run.",
        )
    return {**config, **asked, "resume_of": found[0].id}


def _unfinished(broken_off: Sequence[Job], jobs: Sequence[Job]) -> list[Job]:
    """Leave out what was resumed and came to its end: again would be the same model once more."""
    by_id = {j.id: j for j in jobs}
    ended: set[int] = set()
    for job in jobs:
        before = job.config.get("resume_of") if job.status is JobStatus.DONE else None
        while before is not None:
            ended.add(int(str(before)))
            earlier = by_id.get(int(str(before)))
            before = None if earlier is None else earlier.config.get("resume_of")
    return [j for j in broken_off if j.id not in ended]


def resumable(ws: Workspace, jobs: Sequence[Job]) -> list[Job]:
    """Return the training jobs, of those given, that were broken off and left a checkpoint."""
    ended = (JobStatus.FAILED, JobStatus.LOST, JobStatus.CANCELLED)
    return [
        j for j in jobs if j.status in ended and any((ws.root / j.folder).glob(f"*/{CHECKPOINT}"))
    ]


def _cannot_start(project: ProjectView, ready: Readiness) -> TiebreakError:
    if ready.labels and "is running" in ready.why_not:
        return ConflictError(ready.why_not, "Then start again.")
    return EmptyTrainingSet(ready.why_not, "Import or settle more labels, then start again.")


def start_prelabel(ws: Workspace, actor: Actor, slug: str, model_id: int | None = None) -> Job:
    """Start a worker that lets a model predict what it was not trained on.

    Raises:
        NotFound: There is no such model, or none at all.
        ConflictError: A job of this project is running.
        Forbidden: The actor may not do this here.
    """
    return launch_job(ws, queue_prelabel(ws, actor, slug, model_id))


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
    return queue_job(ws, actor, project, PRELABEL, {"model_id": known})


def queue_job(
    ws: Workspace, asked_by: Actor, project: ProjectView, kind: str, config: Mapping[str, object]
) -> Job:
    """Write a job of a project whose caller has passed the gate; somebody must run it.

    Raises:
        ConflictError: A job of this project is running.
    """
    with ws.store.write() as connection:
        if any(j.status.active for j in read_jobs(connection, project.id)):
            raise ConflictError(
                "A job of this project is running.", "Wait for it, or cancel it, then start again."
            )
        job_id = create_job(connection, project.id, kind, config, asked_by.person_id, ws.clock())
        folder = ws.runs / project.slug / f"{job_id:05d}"
        update_job(connection, job_id, folder=str(folder.relative_to(ws.root)))
        append_audit(
            connection,
            ws.clock(),
            asked_by.name,
            f"{kind} started",
            f"job {job_id}",
            project.id,
            config,
        )
        return read_job(connection, job_id)


def launch_job(ws: Workspace, job: Job) -> Job:
    """Start the worker of a job that was written.

    Raises:
        WorkerDied: It could not be started; the job says so.
    """
    arguments = ["--workspace", str(ws.root), "--job", str(job.id)]
    log = ws.root / job.folder / "worker.log"
    processes = int(str(job.config.get("processes", 1)))
    meeting = _rendezvous(ws, job)
    try:
        pid = launch(
            "core.services.models.worker", arguments, log, _environment(ws), processes, meeting
        )
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


def _rendezvous(ws: Workspace, job: Job) -> Rendezvous | None:
    """Return where several machines meet, if the settings name a place and the work is shared."""
    settings = ws.settings
    if not settings.rendezvous or settings.nodes < 2 or job.kind != TRAIN:
        return None
    return Rendezvous(settings.rendezvous, settings.nodes, f"job-{job.id}")


def _environment(ws: Workspace) -> dict[str, str]:
    return {"TIEBREAK_WORKSPACE": str(ws.root), "PYTHONUNBUFFERED": "1"}
