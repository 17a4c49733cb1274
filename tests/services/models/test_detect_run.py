"""Detectors as services make them: import regions, train, judge, check, pre-label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from sqlalchemy import select

from core.access import Actor
from core.jobs.rows import Job, JobStatus
from core.labels import Answer, Region
from core.labels.schema import Task
from core.learning.recipes import NAMED, Recipe
from core.services.accounts.people import operator
from core.services.models.detect_job import any_way_up_in, sureness
from core.services.models.jobs import get_job
from core.services.models.options import TrainingOptions
from core.services.models.skew import check_serving
from core.services.models.training import queue_prelabel, queue_training, training_readiness
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.store.tables import models, predictions
from tests.learning.detect.drawn import CLASSES, drawn_examples

SLUG = "things"


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workspace, Actor]]:
    """Give a project of drawn discs and squares with every box, and no weights on the machine."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    monkeypatch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "0.5")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ws = open_workspace(tmp_path / "workspace")
    me = operator(ws)
    create_project(ws, me, NewProject(SLUG, Task.BOXES, CLASSES, use_shares=(1.0, 0.0, 0.0)))
    import_data(
        ws, me, SLUG, _written(tmp_path / "set"), ImportOptions(what="labels", format="coco")
    )
    yield ws, me
    ws.store.close()
    torch.set_num_threads(threads)


def _written(folder: Path) -> Path:
    """Write drawn images with a COCO file of their boxes, and return its folder."""
    examples = drawn_examples(folder, 24)
    doc = {
        "images": [
            {"id": e.image.item_id, "file_name": e.image.path.name, "width": 128, "height": 96}
            for e in examples
        ],
        "categories": [{"id": k, "name": c} for k, c in enumerate(CLASSES, 1)],
        "annotations": [],
    }
    rows = [(e.image.item_id, r) for e in examples for r in e.regions]
    doc["annotations"] = [
        {
            "id": n, "image_id": i, "category_id": CLASSES.index(r.label) + 1, "area": r.area,
            "bbox": [r.x1, r.y1, r.x2 - r.x1, r.y2 - r.y1], "iscrowd": 0,
        }
        for n, (i, r) in enumerate(rows, 1)
    ]  # fmt: skip
    (folder / "boxes.json").write_text(json.dumps(doc))
    return folder


def done(ws: Workspace, me: Actor, job: Job) -> Job:
    """Run a queued job in this process and return how it ended."""
    run_job(ws, job.id)
    return get_job(ws, me, job.id)


def test_a_detector_is_trained_judged_and_pre_labels(things) -> None:
    """From a draw of labels: judged on all others, in force, serving alike, its regions proposed."""
    ws, me = things
    assert training_readiness(ws, me, SLUG).can_start
    options = TrainingOptions(minutes=0.03, labels=8)
    job = done(ws, me, queue_training(ws, me, SLUG, options=options))
    assert job.status is JobStatus.DONE, job.error
    assert job.result["eval"]["n"] == 16
    assert job.result["eval"]["on"] == "all others"
    assert 0 <= job.result["eval"]["low"] <= job.result["eval"]["map50"] <= 1
    assert [row["label"] for row in job.result["per_class"]] == list(CLASSES)
    assert len(job.result["trained_on"]) == 8
    assert job.result["way_up"]["images"] == 8
    assert job.result["way_up"]["why"] in job.result["notice"]
    with ws.store.read() as connection:
        row = connection.execute(select(models)).one()
    assert (row.task, row.mode) == ("boxes", "fine-tune")

    check = check_serving(ws, me, SLUG, row.id)
    assert check.passed, check.sentence

    told = done(ws, me, queue_prelabel(ws, me, SLUG))
    assert told.status is JobStatus.DONE, told.error
    assert told.result["items"] == 16
    with ws.store.read() as connection:
        said = connection.execute(select(predictions)).all()
    assert not {s.item_id for s in said} & set(job.result["trained_on"])
    for found in said:
        assert 0 <= found.confidence <= 1
        for region in Answer.from_json(found.answer).regions:
            assert region.label in CLASSES
            assert region.confidence is not None


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (None, None),
        (NAMED["standard"].to_dict(), None),
        (NAMED["none"].to_dict(), False),
        (Recipe(upside_down=0.5).to_dict(), True),
    ],
)
def test_a_recipe_has_the_last_word_on_turning(recipe, said) -> None:
    """One that puts images upside down turns them, one without mirroring does not, others ask the images."""
    assert any_way_up_in(recipe) is said


@pytest.mark.parametrize(
    ("scores", "sure"),
    [((), 1.0), ((0.05,), 0.95), ((0.9,), 0.9), ((0.5,), 0.5), ((0.9, 0.3), 0.8)],
)
def test_an_item_is_as_sure_as_its_regions(scores, sure) -> None:
    """Regions that may as well be there as not make an item unsure, surely absent ones do not."""
    said = [Region("disc", 0, 0, 5, 5, s) for s in scores]
    assert sureness(said) == pytest.approx(sure)
