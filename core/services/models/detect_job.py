"""Detectors as jobs: frozen regions to a trained detector, a detector to pre-labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.datasets.freeze import FrozenLabel
from core.jobs.rows import Job
from core.labels import Answer, LabelSchema, Region
from core.labels.region import Shape
from core.labels.state import ItemState
from core.learning import ImageRef
from core.learning.detect import (
    DetectReport,
    DetectRequest,
    predict_regions,
    train_detector,
)
from core.learning.values import RegionExample
from core.services.models.prelabels import Prediction
from core.services.models.reporting import Reporter
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace

_TOLD = 0.1
"""Regions less sure than this do not make an item less sure."""


def train_regions(
    ws: Workspace,
    job: Job,
    project: ProjectView,
    frozen: Sequence[FrozenLabel],
    pool: Mapping[int, ImageRef],
    held_out: frozenset[int],
    reporter: Reporter,
) -> DetectReport:
    """Train a detector on the frozen regions and leave it in the job's folder.

    Raises:
        TiebreakError: Training could not be done; the sentence says why.
    """
    config, schema = job.config, project.schema
    return train_detector(
        DetectRequest(
            classes=schema.main.names,
            examples=region_examples(schema, frozen, pool),
            pool=tuple(pool.values()),
            detector=str(config["backbone"]),
            shape=schema.task.shape or Shape.BOX,
            seed=int(str(config["seed"])),
            folder=ws.root / job.folder / schema.main.key,
            cache=ws.cache / "embeddings",
            keypoints=len(schema.skeleton.points),
            held_out=held_out,
            judged_on="all others" if "labels" in config else "evaluate",
            budget_seconds=60 * float(str(config["minutes"])) if "minutes" in config else None,
            weights=Path(str(config["weights"])) if config.get("weights") else None,
            offline=ws.settings.offline,
            self_training_seconds=ws.settings.self_training_seconds,
            resume="resume_of" in config,
            any_way_up=any_way_up_in(config.get("recipe")),
        ),
        reporter.progress,
        reporter.should_stop,
    )


def any_way_up_in(recipe: object) -> bool | None:
    """Return what a recipe says of turning: that it is meant, that nothing is to be varied, or None.

    None asks the images. A recipe that puts images upside down wants them any way up, one without
    mirroring as they stand.
    """
    if not isinstance(recipe, Mapping):
        return None
    if float(recipe.get("upside_down", 0.0)) > 0:
        return True
    return False if float(recipe.get("flip", 0.5)) == 0 else None


def region_examples(
    schema: LabelSchema, frozen: Sequence[FrozenLabel], pool: Mapping[int, ImageRef]
) -> tuple[RegionExample, ...]:
    """Return the frozen regions in today's classes; what a model alone said teaches it nothing."""
    return tuple(
        RegionExample(
            pool[row.item_id], schema.translate(Answer.from_json(row.answer)).regions, row.use
        )
        for row in frozen
        if row.item_id in pool and row.state != ItemState.AUTO_ACCEPTED
    )


def region_predictions(
    folder: Path, images: Sequence[ImageRef], reporter: Reporter
) -> list[Prediction]:
    """Return what a detector says of the images, as pre-labels; none of what cannot be read.

    Raises:
        BadCheckpoint: The detector's files are missing or changed.
        StopRequested: The job was told to stop.
    """
    found = predict_regions(folder, images, reporter.progress, reporter.should_stop)
    return [
        Prediction(item_id, Answer(regions=found.proposed(item_id)), sureness(said))
        for item_id, said in found.regions.items()
    ]


def sureness(said: Sequence[Region]) -> float:
    """Return how sure a detector is of an item, 0 to 1: on average of its regions, kept or not.

    A score near one half is a region that may as well be there as not; of an item without any
    region worth a word it is sure.
    """
    scores = [r.confidence for r in said if r.confidence is not None and r.confidence >= _TOLD]
    if not scores:
        return 1.0 - max((r.confidence or 0.0 for r in said), default=0.0)
    return sum(max(s, 1 - s) for s in scores) / len(scores)
