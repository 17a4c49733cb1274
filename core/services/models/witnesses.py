"""Whose word a final label rests on: the people, what they had read, and the model where it decided alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Table, select

from core.services.projects.project import ProjectView
from core.store.tables import (
    annotation_log,
    decisions,
    models,
    people,
    prediction_sets,
    predictions,
)


@dataclass(frozen=True, slots=True)
class Witness:
    """Who stands behind a label.

    Attributes:
        who: Names of the people whose votes or decision it rests on, sorted.
        guideline_version: The newest any of them had before them; None for labels nobody gave here.
        model: What predicted it, where the model alone decided.
    """

    who: tuple[str, ...] = ()
    guideline_version: int | None = None
    model: str = ""


FEW = 500
"""So many numbers are asked for one by one."""
Said = tuple[str, int]
"""A person's name, and the guideline they had before them."""


def witnesses(
    connection: Connection, project: ProjectView, finals: Sequence[Row]
) -> dict[int, Witness]:
    """Return who stands behind each of these final labels, by their number."""
    told = {row.seq: json.loads(row.evidence) for row in finals}
    votes = _said(
        connection,
        project,
        annotation_log,
        {v for d in told.values() for v in d.get("votes") or ()},
    )
    rulings = _said(connection, project, decisions, {d.get("decision") or 0 for d in told.values()})
    alone = {d["prediction"] for d in told.values() if d.get("prediction")}
    named = _models(connection, project) if alone else {}
    return {seq: _witness(doc, votes, rulings, named) for seq, doc in told.items()}


def _witness(
    doc: dict[str, object],
    votes: dict[int, Said],
    rulings: dict[int, Said],
    named: dict[int, str],
) -> Witness:
    seqs = doc.get("votes")
    heard = [votes[s] for s in seqs if s in votes] if isinstance(seqs, list) else []
    ruling = doc.get("decision")
    if isinstance(ruling, int) and ruling in rulings:
        heard = [rulings[ruling]]  # a lead's word binds, whatever the votes said
    prediction = doc.get("prediction")
    return Witness(
        tuple(sorted({name for name, _ in heard})),
        max((version for _, version in heard), default=None),
        named.get(prediction, "") if isinstance(prediction, int) else "",
    )


def _said(
    connection: Connection, project: ProjectView, table: Table, wanted: Collection[int]
) -> dict[int, Said]:
    """Return who said what is wanted; of much that is wanted, everything of the project."""
    query = (
        select(table.c.seq, people.c.name, table.c.guideline_version)
        .join(people, people.c.id == table.c.person_id)
        .where(table.c.project_id == project.id)
    )
    if len(wanted) <= FEW:
        query = query.where(table.c.seq.in_(sorted(wanted)))
    return {r.seq: (r.name, r.guideline_version) for r in connection.execute(query)}


def _models(connection: Connection, project: ProjectView) -> dict[int, str]:
    """Return what said each prediction of a project: a model by number and network, or a file."""
    query = (
        select(predictions.c.seq, models.c.id, models.c.backbone, prediction_sets.c.name)
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .outerjoin(models, models.c.id == prediction_sets.c.model_id)
        .where(predictions.c.project_id == project.id)
    )
    return {
        r.seq: r.name if r.id is None else f"model {r.id} ({r.backbone})"
        for r in connection.execute(query)
    }
