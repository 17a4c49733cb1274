"""Threads on items, as one person may read them: open or resolved, and blind like votes.

Leads, managers and admins read every thread. An expert reads those they take part in or are named
in, and all of an item once they have voted on it: a comment may give a vote away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, func, select

from core.access import Action, Actor, Resource, can
from core.errors import NotFound
from core.services.accounts.people import people_of
from core.services.projects.project import ProjectView, project_for
from core.services.talk.voices import voices
from core.services.visibility.blind import live_kinds
from core.services.visibility.probes import merged_kinds, probes_of
from core.services.workspace import Workspace
from core.store.tables import comments, items, mentions


class Kind(StrEnum):
    """What a row of a thread does."""

    COMMENT = "comment"
    RESOLVE = "resolve"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class CommentView:
    """One thing said in a thread; `text` is empty where it was resolved or opened again."""

    seq: int
    kind: str
    who: str
    mine: bool
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A thread as one person may read it.

    Attributes:
        thread: The number of its first comment.
        may_resolve: Whether this person may close or reopen it: who began it, leads, managers.
    """

    thread: int
    item_id: int
    resolved: bool
    may_resolve: bool
    comments: tuple[CommentView, ...]


@dataclass(frozen=True, slots=True)
class PersonName:
    """Somebody who can be mentioned."""

    name: str
    display_name: str


def require_item(connection: Connection, project: ProjectView, item_id: int) -> None:
    """Refuse an item that is not of the project.

    Raises:
        NotFound: There is no such item in this project.
    """
    found = connection.execute(
        select(items.c.id).where(items.c.id == item_id, items.c.project_id == project.id)
    ).first()
    if found is None:
        raise NotFound(f"There is no item {item_id} in '{project.slug}'.", "Take the next one.")


def item_threads(ws: Workspace, actor: Actor, slug: str, item_id: int) -> tuple[ThreadView, ...]:
    """Return an item's threads as this person may read them, open ones first.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project's items.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        require_item(connection, project, item_id)
        return threads_on(connection, project, actor, item_id)


def mentionable(ws: Workspace, actor: Actor, slug: str) -> tuple[PersonName, ...]:
    """Return who can be mentioned in a project, by name.

    Raises:
        Forbidden: The actor may not see the project's items.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        return names_in(connection, project)


def names_in(connection: Connection, project: ProjectView) -> tuple[PersonName, ...]:
    """Return who can be mentioned, within a transaction whose caller has asked the gate."""
    return tuple(PersonName(name, shown) for _, name, shown in people_of(connection, project.id))


def threads_on(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int
) -> tuple[ThreadView, ...]:
    """Return an item's threads within a transaction whose caller has asked the gate."""
    rows = connection.execute(
        select(comments).where(comments.c.item_id == item_id).order_by(comments.c.seq)
    ).all()
    if not rows:
        return ()
    named = _mentioned(connection, actor, item_id)
    probes = probes_of(connection, project, actor, [item_id])
    kinds = merged_kinds(live_kinds(connection, actor.person_id, [item_id]), probes)
    all_seen = sees_all(actor, project.id) or kinds.get(item_id) == "vote"
    names = voices(connection, project, actor, item_id, {r.person_id for r in rows})
    grouped = by_thread(rows)
    views = [
        _view(project, actor, thread, said, names)
        for thread, said in grouped.items()
        if all_seen or _takes_part(actor, said, named)
    ]
    return tuple(sorted(views, key=lambda v: (v.resolved, v.thread)))


def open_thread_items(project_id: int) -> Select:
    """Return the query of the items with an open thread, one row a thread."""
    here = comments.c.project_id == project_id
    closing = (
        select(func.max(comments.c.seq))
        .where(here, comments.c.kind != Kind.COMMENT.value)
        .group_by(comments.c.thread_seq)
    )
    closed = select(comments.c.thread_seq).where(
        comments.c.seq.in_(closing), comments.c.kind == Kind.RESOLVE.value
    )
    return select(comments.c.item_id).where(
        here, comments.c.thread_seq.is_(None), comments.c.seq.not_in(closed)
    )


def is_resolved(said: Sequence[Row]) -> bool:
    """Return whether a thread, given its rows in order, is closed."""
    closing = [r.kind for r in said if r.kind != Kind.COMMENT]
    return bool(closing) and closing[-1] == Kind.RESOLVE


def by_thread(rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Return the rows of each thread, by the number of its first comment."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.thread_seq or row.seq, []).append(row)
    return found


def _mentioned(connection: Connection, actor: Actor, item_id: int) -> frozenset[int]:
    """Return the comments on an item that name the person."""
    query = select(mentions.c.comment_seq).where(
        mentions.c.person_id == actor.person_id, mentions.c.item_id == item_id
    )
    return frozenset(connection.execute(query).scalars())


def _takes_part(actor: Actor, said: Sequence[Row], named: frozenset[int]) -> bool:
    return any(r.person_id == actor.person_id or r.seq in named for r in said)


def sees_all(actor: Actor, project_id: int) -> bool:
    """Return whether a person reads every thread of a project."""
    return can(actor, Action.STEER, Resource(project_id))


def _view(
    project: ProjectView, actor: Actor, thread: int, said: Sequence[Row], names: Mapping[int, str]
) -> ThreadView:
    began = said[0].person_id == actor.person_id
    return ThreadView(
        thread,
        said[0].item_id,
        is_resolved(said),
        began or sees_all(actor, project.id),
        tuple(
            CommentView(
                r.seq, r.kind, names[r.person_id], r.person_id == actor.person_id, r.text, r.at
            )
            for r in said
        ),
    )
