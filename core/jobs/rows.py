"""Job rows: the one place where a worker writes what it is doing and the pages read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, select, update

from core.errors import NotFound
from core.store.tables import jobs


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Its worker stopped without saying why."""

    @property
    def active(self) -> bool:
        """Return whether it may still change."""
        return self in (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """A job row, read.

    Attributes:
        done, total: Steps of the present phase.
        seconds_left: Estimate for the whole job, None where there is none yet.
        heartbeat_at: When its worker last wrote.
    """

    id: int
    project_id: int
    kind: str
    status: JobStatus
    config: Mapping[str, object]
    folder: str
    phase: str
    done: int
    total: int
    seconds_left: float | None
    metrics: Mapping[str, object]
    result: Mapping[str, object] | None
    error: str | None
    cancel_requested: bool
    pid: int | None
    pid_started: float | None
    by_id: int
    at: float
    started_at: float | None
    heartbeat_at: float | None
    finished_at: float | None


def create_job(
    connection: Connection,
    project_id: int,
    kind: str,
    config: Mapping[str, object],
    by_id: int,
    at: float,
) -> int:
    """Write a queued job and return its id."""
    return int(
        connection.execute(
            jobs.insert().returning(jobs.c.id),
            {
                "project_id": project_id,
                "kind": kind,
                "status": JobStatus.QUEUED.value,
                "config": json.dumps(dict(config)),
                "folder": "",
                "phase": "waiting to start",
                "done": 0,
                "total": 0,
                "metrics": "{}",
                "cancel_requested": False,
                "by_id": by_id,
                "at": at,
            },
        ).scalar_one()
    )


def read_job(connection: Connection, job_id: int) -> Job:
    """Return a job.

    Raises:
        NotFound: There is none of that number.
    """
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    return as_job(row)


def read_jobs(connection: Connection, project_id: int, kind: str | None = None) -> list[Job]:
    """Return a project's jobs, newest first."""
    query = select(jobs).where(jobs.c.project_id == project_id).order_by(jobs.c.id.desc())
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    return [as_job(r) for r in connection.execute(query)]


def update_job(connection: Connection, job_id: int, **values: object) -> None:
    """Change fields of a job; documents are given as mappings."""
    ready = {
        k: json.dumps(dict(v)) if k in ("metrics", "result") and isinstance(v, Mapping) else v
        for k, v in values.items()
    }
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(**ready))


def finish_job(
    connection: Connection, job_id: int, status: JobStatus, at: float, **values: object
) -> bool:
    """End a job that is still active; return False where it had ended already."""
    done = connection.execute(
        update(jobs)
        .where(
            jobs.c.id == job_id,
            jobs.c.status.in_([JobStatus.QUEUED.value, JobStatus.RUNNING.value]),
        )
        .values(status=status.value, finished_at=at, seconds_left=None)
    )
    if done.rowcount:
        update_job(connection, job_id, **values) if values else None
    return bool(done.rowcount)


def as_job(row: Row) -> Job:
    """Return a row as a job."""
    fields = dict(row._mapping)
    fields["status"] = JobStatus(fields["status"])
    fields["config"] = json.loads(fields["config"])
    fields["metrics"] = json.loads(fields["metrics"])
    fields["result"] = json.loads(fields["result"]) if fields["result"] else None
    return Job(**fields)
