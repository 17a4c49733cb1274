"""Which threads wait for a person: mentions not answered, own threads somebody else wrote in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, or_, select

from core.access import Actor
from core.services.projects.project import ProjectView, list_projects
from core.services.talk.threads import Kind, by_thread, is_resolved, open_thread_items, sees_all
from core.services.talk.voices import voices
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.tables import comments, mentions

MOST_LISTED = 50

_THREAD = func.coalesce(comments.c.thread_seq, comments.c.seq)


@dataclass(frozen=True, slots=True)
class WaitingThread:
    """A thread that waits for somebody.

    Attributes:
        mentioned: Whether the person is named in it and has not answered.
    """

    slug: str
    project: str
    item_id: int
    item: str
    thread: int
    mentioned: bool
    who: str
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person in all their projects.

    Attributes:
        threads: Mentions not answered, and own threads in which somebody else spoke last.
        mentions: How many of them are mentions.
        open_threads: By project, how many threads are open; only where one may steer.
    """

    threads: tuple[WaitingThread, ...]
    mentions: int
    open_threads: Mapping[str, int]


def waiting_threads(ws: Workspace, actor: Actor) -> Waiting:
    """Return what waits for the actor in every project they may see: mentions first, then newest."""
    projects = list_projects(ws, actor)  # asks the gate of each
    with ws.store.read() as connection:
        found = [w for p in projects for w in _waiting_in(connection, p, actor)]
        found.sort(key=lambda w: (not w[1], -w[2].at, w[2].seq))
        listed = tuple(_listed(connection, actor, *w) for w in found[:MOST_LISTED])
        open_threads = {
            p.slug: _count_open(connection, p.id) for p in projects if sees_all(actor, p.id)
        }
    return Waiting(listed, sum(mentioned for _, mentioned, _ in found), open_threads)


def _waiting_in(
    connection: Connection, project: ProjectView, actor: Actor
) -> list[tuple[ProjectView, bool, Row]]:
    """Return the threads of a project that wait for the person: whether mentioned, the last word."""
    named = frozenset(
        connection.execute(
            select(mentions.c.comment_seq).where(
                mentions.c.person_id == actor.person_id, mentions.c.project_id == project.id
            )
        ).scalars()
    )
    part = or_(comments.c.person_id == actor.person_id, comments.c.seq.in_(named))
    mine = select(_THREAD).where(comments.c.project_id == project.id, part)
    rows = connection.execute(
        select(comments).where(_THREAD.in_(mine)).order_by(comments.c.seq)
    ).all()
    found = []
    for said in by_thread(rows).values():
        mentioned, last = _unanswered(actor, said, named), _last_said(said)
        spoke = any(r.person_id == actor.person_id for r in said)
        answered = spoke and last.person_id != actor.person_id
        if not is_resolved(said) and (mentioned or answered):
            found.append((project, mentioned, last))
    return found


def _listed(
    connection: Connection, actor: Actor, project: ProjectView, mentioned: bool, last: Row
) -> WaitingThread:
    who = voices(connection, project, actor, last.item_id, [last.person_id])[last.person_id]
    name = names_of(connection, [last.item_id])[last.item_id][0]
    thread = last.thread_seq or last.seq
    return WaitingThread(
        project.slug, project.title, last.item_id, name, thread, mentioned, who, last.text, last.at
    )


def _count_open(connection: Connection, project_id: int) -> int:
    threads = open_thread_items(project_id).subquery()
    return int(connection.execute(select(func.count()).select_from(threads)).scalar_one())


def _unanswered(actor: Actor, said: Sequence[Row], named: frozenset[int]) -> bool:
    """Return whether the person was named and neither wrote since nor saw the thread closed."""
    newest = max((r.seq for r in said if r.seq in named), default=0)
    answered = (
        r.seq > newest and (r.person_id == actor.person_id or r.kind == Kind.RESOLVE) for r in said
    )
    return bool(newest) and not any(answered)


def _last_said(said: Sequence[Row]) -> Row:
    return next(r for r in reversed(said) if r.kind == Kind.COMMENT)
