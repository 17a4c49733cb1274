"""Pre-labels from a ready-made model: what is proposed, what stays, what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from sqlalchemy import Connection, func, select

from core.access import Actor
from core.errors import InputError
from core.jobs.rows import JobStatus
from core.labels import Answer
from core.labels.schema import Task
from core.services.accounts.people import operator
from core.services.items.about import about_item
from core.services.models.general import GeneralOptions, queue_general, read_pairs
from core.services.models.jobs import get_job
from core.services.models.prelabels import run_count
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace, open_workspace
from core.store.tables import audit, item_state, jobs, prediction_sets, predictions
from tests.rigged import NAME, weights_that_see_people

SLUG = "photos"
CLASSES = ("dog", "Tow_Truck", "macaw", "guitar", "spaceship")
GIVEN = GeneralOptions(read_pairs(["dog=boxer|chow|basenji", "guitar=acoustic guitar"]))
PHOTOS = {
    "boxer": "dog",
    "macaw": "macaw",
    "tow_truck": "Tow_Truck",
    "acoustic_guitar": "guitar",
    "pizza": None,
}
"""A category of ImageNet each, and the class it should be taken for."""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workspace, Actor]]:
    """Give a workspace on a machine without weights or a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ws = open_workspace(tmp_path / "workspace")
    yield ws, operator(ws)
    ws.store.close()
    torch.set_num_threads(threads)


@pytest.fixture
def photos(
    empty: tuple[Workspace, Actor],
    shared_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Workspace, Actor]:
    """Give a project of five real photos without a label, and published weights."""
    found = shared_dir / "datasets" / "imagenet_sample" / "images"
    monkeypatch.setenv("TORCH_HOME", str(shared_dir / "weights"))
    if not found.is_dir() or not any((shared_dir / "weights").rglob("mobilenet_v2*.pth")):
        pytest.skip("the sample photos or the weights are not there")
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in PHOTOS:
        shutil.copy(next(found.glob(f"*_{name}.jpg")), folder / f"{name}.jpg")
    ws, me = empty
    create_project(ws, me, NewProject(SLUG, Task.CLASSIFICATION, CLASSES))
    import_data(ws, me, SLUG, folder, ImportOptions(what="items"))
    return ws, me


def general(ws: Workspace, me: Actor, name: str, options: GeneralOptions) -> dict:
    """Let a general model work in this process and return what its job kept."""
    job = queue_general(ws, me, SLUG, name, options)
    run_job(ws, job.id)
    ended = get_job(ws, me, job.id)
    assert ended.status is JobStatus.DONE, ended.error
    return dict(ended.result or {})


def in_force(ws: Workspace) -> dict[str, tuple[str | None, str]]:
    """Return class and origin of the pre-label in force, by the file's name."""
    from core.services.visibility.views import names_of

    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.item_id, item_state.c.predicted, prediction_sets.c.name)
            .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
            .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        ).all()
        names = names_of(connection, [r.item_id for r in rows])
    return {Path(names[r.item_id][0]).stem: (r.predicted, r.name) for r in rows}


def counted(connection: Connection) -> list[int]:
    """Return how many rows the tables hold that such a run writes."""
    tables = (predictions, prediction_sets, jobs, audit)
    return [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]


def test_a_general_model_proposes_without_any_label(photos) -> None:
    """Classes it has categories for are proposed with their origin; again adds nothing."""
    ws, me = photos
    result = general(ws, me, "mobilenet_v2", GIVEN)
    told = {k: result[k] for k in ("looked_at", "items", "none_of_these", "uncovered", "kept")}
    assert told == {
        "looked_at": 5, "items": 4, "none_of_these": 1, "uncovered": ["spaceship"], "kept": 0
    }  # fmt: skip
    found = in_force(ws)
    assert {k: v for k, (v, _) in found.items()} == {k: v for k, v in PHOTOS.items() if v}
    origin = (
        "general model mobilenet_v2 (dog = boxer, chow, basenji; Tow_Truck = tow truck; "
        "macaw = macaw; guitar = acoustic guitar)"
    )
    assert {name for _, name in found.values()} == {origin}
    with ws.store.read() as connection:
        assert connection.execute(select(prediction_sets.c.model_id)).scalars().all() == [None]
        states = connection.execute(select(item_state.c.state, item_state.c.final_seq)).all()
        item = connection.execute(
            select(item_state.c.item_id).where(item_state.c.predicted == "macaw")
        ).scalar_one()
        before = counted(connection)[:2]
    assert set(states) == {("open", None)}  # nobody has said anything
    history = about_item(ws, me, SLUG, item).history
    assert [(r.who, r.what) for r in history if r.kind == "prelabel"] == [(origin, "macaw")]
    again = general(ws, me, "mobilenet_v2", GIVEN)
    assert (again["items"], again["unchanged"], again["none_of_these"]) == (0, 4, 1)
    with ws.store.read() as connection:
        assert counted(connection)[:2] == before


