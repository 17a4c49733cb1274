"""The demo: drawn or real images, simulated people, everything in through the services."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.errors import ConflictError
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.demo import Demo, make_demo, reset_demo
from core.services.doctor import examine
from core.services.people import operator
from core.services.projects import NewProject, create_project, get_project
from core.services.resolve import resolve
from core.services.sessions import demo_people
from core.services.versions import labels_in_force
from core.services.workspace import Workspace, open_workspace
from core.store.tables import annotation_log, decisions, item_state, models, predictions
from data.leaves import generate_leaves


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, Workspace]:
    """Give a small demo made on a machine without weights."""
    root = tmp_path_factory.mktemp("demo") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEBREAK_OFFLINE", "true")
        patch.setenv("TIEBREAK_DEMO", "true")
        patch.setenv("TORCH_HOME", str(root.parent / "no-weights"))
        patch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "2")
        demo = make_demo(root, 11, lambda *_: None, images=(110, 14))
        return demo, open_workspace(root)


def test_both_projects_are_worked_on_and_not_done(small: tuple[Demo, Workspace]) -> None:
    """There are votes, decisions, a model and pre-labels, open items and disputes or settled ones."""
    demo, ws = small
    assert demo.projects == ("tree-leaves", "blood-smear")
    with ws.store.read() as connection:
        for table in (annotation_log, decisions, models, predictions):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() > 0
        states = set(connection.execute(select(item_state.c.state)).scalars())
    assert {ItemState.OPEN, ItemState.AGREED, ItemState.IMPORTED} <= states
    assert all(c.ok for c in examine(ws))


def test_planted_errors_are_the_labels_in_force(small: tuple[Demo, Workspace]) -> None:
    """Where the truth file says planted, the final label is wrong; it names every item once."""
    demo, ws = small
    rows = {r["file"]: r for r in csv.DictReader(demo.truth["tree-leaves"].open())}
    with ws.store.read() as connection:
        project = get_project(ws, operator(ws), "tree-leaves")
        final = {f.name: f.label for f in labels_in_force(connection, project)}
    planted = [f for f, r in rows.items() if r["planted_error"] == "1"]
    assert len(planted) == round(0.02 * len(rows))
    assert all(final[f] != rows[f]["label"] for f in planted)


def test_the_record_holds_together(small: tuple[Demo, Workspace]) -> None:
    """Deriving every label anew changes none."""
    _, ws = small
    for slug in ("tree-leaves", "blood-smear"):
        assert resolve(ws, operator(ws), slug).changed == 0


def test_people_of_every_role_can_be_tried(small: tuple[Demo, Workspace]) -> None:
    """There is somebody of each role to become with one click."""
    assert [p.role.value for p in demo_people(small[1])].count("expert") == 4
    assert {p.role.value for p in demo_people(small[1])} == {"expert", "lead", "manager", "admin"}


def test_a_second_start_keeps_what_was_done(small: tuple[Demo, Workspace]) -> None:
    """Starting again returns the same demo at once and draws nothing."""
    demo, ws = small
    again = make_demo(ws.root, 99, lambda *_: pytest.fail("it began to work"))
    assert (again.projects, again.seed, again.fresh) == (demo.projects, 11, False)


def test_a_folder_of_real_images_serves_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Class folders give the classes and the truth; the people are simulated all the same."""
    monkeypatch.setenv("TIEBREAK_OFFLINE", "true")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-weights"))
    monkeypatch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "2")
    source = tmp_path / "my leaves"
    drawn = generate_leaves(tmp_path / "drawn", 5, count=60)
    for item in drawn.items:
        target = source / item.answer.choices["species"] / item.file
        target.parent.mkdir(parents=True, exist_ok=True)
        item.data_path.rename(target)
    demo = make_demo(tmp_path / "ws", 1, lambda *_: None, [source])
    assert demo.projects == ("my-leaves",)
    ws = open_workspace(tmp_path / "ws")
    project = get_project(ws, operator(ws), "my-leaves")
    assert project.simulated
    assert project.n_items == len({p.read_bytes() for p in source.rglob("*.jpg")})
    assert set(project.schema.classes) == {p.name for p in source.iterdir()}
    assert source.exists()


def test_reset_never_deletes_own_work(tmp_path: Path) -> None:
    """A workspace with somebody's own project is moved aside, and a demo never goes into it."""
    root = tmp_path / "ws"
    ws = open_workspace(root)
    create_project(ws, operator(ws), NewProject("mine", Task.CLASSIFICATION, ("a", "b")))
    ws.store.close()
    with pytest.raises(ConflictError, match="no demo"):
        make_demo(root, 1, lambda *_: None)
    moved = reset_demo(root)
    assert moved is not None
    assert not root.exists()
    kept = open_workspace(moved)
    assert get_project(kept, operator(kept), "mine").slug == "mine"
