"""One ruling on many items, a few to a transaction, each checked as if it were ruled on alone."""

from __future__ import annotations

import uuid as uuids
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.consensus.settle import DecisionKind
from core.errors import Forbidden, InputError, ItemClosed, NotFound, StaleVersion
from core.labels import Answer
from core.services.consensus.resolve import CHUNK, live_annotations, resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.review.ruling import Ruling, check_ruling, put_in_force
from core.services.review.submission import check_answer
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import items

MOST_AT_ONCE = 500
MOST_PIXELS = 1_000_000_000
"""Regions are held against each image when it is ruled on, not before."""
NOT_WHOLE = "Its votes do not agree on the other questions either; it was left as it is."
_AT_A_TIME = 50
"""Items in one transaction: voters wait for no more than these."""


@dataclass(frozen=True, slots=True)
class Many:
    """A ruling meant for many items.

    Attributes:
        seen: Number of each item, with that of what the lead saw of it.
        kind: decide, discard, neutral or send-back.
        answer: The label, where the kind is decide; it may leave questions open.
        reason: Why, for all of them.
        uuid: Names the ruling; the decision on each item carries it before its own number.
    """

    seen: Mapping[int, int]
    kind: str
    answer: Answer | None
    reason: str
    uuid: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that was not ruled on, and why."""

    item_id: int
    because: str


@dataclass(frozen=True, slots=True)
class BulkReceipt:
    """What a ruling on many did.

    Attributes:
        uuid: Names the ruling.
        saved: Items ruled on by this call.
        already: Items an earlier call under the same UUID ruled on.
        left_out: The others.
    """

    uuid: str
    saved: tuple[int, ...] = ()
    already: tuple[int, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __add__(self, more: BulkReceipt) -> BulkReceipt:
        return BulkReceipt(
            self.uuid,
            self.saved + more.saved,
            self.already + more.already,
            self.left_out + more.left_out,
        )


class Way(Protocol):
    """What is ruled on each of the items, and on which condition."""

    def rulings(
        self, connection: Connection, project: ProjectView, asked: Many, ids: Sequence[int]
    ) -> Iterable[Ruling]:
        """Return the ruling on each item."""
        ...

    def check(
        self, connection: Connection, project: ProjectView, asked: Many, ruling: Ruling
    ) -> None:
        """Check that the ruling on one item may be put in force.

        Raises:
            StaleVersion, ItemClosed: It may not; the item is left out.
        """
        ...

    def note(self, asked: Many, did: BulkReceipt) -> tuple[str, Mapping[str, object]]:
        """Return what the audit trail says of it: the action, and what to keep beside the items."""
        ...


def check_many(ws: Workspace, actor: Actor, slug: str, asked: Many) -> ProjectView:
    """Check what does not depend on the state of the items, before any is ruled on.

    Raises:
        InputError: Too many or no items, no reason, no UUID, or the answer does not fit.
        NotFound: An item is not in this project.
        Forbidden: The actor does not adjudicate here.
    """
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        _check_number(len(asked.seen))
        check_ruling(Ruling(asked.uuid, 0, asked.kind, asked.answer, asked.reason, 0))
        _check_items(connection, project, list(asked.seen))
    if asked.answer is not None and asked.kind == DecisionKind.DECIDE:
        check_answer(project, asked.answer, MOST_PIXELS, MOST_PIXELS, complete=False)
    return project


def rule_on_many(ws: Workspace, actor: Actor, slug: str, asked: Many, way: Way) -> BulkReceipt:
    """Put a checked ruling in force on many items; those whose check fails are left out.

    Raises:
        ConflictError: The UUID belongs to another ruling.
        Forbidden: The actor does not adjudicate here.
    """
    did = BulkReceipt(asked.uuid)
    for some in _in_chunks(sorted(asked.seen)):
        with ws.store.write() as connection:
            project = project_for(connection, actor, slug, Action.ADJUDICATE)
            part = _rule_on(ws, connection, project, actor, asked, way, some)
            if part.saved:
                resolve_items(connection, project, part.saved, ws.clock(), ws=ws)
                action, beside = way.note(asked, part)
                append_audit(
                    connection, ws.clock(), actor.name, action, f"{len(part.saved)} items",
                    project.id, {"uuid": asked.uuid, "items": list(part.saved), **beside},
                )  # fmt: skip
        did += part
    return did


def _rule_on(
    ws: Workspace,
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    asked: Many,
    way: Way,
    ids: Sequence[int],
) -> BulkReceipt:
    """Rule on some of the items within the caller's transaction."""
    saved: list[int] = []
    already: list[int] = []
    left: list[LeftOut] = []
    for ruling in way.rulings(connection, project, asked, ids):
        try:
            way.check(connection, project, asked, ruling)
            status = put_in_force(connection, project, actor, ruling, ws.clock()).status
        except (StaleVersion, Forbidden, ItemClosed) as problem:
            left.append(LeftOut(ruling.item_id, problem.message))
        else:
            (saved if status == "saved" else already).append(ruling.item_id)
    return BulkReceipt(asked.uuid, tuple(saved), tuple(already), tuple(left))


