"""What is looked at: every item of a project with the label in force and the newest prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from core.labels import Answer
from core.labels.schema import Question
from core.labels.state import LABELLED, ItemState
from core.services.projects.project import ProjectView
from core.store.tables import final_labels, item_state, items, models, predictions


@dataclass(frozen=True, slots=True)
class Looked:
    """One item as the record has it.

    Attributes:
        answer: The label in force in today's classes; None without one.
        final_seq: Of that label; 0 without one.
        by_model: Whether the label is a model's own word.
    """

    id: int
    content_hash: str
    use: str
    answer: Answer | None
    final_seq: int
    by_model: bool


def looked_at(connection: Connection, project: ProjectView) -> list[Looked]:
    """Return every item of the project in order of number."""
    rows = connection.execute(
        select(
            items.c.id,
            items.c.content_hash,
            items.c.use,
            item_state.c.state,
            final_labels.c.seq,
            final_labels.c.answer,
        )
        .join(item_state, item_state.c.item_id == items.c.id)
        .outerjoin(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(items.c.project_id == project.id)
        .order_by(items.c.id)
    )
    found = []
    for r in rows:
        labelled = ItemState(r.state) in LABELLED and r.answer is not None
        answer = project.schema.translate(Answer.from_json(r.answer)) if labelled else None
        found.append(
            Looked(
                r.id, r.content_hash, r.use, answer, int(r.seq) if labelled else 0,
                r.state == ItemState.AUTO_ACCEPTED.value,
            )
        )  # fmt: skip
    return found


def codes_of(question: Question, looked: list[Looked]) -> np.ndarray:
    """Return the class number each item is given on a question of one class, -1 without one."""
    number = {name: i for i, name in enumerate(question.names)}
    said = [i.answer.choices.get(question.key, "") if i.answer else "" for i in looked]
    return np.array([number.get(s, -1) for s in said], dtype=np.int64)


def sets_of(question: Question, looked: list[Looked]) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes each item is given, bool (n, k), and whether it is answered at all, bool (n,)."""
    number = {name: i for i, name in enumerate(question.names)}
    table = np.zeros((len(looked), len(number)), dtype=bool)
    known = np.zeros(len(looked), dtype=bool)
    for row, item in enumerate(looked):
        said = item.answer.multi.get(question.key) if item.answer else None
        known[row] = said is not None
        for name in said or ():
            if name in number:
                table[row, number[name]] = True
    return table, known


def state_of(connection: Connection, project: ProjectView) -> str:
    """Return what names the labels, images, classes and models there are now."""
    newest = [
        connection.execute(select(func.max(t.c[key])).where(t.c.project_id == project.id)).scalar()
        for t, key in ((final_labels, "seq"), (items, "id"), (models, "id"), (predictions, "seq"))
    ]
    return ".".join(str(n or 0) for n in (*newest, project.schema_version))
