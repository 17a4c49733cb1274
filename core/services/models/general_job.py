"""The job in which a ready-made model proposes labels for items nobody has started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from core.jobs.rows import Job
from core.labels import Answer
from core.labels.state import ItemState
from core.learning import ImageRef
from core.learning.general import LEAST_SCORE, ask_classifier, ask_detector, said_of, verdicts
from core.services.accounts.people import load_actor
from core.services.models.detect_job import sureness
from core.services.models.job_inputs import slug_of
from core.services.models.prelabels import Prediction, run_count, store_predictions
from core.services.models.reporting import Reporter
from core.services.pictures.readable import readable_refs
from core.services.projects.project import ProjectView, load_project
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import item_state, items, prediction_sets, predictions

_ALIKE = 0.005
"""Confidences that differ by less are the same answer, computed in other batches."""


def run_general(ws: Workspace, job: Job, reporter: Reporter) -> Mapping[str, object] | None:
    """Let a ready-made model look at items nobody has started and put what it proposes in force.

    What a model of the project's own or a file says of an item stays in force. Running again with
    nothing changed adds nothing.

    Returns:
        What the job row keeps.
    """
    with ws.store.read() as connection:
        project = load_project(connection, slug_of(ws, job.project_id))
        actor = load_actor(connection, job.by_id)
        waiting = _not_started(connection, project)
    config: Mapping[str, Any] = job.config
    meanings = {str(c): tuple(found) for c, found in config["meanings"].items()}
    free = [r for r in waiting if r.model_id is None and r.batch_id is None]
    images = list(readable_refs(ws, free[: run_count(len(free), config["count"])]).values())
    rows, skipped = _proposed(project, config, meanings, images, reporter)
    name = said_of(str(config["general"]), meanings)
    with ws.store.write() as connection:
        now = {r.id: r for r in _not_started(connection, project)}  # people did not wait for us
        fresh = [r for r in rows if r.item_id in now and not _stands(now[r.item_id], r, name)]
        count = store_predictions(connection, project, fresh, name, ws.clock())
        if count:
            append_audit(
                connection, ws.clock(), actor.name, "pre-labelled", name, project.id,
                {"items": count, "job": job.id},
            )  # fmt: skip
    proposed = {r.item_id for r in rows} | skipped.keys()
    earlier = sum(now[i.item_id].answer is not None for i in images
                  if i.item_id in now and i.item_id not in proposed)  # fmt: skip
    return {
        "general": config["general"],
        "items": count,
        "looked_at": len(images),
        "unchanged": len(rows) - len(fresh),
        "none_of_these": len(images) - len(rows) - len(skipped),
        "unreadable": len(skipped),
        "kept": len(waiting) - len(free),
        "covered": {c: list(found) for c, found in meanings.items()},
        "uncovered": config["uncovered"],
        "notice": f"{earlier:,} of them keep what an earlier run proposed." if earlier else "",
    }


def _not_started(connection: Connection, project: ProjectView) -> list[Row]:
    """Return the items nobody has voted on, oldest first, with the prediction in force."""
    query = (
        select(
            items.c.id, items.c.content_hash, items.c.location, items.c.channels,
            predictions.c.answer, predictions.c.confidence, prediction_sets.c.name,
            prediction_sets.c.model_id, prediction_sets.c.batch_id,
        )
        .join(item_state, item_state.c.item_id == items.c.id)
        .outerjoin(predictions, predictions.c.seq == item_state.c.prediction_seq)
        .outerjoin(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .where(
            items.c.project_id == project.id,
            item_state.c.state == ItemState.OPEN.value,
            item_state.c.votes == 0,
        )
        .order_by(items.c.id)
    )  # fmt: skip
    return [*connection.execute(query)]


def _proposed(
    project: ProjectView,
    config: Mapping[str, Any],
    meanings: Mapping[str, tuple[str, ...]],
    images: Sequence[ImageRef],
    reporter: Reporter,
) -> tuple[list[Prediction], Mapping[int, str]]:
    """Return what the model proposes, and why images could not be read."""
    asked = (str(config["general"]), Path(config["weights"]), meanings, images)
    if project.task.draws:
        seen, skipped = ask_detector(*asked, reporter.progress, reporter.should_stop)
        drawn = {
            i: tuple(r for r in s if (r.confidence or 0) >= LEAST_SCORE) for i, s in seen.items()
        }
        return [
            Prediction(i, Answer(regions=boxes), sureness(seen[i]))
            for i, boxes in drawn.items()
            if boxes  # it may not know all that is there: an empty image is for people to tell
        ], skipped
    sums = ask_classifier(*asked, reporter.progress, reporter.should_stop)
    key = project.schema.main.key
    return [
        Prediction(i, Answer({key: v.label}), v.confidence, v.margin, v.top)
        for i, v in verdicts(sums, list(meanings)).items()
    ], sums.skipped


def _stands(row: Row, said: Prediction, name: str) -> bool:
    """Say whether this very proposal is in force, or what must not be replaced."""
    if row.model_id is not None or row.batch_id is not None:
        return True
    alike = abs((row.confidence or 0.0) - (said.confidence or 0.0)) < _ALIKE
    return alike and (row.name, row.answer) == (name, said.answer.to_json())
