"""What a detector says of every item, and how sure it is that all of an item's regions are right.

The chance is learnt from half of the certify items, told by a hash; the certificate rests on the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Row, func, select

from core.errors import InputError
from core.labels import Answer
from core.learning.region_score import features, scores
from core.services.certificates.believed import REGIONS, Believed, learnt_by
from core.services.certificates.evidence import BY_PEOPLE, Standing
from core.services.consensus.draws import place
from core.services.consensus.rightness import agrees
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import prediction_sets, predictions


@dataclass(frozen=True, slots=True)
class RegionBelief:
    """A detector's answers, and the certify items its scores were fitted on: in no population."""

    believed: Believed
    fitted_on: frozenset[int]


def regions_believed_by(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    row: Row,
    order: Sequence[int],
    stands: Mapping[int, Standing],
    iou: float,
) -> RegionBelief:
    """Return what a detector said of the items in its newest pre-labels.

    Args:
        ws: The workspace.
        connection: The caller's transaction.
        project: Whose items.
        row: The model.
        order: The certify items in drawn order.
        stands: Where every item stands.
        iou: From which overlap on a region is right.

    Raises:
        InputError: The model has not pre-labelled, or the project asks of the item, too.
        StoreCorrupt: The model's dataset version was changed on disk.
    """
    if project.schema.item_questions:
        raise InputError(
            f"'{project.slug}' asks questions about the item beside its regions; a certificate "
            "covers regions alone.",
            "Check its items in the queue.",
        )
    said = pre_labels(connection, project, row.id)
    if not said:
        raise InputError(
            f"Model {row.id} has not pre-labelled '{project.slug}' yet.", "Pre-label with it first."
        )
    ids = np.array(sorted(said), dtype=np.int64)
    figures = np.array([features(said[i].regions) for i in ids.tolist()])
    half = frozenset(i for i in order if int(place(i) * 2**48) & 1)
    rows, right = _checked(project, said, ids, half, stands, iou)
    answers = {REGIONS: np.array([said[i] for i in ids.tolist()], dtype=object)}
    trained, until = learnt_by(ws, row)
    believed = Believed(ids, scores(figures, rows, right), answers, {}, trained, until, {})
    return RegionBelief(believed, half)


def pre_labels(connection: Connection, project: ProjectView, model_id: int) -> dict[int, Answer]:
    """Return what a model said last of each item it pre-labelled, in today's names."""
    newest = (
        select(func.max(predictions.c.seq))
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .where(prediction_sets.c.model_id == model_id)
        .group_by(predictions.c.item_id)
    )
    rows = connection.execute(
        select(predictions.c.item_id, predictions.c.answer).where(predictions.c.seq.in_(newest))
    )
    return {r.item_id: project.schema.translate(Answer.from_json(r.answer)) for r in rows}


def _checked(
    project: ProjectView,
    said: Mapping[int, Answer],
    ids: np.ndarray,
    half: frozenset[int],
    stands: Mapping[int, Standing],
    iou: float,
) -> tuple[np.ndarray, np.ndarray]:
    rows, right = [], []
    for row, i in enumerate(ids.tolist()):
        one = stands[i]
        if i in half and one.state in BY_PEOPLE and one.answer is not None:
            true = project.schema.translate(Answer.from_json(one.answer))
            rows.append(row)
            right.append(agrees(project.schema, true, said[i], iou))
    return np.array(rows, dtype=np.int64), np.array(right, dtype=bool)
