"""A project with enough work in it for figures: predictions, gold, metadata, votes at known times."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.clock import FakeClock, new_uuid
from core.labels import Answer
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import ProjectView
from core.services.review.submission import Submission
from core.services.review.submitting import submit
from core.services.workspace import Workspace
from core.store.tables import gold_answers, item_metadata
from tests.record import World, say


def predict(ws: Workspace, project: ProjectView, said: dict[int, str], sure: float = 0.7) -> None:
    """Write one set of predictions."""
    rows = [Prediction(i, say(label), sure, sure / 2) for i, label in said.items()]
    with ws.store.write() as connection:
        store_predictions(connection, project, rows, "imported", ws.clock())


def know(ws: Workspace, project: ProjectView, truth: dict[int, str]) -> None:
    """Write gold answers."""
    rows = [
        {
            "project_id": project.id, "item_id": i, "label": label, "answer": say(label).to_json(),
            "batch_id": None, "at": ws.clock(),
        }
        for i, label in truth.items()
    ]  # fmt: skip
    with ws.store.write() as connection:
        connection.execute(gold_answers.insert(), rows)


def describe(ws: Workspace, project: ProjectView, values: dict[int, dict[str, str]]) -> None:
    """Write metadata."""
    rows = [
        {
            "project_id": project.id, "item_id": i, "doc": json.dumps(doc), "batch_id": None,
            "at": ws.clock(),
        }
        for i, doc in values.items()
    ]  # fmt: skip
    with ws.store.write() as connection:
        connection.execute(item_metadata.insert(), rows)


def vote_all(
    world: World,
    who: int,
    labels: Sequence[str],
    seconds: float = 4.0,
    shown: bool = False,
    clock: FakeClock | None = None,
) -> None:
    """Let one expert vote on the first items, one after the other."""
    for item_id, label in zip(world.items, labels, strict=False):
        if clock is not None:
            clock.advance(seconds)
        sent = Submission(
            new_uuid(), item_id, "vote", Answer({"label": label}),
            active_seconds=seconds, prelabel_shown=shown,
        )  # fmt: skip
        submit(world.ws, world.cast.experts[who], world.slug, sent)
