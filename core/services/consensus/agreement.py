"""How far people agree with each other in a project, on labels and on boxes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import select

from core.analytics.asked import Filters
from core.analytics.questions import VoteTable, vote_table
from core.analytics.replica import Replica
from core.consensus.agreement import Agreement, measure_agreement
from core.consensus.box_agreement import box_agreement
from core.labels import Answer
from core.services.consensus.resolve import CHUNK, live_annotations
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.stats.intervals import UNDEFINED, Estimate
from core.store.tables import item_state

FEWEST_ITEMS = 5
"""Items with two or more votes below which agreement is not shown."""

MOST_BOX_ITEMS = 1000
"""Items whose boxes are paired person by person; beyond, a fixed random sample of so many."""


@dataclass(frozen=True, slots=True)
class AgreementView:
    """How far people agree; n of every estimate counts items with two or more votes.

    Attributes:
        votes: Live votes looked at, also those alone on their item.
        people: Who gave them; None for boxes.
        labels: The coefficients, None for boxes.
        blind: The same from votes given without seeing the pre-label: only these are
            independent of the model. None for boxes.
        boxes: Mean F1 of two people's boxes, None for labels.
        sampled: Whether `boxes` rests on a random sample of the items.
    """

    votes: int
    people: int | None
    labels: Agreement | None
    blind: Agreement | None
    boxes: Estimate | None
    sampled: bool = False


def agreement_of(
    ws: Workspace,
    replica: Replica,
    project: ProjectView,
    filters: Filters,
    fewest: int = FEWEST_ITEMS,
) -> AgreementView:
    """Return how far the people of a project agree; the caller has asked the gate.

    Raises:
        NotFound: A name in the filter is nobody's.
        LimitExceeded: It took too long.
    """
    if project.task.draws:
        return _of_boxes(ws, project, fewest)
    table = vote_table(replica, project.id, filters)
    blind = vote_table(replica, project.id, replace(filters, blind_only=True))
    return AgreementView(
        len(table.item_id),
        len(np.unique(table.person_id)),
        _measured(project, table, fewest),
        _measured(project, blind, fewest),
        None,
    )


def _measured(project: ProjectView, table: VoteTable, fewest: int) -> Agreement:
    found = measure_agreement(table.item_id, table.label, _class_count(project, table))
    return Agreement(*(enough(e, fewest) for e in _parts(found)))


def _parts(found: Agreement) -> tuple[Estimate, ...]:
    return (found.percent, found.alpha, found.fleiss, found.ac1)


def _class_count(project: ProjectView, table: VoteTable) -> int:
    """Return how many classes could be said; classes dropped from the schema count while said."""
    return len(set(project.schema.classes) | set(table.names))


def enough(estimate: Estimate, fewest: int) -> Estimate:
    """Return the estimate, without its value where it rests on too little."""
    return estimate if estimate.n >= fewest else replace(UNDEFINED, n=estimate.n)


def _of_boxes(ws: Workspace, project: ProjectView, fewest: int) -> AgreementView:
    drawn: dict[int, list[Answer]] = {}
    with ws.store.read() as connection:
        voted = list(
            connection.execute(
                select(item_state.c.item_id).where(
                    item_state.c.project_id == project.id, item_state.c.votes >= 2
                )
            ).scalars()
        )
        chosen = sorted(sorted(voted, key=_draw)[:MOST_BOX_ITEMS])
        for start in range(0, len(chosen), CHUNK):
            for row in live_annotations(connection, chosen[start : start + CHUNK]):
                if row.kind == "vote":
                    said = project.schema.translate(Answer.from_json(row.answer))
                    drawn.setdefault(row.item_id, []).append(said)
    score = box_agreement(list(drawn.values()), project.policy.iou_at_least)
    votes = sum(len(a) for a in drawn.values())
    return AgreementView(votes, None, None, None, enough(score, fewest), len(chosen) < len(voted))


def _draw(item_id: int) -> bytes:
    return hashlib.sha256(f"agreement:{item_id}".encode()).digest()
