"""Ruling otherwise on what was decided before: the old decision stays, the new one counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from core.access import Action, Actor
from core.consensus.settle import DecisionKind
from core.errors import Forbidden, ItemClosed, StaleVersion
from core.labels import Answer
from core.services.consensus.resolve import resolve_items
from core.services.projects.project import ProjectView, project_for
from core.services.review.bulk import (
    NOT_WHOLE,
    LeftOut,
    check_chosen,
    checked_uuid,
    in_chunks,
    is_whole,
    item_uuid,
    live_votes,
    whole_answer,
)
from core.services.review.ruling import Ruling, put_in_force
from core.services.review.used import UsedModel, outdated_by
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import decisions


@dataclass(frozen=True, slots=True)
class Overturned:
    """What overturning did.

    Attributes:
        saved, already: Items ruled on now, and by an earlier call under the same UUID.
        left_out: The others, and why.
        versions: Dataset versions that keep an old label of these items, each with how many.
        models: Models trained on those versions.
    """

    uuid: str
    saved: tuple[int, ...]
    already: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    versions: tuple[tuple[str, int], ...]
    models: tuple[UsedModel, ...]


def overturn(
    ws: Workspace,
    actor: Actor,
    slug: str,
    chosen: Sequence[tuple[int, int]],
    kind: str,
    answer: Answer | None,
    reason: str,
    uuid: str,
) -> Overturned:
    """Put another ruling in force on items that were ruled on; what changed since is left out.

    To take a ruling on many back, overturn each of them by sending it back.

    Args:
        ws: The workspace.
        actor: The lead.
        slug: The project.
        chosen: Number of each item, and of the ruling in force on it that the lead saw.
        kind: decide, discard, neutral or send-back.
        answer: The label, where the kind is decide; a question it leaves open keeps its answer.
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
            votes, old = live_votes(connection, project, some), _old(connection, project, some)
            done: list[int] = []
            for item_id in some:
                others = [old[item_id]] if item_id in old else votes[item_id]
                ruling = Ruling(
                    item_uuid(uuid, item_id),
                    item_id,
                    kind,
                    whole_answer(project, answer, others),
                    reason,
                    len(votes[item_id]),
                )
                told = _overturn_one(connection, project, actor, ruling, seen[item_id], ws.clock())
                if isinstance(told, LeftOut):
                    left.append(told)
                else:
                    (done if told == "saved" else already).append(item_id)
            if done:
                resolve_items(connection, project, done, ws.clock(), ws=ws)
                append_audit(
                    connection, ws.clock(), actor.name, f"overturned: {kind}",
                    f"{len(done)} items", project.id, {"uuid": uuid, "items": done},
                )  # fmt: skip
        saved += done
    with ws.store.read() as connection:
        versions, models = outdated_by(ws, connection, project, [*saved, *already])
    return Overturned(uuid, tuple(saved), tuple(already), tuple(left), versions, models)


def _old(connection: Connection, project: ProjectView, ids: Sequence[int]) -> dict[int, Answer]:
    """Return the answer of the newest ruling on each item that gave one."""
    rows = connection.execute(
        select(decisions.c.item_id, decisions.c.answer)
        .where(decisions.c.item_id.in_(ids))
        .order_by(decisions.c.seq)
    )
    newest = {r.item_id: r.answer for r in rows}
    return {
        i: project.schema.translate(Answer.from_json(text)) for i, text in newest.items() if text
    }


def _overturn_one(
    connection: Connection,
    project: ProjectView,
    actor: Actor,
    ruling: Ruling,
    decision_seq: int,
    now: float,
) -> str | LeftOut:
    try:
        _check_in_force(connection, ruling, decision_seq)
        if not is_whole(project, ruling.answer):
            return LeftOut(ruling.item_id, NOT_WHOLE)
        return put_in_force(connection, project, actor, ruling, now).status
    except (StaleVersion, Forbidden, ItemClosed) as problem:
        return LeftOut(ruling.item_id, problem.message)


def _check_in_force(connection: Connection, ruling: Ruling, decision_seq: int) -> None:
    """Check that the ruling the lead saw is the newest, and one that settled the item."""
    newest = connection.execute(
        select(decisions.c.seq, decisions.c.kind, decisions.c.uuid)
        .where(decisions.c.item_id == ruling.item_id)
        .order_by(decisions.c.seq.desc())
        .limit(1)
    ).first()
    if newest is not None and newest.uuid == ruling.uuid:
        return
    if newest is None or newest.seq != decision_seq:
        raise StaleVersion("Somebody ruled on it otherwise meanwhile; it was left as it is.")
    if newest.kind == DecisionKind.SEND_BACK:
        raise ItemClosed("It was sent back for votes, so there is no ruling to overturn.")
