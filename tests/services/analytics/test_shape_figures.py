"""Figures of projects other than boxes: honest where a figure means something, silent where not."""

from __future__ import annotations

import pytest

from core.clock import new_uuid
from core.labels import Answer
from core.labels.schema import LabelSchema, Task, make_question
from core.services.accounts.people import operator
from core.services.analytics import figures
from core.services.bias.slice_ask import SliceAsk
from core.services.bias.slices import slices_of
from core.services.items.why import explain
from core.services.models.training import training_readiness
from core.services.projects.project import NewProject, create_project
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.exports import formats_for
from core.services.workspace import Workspace
from tests.drawn import Drawn, make_drawn
from tests.record import add_items, make_cast


def voted(ws: Workspace, drawn: Drawn) -> None:
    """Let two experts vote the truth on every item."""
    cast = make_cast(ws, drawn.slug)
    for item_id, answer in drawn.truth.items():
        for expert in cast.experts[:2]:
            submit(ws, expert, drawn.slug, Submission(new_uuid(), item_id, "vote", answer))


@pytest.mark.parametrize("task", [t for t in Task if t.draws])
def test_figures_of_shapes_say_what_they_compare(sqlite_ws: Workspace, tmp_path, task) -> None:
    """By bounding box; agreement by the shapes themselves."""
    drawn = make_drawn(sqlite_ws, tmp_path, task, images=6)
    voted(sqlite_ws, drawn)
    office = operator(sqlite_ws)
    found = figures.stats(sqlite_ws, office, drawn.slug)
    assert found["compared_by"] == "bounding box"
    assert found["final"] == 6
    assert found["agreement"]["box_f1"] == 1
    assert found["per_class"]
    view = figures.quality(sqlite_ws, office, drawn.slug, "model", "final")
    assert view.right.overall.n == 6
    sliced = slices_of(sqlite_ws, office, drawn.slug, SliceAsk(whose="model", against="final"))
    assert sliced.overall.n == sum(b.recall.n for b in view.right.boxes)
    assert training_readiness(sqlite_ws, office, drawn.slug).can_start


def test_a_label_of_several_classes_has_no_figures_yet(sqlite_ws: Workspace) -> None:
    """No crash, no zero that means nothing: undefined, with the votes that were counted."""
    office = operator(sqlite_ws)
    schema = LabelSchema(
        Task.CLASSIFICATION, (make_question("label", "Tags", ["a", "b", "c"], several=True),)
    )
    project = create_project(
        sqlite_ws, office, NewProject("tags", Task.CLASSIFICATION, schema=schema)
    )
    items = add_items(sqlite_ws, project, 3)
    cast = make_cast(sqlite_ws, "tags")
    for expert in cast.experts[:2]:
        for item_id in items:
            answer = Answer({}, (), {"label": ("a", "c")})
            submit(sqlite_ws, expert, "tags", Submission(new_uuid(), item_id, "vote", answer))
    assert explain(sqlite_ws, cast.lead, "tags", items[0]).label == "a + c"
    found = figures.stats(sqlite_ws, office, "tags")
    assert (found["votes"], found["final"]) == (6, 3)
    assert found["agreement"]["alpha"] is None
    assert not found["per_class"]
    figures.quality(sqlite_ws, office, "tags", "people", "final")
    slices_of(sqlite_ws, office, "tags", SliceAsk(whose="people", against="final"))
    assert training_readiness(sqlite_ws, office, "tags").can_start


def test_only_formats_with_a_place_are_offered() -> None:
    """Of a mask project COCO and tables, of classes the same, of votes tables."""
    assert formats_for(Task.MASKS, "labels") == ("csv", "coco")
    assert formats_for(Task.POLYGONS, "labels") == ("csv", "coco", "yolo")
    assert formats_for(Task.BOXES, "gold") == ("csv", "coco", "voc", "yolo")
    assert formats_for(Task.BOXES, "votes") == ("csv",)
    assert formats_for(Task.CLASSIFICATION, "labels") == ("csv", "coco")
