"""Writing in threads: comments, @mentions, resolving, opening again. Append-only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from core.access import Action, Actor
from core.clock import new_uuid
from core.errors import ConflictError, Forbidden, InputError, LimitExceeded, NotFound
from core.labels.schema import DIRECTION_MARKS, has_visible
from core.services.accounts.people import people_of
from core.services.projects.project import ProjectView, project_for
from core.services.talk.threads import Kind, ThreadView, require_item, threads_on
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import comments, mentions

MAX_TEXT = 2000
MAX_COMMENTS = 500
"""On one item: beyond that, people should talk."""

_MENTION = re.compile(r"(?<![\w@])@([a-z0-9][a-z0-9._@-]{0,63})")


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
        require_item(connection, project, item_id)
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


def _thread(
    connection: Connection, project: ProjectView, actor: Actor, item_id: int, thread: int
) -> ThreadView:
    found = threads_on(connection, project, actor, item_id)
    return next(t for t in found if t.thread == thread)
