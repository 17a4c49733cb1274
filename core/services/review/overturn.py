"""Ruling otherwise on what was decided before: the old decision stays, the new one counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from core.access import Actor
from core.consensus.settle import DecisionKind
from core.errors import ItemClosed, StaleVersion
from core.labels import Answer
from core.services.projects.project import ProjectView
from core.services.review.many import (
    BulkReceipt,
    LeftOut,
    Many,
    check_many,
    check_whole,
    checked_uuid,
    item_uuid,
    live_votes,
    rule_on_many,
    whole_answer,
)
from core.services.review.ruling import Ruling
from core.services.review.used import UsedModel, outdated_by
from core.services.workspace import Workspace
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
    asked = Many(dict(chosen), kind, answer, reason, checked_uuid(uuid))
    project = check_many(ws, actor, slug, asked)
    did = rule_on_many(ws, actor, slug, asked, _Overturning())
    with ws.store.read() as connection:
        versions, models = outdated_by(ws, connection, project, [*did.saved, *did.already])
    return Overturned(did.uuid, did.saved, did.already, did.left_out, versions, models)


class _Overturning:
    """What a ruling leaves open keeps its answer; the one the lead saw has to be in force still."""

    def rulings(
        self, connection: Connection, project: ProjectView, asked: Many, ids: Sequence[int]
    ) -> Iterator[Ruling]:
        old = _old(connection, project, ids)
        for item_id, votes in live_votes(connection, project, ids).items():
            others = [old[item_id]] if item_id in old else votes
            yield Ruling(
                item_uuid(asked.uuid, item_id),
                item_id,
                asked.kind,
                whole_answer(project, asked.answer, others),
                asked.reason,
                len(votes),
            )

    def check(
        self, connection: Connection, project: ProjectView, asked: Many, ruling: Ruling
    ) -> None:
        _check_in_force(connection, ruling, asked.seen[ruling.item_id])
        check_whole(project, ruling.answer)

    def note(self, asked: Many, did: BulkReceipt) -> tuple[str, Mapping[str, object]]:
        return f"overturned: {asked.kind}", {}


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
