"""Two models of a project held against each other on the same frozen labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor, Resource, can
from core.errors import InputError
from core.labels.state import ItemState
from core.learning.compare import (
    Apart,
    Gap,
    ModelComparison,
    compare_models,
    compare_regions,
)
from core.services.models.stored import (
    asked_question,
    judged_labels,
    judged_regions,
    model_row,
    regions_of,
    said_by,
    version_row,
)
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import item_state, items

__all__ = ["ApartView", "ComparisonView", "Gap", "compare"]

SHOWN = 60


@dataclass(frozen=True, slots=True)
class ApartView:
    """An image on which two models differ.

    Attributes:
        image: Path of the picture, below the base.
        right: ``first``, ``second`` or ``neither``.
    """

    item_id: int
    name: str
    image: str
    state: ItemState
    truth: str
    first: str
    first_sure: float
    second: str
    second_sure: float
    right: str


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Two models side by side.

    Attributes:
        version: Name of the dataset version whose labels both were judged by.
        question: Its title.
        overall: On all images; first minus second.
        classes: Class by class, p-values adjusted.
        apart: Images where they differ, at most 60.
        differing: How many there are in all.
        withheld: Of these, not shown because the actor could still vote on or decide them.
        left_out: Labelled images that either model has no answer for.
    """

    first_id: int
    second_id: int
    version: str
    question: str
    overall: Gap
    classes: tuple[Gap, ...]
    apart: tuple[ApartView, ...]
    differing: int
    withheld: int
    left_out: int


def compare(
    ws: Workspace,
    actor: Actor,
    slug: str,
    first_id: int,
    second_id: int,
    version: str | None = None,
    question: str | None = None,
) -> ComparisonView:
    """Return how two models do on the evaluate labels of one frozen version.

    Args:
        ws: The workspace.
        actor: Who asks.
        slug: The project.
        first_id: A model.
        second_id: Another one.
        version: Name of the dataset version; the newest if not given.
        question: Key of the question; if not given the regions, or the first question.

    Raises:
        InputError: It is one model twice, or the question has no single answer.
        NotFound: There is no such model or version.
        BadCheckpoint: A model's predictions are missing or damaged.
        StoreCorrupt: The version was changed on disk.
        Forbidden: The actor may not train here.
    """
    if first_id == second_id:
        raise InputError("A model cannot be compared with itself.", "Choose two models.")
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.TRAIN)
        rows = [model_row(connection, project, i) for i in (first_id, second_id)]
        frozen = version_row(connection, project, version)
    found, title = (
        _of_regions(ws, project, frozen, rows)
        if project.schema.draws and question is None
        else _of_question(ws, project, frozen, rows, question)
    )
    with ws.store.read() as connection:
        shown, withheld = _views(connection, actor, project, found.apart)
    return ComparisonView(
        first_id, second_id, frozen.name, title, found.overall, found.classes,
        shown, len(found.apart), withheld, found.left_out,
    )  # fmt: skip


def _of_question(
    ws: Workspace, project: ProjectView, frozen: Row, rows: Sequence[Row], key: str | None
) -> tuple[ModelComparison, str]:
    asked = asked_question(project, key)
    truth = judged_labels(ws, project, asked, frozen)
    first, second = (said_by(ws, row, asked) for row in rows)
    classes = list(dict.fromkeys([*asked.names, *sorted(set(truth.values()))]))
    return compare_models(truth, first, second, classes), asked.title or asked.key


def _of_regions(
    ws: Workspace, project: ProjectView, frozen: Row, rows: Sequence[Row]
) -> tuple[ModelComparison, str]:
    truth = judged_regions(ws, project, frozen)
    first, second = (regions_of(ws, project, row) for row in rows)
    main = project.schema.main
    iou = project.policy.iou_at_least
    return compare_regions(truth, first, second, main.names, iou), main.title or main.key


def _views(
    connection: Connection, actor: Actor, project: ProjectView, apart: Sequence[Apart]
) -> tuple[tuple[ApartView, ...], int]:
    here = Resource(project.id)
    judges = can(actor, Action.VOTE, here) or can(actor, Action.ADJUDICATE, here)
    query = (
        select(items.c.id, items.c.content_hash, item_state.c.state)
        .join(item_state, item_state.c.item_id == items.c.id)
        .where(items.c.project_id == project.id, items.c.use == "evaluate")
    )
    known = {r.id: r for r in connection.execute(query)}
    unsettled = (ItemState.OPEN, ItemState.DISPUTE)
    # Who may still vote on an item sees no answer of it before giving their own.
    seen = [
        a
        for a in apart
        if a.item_id in known and not (judges and known[a.item_id].state in unsettled)
    ]
    names = names_of(connection, [a.item_id for a in seen[:SHOWN]])
    views = tuple(
        ApartView(
            a.item_id, names[a.item_id][0],
            image_path(a.item_id, known[a.item_id].content_hash),
            ItemState(known[a.item_id].state),
            a.truth, a.first, a.first_sure, a.second, a.second_sure, a.right,
        )
        for a in seen[:SHOWN]
    )  # fmt: skip
    return views, len(apart) - len(seen)
