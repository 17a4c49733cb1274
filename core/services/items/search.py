"""Looking items up: by name, state, class, metadata or talk, or one by its number; nothing is claimed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from core.access import Action, Actor, Resource, require
from core.errors import InputError, NotFound
from core.labels import Answer
from core.labels.schema import Question
from core.labels.state import LABELLED, ItemState
from core.services.pictures.images import image_path
from core.services.projects.project import ProjectView, project_for
from core.services.talk.threads import open_thread_items
from core.services.visibility.probes import Probe, answered_probes, shown_state
from core.services.visibility.views import ReviewItem, item_views
from core.services.workspace import Workspace
from core.store.tables import final_labels, item_metadata, item_names, item_state, items

MOST_FOUND = 5_000
MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """What items are looked for; everything that is given has to hold.

    Attributes:
        name: A part of a name of theirs, case aside.
        states: Where they stand; none for anywhere.
        label: A class that their final label has, for boxes and the like at least one region's.
        predicted: The class a model proposes.
        metadata: A part of any value, or ``column: part of its value``, case aside.
        talk: Whether only those with an open thread are looked for.
    """

    name: str = ""
    states: frozenset[ItemState] = frozenset()
    label: str = ""
    predicted: str = ""
    metadata: str = ""
    talk: bool = False


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An item that matches what was looked for.

    Attributes:
        label: The class of its final label; None without one, or where regions are drawn.
        image: Path of its picture without the app's base.
    """

    item_id: int
    name: str
    state: ItemState
    label: str | None
    image: str


def find_items(
    ws: Workspace, actor: Actor, slug: str, search: ItemSearch | None = None
) -> list[FoundItem]:
    """Return up to 5,000 items that match, by name; an item of several names comes once.

    Raises:
        InputError: What is looked for is too long.
        Forbidden: The actor may not see the project; or asks for what a model proposes or for open
            threads, which is for those who steer it.
    """
    asked = search or ItemSearch()
    if max(map(len, (asked.name, asked.label, asked.predicted, asked.metadata))) > MOST_TEXT:
        raise InputError(
            f"At most {MOST_TEXT} characters can be looked for.", "Look for a part of it."
        )
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        if asked.predicted or asked.talk:
            require(actor, Action.STEER, Resource(project.id))
        planted = answered_probes(connection, project, actor)
        found: dict[int, FoundItem] = {}
        for row in _matching(connection, project, asked, planted):
            one = _found(row) if row.item_id not in planted else _shown(project, row, planted)
            if _fits(one, asked, planted):
                found.setdefault(row.item_id, one)
            if len(found) == MOST_FOUND:
                break
    return list(found.values())


