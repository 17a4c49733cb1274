"""The worker process: ``torchrun -m core.services.models.worker --workspace W --job N``.

It reads its job row, does the work, writes progress and a heartbeat into that row, and never
touches the app's process. Every process of a torchrun group runs this; the first one writes.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from core.access import Actor
from core.datasets.freeze import FrozenLabel, read_version
from core.errors import StorageError, TiebreakError
from core.jobs.rows import Job, JobStatus, finish_job, read_job, update_job
from core.labels import Answer, LabelSchema
from core.labels.schema import Question
from core.learning import (
    Example,
    ImageRef,
    Predictions,
    Progress,
    StopRequested,
    TrainingReport,
    TrainingRequest,
    predict,
    train,
)
from core.learning.typicality import typicality_of
from core.services.accounts.people import load_actor
from core.services.models.prelabels import Prediction, store_predictions
from core.services.models.promotion import promoted_model, record_promotion
from core.services.models.training import PRELABEL, TRAIN
from core.services.pictures.images import composite_path, local_path, original_bytes
from core.services.projects.project import ProjectView, load_project
from core.services.steering.schemas import stale_because
from core.services.workspace import Workspace, open_workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, items, models, projects

HEARTBEAT_SECONDS = 2.0
PROGRESS_SECONDS = 0.3


class Reporter:
    """Writes progress and a heartbeat into the job row, and listens for a cancel request."""

    def __init__(
        self, ws: Workspace, job_id: int, watch: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._ws, self._job_id, self._watch = ws, job_id, watch
        self._cancelled, self._ended = threading.Event(), threading.Event()
        self._written = 0.0
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def progress(self, step: Progress) -> None:
        """Take note of a step; the row is written at most a few times a second."""
        self._watch(step)
        now = time.monotonic()
        if now - self._written < PROGRESS_SECONDS and step.done < step.total:
            return
        self._written = now
        self._write(
            phase=step.phase,
            done=step.done,
            total=step.total,
            seconds_left=step.seconds_left,
            metrics=step.metrics,
        )

    def should_stop(self) -> bool:
        """Return whether somebody asked for the job to stop."""
        return self._cancelled.is_set()

    def close(self) -> None:
        """Stop the heartbeat."""
        self._ended.set()
        self._thread.join(timeout=10)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            with suppress(StorageError):  # busy now; a thread that ended would look like death
                self._write()
                with self._ws.store.read() as connection:
                    if read_job(connection, self._job_id).cancel_requested:
                        self._cancelled.set()

    def _write(self, **values: object) -> None:
        with self._ws.store.ephemeral() as connection:
            update_job(connection, self._job_id, heartbeat_at=self._ws.clock(), **values)


def main() -> None:
    """Run one job to its end; the exit status is 0 also when it failed and said so."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--job", type=int, required=True)
    arguments = parser.parse_args()
    if int(os.environ.get("RANK", "0")) != 0:
        return  # probes need one process; the launcher's others have nothing to do
    ws = open_workspace(arguments.workspace)
    run_job(ws, arguments.job)


def run_job(ws: Workspace, job_id: int, watch: Callable[[Progress], None] = lambda _: None) -> None:
    """Do a job and write how it ended into its row; `watch` sees every step."""
    with ws.store.ephemeral() as connection:
        job = read_job(connection, job_id)
        if not job.status.active:
            return
        now = ws.clock()
        update_job(
            connection, job_id, status=JobStatus.RUNNING.value, started_at=now, heartbeat_at=now,
            phase="starting",
        )  # fmt: skip
    reporter = Reporter(ws, job_id, watch)
    try:
        result = _WORK[job.kind](ws, job, reporter)
        status = JobStatus.CANCELLED if result is None else JobStatus.DONE
        _end(ws, job_id, status, result=result or {}, phase="")
    except StopRequested:
        _end(ws, job_id, JobStatus.CANCELLED, phase="")
    except TiebreakError as error:
        _end(ws, job_id, JobStatus.FAILED, error=str(error))
    except Exception as error:
        traceback.print_exc()  # the log keeps the cause; the page gets a sentence
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        _end(
            ws, job_id, JobStatus.FAILED,
            error=f"The worker failed unexpectedly ({words}). Its log is {job.folder}/worker.log.",
        )  # fmt: skip
    finally:
        reporter.close()


def _end(ws: Workspace, job_id: int, status: JobStatus, **values: object) -> None:
    with ws.store.write() as connection:
        finish_job(connection, job_id, status, ws.clock(), **values)


# --- training ---------------------------------------------------------------------------------


def _train(ws: Workspace, job: Job, reporter: Reporter) -> Mapping[str, object] | None:
    with ws.store.read() as connection:
        project = load_project(connection, _slug(ws, job.project_id))
        version = connection.execute(
            select(dataset_versions).where(
                dataset_versions.c.id == job.config["dataset_version_id"]
            )
        ).one()
        actor = load_actor(connection, job.by_id)
    frozen = read_version(ws.root / version.folder, version.hash)
    pool = image_refs(ws, project)
    held_out = _held_out(ws, project)
    reports: dict[str, TrainingReport] = {}
    for question in project.schema.item_questions:
        if reporter.should_stop():
            return None
        request = _request(ws, job, project.schema, question, frozen, pool, held_out)
        if len({e.label for e in request.examples if e.use == "train"}) < 2:
            continue  # a further question nobody has answered in two ways yet
        reports[question.key] = train(request, reporter.progress, reporter.should_stop)
        if reports[question.key].status == "cancelled":
            return None
    return _register_model(ws, job, project, actor, reports)


