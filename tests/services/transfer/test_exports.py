"""Exports: what a person is told beside the files."""

from __future__ import annotations

from dataclasses import replace

from core.clock import new_uuid
from core.labels.schema import Task
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.transfer.exports import export_data
from tests.record import boxes, make_world


def test_an_export_without_labels_says_where_the_votes_are(sqlite_ws):
    """COCO of drawn shapes nobody has settled yet is empty; the note says so and what to take."""
    world = make_world(sqlite_ws, task=Task.BOXES)
    lead = world.cast.lead
    sent = Submission(new_uuid(), world.items[0], "vote", boxes((5, 5, 30, 30)))
    submit(world.ws, world.cast.experts[0], world.slug, sent)
    for format in ("coco", "csv"):
        notes = export_data(world.ws, lead, world.slug, "labels", format).notes
        assert notes[0] == "No item has a final label yet; 'votes' as CSV has what people drew."
    submit(world.ws, world.cast.experts[1], world.slug, replace(sent, uuid=new_uuid()))
    after = export_data(world.ws, lead, world.slug, "labels", "coco")
    assert (after.n_rows, [n for n in after.notes if "final label" in n]) == (1, [])
