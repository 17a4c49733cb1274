"""Runs as services make them: options, several processes, kills, resuming (F18, F23), weights (B91–B99)."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sqlalchemy import select
from torchvision import models as networks

from core.access import Actor
from core.datasets.freeze import read_version
from core.errors import InputError, NotFound
from core.jobs import processes
from core.jobs.processes import Rendezvous, is_alive
from core.jobs.rows import Job, JobStatus, finish_job
from core.labels import Answer
from core.labels.schema import Task
from core.learning.recipes import NAMED
from core.services.accounts.people import operator
from core.services.models.card import model_card
from core.services.models.datasets import freeze_labels, list_versions
from core.services.models.jobs import cancel_job, get_job
from core.services.models.options import TrainingOptions, drawn_labels
from core.services.models.training import (
    queue_prelabel,
    queue_training,
    start_training,
    training_readiness,
)
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.store.tables import models, predictions

SLUG = "tints"
TINTS = {"green": (60, 200, 60), "red": (200, 60, 60)}
PER_CLASS = 24
QUICK = TrainingOptions(mode="fine-tune", minutes=0.02, recipe=NAMED["light"])


@pytest.fixture
def tints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workspace, Actor]]:
    """Give a project of tinted noise with every label, and no weights on the machine."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    monkeypatch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "0.5")
    monkeypatch.setenv("TIEBREAK_JOB_LOST_SECONDS", "600")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ws = open_workspace(tmp_path / "workspace")
    me = operator(ws)
    new = NewProject(SLUG, Task.CLASSIFICATION, tuple(TINTS), use_shares=(0.7, 0.1, 0.2))
    create_project(ws, me, new)
    _imported(ws, me, SLUG, _drawn(tmp_path / "photos"))
    yield ws, me
    ws.store.close()
    torch.set_num_threads(threads)


def _drawn(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    for name, tint in TINTS.items():
        (folder / name).mkdir(parents=True)
        for n in range(PER_CLASS):
            noise = rng.integers(-50, 50, (32, 40, 3))
            pixels = (np.array(tint) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{n}.png")
    return folder


def _imported(ws: Workspace, me: Actor, slug: str, source: Path) -> None:
    options = ImportOptions(what="labels", format="folder", in_place=False)
    import_data(ws, me, slug, source, options)


def done(ws: Workspace, me: Actor, job: Job) -> Job:
    """Run a queued job in this process and return how it ended."""
    run_job(ws, job.id)
    return get_job(ws, me, job.id)


def waited(
    ws: Workspace, me: Actor, job: Job, until: Callable[[Job], bool], seconds: float = 240
) -> Job:
    """Wait for a started job."""
    deadline = time.monotonic() + seconds
    while not until(job := get_job(ws, me, job.id)):
        assert time.monotonic() < deadline, (job.status, job.phase, _log(ws, job))
        time.sleep(0.1)
    return job


def _log(ws: Workspace, job: Job) -> str:
    log = ws.root / job.folder / "worker.log"
    return log.read_text()[-1500:] if log.exists() else ""


def test_a_fine_tuned_model_is_registered_and_pre_labels(tints):
    """Mode, version, device and diagnosis are told; the model predicts what it was not taught."""
    ws, me = tints
    version = freeze_labels(ws, me, SLUG, "first")
    options = TrainingOptions(mode="fine-tune", minutes=0.02, version="first")
    job = done(ws, me, queue_training(ws, me, SLUG, "resnet18", 3, options))
    assert job.status is JobStatus.DONE, job.error
    found = dict(job.result or {})
    assert (found["mode"], found["version"], found["processes"]) == ("fine-tune", "first", 1)
    assert found["device_facts"]["name"]
    assert {"batch", "halved", "seconds_to_best", "diagnosis", "task"} <= set(found)
    with ws.store.read() as connection:
        row = connection.execute(select(models)).one()
    assert (row.mode, row.task, row.dataset_version_id) == (
        "fine-tune",
        "classification",
        version.id,
    )
    said = done(ws, me, queue_prelabel(ws, me, SLUG))
    assert said.status is JobStatus.DONE, said.error
    taught = {f.item_id for f in read_version(version.folder, version.hash) if f.use == "train"}
    with ws.store.read() as connection:
        items = {r.item_id for r in connection.execute(select(predictions))}
    assert items
    assert not items & taught


def test_a_version_of_another_name_and_nothing_to_resume_are_said(tints):
    """What is not there is named and nothing is started."""
    ws, me = tints
    with pytest.raises(NotFound, match="dataset version 'second'"):
        queue_training(ws, me, SLUG, options=TrainingOptions(version="second"))
    with pytest.raises(NotFound, match="broken off and left a checkpoint"):
        queue_training(ws, me, SLUG, options=TrainingOptions(resume=True))


def test_a_version_changed_on_disk_is_refused(tints):
    """The worker notices by its hash, says so and trains nothing."""
    ws, me = tints
    version = freeze_labels(ws, me, SLUG, "first")
    path = version.folder / "labels.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.chmod(0o600)
    path.write_bytes(data)
    job = done(ws, me, queue_training(ws, me, SLUG, options=TrainingOptions(version="first")))
    assert job.status is JobStatus.FAILED
    assert "version" in (job.error or "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"mode": "magic"}, "no training mode 'magic'"),
        ({"minutes": 0.0}, "minutes lies between"),
        ({"processes": 0}, "number of processes"),
        ({"labels": 1}, "number of labels"),
        ({"weights": Path("nowhere.pth")}, "no weights file 'nowhere.pth'"),
    ],
)
def test_options_that_will_not_do(values, words):
    """Each is refused by name before anything is started."""
    with pytest.raises(InputError, match=words):
        TrainingOptions(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"recipe": NAMED["strong"]}, "asked for: recipe"),
        ({"search_minutes": 1.0}, "asked for: search"),
        ({"mode": "probe", "processes": 2}, "asked for: several processes"),
    ],
)
def test_a_probe_passes_over_nothing_in_silence(tints, values, words):
    """What only a network's own learning has is refused of a probe, before anything is frozen."""
    ws, me = tints
    with pytest.raises(InputError, match=words):
        queue_training(ws, me, SLUG, options=TrainingOptions(**values))
    with pytest.raises(InputError, match="seed lies between"):
        queue_training(ws, me, SLUG, seed=2**64)
    assert list_versions(ws, me, SLUG) == []


