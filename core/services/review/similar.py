"""Settled cases like a dispute: what people made of the images most like it, and why."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.labels.state import ItemState
from core.services.items.neighbours import nearest, neighbourhood
from core.services.projects.project import ProjectView
from core.services.workspace import Workspace
from core.store.tables import decisions, item_state

MOST = 6


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A settled item that looks like the one in dispute.

    Attributes:
        image: Path of the picture without the app's base.
        similarity: Cosine of the embeddings.
        reason: What the lead who ruled on it wrote; empty where votes or a file settled it.
    """

    item_id: int
    name: str
    image: str
    label: str
    similarity: float
    state: ItemState
    reason: str


def similar_cases(
    ws: Workspace, connection: Connection, project: ProjectView, item_id: int
) -> tuple[SimilarCase, ...] | None:
    """Return the settled items most like this one, at most six; None where it has no embedding.

    Args:
        ws: In whose cache the embeddings lie.
        connection: The caller's transaction, who has asked the gate.
        project: Where.
        item_id: The dispute.
    """
    hood = neighbourhood(connection, ws, project)
    found = None if hood is None else nearest(connection, project, hood, item_id)
    if found is None:
        return None
    near = found[:MOST]
    ids = [n.item_id for n in near]
    reasons = _reasons(connection, ids)
    query = select(item_state.c.item_id, item_state.c.state).where(item_state.c.item_id.in_(ids))
    states = {r.item_id: ItemState(r.state) for r in connection.execute(query)}
    return tuple(
        SimilarCase(
            n.item_id, n.name, n.image, n.label, n.similarity, states[n.item_id],
            reasons.get(n.item_id, ""),
        )
        for n in near
    )  # fmt: skip


def _reasons(connection: Connection, ids: list[int]) -> dict[int, str]:
    newest = (
        select(func.max(decisions.c.seq))
        .where(decisions.c.item_id.in_(ids))
        .group_by(decisions.c.item_id)
    )
    rows = connection.execute(
        select(decisions.c.item_id, decisions.c.reason).where(
            decisions.c.seq.in_(newest), decisions.c.kind == "decide"
        )
    )
    return {r.item_id: r.reason for r in rows}
