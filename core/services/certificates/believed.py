"""What a model, with the neighbours of each image, says of every item, and how sure that is.

Made of the model, the images and its training labels alone: labels of certify items never enter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Row

from core.datasets.freeze import FrozenLabel, read_version
from core.errors import BadCheckpoint, InputError
from core.labels import Answer
from core.labels.schema import Question
from core.labels.state import ItemState
from core.learning.loop import probe_learner, unit_rows
from core.learning.reader import read_embeddings, read_predictions
from core.learning.smooth import blend, choose_weight, nearest
from core.services.models.options import drawn_labels
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

FOLDS = 3
TOP = 5
REGIONS = "regions"


@dataclass(frozen=True, slots=True)
class Believed:
    """Answers and scores, one row an item, in order of item.

    Attributes:
        item_ids: int64, shape (n,).
        score: From 0 to 1, higher is surer: of several questions the least sure of them.
        answers: Key of each question to the answer of every item, in today's names; of regions,
            under that key, the whole answers.
        tables: Key of each question to (names, probabilities), shape (n, classes).
        trained: Items whose label the model learnt from.
        taught_until: Number of the newest final label the model learnt from.
        weights: How much the neighbours count, by question.
    """

    item_ids: np.ndarray
    score: np.ndarray
    answers: Mapping[str, np.ndarray]
    tables: Mapping[str, tuple[tuple[str, ...], np.ndarray]]
    trained: frozenset[int]
    taught_until: int
    weights: Mapping[str, float]

    def answer(self, row: int) -> Answer:
        """Return the whole answer of one row."""
        if REGIONS in self.answers:
            found: Answer = self.answers[REGIONS][row]
            return found
        return Answer({key: str(said[row]) for key, said in sorted(self.answers.items())})

    def top(self, key: str, row: int) -> tuple[tuple[str, float], ...]:
        """Return the likeliest classes of a question, most probable first."""
        if key not in self.tables:
            return ()
        names, table = self.tables[key]
        order = np.argsort(-table[row], kind="stable")[:TOP]
        return tuple((names[c], round(float(table[row, c]), 4)) for c in order)

    def margin(self, key: str) -> np.ndarray:
        """Return by how much the likeliest class leads the next, shape (n,)."""
        if key not in self.tables:
            return self.score
        _names, table = self.tables[key]
        if table.shape[1] < 2:
            return self.score
        two = np.partition(table, -2, axis=1)[:, -2:]
        return np.asarray(two[:, 1] - two[:, 0])


def believed_by(
    ws: Workspace, project: ProjectView, row: Row, hashes: Mapping[int, str]
) -> Believed:
    """Return what a model and the neighbours say of every item it has read.

    Args:
        ws: The workspace.
        project: Whose items.
        row: As `core.services.models.stored.model_row` gave it.
        hashes: Item to the hash of its image, of the whole project.

    Raises:
        InputError: The project asks what no certificate covers, or has a question without a model.
        BadCheckpoint: The run's files are missing or damaged.
        StoreCorrupt: The model's dataset version was changed on disk.
    """
    _check_covered(project)
    learnt = _learnt(ws, row)
    said = {
        q.key: _of_question(ws, project, q, ws.root / row.folder / q.key, learnt, hashes)
        for q in project.schema.item_questions
    }
    ids = next(iter(said.values())).item_ids
    if any(not np.array_equal(ids, s.item_ids) for s in said.values()):
        raise BadCheckpoint(
            f"Model {row.id} answers its questions on different images.", "Train again."
        )
    tables = {k: (s.names, s.table) for k, s in said.items()}
    return Believed(
        ids,
        np.min([t.max(1, initial=0.0) for _, t in tables.values()], axis=0),
        {k: np.array(names, dtype=object)[t.argmax(1)] for k, (names, t) in tables.items()},
        tables,
        *learnt_by(ws, row),
        {k: s.weight for k, s in said.items()},
    )


def _check_covered(project: ProjectView) -> None:
    several = [q.key for q in project.schema.item_questions if q.several]
    if several:
        raise InputError(
            f"'{several[0]}' takes several classes; a certificate covers questions with one answer.",
            "Check its items in the queue.",
        )


def learnt_by(ws: Workspace, row: Row) -> tuple[frozenset[int], int]:
    """Return the items whose label a model learnt from, and the number of the newest such label.

    Raises:
        StoreCorrupt: The model's dataset version was changed on disk.
    """
    learnt = _learnt(ws, row)
    return frozenset(f.item_id for f in learnt), max((f.final_seq for f in learnt), default=0)


def _learnt(ws: Workspace, row: Row) -> list[FrozenLabel]:
    report = json.loads(row.report)
    frozen = read_version(ws.root / row.version_folder, row.version_hash)
    # A run told to draw its labels may have drawn certify items: such a model is refused.
    frozen, _ = drawn_labels(frozen, report.get("labels"), int(report.get("seed") or 0))
    unlearnt = frozenset(report.get("gold_kept_out", ()))
    return [
        f
        for f in frozen
        if f.use == "train" and f.state != ItemState.AUTO_ACCEPTED and f.item_id not in unlearnt
    ]


@dataclass(frozen=True, slots=True)
class _Said:
    item_ids: np.ndarray
    names: tuple[str, ...]
    table: np.ndarray
    weight: float


def _of_question(
    ws: Workspace,
    project: ProjectView,
    question: Question,
    folder: Path,
    learnt: Sequence[FrozenLabel],
    hashes: Mapping[int, str],
) -> _Said:
    if not folder.exists():
        raise InputError(
            f"The model answers no '{question.key}', which this project asks.",
            "Train again; a question needs labels of two classes.",
        )
    found = read_predictions(folder)
    names, table = _in_todays_names(question, found.classes, found.probabilities)
    here = np.array([i in hashes for i in found.item_ids.tolist()], dtype=bool)
    ids, table = found.item_ids[here], table[here]
    order = np.argsort(ids, kind="stable")
    ids, table = ids[order], table[order]
    rows, labels = _training_rows(project, question, learnt, ids, names)
    vectors, read = read_embeddings(
        folder, ws.cache / "embeddings", [hashes[i] for i in ids.tolist()]
    )
    if not read.all() or len(np.unique(labels)) < 2:
        return _Said(ids, names, table, 0.0)  # no neighbours to ask
    return _with_neighbours(unit_rows(vectors), ids, names, table, rows, labels)


def _in_todays_names(
    question: Question, classes: Sequence[str], table: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the table by what its classes are called now; those merged since add up."""
    today = [question.today(c) for c in classes]
    names = tuple(dict.fromkeys(today))
    summed = np.zeros((len(table), len(names)), dtype=np.float32)
    for column, name in enumerate(today):
        summed[:, names.index(name)] += table[:, column]
    return names, summed


