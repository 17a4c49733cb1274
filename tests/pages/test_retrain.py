"""The retrain page: readiness, a run under way, how runs end, models and which is in force."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.jobs.rows import JobStatus, create_job, finish_job, read_job, update_job
from core.labels.operations import AddClass, Rename
from core.learning.progress_file import append_metrics
from core.services.models import training
from core.services.models.promotion import list_models, record_promotion
from core.services.projects.project import get_project
from core.services.steering.schemas import edit_schema
from core.store.tables import dataset_versions, models
from tests.pages.browser import Visit, words
from tests.pages.house import House

REPORT = {
    "eval": {"on": "evaluate", "n": 40, "accuracy": 0.9, "low": 0.769, "high": 0.96},
    "per_class": [
        {"label": "oak", "n": 25, "accuracy": 0.92, "low": 0.75, "high": 0.98},
        {"label": "birch", "n": 0, "accuracy": None, "low": None, "high": None},
    ],
    "weights": "self-trained",
    "notice": "No weights could be had; a small network was trained on these images.",
    "device": "cpu",
    "seconds": 12.0,
    "n_train": 100,
}


def job_of(house: House, **values: object) -> int:
    """Write a training job as its worker would have left it."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    with house.ws.store.write() as connection:
        job_id = create_job(connection, project.id, "train", {}, 1, house.ws.clock())
        update_job(connection, job_id, heartbeat_at=house.ws.clock(), **values)
    return job_id


def model_of(house: House, promoted: bool) -> int:
    """Register a model with its report."""
    project = get_project(house.ws, house.actor("mia"), "leaves")
    job_id = job_of(house)
    with house.ws.store.write() as connection:
        finish_job(connection, job_id, JobStatus.DONE, house.ws.clock())
        version = connection.execute(
            dataset_versions.insert().returning(dataset_versions.c.id),
            {
                "project_id": project.id, "name": f"v{job_id}", "hash": f"h{job_id}", "folder": "v",
                "n_items": 100, "by_id": 1, "at": house.ws.clock(),
            },
        ).scalar_one()  # fmt: skip
        model_id = connection.execute(
            models.insert().returning(models.c.id),
            {
                "project_id": project.id, "job_id": job_id, "dataset_version_id": version,
                "backbone": "tiny", "folder": "r", "report": json.dumps(REPORT), "at": house.ws.clock(),
            },
        ).scalar_one()  # fmt: skip
        if promoted:
            record_promotion(
                connection, project.id, model_id, "first", house.actor("mia"), house.ws.clock()
            )
    return int(model_id)


def test_too_few_labels_say_what_is_missing(house: House, monkeypatch) -> None:
    """Training cannot be started, and the page says how many labels there are."""
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    assert not at.exception
    assert "at least two classes, found 0" in words(at)
    assert "tiebreak prelabel leaves --general mobilenet_v2" in words(at)
    assert at.button(key="retrain.start").disabled


def test_a_project_of_boxes_says_what_is_missing(house: House, monkeypatch) -> None:
    """Without labels it cannot be started, and what it cannot compare or certify is said in words."""
    at = Visit(house, monkeypatch, "mia").open("retrain", project="cells")
    assert not at.exception
    assert at.button(key="retrain.start").disabled


def test_a_run_under_way_is_read_from_its_row(house: House, monkeypatch) -> None:
    """Opening the page anew shows phase, share and time left; nothing lives in the session."""
    job_of(
        house, status="running", started_at=house.ws.clock() - 30, phase="embed", done=30, total=120,
        seconds_left=75.0, metrics={"loss": 0.25},
    )  # fmt: skip
    for _visit in range(2):
        at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
        assert not at.exception
        assert "Training is under way" in words(at)
        (bar,) = at.get("progress")
        assert bar.proto.value == 25
        assert bar.proto.text == "Looking at every image · 30 of 120 · about 75 seconds left"
        assert "Loss: 0.25" in words(at)


