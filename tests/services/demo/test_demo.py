"""The demo: drawn or real images, simulated people, everything in through the services."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.errors import ConflictError
from core.jobs.rows import JobStatus
from core.labels import Answer
from core.labels.operations import AddClass
from core.labels.region import Shape
from core.labels.schema import Task
from core.labels.state import ItemState
from core.services.accounts.people import list_people, load_actor, operator
from core.services.accounts.sessions import demo_people
from core.services.analytics.people_quality import everybodys_quality
from core.services.consensus.resolve import resolve
from core.services.demo.build import Demo, make_demo, reset_demo
from core.services.demo.filling import first_labelled
from core.services.doctor import examine
from core.services.items.lists import list_lists
from core.services.models.datasets import labels_in_force
from core.services.models.jobs import get_job
from core.services.models.training import queue_prelabel
from core.services.models.worker import run_job
from core.services.projects.project import NewProject, create_project, get_project, load_project
from core.services.projects.queue_plans import get_queue_plan
from core.services.review.admission import mixed_marks
from core.services.steering.schemas import edit_schema
from core.services.talk.waiting import waiting_threads
from core.services.workspace import Workspace, open_workspace
from core.store.tables import (
    annotation_log,
    comments,
    decisions,
    gold_answers,
    item_state,
    items,
    models,
    predictions,
)
from data.leaves import generate_leaves, plan_leaves


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, Workspace]:
    """Give a small demo made on a machine without weights."""
    root = tmp_path_factory.mktemp("demo") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEBREAK_OFFLINE", "true")
        patch.setenv("TIEBREAK_DEMO", "true")
        patch.setenv("TORCH_HOME", str(root.parent / "no-weights"))
        patch.setenv("TIEBREAK_SELF_TRAINING_SECONDS", "2")
        demo = make_demo(root, 11, lambda *_: None, images=(110, 14, 6, 4))
        return demo, open_workspace(root)


def test_all_projects_are_worked_on_and_not_done(small: tuple[Demo, Workspace]) -> None:
    """There are votes, decisions, a model and pre-labels, open items and disputes or settled ones."""
    demo, ws = small
    assert demo.projects == ("tree-leaves", "blood-smear", "leaf-spots", "leaf-points")
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
    for slug in small[0].projects:
        assert resolve(ws, operator(ws), slug).changed == 0


@pytest.mark.parametrize(
    ("slug", "shape"), [("leaf-spots", Shape.POLYGON), ("leaf-points", Shape.KEYPOINTS)]
)
def test_shapes_come_drawn_by_a_model(
    small: tuple[Demo, Workspace], slug: str, shape: Shape
) -> None:
    """Every image of a shape project has a pre-label, near the truth but not equal to it."""
    demo, ws = small
    project = get_project(ws, operator(ws), slug)
    assert project.simulated
    truth = demo.truth[slug].read_text()
    with ws.store.read() as connection:
        rows = connection.execute(
            select(item_state.c.state, predictions.c.answer)
            .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
            .where(item_state.c.project_id == project.id)
        ).all()
    assert len(rows) == project.n_items > 0
    assert ItemState.OPEN in {r.state for r in rows}
    said = [r for row in rows for r in Answer.from_json(row.answer).regions]
    assert {r.shape for r in said} == {shape}
    assert all(r.confidence is not None for r in said)
    assert not any(str(r.points[0][0]) in truth and str(r.points[1][0]) in truth for r in said)


def test_pre_labels_bring_their_likeliest_classes(small: tuple[Demo, Workspace]) -> None:
    """What the demo's own model says names up to five classes with their probabilities."""
    _, ws = small
    project = get_project(ws, operator(ws), "tree-leaves")
    with ws.store.read() as connection:
        tops = list(
            connection.execute(
                select(predictions.c.top).where(predictions.c.project_id == project.id)
            ).scalars()
        )
    assert tops
    assert all(1 < len(json.loads(top)) <= 5 for top in tops)


