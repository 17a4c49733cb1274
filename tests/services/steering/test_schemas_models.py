"""Models, their predictions and boosts once classes were edited."""

from __future__ import annotations

from sqlalchemy import select

from core.labels.operations import AddClass, Merge, Recolour, Rename
from core.services.models.prelabels import Prediction, store_predictions
from core.services.models.promotion import list_models
from core.services.projects.project import load_project
from core.services.projects.queue_plans import get_queue_plan, new_plan, set_queue_plan
from core.services.review.leases import open_item
from core.store.tables import dataset_versions, item_state, models
from tests.record import World, say
from tests.services.steering.editing import edit


def add_model(world: World, schema_version: int) -> None:
    """Register a model as if it had been trained under a schema version."""
    from core.jobs.rows import create_job

    with world.ws.store.write() as connection:
        job = create_job(connection, world.project.id, "train", {}, world.cast.lead.person_id, 1.0)
        version = connection.execute(
            dataset_versions.insert().returning(dataset_versions.c.id),
            {"project_id": world.project.id, "name": f"v{job}", "hash": "h", "folder": "f",
             "n_items": 1, "by_id": world.cast.lead.person_id, "at": 1.0},
        ).scalar_one()  # fmt: skip
        connection.execute(
            models.insert(),
            {"project_id": world.project.id, "job_id": job, "dataset_version_id": version,
             "backbone": "tiny", "folder": "f", "report": "{}",
             "schema_version": schema_version, "at": 1.0},
        )  # fmt: skip


def test_models_trained_before_a_class_came_or_went_are_stale(world: World):
    """A rename makes none stale; adding, retiring and merging do, and the sentence says what."""
    add_model(world, 1)
    edit(world, Rename("label", 0, "feline"), Recolour("label", 1, "#000000"))
    (model,) = list_models(world.ws, world.cast.lead, world.slug)
    assert not model.stale
    edit(world, AddClass("label", "fox"), Merge("label", 1, 0))
    add_model(world, 3)
    new, old = list_models(world.ws, world.cast.lead, world.slug)
    assert not new.stale
    assert "schema version 1 then, 3 now" in old.stale_because
    assert "'dog' was merged into 'feline'; 'fox' was added" in old.stale_because


def test_predictions_of_an_older_model_are_read_in_todays_names(world: World):
    """The pre-label on screen and the class in the queue follow the rename."""
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, [Prediction(world.items[0], say("cat"), 0.4)], "m", 1
        )
    edit(world, Rename("label", 0, "feline"))
    seen = open_item(world.ws, world.cast.experts[0], world.slug, world.items[0]).prelabel
    assert seen is not None
    assert (seen.label, seen.answer) == ("feline", say("feline"))
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, [Prediction(world.items[1], say("cat"), 0.4)], "m", 1
        )
    seen = open_item(world.ws, world.cast.experts[0], world.slug, world.items[1]).prelabel
    assert seen is not None
    assert seen.label == "feline"


def test_a_boost_of_a_class_follows_its_name(world: World):
    """What a lead moved forward stays in front under the new name, and the plan reads so."""
    with world.ws.store.write() as connection:
        project = load_project(connection, world.slug)
        store_predictions(
            connection, project, [Prediction(world.items[5], say("cat"), 0.9)], "m", 1
        )
    plan = new_plan("least-confident", 0.0, 0.0, [("class", "", "cat", 5)])
    set_queue_plan(world.ws, world.cast.lead, world.slug, plan, "cats first")
    edit(world, Merge("label", 0, 1))
    edit(world, Rename("label", 1, "pet"))
    now = get_queue_plan(world.ws, world.cast.lead, world.slug).plan
    assert [b.value for b in now.boosts] == ["pet"]
    with world.ws.store.read() as connection:
        row = connection.execute(
            select(item_state).where(item_state.c.item_id == world.items[5])
        ).one()
    assert (row.predicted, row.boost) == ("pet", 5)