def test_what_is_known_of_an_item_stays(photos, tmp_path: Path) -> None:
    """A file's pre-label stays in force, a labelled item is not looked at, fewer classes propose less."""
    ws, me = photos
    for what, row in (
        ("predictions", "boxer.jpg,spaceship"),
        ("labels", "acoustic_guitar.jpg,guitar"),
    ):
        table = tmp_path / f"{what}.csv"
        table.write_text(f"file,label\n{row}\n")
        import_data(ws, me, SLUG, table, ImportOptions(what=what))
    only = GeneralOptions({"dog": ("boxer",)}, classes=("macaw", "dog"), count=3)
    result = general(ws, me, "mobilenet_v2", only)
    assert (result["looked_at"], result["kept"], result["items"]) == (3, 1, 1)
    assert (list(result["covered"]), result["uncovered"]) == (["dog", "macaw"], [])
    found = in_force(ws)
    assert found["boxer"][0] == "spaceship"
    assert set(found) == {"boxer", "macaw"}
    second = general(ws, me, "mobilenet_v2", GeneralOptions(classes=("tow truck",)))
    assert (second["items"], second["notice"]) == (
        1,
        "1 of them keep what an earlier run proposed.",
    )


def test_a_general_detector_proposes_boxes(empty, tmp_path: Path) -> None:
    """Boxes take the project's class; an image without one is left to people."""
    ws, me = empty
    (tmp_path / "site").mkdir()
    for n in range(2):
        Image.new("RGB", (120, 80 + n), (90, 120, 60)).save(tmp_path / "site" / f"{n}.png")
    create_project(ws, me, NewProject(SLUG, Task.BOXES, ("worker", "dog")))
    import_data(ws, me, SLUG, tmp_path / "site", ImportOptions(what="items"))
    weights = weights_that_see_people(tmp_path)
    dogs = general(ws, me, NAME, GeneralOptions(classes=("dog",), weights=weights))
    assert (dogs["items"], dogs["none_of_these"]) == (0, 2)
    meanings = {"worker": ("person",)}
    result = general(ws, me, NAME, GeneralOptions(meanings, weights=weights))
    assert (result["items"], result["covered"]) == (2, {"worker": ["person"], "dog": ["dog"]})
    with ws.store.read() as connection:
        rows = connection.execute(select(predictions.c.answer, predictions.c.confidence)).all()
    regions = [r for row in rows for r in Answer.from_json(row.answer).regions]
    assert {r.label for r in regions} == {"worker"}
    assert all((r.confidence or 0) >= 0.5 for r in regions)
    assert all(0.5 <= row.confidence <= 1 for row in rows)


@pytest.mark.parametrize(
    ("new", "name", "options", "words"),
    [
        (NewProject(SLUG, Task.CLASSIFICATION, ("rust", "mildew")), "mobilenet_v2",
         GeneralOptions(), "no category of the name of any class asked for (rust, mildew)"),
        (NewProject(SLUG, Task.CLASSIFICATION, ("macaw", "owl")), "mobilenet_v2",
         GeneralOptions(), "No weights of 'mobilenet_v2' are in torch's cache"),
        (NewProject(SLUG, Task.CLASSIFICATION, ("macaw", "owl")), "ssd300_vgg16",
         GeneralOptions(), "is a detector; this project needs a classifier"),
        (NewProject(SLUG, Task.CLASSIFICATION, ("macaw", "owl")), "mobilenet_v2",
         GeneralOptions(count=0), "The count is at least 1, found 0"),
        (NewProject(SLUG, Task.CLASSIFICATION, ("macaw", "owl"), several=("label",)), "mobilenet_v2",
         GeneralOptions(), "asks for several answers"),
        (NewProject(SLUG, Task.POLYGONS, ("person",)), "maskrcnn_resnet50_fpn",
         GeneralOptions(), "asks for polygons"),
    ],
    ids=["uncovered", "no weights", "detector", "count", "several", "polygons"],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_and_nothing_written(
    empty, new: NewProject, name: str, options: GeneralOptions, words: str
) -> None:
    """One sentence, what to do, and the record as it was."""
    ws, me = empty
    create_project(ws, me, new)
    with ws.store.read() as connection:
        before = counted(connection)
    with pytest.raises(InputError) as refused:
        queue_general(ws, me, SLUG, name, options)
    assert words in refused.value.message
    assert "othing was changed" in refused.value.message or "nothing" in refused.value.message
    assert refused.value.advice
    with ws.store.read() as connection:
        assert counted(connection) == before


def test_a_general_model_takes_a_hundred_at_least() -> None:
    """Fewer than a hundred are never asked for, where there are as many; all by default (O32)."""
    table = {(99, 10): 99, (100, 10): 100, (500, 10): 100, (500, 250): 250, (500, 900): 500}
    assert {k: run_count(*k) for k in table} == table
    assert run_count(500, None) == 500
