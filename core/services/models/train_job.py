"""The job that trains: what is learnt from, and the model it leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import select

from core.access import Actor
from core.datasets.freeze import FrozenLabel, read_version
from core.errors import DiskFull, TiebreakError
from core.jobs.rows import Job, read_job
from core.labels import Answer, LabelSchema
from core.labels.schema import Question
from core.labels.state import ItemState
from core.learning import Example, ImageRef, TrainingReport, TrainingRequest, train
from core.learning.detect import DetectReport
from core.learning.recipes import Recipe, class_balance, recipe_from
from core.services.accounts.people import load_actor
from core.services.models.causes import causes_of
from core.services.models.detect_job import train_regions
from core.services.models.gold_kept import gold_kept_out
from core.services.models.job_inputs import image_refs, slug_of
from core.services.models.options import drawn_labels
from core.services.models.promotion import promoted_model, record_promotion
from core.services.models.reporting import Reporter
from core.services.models.skew import keep_check
from core.services.models.stored import model_row
from core.services.projects.project import ProjectView, load_project
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import dataset_versions, items, models


def run_training(ws: Workspace, job: Job, reporter: Reporter) -> Mapping[str, object] | None:
    """Train on the frozen labels, question by question, and register what came of it.

    Returns:
        What the job row keeps, or None if the job was told to stop.
    """
    with ws.store.read() as connection:
        project = load_project(connection, slug_of(ws, job.project_id))
        version = connection.execute(
            select(dataset_versions).where(
                dataset_versions.c.id == job.config["dataset_version_id"]
            )
        ).one()
        actor = load_actor(connection, job.by_id)
    frozen = read_version(ws.root / version.folder, version.hash)
    pool = image_refs(ws, project)
    count = job.config.get("labels")
    frozen, drawn = drawn_labels(
        frozen, None if count is None else int(str(count)), int(str(job.config["seed"]))
    )
    _bring_checkpoints(ws, job)
    with ws.store.read() as connection:
        gold = gold_kept_out(connection, project, frozen)
    held_out = (held_out_items(ws, project) - drawn) | gold
    reports: dict[str, TrainingReport | DetectReport] = {}
    if project.task.draws:
        found = train_regions(ws, job, project, frozen, pool, held_out, reporter)
        if found.status == "cancelled":
            return None
        reports[project.schema.main.key] = found
    for question in project.schema.item_questions:
        if reporter.should_stop():
            return None
        request = training_request(ws, job, project.schema, question, frozen, pool, held_out)
        if question is not project.schema.main and _unanswered(request):
            continue  # a further question nobody has answered in two ways yet
        reports[question.key] = train(request, reporter.progress, reporter.should_stop)
        if reports[question.key].status == "cancelled":
            return None
    return _register_model(ws, job, project, actor, reports, gold)


def training_request(
    ws: Workspace,
    job: Job,
    schema: LabelSchema,
    question: Question,
    frozen: Sequence[FrozenLabel],
    pool: Mapping[int, ImageRef],
    held_out: frozenset[int],
) -> TrainingRequest:
    """Return what is to be learnt for one question: the frozen labels, said in today's classes."""
    examples = []
    config = job.config
    for row in frozen:
        # Frozen before somebody renamed a class, perhaps: what it means today is what is learnt.
        said = schema.translate(Answer.from_json(row.answer)).said(question.key)
        alone = row.state == ItemState.AUTO_ACCEPTED  # a model's own word teaches it nothing
        if said is not None and row.item_id in pool and not alone:
            labels = said if isinstance(said, tuple) else (said,)
            first = labels[0] if labels else ""
            examples.append(Example(pool[row.item_id], first, row.use, labels))
    recipe = config.get("recipe")
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
        mode=str(config.get("mode", "probe")),
        weights=Path(str(config["weights"])) if config.get("weights") else None,
        recipe=recipe_from(recipe) if isinstance(recipe, Mapping) else Recipe(),
        budget_seconds=60 * float(str(config.get("minutes", 0))),
        search_seconds=60 * float(str(config.get("search_minutes", 0))),
        resume="resume_of" in config,
        several=question.several,
        judged_on="all others" if "labels" in config else "evaluate",
    )


def _unanswered(request: TrainingRequest) -> bool:
    said = {c for e in request.examples if e.use == "train" for c in e.labels}
    return len(said) < (1 if request.several else 2)