def item_uuid(uuid: str, item_id: int) -> str:
    """Return the UUID of the decision on one item of a ruling on many."""
    return f"{uuid}:{item_id}"


def live_votes(
    connection: Connection, project: ProjectView, ids: Sequence[int]
) -> dict[int, list[Answer]]:
    """Return the live votes on each item, in today's names."""
    found: dict[int, list[Answer]] = {i: [] for i in ids}
    for row in live_annotations(connection, ids):
        if row.kind == "vote":
            found[row.item_id].append(project.schema.translate(Answer.from_json(row.answer)))
    return found


def whole_answer(
    project: ProjectView, answer: Answer | None, others: Sequence[Answer]
) -> Answer | None:
    """Return an answer with the questions it leaves open filled in by what most others say.

    A question most of them do not answer alike stays open.
    """
    if answer is None:
        return None
    choices, several = dict(answer.choices), dict(answer.multi)
    for question in project.schema.item_questions:
        if answer.said(question.key) is not None:
            continue
        told = Counter(o.said(question.key) for o in others)
        value, n = told.most_common(1)[0] if told else (None, 0)
        if 2 * n <= len(others) or value is None:
            continue
        if isinstance(value, tuple):
            several[question.key] = value
        else:
            choices[question.key] = value
    return replace(answer, choices=choices, multi=several)


def check_whole(project: ProjectView, answer: Answer | None) -> None:
    """Check that an answer, if there is one, leaves no question open.

    Raises:
        ItemClosed: It does.
    """
    keys = [q.key for q in project.schema.item_questions]
    if answer is not None and any(answer.said(key) is None for key in keys):
        raise ItemClosed(NOT_WHOLE)


def checked_uuid(uuid: str) -> str:
    """Return a UUID in its usual form.

    Raises:
        InputError: It is none.
    """
    try:
        return str(uuids.UUID(uuid))
    except (ValueError, AttributeError, TypeError) as problem:
        raise InputError(
            "A ruling on many needs a UUID of its own.", "Reload the page."
        ) from problem


def _in_chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _AT_A_TIME] for start in range(0, len(ids), _AT_A_TIME))


def _check_number(n: int) -> None:
    if not n:
        raise InputError("No items were chosen.", "Choose at least one.")
    if n > MOST_AT_ONCE:
        raise InputError(
            f"{n} items are too many: at most {MOST_AT_ONCE} are ruled on at once; nothing "
            "was decided.",
            "Rule on the first, then on the rest.",
        )


def _check_items(connection: Connection, project: ProjectView, ids: Sequence[int]) -> None:
    known: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        query = select(items.c.id).where(
            items.c.id.in_(ids[start : start + CHUNK]), items.c.project_id == project.id
        )
        known |= set(connection.execute(query).scalars())
    strange = sorted(set(ids) - known)
    if strange:
        raise NotFound(
            f"There is no item {strange[0]} in '{project.slug}'; nothing was decided.",
            "Reload the page.",
        )
