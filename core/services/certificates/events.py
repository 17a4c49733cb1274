"""What is written down when an accepted label changes hands, and settling what it touches.

The events are one transaction; the labels derived from them follow in parts, so that nobody waits long for
the record. Broken off in between, the same call again, or a full resolve, settles the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, select

from core.errors import InputError
from core.labels.state import ItemState
from core.services.consensus.resolve import resolve_items
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import acceptances, item_state

PART = 2000


def reason_given(reason: str) -> str:
    """Return a reason without what surrounds it.

    Raises:
        InputError: There is none.
    """
    if not reason.strip():
        raise InputError("This needs a reason.", "Say in a few words why.")
    return reason.strip()


def event(
    row: Row, item_id: int, prediction_seq: int, kind: str, reason: str, at: float
) -> dict[str, object]:
    """Return a row of acceptances on the word of a certificate."""
    return {
        "project_id": row.project_id, "item_id": item_id, "certificate_id": row.id,
        "prediction_seq": prediction_seq, "kind": kind, "reason": reason, "at": at,
    }  # fmt: skip


def settle(ws: Workspace, project: ProjectView, item_ids: Sequence[int]) -> None:
    """Derive the labels of items anew, some thousand in each transaction."""
    for start in range(0, len(item_ids), PART):
        with ws.store.write() as connection:
            some = list(item_ids[start : start + PART])
            resolve_items(connection, project, some, ws.clock(), ws=ws)


def unsettled(connection: Connection, certificate_id: int) -> list[int]:
    """Return the items whose label does not follow from their newest event yet."""
    later = acceptances.alias("later")
    newer = (
        select(later.c.seq)
        .where(later.c.item_id == acceptances.c.item_id, later.c.seq > acceptances.c.seq)
        .exists()
    )
    accepted = acceptances.c.kind == "accepted"
    open_ = item_state.c.state == ItemState.OPEN.value
    ours = item_state.c.state == ItemState.AUTO_ACCEPTED.value
    rows = connection.execute(
        select(acceptances.c.item_id)
        .join(item_state, item_state.c.item_id == acceptances.c.item_id)
        .where(
            acceptances.c.certificate_id == certificate_id,
            ~newer,
            (accepted & open_ & (item_state.c.votes == 0)) | (~accepted & ours),
        )
        .order_by(acceptances.c.item_id)
    )
    return list(rows.scalars())
