"""The worker process: ``torchrun -m core.services.models.worker --workspace W --job N``.

It reads its job row, does the work, writes progress and a heartbeat into that row, and never
touches the app's process. Every process of a torchrun group runs this; the first one writes,
the others take part in what it trains.
"""

from __future__ import annotations

import argparse
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from core.errors import TiebreakError
from core.jobs.rows import Job, JobStatus, finish_job, read_job, update_job
from core.learning import Progress, StopRequested
from core.learning.training import dismiss_helpers, help_training
from core.services.models.general_job import run_general
from core.services.models.prelabel_job import run_prelabels
from core.services.models.reporting import Reporter
from core.services.models.train_job import run_training
from core.services.models.training import PRELABEL, TRAIN
from core.services.workspace import Workspace, open_workspace


def main() -> None:
    """Run one job to its end; the exit status is 0 also when it failed and said so.

    It is 1 where other processes of the group were left in the middle: torchrun then ends them.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--job", type=int, required=True)
    arguments = parser.parse_args()
    if int(os.environ.get("RANK", "0")) != 0:
        help_training()  # the first process alone opens the record and says what is to be done
        return
    ws = open_workspace(arguments.workspace)
    try:
        run_job(ws, arguments.job)
    finally:
        told = dismiss_helpers()
    if not told:
        raise SystemExit(1)


def run_job(ws: Workspace, job_id: int, watch: Callable[[Progress], None] = lambda _: None) -> None:
    """Do a job and write how it ended into its row; `watch` sees every step."""
    with ws.store.ephemeral() as connection:
        job = read_job(connection, job_id)
        if not job.status.active:
            return
        now = ws.clock()
        update_job(
            connection, job_id, status=JobStatus.RUNNING.value, started_at=now, heartbeat_at=now,
            phase="starting",
        )  # fmt: skip
    reporter = Reporter(ws, job_id, watch)
    try:
        result = _WORK[job.kind](ws, job, reporter)
        status = JobStatus.CANCELLED if result is None else JobStatus.DONE
        _end(ws, job_id, status, result=result or {}, phase="")
    except StopRequested:
        _end(ws, job_id, JobStatus.CANCELLED, phase="")
    except TiebreakError as error:
        _end(ws, job_id, JobStatus.FAILED, error=str(error))
    except Exception as error:
        traceback.print_exc()  # the log keeps the cause; the page gets a sentence
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        _end(
            ws, job_id, JobStatus.FAILED,
            error=f"The worker failed unexpectedly ({words}). Its log is {job.folder}/worker.log.",
        )  # fmt: skip
    finally:
        reporter.close()


def _end(ws: Workspace, job_id: int, status: JobStatus, **values: object) -> None:
    with ws.store.write() as connection:
        finish_job(connection, job_id, status, ws.clock(), **values)


def _prelabels(ws: Workspace, job: Job, reporter: Reporter) -> Mapping[str, object] | None:
    return (run_general if "general" in job.config else run_prelabels)(ws, job, reporter)


_WORK: Mapping[str, Callable[[Workspace, Job, Reporter], Mapping[str, object] | None]] = {
    TRAIN: run_training,
    PRELABEL: _prelabels,
}


if __name__ == "__main__":
    main()
