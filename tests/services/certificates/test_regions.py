"""Certificates of projects that ask for regions: the unit is the item, missed and extra regions included."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from core.clock import new_uuid
from core.consensus.policy import Policy
from core.errors import InputError
from core.jobs.rows import JobStatus, create_job, finish_job
from core.labels import Answer, Region
from core.labels.schema import Task
from core.services.certificates.accept import accept
from core.services.certificates.campaign import certify_now, open_campaign
from core.services.certificates.evidence import in_arm
from core.services.certificates.theatre import detection_trade, riskiest_items, theatre_data
from core.services.consensus.draws import Arm
from core.services.consensus.resolve import resolve_items
from core.services.consensus.rightness import agrees
from core.services.models.datasets import freeze_labels
from core.services.models.prelabels import Prediction, store_predictions
from core.store.tables import annotation_log, final_labels, item_state, items, models
from tests.record import World, add_items, boxes, make_cast, make_project

TRUE = boxes((10, 10, 30, 30), (40, 40, 60, 60))


def scored(answer: Answer, sure: float) -> Answer:
    regions = tuple(Region(r.label, *r.box, sure) for r in answer.regions)
    return Answer({}, regions)


@pytest.fixture
def world(sqlite_ws) -> World:
    """Give 500 items with two boxes each, a detector sure where it is right, and labels to certify by."""
    project = make_project(sqlite_ws, "cells", Policy(overlap=1), Task.BOXES)
    ids = add_items(sqlite_ws, project, 250) + add_items(sqlite_ws, project, 250, "certify", 250)
    world = World(sqlite_ws, project, ids, make_cast(sqlite_ws, "cells", 1))
    draw(world, ids[:5])
    teach(world)
    return world


def draw(world: World, ids: list[int], truth: Answer = TRUE) -> None:
    """Let an expert draw the true boxes, a pixel off."""
    moved = Answer({}, tuple(Region(r.label, *(v + 1 for v in r.box)) for r in truth.regions))
    rows = [
        {
            "uuid": new_uuid(), "project_id": world.project.id, "item_id": i,
            "person_id": world.cast.experts[0].person_id, "revision": 1, "kind": "vote",
            "answer": moved.to_json(), "reason": "", "schema_version": 1, "guideline_version": 1,
            "prelabel_shown": False, "active_seconds": 9.0, "at": world.ws.clock(),
        }
        for i in ids
    ]  # fmt: skip
    with world.ws.store.write() as connection:
        connection.execute(annotation_log.insert(), rows)
        resolve_items(connection, world.project, ids, world.ws.clock())


def teach(world: World) -> int:
    """Register a detector and its pre-labels: it misses a box of every fifth item, and is unsure there."""
    version = freeze_labels(world.ws, world.cast.lead, world.slug)
    rng = np.random.default_rng(1)
    with world.ws.store.write() as connection:
        job = create_job(connection, world.project.id, "train", {}, world.cast.lead.person_id, 1.0)
        finish_job(connection, job, JobStatus.DONE, 2.0)
        model = connection.execute(
            models.insert().returning(models.c.id),
            {
                "project_id": world.project.id, "job_id": job, "dataset_version_id": version.id,
                "backbone": "detector", "folder": f"runs/cells/{job:05d}", "report": "{}",
                "schema_version": 1, "at": world.ws.clock(), "task": "boxes",
            },
        ).scalar_one()  # fmt: skip
        said = []
        for n, i in enumerate(world.items[5:]):
            missed = n % 5 == 0
            sure = float(rng.uniform(0.5, 0.75) if missed else rng.uniform(0.7, 0.99))
            answer = scored(Answer({}, TRUE.regions[: 1 if missed else 2]), sure)
            said.append(Prediction(i, answer, sure))
        store_predictions(connection, world.project, said, "model 1", 2.0, model_id=model)
    return int(model)


def test_boxes_are_accepted_where_the_detector_is_wholly_right(world: World):
    """The half that fits the score is apart; what is accepted is right, missed boxes included."""
    lead = world.cast.lead
    open_campaign(world.ws, lead, world.slug, 0.1, 0.1, reason="cells")
    with world.ws.store.read() as connection:
        order = in_arm(connection, world.project.id, Arm.CERTIFY)
    draw(world, order)
    found = certify_now(world.ws, lead, world.slug, 1)
    assert found.certified, found.sentence
    assert found.sampled < len(order) * 0.7
    done = accept(world.ws, lead, world.slug, found.id, "good")
    with world.ws.store.read() as connection:
        rows = connection.execute(
            select(final_labels.c.answer)
            .join(item_state, item_state.c.final_seq == final_labels.c.seq)
            .where(item_state.c.state == "auto-accepted")
        ).scalars().all()  # fmt: skip
        uses = connection.execute(
            select(items.c.use)
            .join(item_state, item_state.c.item_id == items.c.id)
            .where(item_state.c.state == "auto-accepted")
        ).scalars()
    assert set(uses) == {"train"}
    assert len(rows) == done.accepted > 100
    wrong = [r for r in rows if len(Answer.from_json(r).regions) != 2]
    assert len(wrong) <= 0.1 * len(rows)
    assert "confidence" not in rows[0]


def test_a_stricter_overlap_refuses_what_a_laxer_one_accepts(world: World):
    """With boxes a pixel off, an overlap of 0.95 is never reached: everything counts as wrong."""
    lead = world.cast.lead
    open_campaign(world.ws, lead, world.slug, 0.1, 0.1, iou=0.95, reason="strict")
    with world.ws.store.read() as connection:
        order = in_arm(connection, world.project.id, Arm.CERTIFY)
    draw(world, order)
    found = certify_now(world.ws, lead, world.slug, 1)
    assert found.outcome == "refused"
    assert found.errors == found.sampled > 50


def test_the_theatre_of_a_detector(world: World):
    """The curve counts items wholly right; the trade counts regions at each threshold."""
    lead = world.cast.lead
    open_campaign(world.ws, lead, world.slug, 0.1, 0.1, reason="cells")
    draw(world, world.items[250:450])
    data = theatre_data(world.ws, lead, world.slug, 1)
    assert 60 < data.checked < 140
    scene = data.scene(0.1, 0.1)
    assert scene.classes == ()
    risky = riskiest_items(world.ws, lead, world.slug, data, 0.0)
    assert {r.label for r in risky} <= {"1 region", "2 regions"}
    rows = detection_trade(world.ws, lead, world.slug, 1)
    assert (rows[0].threshold, rows[0].false, rows[0].duplicates) == (0.0, 0, 0)
    assert rows[0].hits == 360
    assert rows[0].missed == 40
    hits = [r.hits for r in rows]
    assert hits == sorted(hits, reverse=True)
    assert hits[-1] < hits[0]


def test_regions_are_not_certified_class_by_class(world: World):
    """A campaign about classes makes no sense where one item has regions of several."""
    open_campaign(world.ws, world.cast.lead, world.slug, 0.1, 0.1, "classes", reason="try")
    with pytest.raises(InputError, match="all together"):
        certify_now(world.ws, world.cast.lead, world.slug, 1)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (TRUE, True),
        (boxes((11, 11, 31, 31), (40, 40, 60, 60)), True),
        (boxes((10, 10, 30, 30)), False),
        (boxes((10, 10, 30, 30), (40, 40, 60, 60), (1, 1, 9, 9)), False),
        (boxes((10, 10, 30, 30), (40, 40, 60, 60), label="dog"), False),
        (boxes((25, 25, 45, 45), (40, 40, 60, 60)), False),
    ],
    ids=["same", "shifted", "missed", "extra", "other class", "misplaced"],
)
def test_an_item_is_right_only_if_all_of_it_is(world: World, said: Answer, right: bool):
    """Every true box once, of its class and well placed, and none besides."""
    assert agrees(world.project.schema, TRUE, said, 0.5) is right
    assert not agrees(world.project.schema, None, said, 0.5)
