"""Jobs: progress, cancelling, and workers that die, hang or leave their number to another (F18–F24)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from core.clock import FakeClock
from core.errors import ConflictError, EmptyTrainingSet, NotFound, WorkerDied
from core.jobs import processes
from core.jobs.processes import is_alive, process_started
from core.jobs.rows import Job, JobStatus, create_job, finish_job, read_job, update_job
from core.services.models import jobs
from core.services.models.jobs import START_SECONDS, cancel_job, get_job
from core.services.models.training import queue_training, start_training, training_readiness
from tests.record import World, vote


def made(world: World, **values: object) -> int:
    with world.ws.store.write() as connection:
        by = world.cast.lead.person_id
        job_id = create_job(connection, world.project.id, "train", {}, by, world.ws.clock())
        update_job(connection, job_id, folder="runs/x", **values)
    return job_id


def look(world: World, job_id: int) -> Job:
    return get_job(world.ws, world.cast.lead, job_id)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Give a live process in a session of its own."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    yield process
    process.kill()
    process.wait()


def labelled(world: World) -> World:
    for n, item in enumerate(world.items):
        for expert in world.cast.experts[:2]:
            vote(world, expert, item, "cat" if n % 2 else "dog")
    return world


def test_a_job_reports_what_its_worker_wrote(world: World, sleeper):
    """Progress, metrics and the estimate are read back; a live, talking worker is left alone."""
    job = made(
        world, status="running", pid=sleeper.pid, pid_started=process_started(sleeper.pid),
        phase="embedding", done=3, total=9, seconds_left=4.5, metrics={"loss": 0.5},
        heartbeat_at=world.ws.clock(),
    )  # fmt: skip
    found = look(world, job)
    assert (found.status, found.phase, found.done, found.total) == ("running", "embedding", 3, 9)
    assert (found.seconds_left, found.metrics) == (4.5, {"loss": 0.5})


def test_a_dead_worker_is_noticed_at_once(world: World):
    """Its process is gone: the job is lost, with a sentence naming the log (F18)."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    began = process_started(process.pid)
    job = made(
        world, status="running", pid=process.pid, pid_started=began, heartbeat_at=world.ws.clock()
    )
    assert look(world, job).status is JobStatus.RUNNING
    process.kill()
    process.wait()
    found = look(world, job)
    assert found.status is JobStatus.LOST
    assert "runs/x/worker.log" in (found.error or "")
    assert found.finished_at == world.ws.clock()


def test_a_reused_process_number_is_not_our_worker(world: World, sleeper):
    """Another process has the number now: the job is lost and that process is not touched (F24)."""
    job = made(
        world, status="running", pid=sleeper.pid, pid_started=1.0, heartbeat_at=world.ws.clock()
    )
    assert look(world, job).status is JobStatus.LOST
    assert sleeper.poll() is None


def test_a_number_without_its_start_time_proves_nothing(world: World, sleeper):
    """Where the start could not be read the process had ended; whoever has the number now lives on."""
    assert not is_alive(sleeper.pid, None)
    job = made(world, status="running", pid=sleeper.pid, heartbeat_at=world.ws.clock())
    assert look(world, job).status is JobStatus.LOST
    queued = made(world, pid=sleeper.pid)
    assert cancel_job(world.ws, world.cast.lead, queued).status is JobStatus.CANCELLED
    assert sleeper.poll() is None


def test_a_silent_worker_is_ended(world: World, sleeper, clock: FakeClock):
    """It lives but says nothing for too long: its process group is ended and the job lost (F22)."""
    job = made(
        world, status="running", pid=sleeper.pid, pid_started=process_started(sleeper.pid),
        heartbeat_at=clock(),
    )  # fmt: skip
    clock.advance(world.ws.settings.job_lost_seconds - 1)
    assert look(world, job).status is JobStatus.RUNNING
    clock.advance(2)
    assert look(world, job).status is JobStatus.LOST
    assert sleeper.wait(10) == -signal.SIGTERM