def test_a_run_shows_its_curve_and_the_card_it_runs_on(
    house: House, monkeypatch, tmp_path: Path
) -> None:
    """What it wrote at each judging is a curve; the graphics card is told by its driver's own tool."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'NVIDIA H200, 20480, 143771, 87'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    job_id = job_of(
        house, status="running", started_at=house.ws.clock() - 30, phase="fine-tune", done=40,
        total=120, seconds_left=75.0, folder="runs/leaves/00001",
        metrics={"loss": 0.41, "images_per_second": 812.0, "batch": 64},
    )  # fmt: skip
    rows = ({"step": n, "loss": 1 / n, "accuracy": 0.5 + n / 100} for n in (10, 20, 30))
    for row in rows:
        append_metrics(house.ws.root / "runs/leaves/00001/label/run", row)
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    assert not at.exception
    text = words(at)
    assert "Images a second: 812" in text
    assert "NVIDIA H200 · 20.0 / 140 GB of memory · 87 % busy" in text
    (chart,) = at.get("plotly_chart")
    assert "Accuracy on held-out labels" in chart.proto.spec
    assert f"Run {job_id}, started" in text


def test_nothing_is_left_of_a_phase_that_is_done(house: House, monkeypatch) -> None:
    """At 120 of 120 no time is left to wait for, also while the next phase starts."""
    job_of(
        house, status="running", started_at=house.ws.clock(), phase="embed", done=120, total=120,
        seconds_left=0.0,
    )  # fmt: skip
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    (bar,) = at.get("progress")
    assert bar.proto.text == "Looking at every image · 120 of 120"


def test_cancelling_needs_a_second_click_and_is_said(house: House, monkeypatch) -> None:
    """The request is in the record; the button is gone."""
    job_id = job_of(house, status="running", started_at=house.ws.clock(), phase="fit")
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    at.button(key="retrain.cancel").click().run()
    with house.ws.store.read() as connection:
        assert read_job(connection, job_id).cancel_requested
    assert "Training is being stopped" in words(at)
    assert not [b for b in at.button if b.key == "retrain.cancel"]


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (JobStatus.FAILED, "The device has no memory left.", "The last run failed"),
        (JobStatus.LOST, "The worker stopped without saying why.", "The last run was lost"),
        (JobStatus.CANCELLED, None, "The last run was cancelled"),
    ],
)
def test_how_a_run_ended_is_said_in_its_own_words(house: House, monkeypatch, status, error, said):
    """A run that reached no goal leaves its sentence, and one may start again."""
    job_id = job_of(house, status="running")
    with house.ws.store.write() as connection:
        finish_job(connection, job_id, status, house.ws.clock(), error=error)
    text = words(Visit(house, monkeypatch, "mia").open("retrain", project="leaves"))
    assert said in text
    assert (error or "Nothing of it is in force") in text


def test_a_model_comes_with_n_interval_grounds_and_notice(house: House, monkeypatch) -> None:
    """What a reader must know to believe the figure stands beside it."""
    model_of(house, promoted=True)
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    assert not at.exception
    text = words(at)
    assert "90.0 %" in text
    assert "76.9 % – 96.0 % · n = 40" in text
    assert "drawn at random before labelling" in text
    assert "a small network was trained on these images" in text
    assert "in force" in text


def test_putting_a_model_in_force_needs_a_reason_and_its_files(house: House, monkeypatch) -> None:
    """Without a reason nothing changes; nor with one where the model's files are gone, and it is said."""
    first = model_of(house, promoted=True)
    newer = model_of(house, promoted=False)
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    button = next(b for b in at.button if b.label == "Put in force")
    button.click().run()
    assert "needs a reason" in words(at)
    at.text_input(key=f"retrain.promote.{newer}.reason").input("better on birch")
    next(b for b in at.button if b.label == "Put in force").click().run()
    assert f"Model {newer} was not put in force. The model cannot be served" in words(at)
    promoted = [m.id for m in list_models(house.ws, house.actor("mia"), "leaves") if m.promoted]
    assert promoted == [first]


def test_an_expert_may_not_train(house: House, monkeypatch) -> None:
    """Training is for those who steer."""
    at = Visit(house, monkeypatch, "ada").open("retrain", project="leaves")
    assert "not part of your role" in words(at)


def test_a_model_whose_classes_changed_since_is_marked_stale(house: House, monkeypatch) -> None:
    """The page says what changed, escaped; a rename alone says nothing."""
    model_of(house, promoted=True)
    lead = house.actor("leo")
    edit_schema(house.ws, lead, "leaves", [Rename("label", 0, "acer")], "x", 1)
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    assert "This model is stale." not in words(at)
    edit_schema(house.ws, lead, "leaves", [AddClass("label", "<img src=x>")], "x", 2)
    at = Visit(house, monkeypatch, "mia").open("retrain", project="leaves")
    assert "This model is stale." in words(at)
    assert "&#x27;&lt;img src=x&gt;&#x27; was added" in words(at)
    assert any("stale" in option for option in at.selectbox(key="choice.model").options)
    monkeypatch.setattr(training, "start_prelabel", training.queue_prelabel)  # starts no process
    at.button(key="retrain.prelabel").click().run()
    assert any("with a stale model" in t.value for t in (*at.toast, *at.success))
