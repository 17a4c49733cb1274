"""One ruling on many equal disputes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from core.access import Actor
from core.errors import ItemClosed
from core.labels import Answer
from core.labels.state import ItemState
from core.services.projects.project import ProjectView
from core.services.review.many import (
    BulkReceipt,
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
from core.services.workspace import Workspace
from core.store.tables import decisions, item_state


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
    asked = Many(dict(chosen), kind, answer, reason, checked_uuid(uuid))
    check_many(ws, actor, slug, asked)
    return rule_on_many(ws, actor, slug, asked, _Settling())


class _Settling:
    """What a ruling leaves open is filled in by the votes; the item has to be in dispute still."""

    def rulings(
        self, connection: Connection, project: ProjectView, asked: Many, ids: Sequence[int]
    ) -> Iterator[Ruling]:
        for item_id, said in live_votes(connection, project, ids).items():
            yield Ruling(
                item_uuid(asked.uuid, item_id),
                item_id,
                asked.kind,
                whole_answer(project, asked.answer, said),
                asked.reason,
                len(said),
                asked.seen[item_id],
            )

    def check(
        self, connection: Connection, project: ProjectView, asked: Many, ruling: Ruling
    ) -> None:
        known = select(decisions.c.seq).where(decisions.c.uuid == ruling.uuid)
        if connection.execute(known).first() is None:
            _check_open(connection, ruling.item_id)
            check_whole(project, ruling.answer)

    def note(self, asked: Many, did: BulkReceipt) -> tuple[str, Mapping[str, object]]:
        left = [one.item_id for one in did.left_out]
        return f"ruled in bulk: {asked.kind}", {"left_out": left}


def _check_open(connection: Connection, item_id: int) -> None:
    query = select(item_state.c.state).where(item_state.c.item_id == item_id)
    if connection.execute(query).scalar() != ItemState.DISPUTE:
        raise ItemClosed("It is in dispute no more; it was left as it is.", "Look at it alone.")
