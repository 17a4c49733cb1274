"""Suspicious regions of a real record: held against predictions that have not learnt from them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.labels import Answer, Region
from core.labels.schema import Task
from core.services.issues.drawn import of_regions, said_of
from core.services.issues.finding import issues_of
from core.services.issues.material import looked_at
from core.services.issues.values import Kind
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace, open_workspace
from core.store.tables import prediction_sets, predictions
from tests.record import World, boxes, make_world

CAT = (4.0, 4.0, 30.0, 30.0)
OWL = (40.0, 40.0, 60.0, 60.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Five images with a cat each; of two a prediction says otherwise, one has none."""
    ws = open_workspace(tmp_path_factory.mktemp("drawn") / "workspace")
    world = make_world(ws, 5, policy=Policy(overlap=1), task=Task.BOXES)
    for item in world.items:
        sent = Submission(new_uuid(), item, "vote", boxes(CAT))
        submit(world.ws, world.cast.experts[0], world.slug, sent)
    cat, dog = Region("cat", *CAT, 0.99), Region("dog", *CAT, 0.99)
    owl = Region("owl", *OWL, 0.98)
    predict(world, [(cat,), (dog,), (cat, owl), (cat,)])
    yield world
    ws.store.close()


def predict(world: World, said: list[tuple[Region, ...]]) -> None:
    """Write down what a model of a file says of the first items."""
    with world.ws.store.write() as connection:
        number = connection.execute(
            prediction_sets.insert().returning(prediction_sets.c.id),
            {"project_id": world.project.id, "name": "file", "at": world.ws.clock()},
        ).scalar_one()
        rows = [
            {
                "set_id": number, "project_id": world.project.id, "item_id": item,
                "answer": Answer(regions=regions).to_json(), "confidence": 0.9,
            }
            for item, regions in zip(world.items, said, strict=False)
        ]  # fmt: skip
        connection.execute(predictions.insert(), rows)


def test_regions_of_another_class_and_overlooked_ones_are_named(made):
    """Each fault names its image, what is drawn, what is said, and where."""
    view = issues_of(made.ws, made.cast.lead, made.slug, make=False)
    found = {(i.item, i.kind): i for i in view.issues}
    swapped, missed = (made.items[1], Kind.SWAPPED), (made.items[2], Kind.OVERLOOKED)
    assert set(found) == {swapped, missed}
    assert (found[swapped].label, found[swapped].suggested) == ("cat", "dog")
    assert found[swapped].box == CAT
    assert (found[missed].label, found[missed].suggested) == ("", "owl")
    assert found[missed].box == OWL
    assert view.expected == 2


def test_where_the_predictions_come_from_is_said(made):
    """How many images have a prediction, and that a file's model may have learnt from the labels."""
    view = issues_of(made.ws, made.cast.lead, made.slug, make=False)
    assert "4 of 5 labelled images" in view.probabilities
    assert "came in a file" in view.probabilities


def test_without_predictions_a_detector_is_asked_for(sqlite_ws: Workspace):
    """Nothing is accused on nobody's word; what is missing is said."""
    world = make_world(sqlite_ws, 2, policy=Policy(overlap=1), task=Task.BOXES)
    sent = Submission(new_uuid(), world.items[0], "vote", boxes(CAT))
    submit(world.ws, world.cast.experts[0], world.slug, sent)
    with sqlite_ws.store.read() as connection:
        looked = looked_at(connection, world.project)
        drawn = of_regions(looked, said_of(connection, sqlite_ws, world.project))
    assert drawn.found == ()
    assert any("Train a detector" in note for note in drawn.notes)
