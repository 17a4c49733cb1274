"""Threads on items: comments, @mentions, resolved or open. Append-only, and blind like votes.

Leads, managers and admins read every thread. An expert reads those they take part in or are named
in, and all of an item once they have voted on it: a comment may give a vote away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, func, or_, select

from core.access import Action, Actor, Resource, can
from core.clock import new_uuid
from core.errors import ConflictError, Forbidden, InputError, LimitExceeded, NotFound
from core.labels.schema import DIRECTION_MARKS, has_visible
from core.services.accounts.people import people_of
from core.services.projects.project import ProjectView, list_projects, project_for
from core.services.talk.voices import voices
from core.services.visibility.blind import live_kinds
from core.services.visibility.views import names_of
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import comments, items, mentions

MAX_TEXT = 2000
MAX_COMMENTS = 500
"""On one item: beyond that, people should talk."""
MOST_LISTED = 50

_THREAD = func.coalesce(comments.c.thread_seq, comments.c.seq)
_MENTION = re.compile(r"(?<![\w@])@([a-z0-9][a-z0-9._@-]{0,63})")


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


# --- saying -----------------------------------------------------------------------------------


def start_thread(
    ws: Workspace, actor: Actor, slug: str, item_id: int, text: str, uuid: str
) -> ThreadView:
    """Begin a thread on an item; sent again with the same UUID it changes nothing.

    Raises:
        InputError: The text is empty, too long or holds control or direction marks.
        NotFound: There is no such item in this project.
        ConflictError: The UUID was used for something else.
        Forbidden: The actor may not see the project's items.
    """
    said = clean_text(text)
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        _require_item(connection, project, item_id)
        again = _already(connection, actor, uuid, item_id, None, Kind.COMMENT)
        seq = again or _insert(
            connection, project, actor, item_id, None, Kind.COMMENT, said, uuid, ws.clock()
        )
        return _thread(connection, project, actor, item_id, seq)


def reply(ws: Workspace, actor: Actor, slug: str, thread: int, text: str, uuid: str) -> ThreadView:
    """Say something in a thread; sent again with the same UUID it changes nothing.

    Raises:
        InputError: The text is empty, too long or holds control or direction marks.
        NotFound: There is no such thread in this project that the actor may read.
        ConflictError: The UUID was used for something else.
        Forbidden: The actor may not see the project's items.
    """
    return _add(ws, actor, slug, thread, Kind.COMMENT, clean_text(text), uuid)


def resolve_thread(ws: Workspace, actor: Actor, slug: str, thread: int, uuid: str) -> ThreadView:
    """Close a thread; closing a closed one changes nothing.

    Raises:
        NotFound: There is no such thread in this project that the actor may read.
        ConflictError: The UUID was used for something else.
        Forbidden: The actor neither began it nor is a lead or manager.
    """
    return _add(ws, actor, slug, thread, Kind.RESOLVE, "", uuid)


def reopen_thread(ws: Workspace, actor: Actor, slug: str, thread: int, uuid: str) -> ThreadView:
    """Open a closed thread again; opening an open one changes nothing.

    Raises:
        NotFound: There is no such thread in this project that the actor may read.
        ConflictError: The UUID was used for something else.
        Forbidden: The actor neither began it nor is a lead or manager.
    """
    return _add(ws, actor, slug, thread, Kind.REOPEN, "", uuid)


def open_for_flag(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    item_id: int,
    reason: str,
    at: float,
) -> None:
    """Begin a thread with the comment of a flag, within the caller's record transaction.

    A flag that gives only a reason's code begins none. Characters a comment may not hold are left
    out: the flag itself must not fail for them.
    """
    _code, _colon, comment = reason.partition(": ")
    kept = "".join(c for c in comment.replace("\r\n", "\n") if not _forbidden(c))[:MAX_TEXT].strip()
    # A full item takes no further thread; the flag stands all the same.
    if has_visible(kept) and _count(connection, item_id) < MAX_COMMENTS:
        text = unicodedata.normalize("NFC", kept)
        # The flag itself is written once only, so its thread needs no name that a resend knows.
        _insert(connection, project, actor, item_id, None, Kind.COMMENT, text, new_uuid(), at)


def clean_text(text: str) -> str:
    """Return a comment in composed Unicode form; lines may break.

    Raises:
        InputError: Nothing is left, it is too long, or it holds control or direction marks.
    """
    found = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if not has_visible(found):
        raise InputError("The comment is empty.", "Write a few words.")
    if any(_forbidden(c) for c in found):
        raise InputError(
            "The comment holds control or direction marks.", "Type it anew instead of pasting it."
        )
    if len(found) > MAX_TEXT:
        raise InputError(
            f"The comment has {len(found):,} characters, at most {MAX_TEXT:,} fit.",
            "Shorten it and send again; nothing was lost.",
        )
    return found


def _forbidden(character: str) -> bool:
    control = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
    return control or character in DIRECTION_MARKS


def _add(
    ws: Workspace, actor: Actor, slug: str, thread: int, kind: Kind, text: str, uuid: str
) -> ThreadView:
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        first = connection.execute(
            select(comments).where(
                comments.c.seq == thread,
                comments.c.project_id == project.id,
                comments.c.thread_seq.is_(None),
            )
        ).first()
        missing = NotFound(
            f"There is no thread {thread} that you can read in '{slug}'.", "Reload the page."
        )
        if first is None:
            raise missing
        seen = {t.thread: t for t in threads_on(connection, project, actor, first.item_id)}
        if thread not in seen:
            raise missing
        before = seen[thread]
        if kind is not Kind.COMMENT and not before.may_resolve:
            raise Forbidden(
                "Only who began a thread, a lead or a manager closes or reopens it.",
                "Write in it instead.",
            )
        done = before.resolved if kind is Kind.RESOLVE else not before.resolved
        if _already(connection, actor, uuid, first.item_id, thread, kind) or (
            kind is not Kind.COMMENT and done
        ):
            return before
        _insert(connection, project, actor, first.item_id, thread, kind, text, uuid, ws.clock())
        return _thread(connection, project, actor, first.item_id, thread)


def _insert(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    item_id: int,
    thread: int | None,
    kind: Kind,
    text: str,
    uuid: str,
    at: float,
) -> int:
    if _count(connection, item_id) >= MAX_COMMENTS:
        raise LimitExceeded(
            f"This item has {MAX_COMMENTS} comments already; no more fit.",
            "Talk to each other, or ask a lead to settle it.",
        )
    place = {"project_id": project.id, "item_id": item_id, "at": at}
    row = {"uuid": uuid, "thread_seq": thread, "person_id": actor.person_id, "kind": kind.value}
    seq = int(
        connection.execute(
            comments.insert().returning(comments.c.seq), {**place, **row, "text": text}
        ).scalar_one()
    )
    named = _named(connection, project, text) - {actor.person_id}
    if named:
        connection.execute(
            mentions.insert(),
            [{**place, "comment_seq": seq, "person_id": p} for p in sorted(named)],
        )
    append_audit(
        connection, at, actor.name, f"thread: {kind.value}", f"item {item_id}", project.id,
        {"uuid": uuid},
    )  # fmt: skip
    return seq


def _named(connection: Connection, project: ProjectView, text: str) -> set[int]:
    """Return the people of the project that a text mentions; other names stay text."""
    asked = _MENTION.findall(text)
    if not asked:
        return set()
    known = {name: person for person, name, _ in people_of(connection, project.id)}
    # "@anna." ends a sentence, but a name may hold dots: the longest that is known counts.
    return {known[n] for n in (_known(a, known) for a in asked) if n is not None}


def _known(asked: str, known: Mapping[str, int]) -> str | None:
    while asked and asked not in known and asked[-1] in "._@-":
        asked = asked[:-1]
    return asked if asked in known else None


def _already(
    connection: Connection, actor: Actor, uuid: str, item_id: int, thread: int | None, kind: Kind
) -> int | None:
    if not 8 <= len(uuid) <= 64 or not uuid.isascii() or not uuid.isprintable():
        raise InputError("A comment needs a UUID of its own.", "Reload the page.")
    row = connection.execute(select(comments).where(comments.c.uuid == uuid)).first()
    if row is None:
        return None
    found = (row.person_id, row.item_id, row.thread_seq, row.kind)
    if found != (actor.person_id, item_id, thread, kind.value):
        raise ConflictError("This comment's UUID belongs to another one.", "Reload the page.")
    return int(row.seq)


def _count(connection: Connection, item_id: int) -> int:
    query = select(func.count()).select_from(comments).where(comments.c.item_id == item_id)
    return int(connection.execute(query).scalar_one())


def _require_item(connection: Connection, project: ProjectView, item_id: int) -> None:
    found = connection.execute(
        select(items.c.id).where(items.c.id == item_id, items.c.project_id == project.id)
    ).first()
    if found is None:
        raise NotFound(f"There is no item {item_id} in '{project.slug}'.", "Take the next one.")


# --- reading ----------------------------------------------------------------------------------


def item_threads(ws: Workspace, actor: Actor, slug: str, item_id: int) -> tuple[ThreadView, ...]:
    """Return an item's threads as this person may read them, open ones first.

    Raises:
        NotFound: There is no such item in this project.
        Forbidden: The actor may not see the project's items.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.SEE_IMAGE)
        _require_item(connection, project, item_id)
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
    kinds = live_kinds(connection, actor.person_id, [item_id])
    all_seen = _sees_all(actor, project.id) or kinds.get(item_id) == "vote"
    names = voices(connection, project, actor, item_id, {r.person_id for r in rows})
    grouped = _by_thread(rows)
    views = [
        _view(project, actor, thread, said, names)
        for thread, said in grouped.items()
        if all_seen or _takes_part(actor, said, named)
    ]
    return tuple(sorted(views, key=lambda v: (v.resolved, v.thread)))


