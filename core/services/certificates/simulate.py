"""What a campaign would have saved: the whole loop against known labels, beside the other ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.access import Action, Actor
from core.errors import EmptyTrainingSet, InputError
from core.learning import ImageRef, Progress
from core.learning.loop import (
    LoopRun,
    LoopSettings,
    beside_tuned,
    fine_tuned,
    hard_first,
    probe_learner,
    unit_rows,
)
from core.learning.seeds import run_seeds
from core.learning.tuned_seeds import run_tuned
from core.learning.vectors import vectors_of
from core.services.certificates.simulation import Simulation, summed
from core.services.certificates.truth import Truth, truth_of_record, truth_of_table
from core.services.models.job_inputs import image_refs
from core.services.projects.project import ProjectView, project_for
from core.services.workspace import Workspace

FEWEST = 50
"""Items with a known label below which a campaign means nothing."""
MODES = ("probe", "hard-first", "fine-tune")
"""How a campaign is run: with one layer on features that stay as they are, people labelling typical
images or, of a hard set, what the model is least sure of; or with a whole network at its end."""


def settings_for(target_error: float, confidence: float, looks: int = 3) -> LoopSettings:
    """Return how a campaign of this promise is run.

    Raises:
        InputError: A number makes no sense.
    """
    for what, value in (("target error", target_error), ("confidence", confidence)):
        if not 0 < value < 1:
            raise InputError(
                f"The {what} lies between 0 and 1, found {value:g}.", "Correct it; nothing was run."
            )
    if looks < 1:
        raise InputError(f"A campaign has at least one look, found {looks}.")
    return replace(LoopSettings(), target=target_error, delta=1 - confidence, looks=looks)


def simulate_project(
    ws: Workspace,
    actor: Actor,
    slug: str,
    truth: Path | Mapping[int, str] | None,
    settings: LoopSettings,
    seeds: Sequence[int],
    progress: Callable[[Progress], None] = lambda _: None,
    backbone: str | None = None,
    mode: str = "probe",
) -> Simulation:
    """Run a campaign for each seed against known labels and return what it would have come to.

    Nothing is written into the record: no label, no look, no model.

    Args:
        ws: The workspace.
        actor: Who may train.
        slug: The project.
        truth: A table with columns file and label, or item to class; None: the labels that files
            brought or people settled.
        settings: How each campaign is run; the other modes than ``probe`` keep its promise alone.
        seeds: One campaign each.
        progress: Hears how far it is.
        backbone: Network that embeds the images or is fine-tuned; the setting's by default.
        mode: ``probe``; ``hard-first``: the same model, asking for what it is least sure of; or
            ``fine-tune``: minutes for each campaign.

    Raises:
        InputError: The project does not ask for one class an image, or the truth or the mode does
            not fit.
        EmptyTrainingSet: Too few images or classes have a known label.
        Forbidden: The actor may not train here.
    """
    started = time.perf_counter()
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        _check(project, seeds, mode)
        if isinstance(truth, Path):
            known = truth_of_table(connection, project, truth)
        else:
            known = truth_of_record(connection, project) if truth is None else Truth(dict(truth))
    if len(known.labels) < FEWEST or len(set(known.labels.values())) < 2:
        raise EmptyTrainingSet(
            f"A simulation needs {FEWEST} images or more with known labels of two classes, found "
            f"{len(known.labels)} images with labels of {len(set(known.labels.values()))}.",
            "Give a table of known labels with --truth, or import labels.",
        )
    pool = image_refs(ws, project)
    images = [pool[i] for i in sorted(known.labels) if i in pool]
    material = _material(ws, images, known, backbone or ws.settings.backbone, progress)
    runs, plan = _WAYS[mode](ws, material, settings, seeds, progress)
    n = len(material.codes)
    made = summed(runs, seeds, plan, n, time.perf_counter() - started)
    return replace(
        made, refused=known.refused, n_refused=known.n_refused, skipped=len(images) - n,
        unlabelled=len(pool) - len(images), mode=mode,
        notice=" ".join(filter(None, [material.notice, _left_out(project)])),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Material:
    """What every way needs.

    Attributes:
        images: Those that can be read and have a known label.
        rows: Their embeddings, shape (n, width).
        codes: Their class numbers, shape (n,).
        backbone: Network that embedded them.
        notice: What a person should know of it.
    """

    images: list[ImageRef]
    rows: np.ndarray
    codes: np.ndarray
    backbone: str
    notice: str


_Runs = Sequence[Mapping[str, LoopRun]]


def _material(
    ws: Workspace,
    images: Sequence[ImageRef],
    known: Truth,
    backbone: str,
    progress: Callable[[Progress], None],
) -> _Material:
    found = vectors_of(
        images, backbone, ws.cache / "embeddings", ws.settings.offline,
        ws.settings.self_training_seconds, progress,
    )  # fmt: skip
    items, by_item = found.item_ids.tolist(), {image.item_id: image for image in images}
    return _Material(
        [by_item[i] for i in items], found.rows, _codes(known, items), backbone, found.notice
    )


def _probed(
    _ws: Workspace,
    on: _Material,
    settings: LoopSettings,
    seeds: Sequence[int],
    progress: Callable[[Progress], None],
) -> tuple[_Runs, LoopSettings]:
    return run_seeds(on.rows, on.codes, settings, seeds, _told(progress)), settings


def _hard_first(
    _ws: Workspace,
    on: _Material,
    settings: LoopSettings,
    seeds: Sequence[int],
    progress: Callable[[Progress], None],
) -> tuple[_Runs, LoopSettings]:
    rows, plan = unit_rows(on.rows), hard_first(settings, len(on.codes))
    learner = probe_learner(rows, int(on.codes.max()) + 1)
    runs, tell = [], _told(progress)
    for seed in seeds:
        runs.append(beside_tuned(rows, on.codes, plan, seed, learner))
        tell(len(runs), len(seeds))
    return runs, plan


def _tuned(
    ws: Workspace,
    on: _Material,
    settings: LoopSettings,
    seeds: Sequence[int],
    progress: Callable[[Progress], None],
) -> tuple[_Runs, LoopSettings]:
    plan = fine_tuned(settings, len(on.codes))
    runs = run_tuned(
        on.images, on.rows, on.codes, plan, seeds, on.backbone, ws.cache / "embeddings",
        ws.settings.offline, ws.settings.self_training_seconds, progress,
    )  # fmt: skip
    return runs, plan


_WAYS = {"probe": _probed, "hard-first": _hard_first, "fine-tune": _tuned}


def _codes(known: Truth, items: Sequence[int]) -> np.ndarray:
    """Return the items' class numbers.

    Raises:
        EmptyTrainingSet: Too few of them can be read.
    """
    names = sorted({known.labels[i] for i in items})
    if len(items) < FEWEST or len(names) < 2:
        raise EmptyTrainingSet(
            f"Of the images with a known label only {len(items)} of {len(names)} classes can be read.",
            "Check the files.",
        )
    return np.array([names.index(known.labels[i]) for i in items])


def _left_out(project: ProjectView) -> str:
    """Return what a project of several questions should know, or nothing."""
    others = [q.title for q in project.schema.questions[1:]]
    if not others:
        return ""
    return (
        f"Only '{project.schema.main.title}' was simulated; a table of one label an image says nothing "
        f"of {', '.join(others)}, and each question needs a promise of its own."
    )


def _check(project: ProjectView, seeds: Sequence[int], mode: str) -> None:
    if project.schema.draws:
        raise InputError(
            f"'{project.slug}' asks for regions: its known labels are drawings, and a table of file and "
            "label holds none, so a campaign cannot be played through.",
            "Train a model on what is drawn and ask 'tiebreak certify' what it may decide alone.",
        )
    if project.schema.main.several:
        raise InputError(
            f"'{project.slug}' takes several labels an image; a campaign is simulated with one class "
            "each, for the promise counts an image right or wrong as a whole.",
            "Simulate a project with one question a label, or ask 'tiebreak certify' of a model.",
        )
    if mode not in MODES:
        raise InputError(f"A simulation's mode is {', '.join(MODES)}, found '{mode}'.")
    if not seeds:
        raise InputError("At least one seed is needed, found none.")


def _told(progress: Callable[[Progress], None]) -> Callable[[int, int], None]:
    began = time.perf_counter()

    def tell(done: int, total: int) -> None:
        left = (time.perf_counter() - began) / done * (total - done)
        progress(Progress("campaigns", done, total, left))

    return tell