def test_examples_of_the_guideline_teach_nothing_that_is_measured(
    small: tuple[Demo, Workspace],
) -> None:
    """Good and bad ones, none of evaluate or gold, in force before anybody voted."""
    _, ws = small
    project = get_project(ws, operator(ws), "tree-leaves")
    shown = [e.item_id for e in project.guideline_examples]
    assert {e.good for e in project.guideline_examples} == {True, False}
    with ws.store.read() as connection:
        uses = set(connection.execute(select(items.c.use).where(items.c.id.in_(shown))).scalars())
        gold = set(connection.execute(select(gold_answers.c.item_id)).scalars())
        seen = set(
            connection.execute(
                select(annotation_log.c.guideline_version).where(
                    annotation_log.c.project_id == project.id
                )
            ).scalars()
        )
    assert "evaluate" not in uses
    assert not gold & set(shown)
    assert seen == {project.guideline_version}


def test_a_team_has_left_its_traces(small: tuple[Demo, Workspace]) -> None:
    """The expert queue, the lead's mentions, a list and the queue plan are not empty."""
    _, ws = small
    people_by_name = {p.name: p for p in list_people(ws, operator(ws))}
    with ws.store.read() as connection:
        lead = load_actor(connection, people_by_name["ruth"].id)
        expert = load_actor(connection, people_by_name["ingrid"].id)
        waiting = select(func.count()).select_from(item_state).where(item_state.c.unsure)
        assert connection.execute(waiting).scalar_one() == 5
        kinds = list(connection.execute(select(comments.c.kind)).scalars())
    assert kinds.count("resolve") == 1
    assert waiting_threads(ws, lead).mentions == 1
    assert waiting_threads(ws, expert).mentions == 0
    plan = get_queue_plan(ws, lead, "tree-leaves")
    assert (plan.version, plan.plan.blind_share, plan.plan.gold_share) == (2, 0.1, 0.05)
    answered_gold = [q for q in everybodys_quality(ws, lead, "tree-leaves") if q.overall.n]
    assert len(answered_gold) == 4
    assert all(q.retest.n for q in answered_gold)
    with ws.store.read() as connection:
        here = load_project(connection, "tree-leaves")
        marks = {q.person_id: mixed_marks(connection, here, q.person_id) for q in answered_gold}
    for q in answered_gold:  # paused is who falls short, and nobody else
        assert q.standing == ("paused" if marks[q.person_id].falls_short(q.target) else "")
    (found,) = list_lists(ws, lead, "tree-leaves")
    assert 0 < found.items <= 20


def test_first_labels_are_of_items_that_are_not_worked_on_by_another_name(tmp_path: Path) -> None:
    """A copy shares its item with what it repeats: a label of it would close the other to votes, and end the demo."""
    met = 0
    for seed in range(60):
        project = plan_leaves(tmp_path, seed, 110).project
        chosen = {i.file for i in first_labelled(project, seed)}
        assert 25 <= len(chosen) <= 27
        assert not chosen & set(project.duplicates)
        met += len(chosen) < 27
    assert met > 5  # where a copy would have been among them


def test_people_of_every_role_can_be_tried(small: tuple[Demo, Workspace]) -> None:
    """There is somebody of each role to become with one click."""
    assert [p.role.value for p in demo_people(small[1])].count("expert") == 4
    assert {p.role.value for p in demo_people(small[1])} == {"expert", "lead", "manager", "admin"}


def test_a_second_start_keeps_what_was_done(small: tuple[Demo, Workspace]) -> None:
    """Starting again returns the same demo at once and draws nothing."""
    demo, ws = small
    again = make_demo(ws.root, 99, lambda *_: pytest.fail("it began to work"))
    assert (again.projects, again.seed, again.fresh) == (demo.projects, 11, False)


def test_pre_labels_of_a_stale_model_are_called_so(small: tuple[Demo, Workspace]) -> None:
    """A class the model never met makes what it says incomplete, and the job's result says it."""
    _, ws = small
    boss = operator(ws)
    assert run_prelabel(ws) == ""
    edit_schema(ws, boss, "tree-leaves", [AddClass("species", "Alder")], "seen here too", 1)
    assert "is stale" in run_prelabel(ws)
    assert "'Alder' was added" in run_prelabel(ws)


def run_prelabel(ws: Workspace) -> str:
    """Pre-label the leaves with the model in force and return what the job gives notice of."""
    job = queue_prelabel(ws, operator(ws), "tree-leaves")
    run_job(ws, job.id)
    ended = get_job(ws, operator(ws), job.id)
    assert ended.status is JobStatus.DONE
    return str((ended.result or {})["notice"])


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
