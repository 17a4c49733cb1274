"""Commands about models: train, promote, prelabel."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from core.access import Actor
from core.cli.figures import percent
from core.cli.options import JsonOption, ProjectArgument, WorkspaceOption, opened
from core.cli.output import Meter, emit
from core.errors import InputError, TrainingError
from core.jobs.rows import Job, JobStatus
from core.services.models.general import GeneralOptions, read_pairs, start_general
from core.services.models.jobs import cancel_job, get_job
from core.services.models.options import TrainingOptions, read_recipe
from core.services.models.promotion import list_models
from core.services.models.promotion import promote as promote_model
from core.services.models.training import resumable, start_prelabel, start_training
from core.services.workspace import Workspace

POLL_SECONDS = 0.25


def train(
    project: ProjectArgument,
    backbone: Annotated[str | None, typer.Option(help="Name of a torchvision model.")] = None,
    mode: Annotated[str | None, typer.Option(help="probe, fine-tune or student.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="File with weights: safetensors or a state dict.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Dataset version; the labels in force by default.")
    ] = None,
    labels: Annotated[
        int | None, typer.Option(help="Learn from a draw of so many, judge on all others.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="none, light, standard, strong, or a JSON file.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="How long steps may take (reading, judging and predicting come on top); those of a detector of boxes take 3.3 unless told."
        ),
    ] = None,
    search_minutes: Annotated[
        float | None, typer.Option(help="How long to search for rates and strength.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Processes that share the run; one a GPU by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run that was broken off.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Everything random follows from it; 0 by default.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze the labels in force, or take a version, and train a model on it.

    A probe takes seconds. A detector of boxes takes under 5 minutes on two cores, 3.3 of them for
    its steps, one of shapes 10. It finds out by itself whether your images look alike whichever way they are
    turned, and says so.
    """
    ws, me = opened(workspace)
    options = TrainingOptions(
        mode=mode,
        weights=weights,
        version=version,
        recipe=None if recipe is None else read_recipe(recipe),
        minutes=minutes,
        search_minutes=search_minutes,
        processes=processes,
        labels=labels,
        resume=resume,
    )
    job = start_training(ws, me, project, backbone, seed, options)
    result = _finished(ws, me, job, as_json)
    lines = [_trained_said(result), *_remarks(result), *_in_force(ws, me, project, result)]
    emit(result, as_json, "\n".join(lines))


def _trained_said(result: Mapping[str, Any]) -> str:
    """Tell what a new model is and how right it was on what it never saw."""
    found = result["eval"]
    text = f"Model {result['model']} ({result['backbone']})"
    if isinstance(found, dict) and found.get("map50") is not None:
        text += (
            f": mean average precision {found['map50']:.3f} at overlap 0.5 on n = {found['n']} "
            f"images (95 % interval {found['low']:.3f} to {found['high']:.3f})."
        )
    if isinstance(found, dict) and found.get("accuracy") is not None:
        text += (
            f": right on {percent(found['accuracy'])} of n = {found['n']} "
            f"{'other' if found['on'] == 'all others' else found['on']} items "
            f"(95 % interval {percent(found['low'])} to {percent(found['high'])})."
        )
    sets = result.get("sets")
    if isinstance(sets, dict) and sets["low"] is not None:
        text += (
            f" Mean average precision over the classes {sets['mean_ap']:.3f} "
            f"(95 % interval {sets['low']:.3f} to {sets['high']:.3f})."
        )
    return text


def _in_force(ws: Workspace, me: Actor, project: str, result: Mapping[str, object]) -> list[str]:
    """Tell when another model than the new one goes on pre-labelling."""
    now = [m.id for m in list_models(ws, me, project) if m.promoted]
    if not now or now[0] == result["model"]:
        return []
    this = result["model"]
    return [
        f"Model {now[0]} stays in force until 'tiebreak promote {project} {this} --reason …', or the "
        "Retrain page, puts this one there."
    ]


def _remarks(result: Mapping[str, object]) -> list[str]:
    """Return what else a person should know of a run: its notice, the balance, likely causes."""
    said = [str(result.get("notice") or ""), str(result.get("balance") or "")]
    causes = result.get("diagnosis")
    for one in causes if isinstance(causes, list) else []:
        said.append(f"Likely cause ({one['cause']}): {one['evidence']} {one['advice']}")
    return [s for s in said if s]


