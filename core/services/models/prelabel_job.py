"""The job that pre-labels: a model predicts what it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select

from core.datasets.freeze import read_version
from core.jobs.rows import Job
from core.labels import Answer
from core.labels.state import ItemState
from core.learning import Predictions, predict
from core.learning.typicality import typicality_of
from core.services.accounts.people import load_actor
from core.services.models.detect_job import region_predictions
from core.services.models.job_inputs import image_refs, slug_of
from core.services.models.options import drawn_labels
from core.services.models.prelabels import Prediction, store_predictions
from core.services.models.reporting import Reporter
from core.services.projects.project import load_project
from core.services.steering.schemas import stale_because
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, models


def run_prelabels(ws: Workspace, job: Job, reporter: Reporter) -> Mapping[str, object] | None:
    """Let a model predict what it was not trained on and put that in force.

    Returns:
        What the job row keeps, or None if the job was told to stop.
    """
    with ws.store.read() as connection:
        project = load_project(connection, slug_of(ws, job.project_id))
        row = connection.execute(
            select(
                models,
                dataset_versions.c.folder.label("version_folder"),
                dataset_versions.c.hash.label("version_hash"),
            )
            .join(dataset_versions, dataset_versions.c.id == models.c.dataset_version_id)
            .where(models.c.id == job.config["model_id"])
        ).one()
        actor = load_actor(connection, job.by_id)
    # What it was trained on it knows by heart: predicting that would flatter every figure.
    frozen = read_version(ws.root / row.version_folder, row.version_hash)
    report = json.loads(row.report)
    unlearnt = frozenset(report.get("gold_kept_out", ()))
    frozen, _ = drawn_labels(frozen, report.get("labels"), int(report.get("seed", 0)))
    learnt = {f.item_id for f in frozen if f.use == "train" and f.state != ItemState.AUTO_ACCEPTED}
    known = learnt - unlearnt
    images = [ref for i, ref in image_refs(ws, project).items() if i not in known]
    said: dict[str, Predictions] = {}
    main = project.schema.main.key
    drawn = (
        region_predictions(ws.root / row.folder / main, images, reporter)
        if project.task.draws
        else []
    )
    for question in project.schema.item_questions:
        folder = ws.root / row.folder / question.key
        if folder.exists():
            said[question.key] = predict(
                folder, images, ws.cache / "embeddings", reporter.progress, reporter.should_stop
            )
        if reporter.should_stop():
            return None
    hashes = {ref.item_id: ref.content_hash for ref in images}
    rows = drawn
    if not project.task.draws:
        typical = typicality_of(ws.root / row.folder / main, ws.cache / "embeddings", hashes)
        rows = _predictions(said, main, typical)
    with ws.store.write() as connection:
        count = store_predictions(
            connection, project, rows, f"model {row.id}", ws.clock(), model_id=row.id
        )
        append_audit(
            connection, ws.clock(), actor.name, "pre-labelled", f"model {row.id}", project.id,
            {"items": count},
        )  # fmt: skip
        project = load_project(connection, project.slug)  # its classes may have changed meanwhile
        stale = stale_because(connection, project, row.schema_version, json.loads(row.report))
    notice = f"Model {row.id} is stale, and its pre-labels with it. {stale}" if stale else ""
    return {"model": row.id, "items": count, "notice": notice}


def _predictions(
    said: Mapping[str, Predictions], main: str, typical: Mapping[int, float]
) -> list[Prediction]:
    first = said[main]
    choices: dict[int, dict[str, str]] = {int(i): {} for i in first.item_ids}
    multi: dict[int, dict[str, tuple[str, ...]]] = {i: {} for i in choices}
    for key, found in said.items():
        for item_id, labels in zip(found.item_ids, found.chosen, strict=True):
            if found.several:
                multi[int(item_id)][key] = labels
            else:
                choices[int(item_id)][key] = labels[0]
    return [
        Prediction(
            int(i),
            Answer(choices[int(i)], (), multi[int(i)]),
            float(c),
            float(m),
            top,
            typical.get(int(i)),
        )
        for i, c, m, top in zip(
            first.item_ids, first.confidence, first.margin, first.top(), strict=True
        )
    ]