def test_a_worker_that_never_reports_is_given_up(world: World, clock: FakeClock):
    """Queued and never heard of: lost after the time a start may take."""
    job = made(world)
    clock.advance(START_SECONDS - 1)
    assert look(world, job).status is JobStatus.QUEUED
    clock.advance(2)
    assert look(world, job).status is JobStatus.LOST


def test_an_ended_job_stays_as_it_ended(world: World):
    """The first end stands; a later one, and a look, change nothing."""
    job = made(world, status="running")
    with world.ws.store.ephemeral() as connection:
        assert finish_job(connection, job, JobStatus.DONE, 5.0, result={"model": 1})
        assert not finish_job(connection, job, JobStatus.LOST, 6.0, error="too late")
        found = read_job(connection, job)
    assert (found.status, found.finished_at, found.error) == (JobStatus.DONE, 5.0, None)
    assert look(world, job).result == {"model": 1}


def test_cancelling_a_running_job_asks_its_worker(world: World, sleeper):
    """The worker is told by its row and not killed; it keeps what it has."""
    job = made(
        world, status="running", pid=sleeper.pid, pid_started=process_started(sleeper.pid),
        heartbeat_at=world.ws.clock(),
    )  # fmt: skip
    found = cancel_job(world.ws, world.cast.lead, job)
    assert (found.status, found.cancel_requested) == (JobStatus.RUNNING, True)
    assert sleeper.poll() is None


def test_cancelling_a_queued_job_ends_it(world: World, sleeper):
    """Its worker does not listen yet: it is ended, and a second cancel changes nothing."""
    job = made(world, pid=sleeper.pid, pid_started=process_started(sleeper.pid))
    assert cancel_job(world.ws, world.cast.lead, job).status is JobStatus.CANCELLED
    assert sleeper.wait(10) == -signal.SIGTERM
    assert cancel_job(world.ws, world.cast.lead, job).status is JobStatus.CANCELLED
    with pytest.raises(NotFound):
        cancel_job(world.ws, world.cast.lead, 10**6)


def test_one_job_of_a_project_at_a_time_and_a_dead_one_does_not_block(world: World):
    """While one runs another is refused; once its worker is dead the next may start."""
    labelled(world)
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    made(
        world, status="running", pid=process.pid, pid_started=process_started(process.pid),
        heartbeat_at=world.ws.clock(),
    )  # fmt: skip
    ready = training_readiness(world.ws, world.cast.lead, world.slug)
    assert (ready.can_start, ready.labels, ready.classes_with_labels) == (False, 6, 2)
    with pytest.raises(ConflictError, match="is running"):
        queue_training(world.ws, world.cast.lead, world.slug)
    process.kill()
    process.wait()
    assert queue_training(world.ws, world.cast.lead, world.slug).status is JobStatus.QUEUED


def test_too_few_labels_are_said(world: World):
    """Without two classes there is nothing to learn."""
    with pytest.raises(EmptyTrainingSet, match="at least two classes, found 0"):
        queue_training(world.ws, world.cast.lead, world.slug)


def test_a_worker_that_cannot_be_started_leaves_no_job_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """The job has failed and says why; the next may start at once."""
    labelled(world)
    monkeypatch.setattr(processes.sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerDied, match="could not be started"):
        start_training(world.ws, world.cast.lead, world.slug)
    monkeypatch.undo()
    [job] = jobs.list_jobs(world.ws, world.cast.lead, world.slug)
    assert job.status is JobStatus.FAILED
    assert "could not be started" in (job.error or "")
    assert training_readiness(world.ws, world.cast.lead, world.slug).can_start


def test_a_zombie_is_dead():
    """A child that ended but was not waited for does not count as alive."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    began = process_started(process.pid)
    assert is_alive(process.pid, began)
    os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_alive(process.pid, began) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(process.pid, began)
    process.communicate()
