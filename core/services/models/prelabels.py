"""Pre-labels: register a set of predictions and put it in force for the queue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from core.labels import Answer
from core.services.consensus.draws import all_drawn
from core.services.consensus.resolve import label_of, priority
from core.services.projects.project import ProjectView
from core.services.projects.queue_plans import reboost
from core.store.tables import item_state, prediction_sets, predictions

LEAST_RUN = 100


def run_count(not_started: int, requested: int | None) -> int:
    """Return how many items an auto-label run takes: at least a hundred, where there are as many."""
    if requested is None or not_started < LEAST_RUN:
        return not_started
    return min(not_started, max(LEAST_RUN, requested))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model or a file says of one item; confidence and margin between 0 and 1.

    Attributes:
        top: The likeliest classes of the first question with their probabilities, at most five,
            most probable first; empty where only the answer is known.
        typicality: How typical of the whole set the image is, 0 to 1; None without embeddings.
    """

    item_id: int
    answer: Answer
    confidence: float | None
    margin: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    typicality: float | None = None


def store_predictions(
    connection: Connection,
    project: ProjectView,
    rows: Sequence[Prediction],
    name: str,
    at: float,
    model_id: int | None = None,
    batch_id: int | None = None,
) -> int:
    """Write a prediction set within the caller's record transaction and return how many it holds."""
    if not rows:
        return 0
    set_id = connection.execute(
        prediction_sets.insert().returning(prediction_sets.c.id),
        {
            "project_id": project.id,
            "model_id": model_id,
            "batch_id": batch_id,
            "name": name,
            "at": at,
        },
    ).scalar_one()
    connection.execute(
        predictions.insert(),
        [
            {
                "set_id": set_id,
                "project_id": project.id,
                "item_id": r.item_id,
                "label": label_of(project, said),
                "answer": said.to_json(),
                "confidence": r.confidence,
                "margin": r.margin,
                "typicality": r.typicality,
                "top": json.dumps(r.top, ensure_ascii=False) if r.top else None,
            }
            # A model trained before a rename or merge says the names of then.
            for r, said in ((r, project.schema.translate(r.answer)) for r in rows)
        ],
    )
    _put_in_force(connection, set_id, at, all_drawn(connection, project.id))
    reboost(connection, project.id)
    return len(rows)


def _put_in_force(connection: Connection, set_id: int, at: float, drawn: frozenset[int]) -> None:
    fresh = connection.execute(
        select(
            predictions.c.seq, predictions.c.item_id, predictions.c.confidence,
            predictions.c.label, predictions.c.typicality,
        ).where(predictions.c.set_id == set_id)
    ).all()  # fmt: skip
    connection.execute(
        item_state.update().where(item_state.c.item_id == bindparam("b_item_id")),
        [
            {
                "b_item_id": r.item_id,
                "prediction_seq": r.seq,
                "priority": priority(r.item_id, r.confidence, r.item_id in drawn),
                "predicted": r.label,
                "typicality": r.typicality,
                "updated_at": at,
            }
            for r in fresh
        ],
    )
