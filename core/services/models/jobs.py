"""Jobs of the workers: watching them, cancelling them, noticing those that were lost."""

from __future__ import annotations

from sqlalchemy import Connection

from core.access import Action, Actor, Resource, can, require_signed_in
from core.errors import NotFound
from core.jobs.processes import is_alive, stop
from core.jobs.rows import Job, JobStatus, finish_job, read_job, read_jobs, update_job
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace
from core.store.audit import append_audit

START_SECONDS = 120.0
"""A worker that has not reported by then never will (importing torch takes seconds)."""


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


def bury_lost(ws: Workspace, project: ProjectView) -> None:
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
