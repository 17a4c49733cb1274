"""What a person may know of one item beside their vote: its history, labelled neighbours, threads.

Blind like the rest: before one has voted, the history holds what one said oneself and, unless the
item is answered without it, what models said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.errors import NotFound
from core.labels import Answer
from core.labels.state import ItemState
from core.learning.neighbours import Neighbourhood, open_neighbourhood
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.talk.threads import PersonName, ThreadView, names_in, threads_on
from core.services.talk.voices import voices
from core.services.visibility.blind import blind_items, sees_votes
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import (
    annotation_log,
    decisions,
    final_labels,
    gold_answers,
    item_state,
    items,
    models,
    prediction_sets,
    predictions,
)

NEIGHBOURS = 8
MOST_ROWS = 100
"""Of the history; the oldest go first."""
_ASKED = (64, 512)
# The model's own labels would only repeat what it says of this item.
_SETTLED = (ItemState.IMPORTED, ItemState.AGREED, ItemState.ADJUDICATED)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that happened to an item.

    Attributes:
        kind: imported, prelabel; vote, skip, flag, withdraw; decide, discard, neutral, send-back;
            settled.
        who: A name, an alias or a model; empty where it is nobody's doing.
        what: A label, a count of regions, or a state; empty where there is none.
    """

    kind: str
    at: float
    who: str = ""
    mine: bool = False
    what: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled item that looks alike; similarity is the cosine of the embeddings."""

    item_id: int
    name: str
    image: str
    label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an item.

    Attributes:
        history: Oldest first.
        neighbours: Most similar first.
        embedded: Whether the item has an embedding at all: it has after the first training or
            pre-labelling.
        people: Who can be mentioned.
    """

    history: tuple[HistoryRow, ...]
    neighbours: tuple[Neighbour, ...]
    embedded: bool
    threads: tuple[ThreadView, ...]
    people: tuple[PersonName, ...]


def about_item(ws: Workspace, actor: Actor, slug: str, item_id: int) -> About:
    """Return what this person may know of an item.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project's items.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        item = connection.execute(
            select(items).where(items.c.id == item_id, items.c.project_id == project.id)
        ).first()
        if item is None:
            raise NotFound(f"There is no item {item_id} in '{slug}'.", "Take the next one.")
        history = _history(connection, project, actor, item, ws.clock())
        hood = _neighbourhood(connection, ws, project)
        found = None if hood is None else _nearest(connection, project, hood, item_id)
        return About(
            history,
            found or (),
            found is not None,
            threads_on(connection, project, actor, item_id),
            names_in(connection, project),
        )


def answer_words(project: ProjectView, answer: Answer) -> str:
    """Return an answer in a few words: the classes chosen, and how many regions of each class."""
    said = project.schema.translate(answer)
    words: list[str] = []
    for question in project.schema.questions:  # the first question first
        chosen = said.choices.get(question.key)
        words += [chosen] if chosen else said.multi.get(question.key, ())
    if said.regions or not words:
        counts = Counter(r.label for r in said.regions)
        words += [f"{n} × {label}" for label, n in sorted(counts.items())] or ["–"]
    return ", ".join(words)


# --- history ----------------------------------------------------------------------------------


def _history(
    connection: Connection, project: ProjectView, actor: Actor, item: Row, now: float
) -> tuple[HistoryRow, ...]:
    rows = [HistoryRow("imported", item.at)]
    if not blind_items(connection, project, actor, [item.id], now):
        rows += _predicted(connection, project, item.id)
    everything = sees_votes(connection, project, actor, item.id)
    rows += _said(connection, project, actor, item.id, everything)
    if everything:
        rows += _ruled(connection, project, actor, item.id)
        rows += _settled(connection, project, item.id)
    return tuple(sorted(rows, key=lambda r: r.at)[-MOST_ROWS:])


def _predicted(connection: Connection, project: ProjectView, item_id: int) -> list[HistoryRow]:
    rows = connection.execute(
        select(
            predictions.c.answer, prediction_sets.c.name, prediction_sets.c.at, models.c.backbone
        )
        .join(prediction_sets, prediction_sets.c.id == predictions.c.set_id)
        .outerjoin(models, models.c.id == prediction_sets.c.model_id)
        .where(predictions.c.item_id == item_id)
        .order_by(predictions.c.seq)
    ).all()
    return [
        HistoryRow(
            "prelabel",
            r.at,
            f"{r.name} · {r.backbone}" if r.backbone else r.name,
            what=answer_words(project, Answer.from_json(r.answer)),
        )
        for r in rows
    ]


def _said(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int, everything: bool
) -> list[HistoryRow]:
    query = select(annotation_log).where(annotation_log.c.item_id == item_id)
    if not everything:
        query = query.where(annotation_log.c.person_id == actor.person_id)
    names = voices(connection, project, actor, item_id)
    return [
        HistoryRow(
            r.kind,
            r.at,
            names[r.person_id],
            r.person_id == actor.person_id,
            answer_words(project, Answer.from_json(r.answer)) if r.answer else "",
        )
        for r in connection.execute(query.order_by(annotation_log.c.seq))
    ]


def _ruled(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int
) -> list[HistoryRow]:
    rows = connection.execute(
        select(decisions).where(decisions.c.item_id == item_id).order_by(decisions.c.seq)
    ).all()
    names = voices(connection, project, actor, item_id, {r.person_id for r in rows})
    return [
        HistoryRow(
            r.kind,
            r.at,
            names[r.person_id],
            r.person_id == actor.person_id,
            answer_words(project, Answer.from_json(r.answer)) if r.answer else "",
        )
        for r in rows
    ]


def _settled(connection: Connection, project: ProjectView, item_id: int) -> list[HistoryRow]:
    rows = connection.execute(
        select(final_labels).where(final_labels.c.item_id == item_id).order_by(final_labels.c.seq)
    )
    found: list[HistoryRow] = []
    for row in rows:
        if row.state == ItemState.OPEN:
            continue
        words = answer_words(project, Answer.from_json(row.answer)) if row.answer else ""
        # A revote that settles on the same label is news to nobody.
        if not found or (found[-1].who, found[-1].what) != (row.state, words):
            found.append(HistoryRow("settled", row.at, row.state, what=words))
    return found


# --- neighbours -------------------------------------------------------------------------------


def _neighbourhood(
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


def _nearest(
    connection: Connection, project: ProjectView, hood: Neighbourhood, item_id: int
) -> tuple[Neighbour, ...] | None:
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
