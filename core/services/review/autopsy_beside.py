"""What the model says of disputes, and what labels look-alikes have: columns beside the votes."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.consensus.autopsy_pairs import NONE
from core.labels.state import ItemState
from core.learning.neighbours import Neighbourhood
from core.services.projects.project import ProjectView
from core.store.tables import gold_answers, item_state, items, predictions

Ints = NDArray[np.int64]

NEAR = 8
MOST_SETTLED = 4_000
"""Settled items whose embeddings disputes are held against; beyond, an even sample."""
_TOP = 5
_CHUNK = 500


def no_model(n: int) -> tuple[Ints, NDArray[np.float64]]:
    """Return what is known where no model says anything."""
    return np.full((n, 0), NONE, dtype=np.int64), np.zeros((n, 0))


def model_view(
    connection: Connection, project: ProjectView, ids: Ints, place: Mapping[str, int]
) -> tuple[Ints, NDArray[np.float64]]:
    """Return the model's likeliest classes of each dispute and their probabilities."""
    classes = np.full((len(ids), _TOP), NONE, dtype=np.int64)
    shares = np.zeros((len(ids), _TOP))
    row_of = {int(i): n for n, i in enumerate(ids)}
    for start in range(0, len(ids), _CHUNK):
        query = (
            select(item_state.c.item_id, predictions.c.top)
            .join(predictions, predictions.c.seq == item_state.c.prediction_seq)
            .where(
                item_state.c.item_id.in_(ids[start : start + _CHUNK].tolist()),
                predictions.c.top.is_not(None),
            )
        )
        for item_id, text in connection.execute(query):
            for n, (name, share) in enumerate(json.loads(text)[:_TOP]):
                known = place.get(project.schema.main.today(name), NONE)
                classes[row_of[item_id], n], shares[row_of[item_id], n] = known, share
    return classes, shares


def near_labels(hood: Neighbourhood, ids: Ints, known: Mapping[int, int]) -> Ints:
    """Return the settled classes of the items most like each dispute, -1 where fewer.

    Args:
        hood: The embeddings.
        ids: The disputes.
        known: Class of each settled item, as `labelled` gives it.
    """
    rows = np.flatnonzero(np.isin(hood.ids, np.fromiter(known, np.int64, len(known))))
    found = np.full((len(ids), NEAR), NONE, dtype=np.int64)
    if not len(rows):
        return found
    rows = rows[:: -(-len(rows) // MOST_SETTLED)]
    labels = np.array([known[int(i)] for i in hood.ids[rows]], dtype=np.int64)
    against = np.asarray(hood.vectors[rows])
    at = np.searchsorted(hood.ids, ids)
    here = np.flatnonzero(
        (at < len(hood.ids)) & (hood.ids[np.minimum(at, len(hood.ids) - 1)] == ids)
    )
    most = min(NEAR, len(rows))
    for start in range(0, len(here), _CHUNK):
        some = here[start : start + _CHUNK]
        cosines = np.asarray(hood.vectors[at[some]]) @ against.T
        best = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
        found[some, :most] = labels[best]
    return found


def labelled(
    connection: Connection, project: ProjectView, place: Mapping[str, int]
) -> dict[int, int]:
    """Return the class of items that people settled and whose label may be shown."""
    gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    states = (ItemState.IMPORTED, ItemState.AGREED, ItemState.ADJUDICATED)
    query = (
        select(item_state.c.item_id, item_state.c.label)
        .join(items, items.c.id == item_state.c.item_id)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in states]),
            items.c.use != "evaluate",
            item_state.c.item_id.not_in(gold),
            item_state.c.label.is_not(None),
        )
    )
    return {r[0]: place[r[1]] for r in connection.execute(query) if r[1] in place}
