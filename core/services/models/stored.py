"""A model as the record and its folder keep it, and the labels it may be judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Row, select

from core.datasets.freeze import FrozenLabel, read_version
from core.errors import BadCheckpoint, InputError, NotFound, one_of
from core.labels import Answer, Region
from core.labels.schema import Question
from core.labels.state import ItemState
from core.learning.detect import read_regions
from core.learning.reader import read_predictions
from core.learning.values import Predictions
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import dataset_versions, models


def model_row(connection: Connection, project: ProjectView, model_id: int) -> Row:
    """Return a model of this project with the name, folder and hash of its dataset version.

    Raises:
        NotFound: The project has no such model.
    """
    row = connection.execute(
        select(
            models,
            dataset_versions.c.name.label("version"),
            dataset_versions.c.folder.label("version_folder"),
            dataset_versions.c.hash.label("version_hash"),
        )
        .join(dataset_versions, dataset_versions.c.id == models.c.dataset_version_id)
        .where(models.c.id == model_id, models.c.project_id == project.id)
    ).first()
    if row is None:
        known = select(models.c.id).where(models.c.project_id == project.id).order_by(models.c.id)
        raise NotFound(
            f"There is no model {model_id} in '{project.slug}'.",
            one_of(connection.execute(known).scalars(), "None was trained yet."),
        )
    return row


def version_row(connection: Connection, project: ProjectView, name: str | None) -> Row:
    """Return a dataset version by its name, the newest one if none is given.

    Raises:
        NotFound: There is no such version, or none at all.
    """
    query = select(dataset_versions).where(dataset_versions.c.project_id == project.id)
    if name is not None:
        query = query.where(dataset_versions.c.name == name)
    row = connection.execute(query.order_by(dataset_versions.c.id.desc()).limit(1)).first()
    if row is None:
        wanted = "dataset version" if name is None else f"dataset version '{name}'"
        raise NotFound(f"'{project.slug}' has no {wanted}.", "Freeze the labels first.")
    return row


def judged_labels(
    ws: Workspace, project: ProjectView, question: Question, version: Row
) -> dict[int, str]:
    """Return the frozen labels no model has learnt from, by item: those of evaluate items.

    Certify items are left out: what they say may not steer which model is taken.

    Raises:
        StoreCorrupt: The version was changed on disk.
    """
    frozen = read_version(ws.root / version.folder, version.hash)
    return labels_of(project, question, [f for f in frozen if f.use == "evaluate"])


def judged_regions(
    ws: Workspace, project: ProjectView, version: Row
) -> dict[int, tuple[Region, ...]]:
    """Return the frozen regions no detector has learnt from, by item: those of evaluate items.

    Raises:
        StoreCorrupt: The version was changed on disk.
    """
    frozen = read_version(ws.root / version.folder, version.hash)
    return {
        f.item_id: project.schema.translate(Answer.from_json(f.answer)).regions
        for f in frozen
        if f.use == "evaluate" and f.state != ItemState.AUTO_ACCEPTED
    }


def regions_of(ws: Workspace, project: ProjectView, row: Row) -> dict[int, tuple[Region, ...]]:
    """Return what a detector proposed of the images it was judged by, in today's names.

    Raises:
        BadCheckpoint: Its files are missing or damaged.
    """
    folder = folder_of(ws, row, project.schema.main.key)
    least = json.loads(row.report).get("threshold", 0.5)
    return {
        i: project.schema.translate(
            Answer(regions=tuple(r for r in said if (r.confidence or 0.0) >= least))
        ).regions
        for i, said in read_regions(folder).items()
    }


def labels_of(
    project: ProjectView, question: Question, frozen: Sequence[FrozenLabel]
) -> dict[int, str]:
    """Return what people said to a question, in today's names, by item."""
    found: dict[int, str] = {}
    for row in frozen:
        said = project.schema.translate(Answer.from_json(row.answer)).choices.get(question.key)
        if said is not None and row.state != ItemState.AUTO_ACCEPTED:
            found[row.item_id] = said
    return found


def asked_question(project: ProjectView, key: str | None) -> Question:
    """Return a question about the item, the first one if none is named.

    Raises:
        InputError: There is no such question, or the project asks for regions alone.
    """
    questions: Mapping[str, Question] = {q.key: q for q in project.schema.item_questions}
    if not questions:
        raise InputError(
            f"'{project.slug}' asks for regions and no class of the whole image.",
            "Its detectors are judged in their model card.",
        )
    chosen = next(iter(questions)) if key is None else key
    if chosen not in questions:
        raise InputError(f"Unknown question '{chosen}'; this project asks {sorted(questions)}.")
    if questions[chosen].several:
        raise InputError(
            f"'{chosen}' takes several classes; models are held against each other on questions "
            "with one answer.",
            "Their own figures are in the model cards.",
        )
    return questions[chosen]


def said_by(ws: Workspace, row: Row, question: Question) -> Predictions:
    """Return what a model said of every item, in today's names of the classes.

    Raises:
        BadCheckpoint: It answers no such question, or its files are missing or damaged.
    """
    folder = folder_of(ws, row, question.key)
    found = read_predictions(folder)
    names, table = in_todays_names(question, found.classes, found.probabilities)
    return Predictions(found.item_ids, table, names)


def folder_of(ws: Workspace, row: Row, key: str) -> Path:
    """Return the folder of a model's answers to a question.

    Raises:
        BadCheckpoint: There is none.
    """
    folder = ws.root / row.folder / key
    if not folder.is_dir():
        raise BadCheckpoint(
            f"Model {row.id} has no files for '{key}': it was never taught it, or they are gone.",
            "Choose another model, or train again.",
        )
    return Path(folder)


def in_todays_names(
    question: Question, classes: Sequence[str], table: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return a table of probabilities by what its classes are called now; merged ones add up."""
    today = [question.today(c) for c in classes]
    names = tuple(dict.fromkeys(today))
    summed = np.zeros((len(table), len(names)), dtype=np.float32)
    for column, name in enumerate(today):
        summed[:, names.index(name)] += table[:, column]
    return names, summed
