"""Suspicious regions: labels held against what models that did not learn from them say."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.errors import BadCheckpoint
from core.labels import Answer
from core.labels.region import Region
from core.learning.detect import read_regions
from core.learning.suspicious.boxes import Fault, FaultyRegion, doubted_image, sure_from
from core.services.issues.material import Looked
from core.services.issues.values import Finding, Kind
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import models, prediction_sets, predictions

KINDS = {
    Fault.OVERLOOKED: Kind.OVERLOOKED,
    Fault.BADLY_LOCATED: Kind.BADLY_LOCATED,
    Fault.SWAPPED: Kind.SWAPPED,
}
MOST = 2_000
MOST_ON_AN_IMAGE = 5


@dataclass(frozen=True, slots=True)
class Said:
    """What models say of the images.

    Attributes:
        regions: Of each item, in today's classes.
        by_file: How many of them came in a file, whose model nobody here knows.
        model: The newest detector's number; None before there is one.
    """

    regions: Mapping[int, tuple[Region, ...]]
    by_file: int
    model: int | None


def said_of(connection: Connection, ws: Workspace, project: ProjectView) -> Said:
    """Return the newest prediction of each item, and what the newest detector says of images that judged it.

    A model never predicts what it was trained on, so a model's predictions are out of sample.
    """
    newest = (
        select(func.max(predictions.c.seq).label("seq"))
        .where(predictions.c.project_id == project.id)
        .group_by(predictions.c.item_id)
        .subquery()
    )
    rows = connection.execute(
        select(predictions.c.item_id, predictions.c.answer, prediction_sets.c.model_id)
        .join(newest, newest.c.seq == predictions.c.seq)
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
    ).all()
    regions = {
        r.item_id: project.schema.translate(Answer.from_json(r.answer)).regions for r in rows
    }
    by_file = {r.item_id for r in rows if r.model_id is None}
    model = connection.execute(
        select(models.c.id, models.c.folder)
        .where(models.c.project_id == project.id)
        .order_by(models.c.id.desc())
        .limit(1)
    ).first()
    if model is not None:
        with suppress(BadCheckpoint):
            judged = read_regions(ws.root / model.folder / project.schema.main.key)
            for item, found in judged.items():
                regions[item] = project.schema.translate(Answer(regions=found)).regions
                by_file.discard(item)
    return Said(regions, len(by_file), None if model is None else int(model.id))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was found of regions; `expected` counts the images with a fault."""

    found: tuple[Finding, ...]
    expected: int
    made: str
    notes: tuple[str, ...]


def of_regions(looked: list[Looked], said: Said) -> Drawn:
    """Return the suspicious regions; a note where nothing says anything of them."""
    labelled = {
        i.id: i for i in looked if i.answer is not None and i.id in said.regions and not i.by_model
    }
    n = sum(i.answer is not None and not i.by_model for i in looked)
    if not labelled:
        note = (
            "Regions were not judged: no model has said anything of the labelled images that it had "
            "not learnt from. Train a detector and let it pre-label first."
        )
        return Drawn((), 0, "", (note,) if n else ())
    given = {i: item.answer.regions for i, item in labelled.items() if item.answer is not None}
    sure = sure_from(given, said.regions)
    found = []
    for item_id, regions in given.items():
        image = doubted_image(regions, said.regions[item_id], sure)
        found += [
            _finding(labelled[item_id], regions, said.regions[item_id], f, image.score)
            for f in image.faults[:MOST_ON_AN_IMAGE]
        ]
    found.sort(key=Finding.rank)
    doubtful = len({f.item_id for f in found})
    return Drawn(tuple(found[:MOST]), doubtful, _made(said, len(labelled), n, sure), ())


def _made(said: Said, looked: int, labelled: int, sure: float) -> str:
    words = (
        f"Newest predictions of {looked:,} of {labelled:,} labelled images by models that had not "
        f"learnt from them; a prediction counts as sure from {sure:.2f} on"
    )
    if said.by_file:
        words += (
            f". {said.by_file:,} images' predictions came in a file: whether that model had learnt "
            "from these labels is not known here"
        )
    return f"{words}."


def _finding(
    item: Looked,
    given: tuple[Region, ...],
    said: tuple[Region, ...],
    fault: FaultyRegion,
    image: float,
) -> Finding:
    told = said[fault.said]
    label = given[fault.label].label if fault.label >= 0 else ""
    box = given[fault.label].box if fault.label >= 0 else told.box
    confidence = 1.0 if told.confidence is None else told.confidence
    reason = {
        Fault.OVERLOOKED: f"A model is {confidence:.2f} sure of {told.label} where no region is drawn.",
        Fault.SWAPPED: f"Drawn as {label}, but a model is {confidence:.2f} sure of {told.label} in the same place.",
        Fault.BADLY_LOCATED: f"Drawn as {label} here, but a model sees {told.label} partly beside it.",
    }[fault.fault]
    # Images whose worst region is the worst come first; within an image, the worst region.
    score = round((fault.score + image) / 2, 4)
    suggested = "" if fault.fault is Fault.BADLY_LOCATED else told.label
    return Finding(
        item.id, KINDS[fault.fault], "", label, suggested, score, reason, item.final_seq,
        box=tuple(round(v, 1) for v in box),
    )  # fmt: skip
