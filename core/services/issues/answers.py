"""What a person says to a suspicion: back to review with it, or it is right and need not be asked again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from core.access import Action, Actor
from core.consensus.settle import DecisionKind
from core.errors import ConflictError, InputError, NotFound
from core.labels.state import ItemState
from core.services.consensus.resolve import live_annotations, resolve_items
from core.services.issues.values import Kind
from core.services.projects.project import ProjectView, project_for
from core.services.review.ruling import UUID, Ruling, check_ruling, put_in_force
from core.services.review.submission import MAX_REASON
from core.services.workspace import Workspace
from core.store.audit import append_audit
from core.store.tables import acknowledgements, decisions, item_state, items

RIGHT, OPEN = "right", "open"
WAITING = (ItemState.OPEN.value, ItemState.DISPUTE.value)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one answer.

    Attributes:
        status: saved, already-saved, or already-open for an item that waits for people as it is.
    """

    uuid: str
    item_id: int
    status: str


def send_back(ws: Workspace, actor: Actor, slug: str, item_id: int, reason: str, uuid: str) -> Sent:
    """Send an item back to review, durably: its label is taken out of force until one more vote settles it.

    It is a lead's ruling like any other: written down, audited, and sent again it changes nothing.

    Args:
        ws: The workspace.
        actor: Who may adjudicate here.
        slug: The project.
        item_id: The item.
        reason: Why; others will read it.
        uuid: Names this ruling.

    Raises:
        InputError: There is no reason or no UUID.
        NotFound: There is no such item in this project.
        ConflictError: The UUID belongs to another ruling.
        Forbidden: The actor does not adjudicate here, or voted on the item.
    """
    now = ws.clock()
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        state = _item(connection, project, item_id)
        votes = sum(r.kind == "vote" for r in live_annotations(connection, [item_id]))
        ruling = Ruling(
            uuid, item_id, DecisionKind.SEND_BACK.value, None, reason[:MAX_REASON], votes
        )
        check_ruling(ruling)
        known = select(decisions.c.seq).where(decisions.c.uuid == uuid)
        if state.state in WAITING and connection.execute(known).first() is None:
            return Sent(uuid, item_id, "already-open")
        receipt = put_in_force(connection, project, actor, ruling, now)
        if receipt.status == "saved":
            resolve_items(connection, project, [item_id], now, ws=ws)
    return Sent(uuid, item_id, receipt.status)


def call_right(
    ws: Workspace, actor: Actor, slug: str, item_id: int, kind: str, final_seq: int, uuid: str
) -> Sent:
    """Keep that a suspicion is none: it is not asked again of this label of the item.

    Args:
        ws: The workspace.
        actor: Who may adjudicate here.
        slug: The project.
        item_id: The item.
        kind: Of the suspicion.
        final_seq: The label it is about; 0 for an item without one.
        uuid: Names this answer.

    Raises:
        InputError: There is no such kind, or no UUID.
        NotFound: There is no such item in this project.
        ConflictError: The label changed since, or the UUID belongs to another answer.
        Forbidden: The actor does not adjudicate here.
    """
    return _answer(ws, actor, slug, item_id, kind, final_seq, uuid, RIGHT)


def ask_again(
    ws: Workspace, actor: Actor, slug: str, item_id: int, kind: str, final_seq: int, uuid: str
) -> Sent:
    """Take back that a suspicion is none; what was said before is kept.

    Raises:
        InputError, NotFound, ConflictError, Forbidden: As `call_right`.
    """
    return _answer(ws, actor, slug, item_id, kind, final_seq, uuid, OPEN)


def called_right(connection: Connection, project: ProjectView) -> frozenset[tuple[int, Kind, int]]:
    """Return item, kind and final label (0 without one) of what was called right, the newest word counting."""
    rows = connection.execute(
        select(acknowledgements)
        .where(acknowledgements.c.project_id == project.id)
        .order_by(acknowledgements.c.seq)
    )
    newest = {(r.item_id, Kind(r.kind), r.final_seq or 0): r.said for r in rows}
    return frozenset(k for k, said in newest.items() if said == RIGHT)


def _answer(
    ws: Workspace,
    actor: Actor,
    slug: str,
    item_id: int,
    kind: str,
    final_seq: int,
    uuid: str,
    said: str,
) -> Sent:
    if kind not in tuple(Kind):
        raise InputError(
            f"Unknown kind '{kind[:80]}'; expected one of {', '.join(Kind)}.", "Reload the page."
        )
    if not UUID.fullmatch(uuid):
        raise InputError("An answer needs a UUID of its own.", "Reload the page.")
    with ws.store.write() as connection:
        project = project_for(connection, actor, slug, Action.ADJUDICATE)
        state = _item(connection, project, item_id)
        row = {
            "uuid": uuid, "project_id": project.id, "item_id": item_id, "kind": kind,
            "final_seq": final_seq or None, "said": said, "person_id": actor.person_id,
        }  # fmt: skip
        again = connection.execute(
            select(acknowledgements).where(acknowledgements.c.uuid == uuid)
        ).first()
        if again is not None:
            _check_same(again, row)
            return Sent(uuid, item_id, "already-saved")
        labelled = ItemState(state.state).has_label
        if final_seq != ((state.final_seq or 0) if labelled else 0):
            raise ConflictError(
                "The item's label changed since you looked; nothing was written down.",
                "Look at it again.",
            )
        connection.execute(acknowledgements.insert(), {**row, "at": ws.clock()})
        append_audit(
            connection, ws.clock(), actor.name, f"suspicion called {said}", f"item {item_id}",
            project.id, {"kind": kind, "uuid": uuid},
        )  # fmt: skip
    return Sent(uuid, item_id, "saved")


def _check_same(again: Row, row: dict[str, object]) -> None:
    if any(getattr(again, name) != value for name, value in row.items()):
        raise ConflictError(
            "This answer's UUID belongs to another one, so nothing was recorded now.",
            "Reload the page and answer again.",
        )


def _item(connection: Connection, project: ProjectView, item_id: int) -> Row:
    """Return where an item of the project stands.

    Raises:
        NotFound: The project has no such item.
    """
    row = connection.execute(
        select(item_state.c.state, item_state.c.final_seq)
        .join(items, items.c.id == item_state.c.item_id)
        .where(items.c.id == item_id, items.c.project_id == project.id)
    ).first()
    if row is None:
        raise NotFound(f"There is no item {item_id} in '{project.slug}'.", "Take the next one.")
    return row