def _bring_checkpoints(ws: Workspace, job: Job) -> None:
    """Copy the checkpoints of the run that is gone on with into this run's folder.

    The old ones stay: should this run be broken off at once, there is still something to resume.
    """
    if "resume_of" not in job.config:
        return
    with ws.store.read() as connection:
        before = read_job(connection, int(str(job.config["resume_of"])))
    for found in sorted((ws.root / before.folder).glob("*/run")):
        target = ws.root / job.folder / found.parent.name / "run"
        part = target.with_name("run.part")
        if target.exists():
            continue
        try:
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(found, part)
            part.rename(target)  # killed before this, the run before is still the one to resume
        except (OSError, shutil.Error) as error:
            shutil.rmtree(part, ignore_errors=True)
            raise DiskFull(
                f"The checkpoint of job {before.id} could not be copied to go on from: "
                f"{getattr(error, 'strerror', None) or 'a file cannot be read or written'}.",
                "Free some space and resume it again; the checkpoint is kept.",
            ) from error


def _register_model(
    ws: Workspace,
    job: Job,
    project: ProjectView,
    actor: Actor,
    reports: Mapping[str, TrainingReport | DetectReport],
    gold: frozenset[int],
) -> Mapping[str, object]:
    main = project.schema.main.key
    others = {k: r.to_dict()["eval"] for k, r in reports.items() if k != main}
    report = {**reports[main].to_dict(), "questions": others, "notice": _notice(reports[main])}
    report |= {
        "version": job.config.get("dataset_version", ""),
        "labels": job.config.get("labels"),
        "seed": job.config["seed"],
        "resume_of": job.config.get("resume_of"),
    }
    report["gold_kept_out"] = sorted(gold)  # a training label each, and still to be predicted
    with ws.store.write() as connection:
        model_id = connection.execute(
            models.insert().returning(models.c.id),
            {
                "project_id": project.id,
                "job_id": job.id,
                "dataset_version_id": job.config["dataset_version_id"],
                "backbone": str(job.config["backbone"]),
                "folder": job.folder,
                "mode": reports[main].mode,
                "task": project.task.value,
                "report": json.dumps(report),
                "schema_version": project.schema_version,
                "at": ws.clock(),
            },
        ).scalar_one()
        append_audit(
            connection, ws.clock(), actor.name, "model trained", f"model {model_id}", project.id,
            {"job": job.id},
        )  # fmt: skip
    _put_first_in_force(ws, project, int(model_id), actor)
    return {
        "model": model_id,
        **report,
        "balance": class_balance(reports[main].class_balance).advice,
        "diagnosis": _diagnosis(ws, project, int(model_id)),
    }


def _put_first_in_force(ws: Workspace, project: ProjectView, model_id: int, actor: Actor) -> None:
    """Hold serving against training, and put a project's first model in force where they agree."""
    with ws.store.read() as connection:
        row = model_row(connection, project, model_id)
    if not keep_check(ws, project, row, by_id=actor.person_id or None).passed:
        return  # the check is kept, and whoever wants it in force reads why not
    with ws.store.write() as connection:
        if promoted_model(connection, project.id) is None:
            record_promotion(
                connection, project.id, model_id, "first model of the project", actor, ws.clock()
            )


def _diagnosis(ws: Workspace, project: ProjectView, model_id: int) -> list[dict[str, object]]:
    """Return the likely causes of what is poor; none where the files do not tell."""
    if project.schema.main.several or project.task.draws:
        return []
    with ws.store.read() as connection:
        row = model_row(connection, project, model_id)
    with suppress(TiebreakError):
        return [asdict(cause) for cause in causes_of(ws, project, row, project.schema.main)]
    return []


def _notice(report: TrainingReport | DetectReport) -> str:
    """Return what a person should know of the run, images that could not be read included."""
    if not report.skipped:
        return report.notice
    first = next(iter(report.skipped.values()))
    said = f"{len(report.skipped)} images could not be read and were left out: {first}"
    return f"{report.notice} {said}".strip()


def held_out_items(ws: Workspace, project: ProjectView) -> frozenset[int]:
    """Return the items drawn for certifying or evaluating: never learnt from, not even unlabelled."""
    with ws.store.read() as connection:
        return frozenset(
            connection.execute(
                select(items.c.id).where(items.c.project_id == project.id, items.c.use != "train")
            ).scalars()
        )