def test_a_checkpoint_that_cannot_be_copied_stays_the_one_to_resume(tints, monkeypatch):
    """The disk fills while it is copied: the job says so, and resuming again finds the first run's."""
    ws, me = tints
    first = queue_training(ws, me, SLUG, options=QUICK)
    folder = ws.root / first.folder / "label" / "run"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("[]")
    with ws.store.ephemeral() as connection:
        finish_job(connection, first.id, JobStatus.LOST, ws.clock())
    resumed = queue_training(ws, me, SLUG, options=TrainingOptions(resume=True))

    def full(source: Path, target: Path) -> None:
        target.mkdir(parents=True)
        (target / "state.json").write_text("half of i")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    job = done(ws, me, resumed)
    assert job.status is JobStatus.FAILED
    assert "No space left" in (job.error or "")
    again = queue_training(ws, me, SLUG, options=TrainingOptions(resume=True))
    assert again.config["resume_of"] == first.id


def test_a_draw_of_labels_is_judged_on_all_others(tints):
    """Twelve are learnt from, by the seed; every other label is judged by, whatever its use was."""
    ws, me = tints
    job = done(ws, me, queue_training(ws, me, SLUG, None, 5, TrainingOptions(labels=12)))
    assert job.status is JobStatus.DONE, job.error
    found = dict(job.result or {})
    assert (found["n_train"], found["eval"]["on"]) == (12, "all others")
    assert found["eval"]["n"] == 2 * PER_CLASS - 12
    version = freeze_labels(ws, me, SLUG)
    frozen = read_version(version.folder, version.hash)
    one, again, other = (drawn_labels(frozen, 12, s)[1] for s in (5, 5, 6))
    assert one == again != other
    assert all(f.use == "train" for f in frozen if f.item_id in one)
    assert len(drawn_labels(frozen, 47, 1)[1]) == 47
    with pytest.raises(InputError, match="some must be left"):
        drawn_labels(frozen, 48, 1)