def promote(
    project: ProjectArgument,
    model: Annotated[int, typer.Argument(help="Number of the model, as 'train' printed it.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the record, required.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a model in force: its answers are the pre-labels from then on.

    Sample images go through training's path and serving's first; where they differ it is refused.
    Where the project asks for two people, the first call proposes and another person's decides.
    """
    ws, me = opened(workspace)
    done = promote_model(ws, me, project, model, reason)
    said = {
        "proposed": f"Model {model} was proposed; another person has to put it in force.",
        "rolled back": f"Model {model} is in force again.",
    }
    doc = {"model": model, "done": done}
    emit(doc, as_json, said.get(done, f"Model {model} is in force."))


def prelabel(
    project: ProjectArgument,
    model: Annotated[int | None, typer.Option(help="The promoted model by default.")] = None,
    general: Annotated[
        str | None,
        typer.Option(help="A ready-made classifier or detector of torchvision; needs no labels."),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--as", help="Its categories that mean a class: dog=Chihuahua|golden retriever."
        ),
    ] = None,
    classes: Annotated[str, typer.Option(help="Only these of the classes, comma separated.")] = "",
    count: Annotated[
        int | None, typer.Option(help="Items to look at, at least 100; all by default.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="File with the general model's weights.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a model predict every item it was not trained on.

    With --general a ready-made model proposes labels for items nobody has started.
    """
    only = tuple(c.strip() for c in classes.split(",") if c.strip())
    options = GeneralOptions(read_pairs(given or []), only, count, weights)
    if general is None and options != GeneralOptions():
        raise InputError(
            "--as, --classes, --count and --weights are for a general model; nothing was changed.",
            "Name one with --general, mobilenet_v2 for example.",
        )
    if general is not None and model is not None:
        raise InputError(
            "--general and --model name two models; nothing was changed.", "Leave one out."
        )
    ws, me = opened(workspace)
    if general is not None:
        result = _finished(ws, me, start_general(ws, me, project, general, options), as_json)
        emit(result, as_json, _general_said(result))
        return
    result = _finished(ws, me, start_prelabel(ws, me, project, model), as_json)
    said = f"Model {result['model']} pre-labelled {result['items']} items."
    emit(result, as_json, f"{said}\n{result['notice']}" if result["notice"] else said)


def _general_said(result: Mapping[str, Any]) -> str:
    """Tell what a general model proposed, what not and why, and which classes it knows."""
    left = {
        "show none of the classes it covers, as far as it knows": result["none_of_these"],
        "have this pre-label already": result["unchanged"],
        "could not be read": result["unreadable"],
    }
    lines = [
        f"{result['general']} looked at {result['looked_at']:,} items nobody has started and "
        f"pre-labelled {result['items']:,}.",
        *[f"{n:,} {why}." for why, n in left.items() if n],
        result["notice"],
    ]
    if kept := result["kept"]:
        lines.append(f"{kept:,} others keep the pre-label of a model of yours or of a file.")
    lines += [f"Covered: {c} ({', '.join(found)})." for c, found in result["covered"].items()]
    if missing := result["uncovered"]:
        lines.append(f"Not covered: {', '.join(missing)}; name categories with --as.")
    return "\n".join(line for line in lines if line)


def _finished(ws: Workspace, me: Actor, job: Job, quiet: bool) -> dict[str, object]:
    """Wait for a job, showing how far it is; an interrupt cancels it.

    Raises:
        TrainingError: It failed, was cancelled or its worker was lost.
    """
    meter = Meter(quiet)
    try:
        while job.status.active:
            time.sleep(POLL_SECONDS)
            job = get_job(ws, me, job.id)
            meter.show(job.phase or job.kind, job.done, job.total, job.seconds_left)
    except KeyboardInterrupt:
        cancel_job(ws, me, job.id)
        raise
    finally:
        meter.close()
    if job.status is not JobStatus.DONE:
        words = job.error or f"Job {job.id} was {job.status.value}; what it had finished is kept."
        if resumable(ws, [job]):
            raise TrainingError(words, "It left a checkpoint: go on from there with --resume.")
        raise TrainingError(words, "" if job.status is JobStatus.FAILED else "Start it again.")
    return dict(job.result or {})
