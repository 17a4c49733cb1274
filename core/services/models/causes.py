"""What a model's run, its labels and its images tell of why it is not better."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from sqlalchemy import Row

from core.datasets.freeze import read_version
from core.errors import BadCheckpoint
from core.labels.schema import Question
from core.learning.diagnosis import Case, Cause, diagnose
from core.learning.reader import read_embeddings
from core.services.models.stored import folder_of, labels_of, said_by
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

__all__ = ["Cause", "causes_of"]

MOST = 2000
"""Images of each side whose likeness is looked at; a share of them tells as much."""


def causes_of(
    ws: Workspace, project: ProjectView, row: Row, question: Question
) -> tuple[Cause, ...]:
    """Return the likely causes of a poor model, from its labels, its predictions and its vectors.

    Raises:
        BadCheckpoint: Its files are missing or damaged.
        StoreCorrupt: Its dataset version was changed on disk.
    """
    frozen = read_version(ws.root / row.version_folder, row.version_hash)
    report = json.loads(row.report)
    unlearnt = frozenset(report.get("gold_kept_out", ()))
    hashes = {f.item_id: f.content_hash for f in frozen}
    taught = [f for f in frozen if f.use == "train" and f.item_id not in unlearnt]
    labels = labels_of(project, question, taught)
    found = said_by(ws, row, question)
    number = {name: n for n, name in enumerate(found.classes)}
    place = {int(i): n for n, i in enumerate(found.item_ids)}
    learnt = [i for i in sorted(labels) if i in place and labels[i] in number]
    others = [i for i in place if i not in labels]
    ids = np.array(learnt, dtype=np.int64)
    given = np.array([number[labels[i]] for i in learnt], dtype=np.int64)
    judged = [f.item_id for f in frozen if f.use == "evaluate" and f.item_id in place]
    return diagnose(
        Case(
            found.classes, _accuracy(report), ids, given,
            found.probabilities[[place[i] for i in learnt]],
            found.probabilities[[place[i] for i in others]],
            _recall(report, question, found.classes),
            *_likeness(ws, row, question, [hashes[i] for i in learnt], [hashes[i] for i in judged]),
            # A network says nothing blind of most of what it learnt; it was taught it all the same.
            _taught(report, project, question, found.classes),
            tuned=row.mode != "probe",
        )
    )  # fmt: skip


def _accuracy(report: Mapping[str, object]) -> float | None:
    part = report.get("eval")
    value = part.get("accuracy") if isinstance(part, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _taught(
    report: Mapping[str, object], project: ProjectView, question: Question, classes: tuple[str, ...]
) -> list[int]:
    """Return how many labels of each class were learnt from, where the run tells."""
    balance = report.get("class_balance")
    if question.key != project.schema.main.key or not isinstance(balance, Mapping):
        return []
    counts: dict[str, int] = {}
    for name, n in balance.items():
        today = question.today(str(name))
        counts[today] = counts.get(today, 0) + int(n)
    return [counts.get(name, 0) for name in classes]


def _recall(
    report: Mapping[str, object], question: Question, classes: tuple[str, ...]
) -> np.ndarray:
    rows = report.get("per_class")
    known = {
        question.today(str(r["label"])): r.get("accuracy")
        for r in (rows if isinstance(rows, list) else [])
    }
    values = [known.get(c) for c in classes]
    return np.array([np.nan if v is None else float(v) for v in values])


def _likeness(
    ws: Workspace, row: Row, question: Question, learnt: list[str], judged: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return how like each image is to the next one learnt; nothing where no vectors are kept."""
    nothing = np.zeros(0), np.zeros(0)
    try:
        folder = folder_of(ws, row, question.key)
        known, here = read_embeddings(folder, ws.cache / "embeddings", learnt[:MOST])
        other, there = read_embeddings(folder, ws.cache / "embeddings", judged[:MOST])
    except BadCheckpoint:
        return nothing
    a, b = _unit(known[here]), _unit(other[there])
    if len(a) < 2 or not len(b):
        return nothing
    own = a @ a.T
    np.fill_diagonal(own, -1.0)
    return own.max(1), (b @ a.T).max(1)


def _unit(rows: np.ndarray) -> np.ndarray:
    found = rows.astype(np.float32)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))
