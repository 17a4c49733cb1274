"""A project of each task with drawn images: what is in them is known, a model's guess is near it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sqlalchemy import select

from core.consensus.policy import Policy
from core.labels import Answer, LabelSchema, Region
from core.labels.region import Shape
from core.labels.schema import Skeleton, Task, make_question
from core.labels.shapes import keypoints_region, mask_pixels, mask_region, polygon_region
from core.services.accounts.people import operator
from core.services.models.prelabels import Prediction, store_predictions
from core.services.projects.project import NewProject, ProjectView, create_project
from core.services.transfer.import_run import ImportOptions
from core.services.transfer.imports import import_data
from core.services.workspace import Workspace
from core.store.tables import item_names

CLASSES = ("leaf", "fruit", "stone")
COLOURS = {"leaf": "#3F7D3A", "fruit": "#B5452F", "stone": "#7A7468"}
SKELETON = Skeleton(
    ("tip", "centre", "left", "right", "stem"), ((0, 1), (1, 2), (1, 3), (1, 4))
)  # fmt: skip
TAGS = {"leaf": "plant", "fruit": "food", "stone": "mineral"}
SIZE = (640, 480)
PLACES = ((170, 160), (450, 150), (310, 340))
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A project and what is really in its images, by item."""

    project: ProjectView
    truth: dict[int, Answer]

    @property
    def slug(self) -> str:
        """Return the project's name."""
        return self.project.slug


def schema_of(task: Task, rich: bool = True) -> LabelSchema:
    """Return a schema for a task.

    Args:
        task: Which.
        rich: Whether it also asks of the item (several tags) and of each region (severity).
    """
    main = make_question("label", "Label", list(CLASSES))
    tags = make_question("tags", "Tags", sorted(TAGS.values()), several=True)
    severity = make_question("severity", "Severity", ["low", "high"])
    return LabelSchema(
        task,
        (main, tags) if rich else (main,),
        (severity,) if rich and task.draws else (),
        SKELETON if task is Task.KEYPOINTS else Skeleton(),
    )


def make_drawn(
    ws: Workspace,
    folder: Path,
    task: Task,
    images: int = 6,
    slug: str = "",
    policy: Policy | None = None,
    rich: bool = True,
    predicted: bool = True,
) -> Drawn:
    """Make a project with drawn images, imported from a folder, and a model's pre-labels."""
    schema = schema_of(task, rich)
    slug = slug or task.value
    new = NewProject(slug, task, title=f"Drawn {task}", policy=policy or Policy(), schema=schema)
    project = create_project(ws, operator(ws), new)
    told = draw_images(folder / slug, schema, images)
    import_data(ws, operator(ws), slug, folder / slug, ImportOptions("items"))
    with ws.store.read() as connection:
        found = connection.execute(
            select(item_names.c.name, item_names.c.item_id).where(
                item_names.c.project_id == project.id
            )
        ).all()
    truth = {row.item_id: told[row.name] for row in found}
    if predicted:
        guesses = [Prediction(i, guess(a, i), 0.6, 0.2) for i, a in sorted(truth.items())]
        with ws.store.write() as connection:
            store_predictions(connection, project, guesses, "drawn model", ws.clock())
    return Drawn(project, truth)


def draw_images(folder: Path, schema: LabelSchema, count: int) -> dict[str, Answer]:
    """Draw images with one to three objects each and return what is in them, by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {}
    for number in range(count):
        chance = random.Random(f"{schema.task}/{number}")
        image = Image.new("RGB", SIZE, (226 - number, 222, 210 + number % 40))
        objects = [_object(chance, place) for place in PLACES[: 1 + number % 3]]
        for label, ring in objects:
            ImageDraw.Draw(image).polygon(ring, fill=COLOURS[label], outline="#222222")
        name = f"{number:03d}.png"
        image.save(folder / name)
        told[name] = truth_of(schema, objects)
    return told


def _object(chance: random.Random, place: Point) -> tuple[str, list[Point]]:
    """Return a class and a ring of twelve corners about a place."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach = [chance.uniform(55, 95) for _ in angles]
    ring = [
        (float(round(place[0] + r * np.cos(a), 1)), float(round(place[1] + r * np.sin(a), 1)))
        for a, r in zip(angles, reach, strict=True)
    ]
    return chance.choice(CLASSES), ring


def truth_of(schema: LabelSchema, objects: Sequence[tuple[str, list[Point]]]) -> Answer:
    """Return the complete true answer for objects drawn as rings."""
    multi = {}
    if any(q.key == "tags" for q in schema.item_questions):
        multi = {"tags": tuple(sorted({TAGS[label] for label, _ in objects}))}
    if not schema.draws:
        return Answer({"label": objects[0][0]}, (), multi)
    extra = (("severity", "low"),) if schema.region_questions else ()
    regions = tuple(region_of(schema.task, label, ring, extra) for label, ring in objects)
    return Answer({}, regions, multi)


def region_of(
    task: Task, label: str, ring: Sequence[Point], attributes: tuple[tuple[str, str], ...] = ()
) -> Region:
    """Return an object drawn as a ring as the task's kind of region."""
    plain = polygon_region(label, ring, None, attributes)
    if task is Task.BOXES:
        return replace(plain, shape=Shape.BOX, points=())
    if task is Task.MASKS:
        pixels = mask_pixels(plain, SIZE[1], SIZE[0])
        return mask_region(label, pixels, None, attributes)
    if task is Task.KEYPOINTS:
        x1, y1, x2, y2 = plain.box
        x, y = round((x1 + x2) / 2, 3), round((y1 + y2) / 2, 3)
        points = [(x, y1, 2), (x, y, 2), (x1, y, 2), (x2, y, 1), (x, y2, 2)]
        return keypoints_region(label, points, None, attributes)
    return plain


def guess(answer: Answer, seed: int = 0, off_px: float = 6.0) -> Answer:
    """Return the answer as a model nearly got it: every region a little off, with a confidence."""
    chance = random.Random(seed)
    return replace(answer, regions=tuple(_moved(r, chance, off_px) for r in answer.regions))


def _moved(region: Region, chance: random.Random, off_px: float) -> Region:
    by = (chance.uniform(-off_px, off_px), chance.uniform(-off_px, off_px))
    sure = round(chance.uniform(0.4, 0.95), 2)
    if region.shape is Shape.MASK:
        pixels = np.roll(
            mask_pixels(region, SIZE[1], SIZE[0]), (round(by[1]), round(by[0])), (0, 1)
        )
        return mask_region(region.label, pixels, sure, region.attributes)
    points = [(p[0] + by[0], p[1] + by[1], *p[2:]) for p in region.points]
    if region.shape is Shape.POLYGON:
        return polygon_region(region.label, points, sure, region.attributes)
    if region.shape is Shape.KEYPOINTS:
        return keypoints_region(region.label, points, sure, region.attributes)
    x1, y1, x2, y2 = region.box
    return replace(
        region, x1=x1 + by[0], y1=y1 + by[1], x2=x2 + by[0], y2=y2 + by[1], confidence=sure
    )