def look_at(ws: Workspace, actor: Actor, slug: str, item_id: int) -> ReviewItem:
    """Return one item as this person may see it; nothing is leased.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        views = item_views(connection, project, actor, [item_id], ws.clock())
    if not views:
        raise NotFound(f"There is no item {item_id} in '{slug}'.", "Look it up by its name.")
    return views[0]


# --- matching ---------------------------------------------------------------------------------


def _found(row: Row) -> FoundItem:
    state = ItemState(row.state)
    label = row.label if state in LABELLED else None
    return FoundItem(row.item_id, row.name, state, label, image_path(row.item_id, row.content_hash))


def _shown(project: ProjectView, row: Row, planted: Mapping[int, Probe]) -> FoundItem:
    """Return a planted item as its person may find it: with what they said of it alone."""
    probe = planted[row.item_id]
    state = shown_state(project, probe)
    label = probe.word.label if probe.word is not None and state in LABELLED else None
    today = label and project.schema.main.today(label)
    return FoundItem(row.item_id, row.name, state, today, image_path(row.item_id, row.content_hash))


def _fits(one: FoundItem, asked: ItemSearch, planted: Mapping[int, Probe]) -> bool:
    if one.item_id not in planted:
        return True
    return (not asked.states or one.state in asked.states) and asked.label in ("", one.label)


def _matching(
    connection: Connection, project: ProjectView, asked: ItemSearch, planted: Mapping[int, Probe]
) -> Iterator[Row]:
    """Yield the rows that match, one a name; SQL narrows, what it cannot say exactly is read here."""
    query = _base(project)
    if asked.name.strip():
        query = query.where(item_names.c.name.icontains(asked.name.strip(), autoescape=True))
    if asked.states:
        there = item_state.c.state.in_(sorted(asked.states))
        # Where a planted item stands for its person is looked at when it is read.
        query = query.where(or_(there, item_state.c.item_id.in_(sorted(planted))))
    if asked.predicted:
        query = query.where(item_state.c.predicted == asked.predicted)
    if asked.talk:
        query = query.where(item_state.c.item_id.in_(open_thread_items(project.id)))
    main = project.schema.main
    inside = bool(asked.label) and (project.task.draws or main.several)
    if asked.label:
        query = _labelled(query, main, asked.label, inside)
    key, part = _read_metadata(asked.metadata)
    described = bool(key or part)
    if described:
        query = _described(query, part)
    for row in connection.execute(query):
        if inside and asked.label not in _classes(project, row.answer):
            continue
        if not described or _says(row.doc, key, part):
            yield row


def _base(project: ProjectView) -> Select:
    columns = (
        item_names.c.item_id, item_names.c.name, item_state.c.state, item_state.c.label,
        items.c.content_hash,
    )  # fmt: skip
    return (
        select(*columns)
        .join(item_state, item_state.c.item_id == item_names.c.item_id)
        .join(items, items.c.id == item_names.c.item_id)
        .where(item_names.c.project_id == project.id)
        .order_by(item_names.c.name)
    )


def _labelled(query: Select, main: Question, label: str, inside: bool) -> Select:
    labelled = item_state.c.state.in_(sorted(LABELLED))
    if not inside:
        return query.where(labelled, item_state.c.label == label)
    # A label may be written in a name the class had before, or of one that was merged into it.
    names = {n for c in main.classes for n in (c.name, *c.former) if main.today(n) == label}
    written = (json.dumps(n, ensure_ascii=False) for n in sorted(names | {label}))
    return (
        query.join(final_labels, final_labels.c.seq == item_state.c.final_seq)
        .where(
            labelled, or_(*(final_labels.c.answer.contains(w, autoescape=True) for w in written))
        )
        .add_columns(final_labels.c.answer)
    )


def _described(query: Select, part: str) -> Select:
    newest = (
        select(func.max(item_metadata.c.seq))
        .where(item_metadata.c.item_id == item_state.c.item_id)
        .correlate(item_state)
        .scalar_subquery()
    )
    written = json.dumps(part, ensure_ascii=False)[1:-1]
    return (
        query.join(item_metadata, item_metadata.c.seq == newest)
        .where(_holds(item_metadata.c.doc, written))
        .add_columns(item_metadata.c.doc)
    )


def _holds(column: ColumnElement[str], part: str) -> ColumnElement[bool]:
    # The record knows the case of latin letters only; other texts are compared when they are read.
    return column.icontains(part, autoescape=True) if part.isascii() else column.is_not(None)


def _classes(project: ProjectView, answer: str) -> set[str]:
    said = project.schema.translate(Answer.from_json(answer))
    return {r.label for r in said.regions} | set(said.multi.get(project.schema.main.key, ()))


def _read_metadata(text: str) -> tuple[str, str]:
    key, colon, part = text.partition(":")
    return (key.strip(), part.strip()) if colon and key.strip() else ("", text.strip())


def _says(doc: str, key: str, part: str) -> bool:
    values = {str(k).casefold(): str(v).casefold() for k, v in json.loads(doc).items()}
    # "12:30" may be a part of a value as well as a column and its value.
    whole = f"{key}:{part}".casefold() if key else part.casefold()
    if key.casefold() in values:
        return part.casefold() in values[key.casefold()]
    return any(whole in v for v in values.values())