def waiting_threads(ws: Workspace, actor: Actor) -> Waiting:
    """Return what waits for the actor in every project they may see: mentions first, then newest."""
    projects = list_projects(ws, actor)  # asks the gate of each
    with ws.store.read() as connection:
        found = [w for p in projects for w in _waiting_in(connection, p, actor)]
        found.sort(key=lambda w: (not w[1], -w[2].at, w[2].seq))
        listed = tuple(_listed(connection, actor, *w) for w in found[:MOST_LISTED])
        open_threads = {
            p.slug: _count_open(connection, p.id) for p in projects if _sees_all(actor, p.id)
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
    for said in _by_thread(rows).values():
        mentioned, last = _unanswered(actor, said, named), _last_said(said)
        spoke = any(r.person_id == actor.person_id for r in said)
        answered = spoke and last.person_id != actor.person_id
        if not _resolved(said) and (mentioned or answered):
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


def _resolved(said: Sequence[Row]) -> bool:
    closing = [r.kind for r in said if r.kind != Kind.COMMENT]
    return bool(closing) and closing[-1] == Kind.RESOLVE


def _by_thread(rows: Sequence[Row]) -> dict[int, list[Row]]:
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


def _sees_all(actor: Actor, project_id: int) -> bool:
    return can(actor, Action.STEER, Resource(project_id))


def _view(
    project: ProjectView, actor: Actor, thread: int, said: Sequence[Row], names: Mapping[int, str]
) -> ThreadView:
    began = said[0].person_id == actor.person_id
    return ThreadView(
        thread,
        said[0].item_id,
        _resolved(said),
        began or _sees_all(actor, project.id),
        tuple(
            CommentView(
                r.seq, r.kind, names[r.person_id], r.person_id == actor.person_id, r.text, r.at
            )
            for r in said
        ),
    )


def _thread(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int, thread: int
) -> ThreadView:
    found = threads_on(connection, project, actor, item_id)
    return next(t for t in found if t.thread == thread)