class Gadget:
    """A pickle that leaves a marker where it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def _bad_weights(kind: str, path: Path, marker: Path) -> None:
    state = networks.resnet18().state_dict()
    if kind == "gadget":
        path.write_bytes(pickle.dumps(Gadget(marker)))
    elif kind == "whole model":
        torch.save({"net": Gadget(marker)}, path)
    elif kind == "cut short":
        torch.save(state, path)
        path.write_bytes(path.read_bytes()[:5_000_000])
    elif kind == "another network":
        torch.save(networks.mobilenet_v3_small().state_dict(), path)
    elif kind == "NaN":
        state["fc.bias"][0] = float("nan")
        torch.save(state, path)
    elif kind == "huge header":
        path.write_bytes((2**62).to_bytes(8, "little") + b"{}")


@pytest.mark.parametrize(
    "kind", ["gadget", "whole model", "cut short", "another network", "NaN", "huge header"]
)
def test_weights_that_will_not_do_are_refused_unread(tints, tmp_path, kind):
    """Given by --weights: the job fails with a sentence naming the file; nothing in it was run (B91–B98)."""
    ws, me = tints
    path, marker = tmp_path / "given.pth", tmp_path / "marker"
    _bad_weights(kind, path, marker)
    for mode in ("probe", "fine-tune"):
        options = TrainingOptions(mode=mode, weights=path)
        job = done(ws, me, queue_training(ws, me, SLUG, "resnet18", 0, options))
        assert job.status is JobStatus.FAILED
        assert "given.pth" in (job.error or "")
        assert "unexpectedly" not in (job.error or "")
    assert not marker.exists()


def test_weights_from_a_file_are_used(tints, tmp_path):
    """A sound state dict serves where nothing is cached, and the report says so."""
    ws, me = tints
    torch.manual_seed(0)
    torch.save(networks.mobilenet_v3_small().state_dict(), tmp_path / "own.pth")
    options = TrainingOptions(weights=tmp_path / "own.pth")
    job = done(ws, me, queue_training(ws, me, SLUG, "mobilenet_v3_small", 0, options))
    assert job.status is JobStatus.DONE, job.error
    assert (job.result or {})["weights"] == "pretrained"


def test_several_answers_an_image_are_learnt_and_pre_labelled(tints, tmp_path):
    """A multi-label project may train; its pre-labels are sets."""
    ws, me = tints
    new = NewProject(
        "marks", Task.CLASSIFICATION, tuple(TINTS), several=("label",), use_shares=(0.7, 0.1, 0.2)
    )
    create_project(ws, me, new)
    _imported(ws, me, "marks", tmp_path / "photos")
    ready = training_readiness(ws, me, "marks")
    assert (ready.can_start, ready.classes_with_labels) == (True, 2)
    job = done(ws, me, queue_training(ws, me, "marks"))
    assert job.status is JobStatus.DONE, job.error
    found = job.result or {}
    assert found["mode"] == "probe"
    assert [row["label"] for row in found["sets"]["classes"]] == list(TINTS)
    assert found["sets"]["n"] == found["eval"]["n"] > 0
    card = model_card(ws, me, "marks", int(str(found["model"]))).to_markdown()
    assert all(word in card for word in ("mean AP", "F1"))
    said = done(ws, me, queue_prelabel(ws, me, "marks"))
    assert said.status is JobStatus.DONE, said.error
    with ws.store.read() as connection:
        answers = [Answer.from_json(r.answer) for r in connection.execute(select(predictions))]
    assert answers
    assert all(set(a.multi) == {"label"} for a in answers)


@pytest.mark.slow
def test_two_processes_train_one_model(tints):
    """A torchrun of two CPU processes ends with one model that both have taught."""
    ws, me = tints
    options = TrainingOptions(mode="fine-tune", minutes=0.05, processes=2)
    job = waited(
        ws, me, start_training(ws, me, SLUG, options=options), lambda j: not j.status.active
    )
    assert job.status is JobStatus.DONE, (job.error, _log(ws, job))
    found = dict(job.result or {})
    assert found["processes"] == 2
    assert found["eval"]["accuracy"] is not None
    assert (
        "--nproc-per-node=2" in _log(ws, job)
        or "--nproc-per-node=2" in (ws.root / job.folder / "worker.log").read_text()
    )


@pytest.mark.slow
def test_killed_mid_epoch_the_run_is_lost_and_resumed(tints):
    """SIGKILL of the whole group: the job is lost, its checkpoint resumes, and an app that restarted sees it (F18, F23)."""
    ws, me = tints
    options = TrainingOptions(mode="fine-tune", minutes=2.0)
    job = start_training(ws, me, SLUG, options=options)
    state = ws.root / job.folder / "label" / "run" / "state.json"
    waited(ws, me, job, lambda j: state.exists() and j.phase == "fine-tune" and j.done > 1)
    assert job.pid is not None
    for pid in _descendants(job.pid):
        os.kill(pid, signal.SIGKILL)
    again = open_workspace(ws.root)  # the app restarted meanwhile
    lost = waited(again, me, job, lambda j: not j.status.active)
    assert lost.status is JobStatus.LOST
    assert json.loads(state.read_text())
    with pytest.raises(InputError, match="had another mode"):
        queue_training(again, me, SLUG, options=TrainingOptions(mode="student", resume=True))
    resumed = queue_training(again, me, SLUG, options=TrainingOptions(resume=True))
    assert resumed.config["resume_of"] == job.id
    ended = done(again, me, resumed)
    assert ended.status is JobStatus.DONE, ended.error
    assert (ended.result or {})["resume_of"] == job.id
    with pytest.raises(NotFound, match="broken off"):  # it has come to its end
        queue_training(again, me, SLUG, options=TrainingOptions(resume=True))
    again.store.close()


def _descendants(pid: int) -> list[int]:
    """Return a process and all below it, the parents first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(d for child in children for d in _descendants(int(child)))]


