"""What fitting rows become: labels, gold or predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, func, select

from core.formats import Refusal
from core.services.consensus.resolve import label_of
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import ProjectView
from core.services.transfer.import_images import Taken
from core.services.transfer.import_rows import Said, What
from core.store.tables import gold_answers, guidelines, imported_labels, predictions


@dataclass(slots=True)
class Stored:
    """What was newly stored."""

    regions: int = 0
    labels: int = 0
    predictions: int = 0
    votes: int = 0
    gold: int = 0
    annotators: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def store_answers(
    connection: Connection,
    project: ProjectView,
    table: Table,
    said: Sequence[Said],
    batch_id: int,
    taken: Taken,
    at: float,
) -> tuple[int, int]:
    """Write labels or gold that differ from what stands, and return (answers, regions) written."""
    latest = {s.item_id: s for s in said}  # the last row about an item wins
    standing = _standing(connection, table, list(latest))
    rows, regions = [], 0
    for item_id, one in sorted(latest.items()):
        text = one.answer.to_json()
        if standing.get(item_id) == text:
            continue
        regions += len(one.answer.regions)
        taken.touched.add(item_id)
        rows.append(
            {
                "project_id": project.id,
                "item_id": item_id,
                "label": label_of(project, one.answer),
                "answer": text,
                "batch_id": batch_id,
                "at": at,
            }
        )
    if rows:
        connection.execute(table.insert(), rows)
    return len(rows), regions


def untaught(
    connection: Connection, project: ProjectView, said: Sequence[Said], taken: Taken
) -> list[Said]:
    """Return what may be gold: an item that ever was a guideline example is refused, people saw it."""
    rows = connection.execute(
        select(guidelines.c.version, guidelines.c.examples)
        .where(guidelines.c.project_id == project.id)
        .order_by(guidelines.c.version.desc())
    )
    shown = {e["item_id"]: r.version for r in rows for e in json.loads(r.examples)}
    taken.refused += [
        Refusal(
            s.row.origin,
            s.row.line,
            f"'{s.row.file}' was shown as an example in guideline version {shown[s.item_id]}; "
            "it cannot be gold, people know its answer",
        )
        for s in said
        if s.item_id in shown
    ]
    return [s for s in said if s.item_id not in shown]


def _standing(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), 500):
        newest = (
            select(func.max(table.c.seq))
            .where(table.c.item_id.in_(ids[start : start + 500]))
            .group_by(table.c.item_id)
        )
        rows = connection.execute(
            select(table.c.item_id, table.c.answer).where(table.c.seq.in_(newest))
        )
        found |= {r.item_id: r.answer for r in rows}
    return found


def store_imported_predictions(
    connection: Connection,
    project: ProjectView,
    said: Sequence[Said],
    batch_id: int,
    name: str,
    taken: Taken,
    at: float,
) -> tuple[int, int]:
    """Write predictions that differ from those in force; return (predictions, regions) written."""
    latest = {s.item_id: s for s in said}
    standing = _standing(connection, predictions, list(latest))
    fresh = [
        Prediction(i, s.answer, _confidence(s))
        for i, s in sorted(latest.items())
        if standing.get(i) != s.answer.to_json()
    ]
    taken.touched.update(p.item_id for p in fresh)
    count = store_predictions(connection, project, fresh, name, at, batch_id=batch_id)
    return count, sum(len(p.answer.regions) for p in fresh)


def _confidence(said: Said) -> float | None:
    """Return an item's confidence: as given, else that of its least certain region."""
    if said.row.confidence is not None:
        return said.row.confidence
    known = [r.confidence for r in said.answer.regions if r.confidence is not None]
    return min(known) if known else None


TABLES = {What.LABELS: imported_labels, What.GOLD: gold_answers}