def _training_rows(
    project: ProjectView,
    question: Question,
    learnt: Sequence[FrozenLabel],
    ids: np.ndarray,
    names: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows the model learnt from and their class numbers."""
    number = {name: n for n, name in enumerate(names)}
    place = {i: n for n, i in enumerate(ids.tolist())}
    rows, labels = [], []
    for f in learnt:
        said = project.schema.translate(Answer.from_json(f.answer)).choices.get(question.key)
        if said in number and f.item_id in place:
            rows.append(place[f.item_id])
            labels.append(number[said])
    return np.array(rows, dtype=np.int64), np.array(labels, dtype=np.int64)


def _with_neighbours(
    vectors: np.ndarray,
    ids: np.ndarray,
    names: tuple[str, ...],
    table: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
) -> _Said:
    near = nearest(vectors)
    learner = probe_learner(vectors, len(names))
    nobody = np.zeros(0, dtype=np.int64)

    def learn(some: np.ndarray, classes: np.ndarray) -> np.ndarray:
        # No unlabelled help: which rows were drawn for certifying is not looked at here.
        return learner(some, classes, nobody, 0)

    weight = choose_weight(learn, near, rows, labels, len(names), FOLDS)
    said = table.copy()
    said[rows] = np.eye(len(names), dtype=said.dtype)[labels]
    return _Said(ids, names, blend(said, near, weight), weight)