def test_a_cancelled_run_keeps_its_checkpoint(tints, monkeypatch):
    """Cancelled in the middle of the steps: no model, and the run can be resumed."""
    ws, me = tints
    job = queue_training(ws, me, SLUG, options=TrainingOptions(mode="fine-tune", minutes=1.0))
    monkeypatch.setattr("core.services.models.reporting.HEARTBEAT_SECONDS", 0.02)
    run_job(ws, job.id, lambda p: cancel_job(ws, me, job.id) if p.phase == "fine-tune" else None)
    ended = get_job(ws, me, job.id)
    assert ended.status is JobStatus.CANCELLED
    resumed = queue_training(ws, me, SLUG, options=TrainingOptions(resume=job.id))
    assert resumed.config["resume_of"] == job.id


def test_the_command_for_one_machine_and_for_several(monkeypatch, tmp_path):
    """The same module: standalone on loopback, or meeting others at a place; never restarted by torchrun."""
    seen = []

    class Started:
        pid = 4

        def __init__(self, command, env, **_):
            seen.append((command, env))

    monkeypatch.setattr(processes.subprocess, "Popen", Started)
    processes.launch("some.module", ["--job", "7"], tmp_path / "worker.log", {}, 2)
    meeting = Rendezvous("10.0.0.1:29400", 3, "job-7")
    processes.launch("some.module", ["--job", "7"], tmp_path / "worker.log", {}, 1, meeting)
    (alone, env), (many, other) = seen
    assert {"--standalone", "--nproc-per-node=2", "--max-restarts=0"} <= set(alone)
    assert env["GLOO_SOCKET_IFNAME"] == "lo"
    assert int(env["OMP_NUM_THREADS"]) >= 1
    assert {"--nnodes=3", "--rdzv-endpoint=10.0.0.1:29400", "--rdzv-id=job-7"} <= set(many)
    assert "--standalone" not in many
    assert other.get("GLOO_SOCKET_IFNAME") == os.environ.get("GLOO_SOCKET_IFNAME")
    assert "--nnodes=3" in (tmp_path / "worker.log").read_text()
    assert not is_alive(2**22 + 1, 1.0)


def test_gpus_are_counted_without_torch(monkeypatch):
    """What CUDA_VISIBLE_DEVICES allows, else what the driver lists."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert processes.gpus_here() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert processes.gpus_here() == 0
