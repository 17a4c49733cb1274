"""Which labelled items look most like an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, select

from core.labels import Answer
from core.labels.state import ItemState
from core.learning.neighbours import Neighbourhood, open_neighbourhood
from core.services.items.past import answer_words
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import final_labels, gold_answers, item_state, items, models

NEIGHBOURS = 8

_ASKED = (64, 512)
# The model's own labels would only repeat what it says of this item.
_SETTLED = (ItemState.IMPORTED, ItemState.AGREED, ItemState.ADJUDICATED)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled item that looks alike; similarity is the cosine of the embeddings."""

    item_id: int
    name: str
    image: str
    label: str
    similarity: float


def neighbourhood(
    connection: Connection, ws: Workspace, project: ProjectView
) -> Neighbourhood | None:
    """Return the embeddings of the project's newest model; None before there is one."""
    folder = connection.execute(
        select(models.c.folder)
        .where(models.c.project_id == project.id)
        .order_by(models.c.id.desc())
        .limit(1)
    ).scalar()
    if folder is None:
        return None

    def listed() -> list[tuple[int, str]]:
        query = select(items.c.id, items.c.content_hash).where(items.c.project_id == project.id)
        return [(r.id, r.content_hash) for r in connection.execute(query)]

    run: Path = ws.root / folder / project.schema.item_questions[0].key
    place = ws.cache / "neighbours" / str(project.id)
    return open_neighbourhood(run, ws.cache / "embeddings", place, project.n_items, listed)


def nearest(
    connection: Connection, project: ProjectView, hood: Neighbourhood, item_id: int
) -> tuple[Neighbour, ...] | None:
    """Return the labelled items most like an item; None where it has no embedding."""
    cosines = hood.similarities(item_id)
    if cosines is None:
        return None
    found: list[tuple[int, float]] = []
    for count in _ASKED:
        near = hood.nearest(cosines, count)
        labelled = _labelled(connection, project, [i for i, _ in near])
        found = [(i, s) for i, s in near if i in labelled][:NEIGHBOURS]
        if len(found) == NEIGHBOURS or len(near) < count:
            break
    else:  # few are labelled: ask of those alone
        labelled = _labelled(connection, project, None)
        found = hood.nearest(cosines, NEIGHBOURS, labelled)
    return _neighbours(connection, project, found)


def _labelled(
    connection: Connection, project: ProjectView, among: list[int] | None
) -> frozenset[int]:
    """Return the items whose label people settled and may be shown.

    Evaluate items are the yardstick and gold is asked unseen: their labels are shown to nobody here.
    """
    gold = select(gold_answers.c.item_id).where(gold_answers.c.project_id == project.id)
    query = (
        select(item_state.c.item_id)
        .join(items, items.c.id == item_state.c.item_id)
        .where(
            item_state.c.project_id == project.id,
            item_state.c.state.in_([s.value for s in _SETTLED]),
            items.c.use != "evaluate",
            item_state.c.item_id.not_in(gold),
        )
    )
    if among is not None:
        query = query.where(item_state.c.item_id.in_(among))
    return frozenset(connection.execute(query).scalars())


def _neighbours(
    connection: Connection, project: ProjectView, found: list[tuple[int, float]]
) -> tuple[Neighbour, ...]:
    ids = [i for i, _ in found]
    rows: Mapping[int, Row] = {
        r.id: r
        for r in connection.execute(
            select(items.c.id, items.c.content_hash, final_labels.c.answer)
            .join(item_state, item_state.c.item_id == items.c.id)
            .join(final_labels, final_labels.c.seq == item_state.c.final_seq)
            .where(items.c.id.in_(ids))
        )
    }
    names = names_of(connection, ids)
    return tuple(
        Neighbour(
            i,
            names[i][0],
            image_path(i, rows[i].content_hash),
            answer_words(project, Answer.from_json(rows[i].answer)) if rows[i].answer else "",
            round(similarity, 4),
        )
        for i, similarity in found
        if i in rows
    )
