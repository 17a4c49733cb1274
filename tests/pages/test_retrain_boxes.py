"""The retrain page of a project that asks for boxes: two detectors whose files lie there, none of them run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.jobs.rows import JobStatus, create_job, finish_job
from core.labels import Answer, Region
from core.labels.schema import Task
from core.services.consensus.resolve import resolve_items
from core.services.models.datasets import freeze_labels
from core.services.models.prelabels import Prediction, store_predictions
from core.services.workspace import current_workspace
from core.store.tables import annotation_log, models
from tests.pages.browser import Visit, words
from tests.pages.house import House
from tests.record import World, add_items, boxes, make_cast, make_project

TRUE = boxes((10, 10, 30, 30), (40, 40, 60, 60))
REPORT = {
    "eval": {"on": "evaluate", "map50": 0.812, "low": 0.74, "high": 0.87, "n": 60},
    "per_class": [{"label": "cat", "ap50": 0.812, "n": 60, "low": 0.74, "high": 0.87}],
    "threshold": 0.5, "n_train": 20, "device": "cpu", "seconds": 320.0,
}  # fmt: skip


@pytest.fixture
def cells(sqlite_ws, monkeypatch: pytest.MonkeyPatch) -> House:
    """Give 20 images to learn from, 30 checked ones, and two detectors: one misses every third box pair."""
    project = make_project(sqlite_ws, "cells", Policy(overlap=1), Task.BOXES)
    ids = [*add_items(sqlite_ws, project, 20), *add_items(sqlite_ws, project, 30, "evaluate", 20)]
    world = World(sqlite_ws, project, ids, make_cast(sqlite_ws, "cells", 1))
    _draw(world, ids)
    for missed in (3, 10):
        _detector(world, missed)
    monkeypatch.setenv("TIEBREAK_WORKSPACE", str(sqlite_ws.root))
    current_workspace.cache_clear()
    cast = world.cast
    people = {"lead": cast.lead.person_id, "manager": cast.manager.person_id}
    yield House(current_workspace(), people, sqlite_ws.root)
    current_workspace().store.close()
    current_workspace.cache_clear()


def _draw(world: World, ids: list[int]) -> None:
    rows = [
        {
            "uuid": new_uuid(), "project_id": world.project.id, "item_id": i,
            "person_id": world.cast.experts[0].person_id, "revision": 1, "kind": "vote",
            "answer": TRUE.to_json(), "reason": "", "schema_version": 1, "guideline_version": 1,
            "prelabel_shown": False, "active_seconds": 9.0, "at": world.ws.clock(),
        }
        for i in ids
    ]  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(annotation_log.insert(), rows)
        resolve_items(connection, world.project, ids, world.ws.clock())


def _detector(world: World, missed: int) -> None:
    ws, lead = world.ws, world.cast.lead
    said = {
        i: Answer({}, _sure(TRUE.regions[: 1 if n % missed == 0 else 2]))
        for n, i in enumerate(world.items[20:])
    }
    with ws.store.write() as connection:
        job = create_job(connection, world.project.id, "train", {}, lead.person_id, 1.0)
        finish_job(connection, job, JobStatus.DONE, 2.0, result=REPORT)
    version = freeze_labels(ws, lead, world.slug)
    folder = ws.runs / world.slug / f"{job:05d}"
    _files(folder / world.project.schema.main.key, said)
    with ws.store.write() as connection:
        model = connection.execute(
            models.insert().returning(models.c.id),
            {
                "project_id": world.project.id, "job_id": job, "dataset_version_id": version.id,
                "backbone": "mobilenet_v2", "folder": str(folder.relative_to(ws.root)),
                "report": json.dumps(REPORT), "schema_version": 1, "at": ws.clock() + job, "task": "boxes",
            },
        ).scalar_one()  # fmt: skip
        rows = [Prediction(i, answer, 0.8) for i, answer in said.items()]
        store_predictions(connection, world.project, rows, f"model {model}", 2.0, model_id=model)


def _sure(regions: tuple[Region, ...]) -> tuple[Region, ...]:
    return tuple(
        Region(r.label, *r.box, 0.9 - 0.3 * n) for n, r in enumerate(regions) if r.box is not None
    )


def _files(folder: Path, said: dict[int, Answer]) -> None:
    folder.mkdir(parents=True)
    regions = json.dumps({str(i): a.to_dict()["regions"] for i, a in said.items()}).encode()
    (folder / "regions.json").write_bytes(regions)
    digests = {"regions.json": hashlib.sha256(regions).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"format": "detector-1", "sha256": digests}))


def test_a_detector_is_told_by_its_average_precision(cells: House, monkeypatch) -> None:
    """Figure, classes, ledger of models and of runs say what it is, with interval and n."""
    at = Visit(cells, monkeypatch, "manager").open("retrain", project="cells")
    assert not at.exception
    text = words(at)
    assert "Model 2: mean AP at IoU 0.5" in text
    assert text.count("81.2 % AP") == 4  # two models, two runs
    assert "74.0 – 87.0 %, n = 60" in text
    assert "average precision" in text
    offered = at.selectbox(key="choice.network").options
    assert any("Faster R-CNN" in name for name in offered)
    assert at.number_input(key="retrain.minutes").value > 0


def test_two_detectors_are_compared(cells: House, monkeypatch) -> None:
    """Region by region on the same frozen images, with test and the images where they differ."""
    at = Visit(cells, monkeypatch, "manager").open("retrain", project="cells", view="compare")
    assert not at.exception
    text = words(at)
    assert "Difference, paired" in text
    assert "Images where they differ" in text
    assert "An image is right where every region is found" in text


def test_the_trade_of_a_threshold_is_shown(cells: House, monkeypatch) -> None:
    """Found, missed, misplaced and the rest at the threshold chosen, with an interval of what is found."""
    at = Visit(cells, monkeypatch, "manager").open("retrain", project="cells", view="certificate")
    assert not at.exception
    text = words(at)
    assert "What a detection threshold trades" in text
    assert "Of the true regions found: 95.0 %" in text
    at.select_slider(key="theatre.trade").set_value(0.8).run()
    assert "Of the true regions found: 50.0 %" in words(at)


@pytest.mark.parametrize(
    ("view", "said"),
    [("next", "Ordered in the queue"), ("simulate", "Not for this project")],
)
def test_what_a_detector_cannot_do_is_said(cells: House, monkeypatch, view: str, said: str) -> None:
    """One plain sentence stands where choosing or simulating is not for regions."""
    at = Visit(cells, monkeypatch, "lead").open("retrain", project="cells", view=view)
    assert not at.exception
    assert said in words(at)
