"""What a worker tells of its job while it runs: progress, a heartbeat; and whether to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from core.errors import StorageError
from core.jobs.rows import read_job, update_job
from core.learning import Progress
from core.services.workspace import Workspace

HEARTBEAT_SECONDS = 2.0
PROGRESS_SECONDS = 0.3


class Reporter:
    """Writes progress and a heartbeat into the job row, and listens for a cancel request."""

    def __init__(
        self, ws: Workspace, job_id: int, watch: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._ws, self._job_id, self._watch = ws, job_id, watch
        self._cancelled, self._ended = threading.Event(), threading.Event()
        self._written = 0.0
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def progress(self, step: Progress) -> None:
        """Take note of a step; the row is written at most a few times a second."""
        self._watch(step)
        now = time.monotonic()
        if now - self._written < PROGRESS_SECONDS and step.done < step.total:
            return
        self._written = now
        self._write(
            phase=step.phase,
            done=step.done,
            total=step.total,
            seconds_left=step.seconds_left,
            metrics=step.metrics,
        )

    def should_stop(self) -> bool:
        """Return whether somebody asked for the job to stop."""
        return self._cancelled.is_set()

    def close(self) -> None:
        """Stop the heartbeat."""
        self._ended.set()
        self._thread.join(timeout=10)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            with suppress(StorageError):  # busy now; a thread that ended would look like death
                self._write()
                with self._ws.store.read() as connection:
                    job = read_job(connection, self._job_id)
                    # Given up for lost meanwhile, and perhaps started again: never two writers.
                    if job.cancel_requested or not job.status.active:
                        self._cancelled.set()

    def _write(self, **values: object) -> None:
        with self._ws.store.ephemeral() as connection:
            update_job(connection, self._job_id, heartbeat_at=self._ws.clock(), **values)
