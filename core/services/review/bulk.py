"""One ruling on many equal disputes, each of them checked as if it were ruled on alone."""

from __future__ import annotations

import uuid as uuids
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.consensus.settle import DecisionKind
from core.errors import Forbidden, InputError, ItemClosed, NotFound, StaleVersion
from core.labels import Answer
from core.labels.state import ItemState
from core.services.consensus.resolve import CHUNK, live_annotations, resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.review.ruling import Ruling, check_ruling, put_in_force
from core.services.review.submission import check_answer
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import decisions, item_state, items

MOST_AT_ONCE = 500
MOST_PIXELS = 1_000_000_000
"""Regions are held against each image when it is ruled on, not before."""
NOT_WHOLE = "Its votes do not agree on the other questions either; it was left as it is."
_AT_A_TIME = 50
"""Items in one transaction: voters wait for no more than these."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that was not ruled on, and why."""

    item_id: int
    because: str


@dataclass(frozen=True, slots=True)
class BulkReceipt:
    """What a ruling on many did.

    Attributes:
        uuid: Names the ruling; the decision on each item carries it before its own number.
        saved: Items ruled on by this call.
        already: Items an earlier call under the same UUID ruled on.
        left_out: The others.
    """

    uuid: str
    saved: tuple[int, ...]
    already: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


def bulk_rule(
    ws: Workspace,
    actor: Actor,
    slug: str,
    chosen: Sequence[tuple[int, int]],
    kind: str,
    answer: Answer | None,
    reason: str,
    uuid: str,
) -> BulkReceipt:
    """Put one ruling in force on many disputes; what changed since the lead looked is left out.

    Sent again under the same UUID it goes on where it stopped and changes nothing twice.

    Args:
        ws: The workspace.
        actor: The lead.
        slug: The project.
        chosen: Number of each item, and the newest thing said of it that the lead saw.
        kind: decide, discard, neutral or send-back.
        answer: The label, where the kind is decide; a question it leaves open is answered by what
            most votes on the item say.
        reason: Why, for all of them.
        uuid: Names this ruling.

    Raises:
        InputError: Too many or no items, no reason, no UUID, or the answer does not fit.
        NotFound: An item is not in this project; nothing was decided.
        ConflictError: The UUID belongs to another ruling.
        Forbidden: The actor does not adjudicate here.
    """
    seen, uuid = dict(chosen), checked_uuid(uuid)
    with ws.store.read() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        check_chosen(connection, project, seen, kind, answer, reason, uuid)
    saved: list[int] = []
    already: list[int] = []
    left: list[LeftOut] = []
    for some in in_chunks(sorted(seen)):
        with ws.store.write() as connection:
            project = project_for(connection, actor, slug, Action.ADJUDICATE)
            votes = live_votes(connection, project, some)
            done: list[int] = []
            out: list[LeftOut] = []
            for item_id in some:
                said = votes[item_id]
                whole = whole_answer(project, answer, said)
                ruling = Ruling(
                    item_uuid(uuid, item_id), item_id, kind, whole, reason, len(said), seen[item_id]
                )
                told = _rule_one(connection, project, actor, ruling, ws.clock())
                if isinstance(told, LeftOut):
                    out.append(told)
                else:
                    (done if told == "saved" else already).append(item_id)
            if done:
                resolve_items(connection, project, done, ws.clock(), ws=ws)
                append_audit(
                    connection, ws.clock(), actor.name, f"ruled in bulk: {kind}",
                    f"{len(done)} items", project.id,
                    {"uuid": uuid, "items": done, "left_out": [o.item_id for o in out]},
                )  # fmt: skip
        saved += done
        left += out
    return BulkReceipt(uuid, tuple(saved), tuple(already), tuple(left))


def item_uuid(uuid: str, item_id: int) -> str:
    """Return the UUID of the decision on one item of a ruling on many."""
    return f"{uuid}:{item_id}"


def in_chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """Return items a few at a time, as they are written."""
    return (ids[start : start + _AT_A_TIME] for start in range(0, len(ids), _AT_A_TIME))


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


def is_whole(project: ProjectView, answer: Answer | None) -> bool:
    """Return whether every question has its answer."""
    keys = [q.key for q in project.schema.item_questions]
    return answer is None or all(answer.said(key) is not None for key in keys)


def _rule_one(
    connection: Connection, project: ProjectView, actor: Actor, ruling: Ruling, now: float
) -> str | LeftOut:
    """Rule on one item; return what became of it."""
    known = select(decisions.c.seq).where(decisions.c.uuid == ruling.uuid)
    try:
        if connection.execute(known).first() is None:
            _check_open(connection, ruling.item_id)
            if not is_whole(project, ruling.answer):
                return LeftOut(ruling.item_id, NOT_WHOLE)
        return put_in_force(connection, project, actor, ruling, now).status
    except (StaleVersion, Forbidden, ItemClosed) as problem:
        return LeftOut(ruling.item_id, problem.message)


def _check_open(connection: Connection, item_id: int) -> None:
    query = select(item_state.c.state).where(item_state.c.item_id == item_id)
    if connection.execute(query).scalar() != ItemState.DISPUTE:
        raise ItemClosed("It is in dispute no more; it was left as it is.", "Look at it alone.")


def check_chosen(
    connection: Connection,
    project: ProjectView,
    seen: Mapping[int, int],
    kind: str,
    answer: Answer | None,
    reason: str,
    uuid: str,
) -> None:
    """Check what does not depend on the state of the items, before any is ruled on.

    Raises:
        InputError: Too many or no items, no reason, no UUID, or the answer does not fit.
        NotFound: An item is not in this project.
    """
    if not seen:
        raise InputError("No items were chosen.", "Choose at least one.")
    if len(seen) > MOST_AT_ONCE:
        raise InputError(
            f"{len(seen)} items are too many: at most {MOST_AT_ONCE} are ruled on at once; nothing "
            "was decided.",
            "Rule on the first, then on the rest.",
        )
    check_ruling(Ruling(uuid, 0, kind, answer, reason, 0))
    _check_items(connection, project, list(seen))
    if answer is not None and kind == DecisionKind.DECIDE:
        check_answer(project, answer, MOST_PIXELS, MOST_PIXELS, complete=False)


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
