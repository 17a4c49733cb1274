"""Pre-labels from a ready-made model, where nobody has labelled anything yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.access import Action, Actor
from core.errors import InputError
from core.jobs.rows import Job
from core.labels.schema import Task
from core.learning.general import coverage, general_categories, general_weights, read_pairs
from core.services.models.jobs import bury_lost
from core.services.models.training import PRELABEL, launch_job, queue_job
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace

__all__ = ["GeneralOptions", "queue_general", "read_pairs", "start_general"]


@dataclass(frozen=True, slots=True)
class GeneralOptions:
    """What a general model is to look at, and what its categories are to mean.

    Attributes:
        meanings: Class to categories, beside those of equal name.
        classes: The classes wanted; none named: all. Fewer classes cost less to correct.
        count: How many items at least; fewer than a hundred are never taken. None: all.
        weights: A file with its weights.
    """

    meanings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    count: int | None = None
    weights: Path | None = None


def start_general(
    ws: Workspace, actor: Actor, slug: str, name: str, options: GeneralOptions | None = None
) -> Job:
    """Start a worker that lets a ready-made model propose labels for items nobody has started.

    Raises:
        InputError: The model does not fit, knows none of the classes, or has no weights here.
        ConflictError: A job of this project is running.
        Forbidden: The actor may not do this here.
    """
    return launch_job(ws, queue_general(ws, actor, slug, name, options))


def queue_general(
    ws: Workspace, actor: Actor, slug: str, name: str, options: GeneralOptions | None = None
) -> Job:
    """Write the job of proposing labels with a ready-made model; somebody must run it.

    Raises:
        InputError: The model does not fit, knows none of the classes, or has no weights here.
        BadCheckpoint: The weights given are damaged or for another network.
        ConflictError: A job of this project is running.
        Forbidden: The actor may not do this here.
    """
    chosen = options or GeneralOptions()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
    _check(project, chosen)
    found = coverage(
        project.schema.main.open_names,
        general_categories(name, project.task.draws),
        chosen.meanings,
        chosen.classes,
    )
    config = {
        "general": name,
        "weights": str(general_weights(name, ws.settings.offline, chosen.weights)),
        "meanings": {c: list(categories) for c, categories in found.meanings.items()},
        "uncovered": list(found.uncovered),
        "count": chosen.count,
    }
    bury_lost(ws, project)
    return queue_job(ws, actor, project, PRELABEL, config)


def _check(project: ProjectView, chosen: GeneralOptions) -> None:
    if project.task not in (Task.CLASSIFICATION, Task.BOXES) or project.schema.main.several:
        asked = "several answers" if project.schema.main.several else project.task.value
        raise InputError(
            f"A general model gives one class an image, or boxes; '{project.slug}' asks for "
            f"{asked}. Nothing was changed.",
            "Teach a model on your own labels with tiebreak train.",
        )
    if chosen.count is not None and chosen.count < 1:
        raise InputError(
            f"The count is at least 1, found {chosen.count}; nothing was changed.", "Correct it."
        )