def _request(
    ws: Workspace,
    job: Job,
    schema: LabelSchema,
    question: Question,
    frozen: Sequence[FrozenLabel],
    pool: Mapping[int, ImageRef],
    held_out: frozenset[int],
) -> TrainingRequest:
    examples = []
    for row in frozen:
        # Frozen before somebody renamed a class, perhaps: what it means today is what is learnt.
        said = schema.translate(Answer.from_json(row.answer)).choices.get(question.key)
        if said is not None and row.item_id in pool:
            examples.append(Example(pool[row.item_id], said, row.use))
    return TrainingRequest(
        classes=question.names,
        examples=tuple(examples),
        pool=tuple(pool.values()),
        backbone=str(job.config["backbone"]),
        seed=int(str(job.config["seed"])),
        folder=ws.root / job.folder / question.key,
        cache=ws.cache / "embeddings",
        held_out=held_out,
        offline=ws.settings.offline,
        self_training_seconds=ws.settings.self_training_seconds,
    )


def _register_model(
    ws: Workspace,
    job: Job,
    project: ProjectView,
    actor: Actor,
    reports: Mapping[str, TrainingReport],
) -> Mapping[str, object]:
    main = project.schema.main.key
    others = {k: r.to_dict()["eval"] for k, r in reports.items() if k != main}
    report = {**reports[main].to_dict(), "questions": others, "notice": _notice(reports[main])}
    with ws.store.write() as connection:
        model_id = connection.execute(
            models.insert().returning(models.c.id),
            {
                "project_id": project.id,
                "job_id": job.id,
                "dataset_version_id": job.config["dataset_version_id"],
                "backbone": str(job.config["backbone"]),
                "folder": job.folder,
                "report": json.dumps(report),
                "schema_version": project.schema_version,
                "at": ws.clock(),
            },
        ).scalar_one()
        append_audit(
            connection, ws.clock(), actor.name, "model trained", f"model {model_id}", project.id,
            {"job": job.id},
        )  # fmt: skip
        if promoted_model(connection, project.id) is None:
            record_promotion(
                connection, project.id, model_id, "first model of the project", actor, ws.clock()
            )
    return {"model": model_id, **report}


def _notice(report: TrainingReport) -> str:
    """Return what a person should know of the run, images that could not be read included."""
    if not report.skipped:
        return report.notice
    first = next(iter(report.skipped.values()))
    said = f"{len(report.skipped)} images could not be read and were left out: {first}"
    return f"{report.notice} {said}".strip()


# --- predicting -------------------------------------------------------------------------------


def _prelabel(ws: Workspace, job: Job, reporter: Reporter) -> Mapping[str, object] | None:
    with ws.store.read() as connection:
        project = load_project(connection, _slug(ws, job.project_id))
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
    known = {f.item_id for f in frozen if f.use == "train"}
    images = [ref for i, ref in image_refs(ws, project).items() if i not in known]
    said: dict[str, Predictions] = {}
    for question in project.schema.item_questions:
        folder = ws.root / row.folder / question.key
        if folder.exists():
            said[question.key] = predict(
                folder, images, ws.cache / "embeddings", reporter.progress, reporter.should_stop
            )
        if reporter.should_stop():
            return None
    main = project.schema.main.key
    hashes = {ref.item_id: ref.content_hash for ref in images}
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
    choices: dict[int, dict[str, str]] = {}
    for key, found in said.items():
        for item_id, label in zip(found.item_ids, found.top1, strict=True):
            choices.setdefault(int(item_id), {})[key] = label
    return [
        Prediction(int(i), Answer(choices[int(i)]), float(c), float(m), top, typical.get(int(i)))
        for i, c, m, top in zip(
            first.item_ids, first.confidence, first.margin, first.top(), strict=True
        )
    ]


# --- shared -----------------------------------------------------------------------------------


def image_refs(ws: Workspace, project: ProjectView) -> dict[int, ImageRef]:
    """Return where each image of a project can be read, fetching what lies elsewhere."""
    with ws.store.read() as connection:
        rows = connection.execute(
            select(items.c.id, items.c.content_hash, items.c.location, items.c.channels)
            .where(items.c.project_id == project.id)
            .order_by(items.c.id)
        ).all()
    return {r.id: ImageRef(r.id, r.content_hash, _readable(ws, r)) for r in rows}


def _readable(ws: Workspace, row: Row[*tuple[Any, ...]]) -> Path:
    if row.channels != "[]" and (shown := composite_path(ws, row)) is not None:
        return shown
    return _local(ws, row.location, row.content_hash)


def _held_out(ws: Workspace, project: ProjectView) -> frozenset[int]:
    """Return the items drawn for certifying or evaluating: never learnt from, not even unlabelled."""
    with ws.store.read() as connection:
        return frozenset(
            connection.execute(
                select(items.c.id).where(items.c.project_id == project.id, items.c.use != "train")
            ).scalars()
        )


def _local(ws: Workspace, location: str, content_hash: str) -> Path:
    if "://" not in location:
        return local_path(ws, location)
    kept = ws.cache / "originals" / content_hash[:2] / content_hash
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        part.write_bytes(original_bytes(ws, location))
        part.replace(kept)
    return kept


def _slug(ws: Workspace, project_id: int) -> str:
    with ws.store.read() as connection:
        return str(
            connection.execute(
                select(projects.c.slug).where(projects.c.id == project_id)
            ).scalar_one()
        )


_WORK: Mapping[str, Callable[[Workspace, Job, Reporter], Mapping[str, object] | None]] = {
    TRAIN: _train,
    PRELABEL: _prelabel,
}


if __name__ == "__main__":
    main()
